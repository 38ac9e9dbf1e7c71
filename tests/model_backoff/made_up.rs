//! Policies, draws and attempts as proptest makes them up, near where mistakes live.

use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::backoff::Jitter;

use crate::rule::{Growth, LONGEST, Rule};

/// Lengths of time of every size, beyond the longest now and then.
fn lengths() -> impl Strategy<Value = u64> {
    prop_oneof![
        2 => 0_u64..=4,
        2 => Just(1_000_000_000),
        1 => Just(1_000_000_007),
        1 => LONGEST - 2..=LONGEST + 2,
        8 => (any::<u64>(), 1_u32..64).prop_map(|(length, by)| length >> by),
    ]
}

fn factors() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => 0_u32..=5,
        1 => u32::MAX - 1..=u32::MAX,
        3 => (any::<u32>(), 0_u32..32).prop_map(|(factor, by)| factor >> by),
    ]
}

/// Factors near one, of every denominator, and any.
fn ratios() -> impl Strategy<Value = (u32, u32)> {
    prop_oneof![
        1 => Just((8, 5)),
        1 => Just((16, 10)),
        1 => Just((101, 100)),
        3 => (1_u32..=200, 0_u32..=100).prop_map(|(more, over)| (over + more, over)),
        1 => Just((1 << 31, 1 << 31)),
        1 => Just(((1 << 31) + 1, (1 << 31) + 1)),
        3 => (factors(), factors()),
        2 => (any::<u32>(), any::<u32>(), 0_u32..30).prop_map(|(a, b, by)| {
            (a.max(b) >> by, a.min(b) >> by)
        }),
    ]
}

fn growths() -> impl Strategy<Value = Growth> {
    prop_oneof![
        1 => Just(Growth::Immediate),
        1 => Just(Growth::Fixed),
        2 => Just(Growth::Linear),
        4 => factors().prop_map(Growth::Whole),
        6 => ratios().prop_map(|(by, over)| Growth::Ratio(by, over)),
        2 => Just(Growth::Fibonacci),
        2 => vec(lengths(), 0..5).prop_map(Growth::Table),
    ]
}

fn jitters() -> impl Strategy<Value = Jitter> {
    prop_oneof![
        Just(Jitter::None),
        Just(Jitter::Full),
        Just(Jitter::Equal),
        Just(Jitter::Decorrelated),
        prop_oneof![0_u16..=999, 0_u16..=2, 998_u16..=1_001]
            .prop_map(|permille| Jitter::Proportional { permille }),
        Just(Jitter::Additive),
    ]
}

pub fn rules() -> impl Strategy<Value = Rule> {
    let caps = prop_oneof![1 => Just(None), 4 => lengths().prop_map(Some)];
    let turns = (0_u32..10, 0_u64..6);
    (growths(), lengths(), caps, jitters(), turns, 0..4).prop_map(
        |(growth, base, cap, jitter, (attempt, more), how)| {
            let mut rule = Rule {
                growth,
                base,
                cap,
                jitter,
            };
            match cap {
                // Just where the schedule meets it.
                Some(_) if how == 0 => {
                    rule.cap = None;
                    if rule.is_allowed() {
                        rule.cap = Some(rule.nominal(attempt) + more);
                    }
                }
                // As they come: as often the wrong way round, which is refused.
                Some(_) if how == 1 => {}
                Some(cap) => (rule.base, rule.cap) = (base.min(cap), Some(base.max(cap))),
                None => {}
            }
            rule
        },
    )
}

pub fn draws() -> impl Strategy<Value = u32> {
    prop_oneof![
        6 => any::<u32>(),
        1 => Just(0),
        1 => Just(u32::MAX),
        1 => Just(1 << 31),
    ]
}

pub fn attempts() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => 0_u32..=100,
        1 => Just(u32::MAX),
        3 => (any::<u32>(), 0_u32..32).prop_map(|(attempt, by)| attempt >> by),
    ]
}
