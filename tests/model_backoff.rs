//! Schedules and jitters against their formulas in exact fractions, over made-up policies, attempts
//! and draws; what cannot be configured, as text; and chance that is not shared.
//!
//! How to run many: see `model/schedule.rs`.

mod model;

use std::error::Error;

use model::schedule::play;
use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::ConfigError;
use steadfast::backoff::{Backoff, BackoffConfig, BackoffState, Jitter};
use steadfast::limit::MAX_WAIT;
use steadfast::policy;
use steadfast::random::{Random, SharedRandom, SplitMix32};
use steadfast::time::{Duration, millis, nanos, secs};

const LONGEST: u64 = MAX_WAIT.as_nanos();

/// What a schedule is, in numbers that have no end.
#[derive(Clone, Debug)]
enum Growth {
    Immediate,
    Fixed,
    Linear,
    Whole(u32),
    Ratio(u32, u32),
    Fibonacci,
    Table(Vec<u64>),
}

/// A policy, good or bad, as its formula reads it.
#[derive(Clone, Debug)]
struct Rule {
    growth: Growth,
    base: u64,
    cap: Option<u64>,
    jitter: Jitter,
}

impl Rule {
    fn config(&self) -> BackoffConfig {
        let base = nanos(self.base);
        let config = match &self.growth {
            Growth::Immediate => Backoff::immediate(),
            Growth::Fixed => Backoff::fixed(base),
            Growth::Linear => Backoff::linear(base),
            Growth::Whole(factor) => Backoff::exponential(base).factor(*factor),
            Growth::Ratio(by, over) => Backoff::exponential(base).factor_ratio(*by, *over),
            Growth::Fibonacci => Backoff::fibonacci(base),
            Growth::Table(delays) => {
                let delays: Vec<_> = delays.iter().copied().map(nanos).collect();
                Backoff::table(Vec::leak(delays))
            }
        };
        let config = config.jitter(self.jitter);
        self.cap.map_or(config, |cap| config.cap(nanos(cap)))
    }

    /// The first delay.
    fn base(&self) -> u64 {
        match &self.growth {
            Growth::Immediate => 0,
            Growth::Table(delays) => delays.first().copied().unwrap_or(0),
            _ => self.base,
        }
    }

    fn cap(&self) -> u64 {
        self.cap.unwrap_or(LONGEST)
    }

    fn is_allowed(&self) -> bool {
        let base = self.base();
        let grows = match &self.growth {
            Growth::Immediate => true,
            Growth::Table(delays) => {
                !delays.is_empty() && delays.iter().all(|delay| *delay <= LONGEST)
            }
            Growth::Fixed | Growth::Linear | Growth::Fibonacci => base > 0,
            Growth::Whole(factor) => base > 0 && *factor > 0,
            Growth::Ratio(_, 0) => false,
            Growth::Ratio(by, over) => {
                let factor = BigRational::new((*by).into(), (*over).into());
                let least = BigRational::new(101.into(), 100.into());
                let second = (whole(base) * &factor).floor();
                base > 0
                    && *over <= 1 << 31
                    && by >= over
                    && (factor.is_integer() || factor >= least && second > whole(base))
            }
        };
        let wants_base = matches!(self.jitter, Jitter::Decorrelated | Jitter::Additive);
        let in_part = !matches!(self.jitter, Jitter::Proportional { permille: 1_000.. });
        grows
            && base <= LONGEST
            && (base..=LONGEST).contains(&self.cap())
            && (base > 0 || !wants_base)
            && in_part
    }

    /// What the schedule says, at most the cap. `attempt` counts from zero.
    fn nominal(&self, attempt: u32) -> u64 {
        let base = BigInt::from(self.base());
        let cap = BigInt::from(self.cap());
        let delay = match &self.growth {
            Growth::Immediate => BigInt::ZERO,
            Growth::Linear => base * (u64::from(attempt) + 1),
            Growth::Fixed | Growth::Whole(1) => base,
            // Twice as much 62 times is above any cap.
            Growth::Whole(factor) => base * BigInt::from(*factor).pow(attempt.min(62)),
            Growth::Ratio(by, over) if by == over => base,
            Growth::Ratio(by, over) => {
                let mut delay = base;
                for _ in 0..attempt {
                    if delay >= cap {
                        break;
                    }
                    delay = delay * *by / *over;
                }
                delay
            }
            // The hundredth is above 2^62.
            Growth::Fibonacci => {
                let (mut one, mut next) = (base.clone(), base);
                for _ in 0..attempt.min(100) {
                    (one, next) = (next.clone(), one + next);
                }
                one
            }
            Growth::Table(delays) => {
                let last = delays.len() - 1;
                delays[last.min(attempt as usize)].into()
            }
        };
        integer(&delay.min(cap))
    }

    /// The delay of `attempt`, where `previous` was the one before.
    fn drawn(&self, attempt: u32, previous: u64, draw: u32) -> u64 {
        let base = whole(self.base());
        let v = whole(self.nominal(attempt));
        let u = BigRational::new(draw.into(), (1_u64 << 32).into());
        let (one, two) = (whole(1), whole(2));
        let delay = match self.jitter {
            Jitter::None => v,
            Jitter::Full => u * v,
            Jitter::Equal => (v.clone() / &two) + u * v / &two,
            Jitter::Decorrelated => {
                let previous = whole(if attempt == 0 { self.base() } else { previous });
                base.clone() + u * (whole(3) * previous - base)
            }
            Jitter::Proportional { permille } => {
                // As documented, in 2^-32; and what that reaches in whole nanoseconds.
                let parts = BigInt::from((u64::from(permille) << 32) / 1_000);
                let held = BigRational::new(parts, (1_u64 << 32).into());
                let reach = (v.clone() * held).floor();
                let delay = (v.clone() - &reach + &two * reach * &u).floor();
                // Which is what the formula says, but for 2^-31 of the delay and two roundings.
                let r = BigRational::new(permille.into(), 1_000.into());
                let formula = v.clone() * (one - &r + &two * r * u);
                let off = v / whole(1 << 31) + &two;
                assert!(formula.clone() - &off <= delay && delay <= formula + off);
                delay
            }
            Jitter::Additive => v + u * base,
            other => panic!("no formula for {other:?}"),
        };
        integer(&delay.floor().to_integer().min(self.cap().into()))
    }
}

fn whole(number: u64) -> BigRational {
    BigRational::from(BigInt::from(number))
}

fn integer(number: &BigInt) -> u64 {
    u64::try_from(number).expect("a delay of 64 bits")
}

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

fn rules() -> impl Strategy<Value = Rule> {
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

fn draws() -> impl Strategy<Value = u32> {
    prop_oneof![
        6 => any::<u32>(),
        1 => Just(0),
        1 => Just(u32::MAX),
        1 => Just(1 << 31),
    ]
}

fn attempts() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => 0_u32..=100,
        1 => Just(u32::MAX),
        3 => (any::<u32>(), 0_u32..32).prop_map(|(attempt, by)| attempt >> by),
    ]
}

#[test]
fn delays_are_those_of_the_formulas_and_no_other_policy_is_allowed() {
    let inputs = (rules(), vec(draws(), 1..50), vec(attempts(), 1..5));
    play("backoff", inputs, |(rule, draws, attempts)| {
        let built = rule.config().build();
        prop_assert_eq!(built.is_ok(), rule.is_allowed(), "{:?}", built);
        let Ok(policy) = built else {
            return Ok(1);
        };
        prop_assert_eq!(policy.cap(), nanos(rule.cap()));
        prop_assert_eq!(policy.jitter(), rule.jitter);

        let mut state = BackoffState::START;
        let mut previous = 0;
        for (attempt, draw) in (0..).zip(draws.iter().copied()) {
            let mut drawn = 0;
            let mut random = || {
                drawn += 1;
                draw
            };
            let delay = policy.next_delay(&mut state, &mut random).as_nanos();
            prop_assert_eq!(delay, rule.drawn(attempt, previous, draw), "at {}", attempt);
            prop_assert!(delay <= rule.cap());
            prop_assert_eq!(drawn, u32::from(rule.jitter != Jitter::None));
            previous = delay;
        }
        for attempt in attempts.iter().copied() {
            let nominal = policy.nominal(attempt).as_nanos();
            prop_assert_eq!(nominal, rule.nominal(attempt), "of {}", attempt);
        }
        Ok((draws.len() + attempts.len()) as u64)
    });
}

/// The state of one policy under another is a delay of another length, and no more.
#[test]
fn a_state_of_another_policy_does_no_harm() {
    let inputs = (rules(), rules(), vec(draws(), 1..100));
    play("backoff, two policies", inputs, |(one, other, draws)| {
        let (Ok(one), Ok(other)) = (one.config().build(), other.config().build()) else {
            return Ok(0);
        };
        let mut state = BackoffState::START;
        for (number, draw) in draws.iter().enumerate() {
            let policy = if number % 7 < 4 { one } else { other };
            let delay = policy.next_delay(&mut state, &mut || *draw);
            prop_assert!(delay <= policy.cap());
        }
        Ok(draws.len() as u64)
    });
}

static AT_ONCE_FIRST: [Duration; 2] = [Duration::ZERO, millis(1)];
static SEVEN: [Duration; 1] = [nanos(7)];

#[track_caller]
fn refuses(config: BackoffConfig, text: &str) {
    let error: ConfigError = config.build().unwrap_err();
    assert_eq!(error.to_string(), text);
    assert_eq!(error.message().as_str(), text);
    assert!(error.source().is_none());
}

#[test]
fn a_base_of_nothing_or_beyond_what_can_be_told() {
    for config in [
        Backoff::fixed(Duration::ZERO),
        Backoff::linear(Duration::ZERO),
        Backoff::exponential(Duration::ZERO),
        Backoff::fibonacci(Duration::ZERO),
        Backoff::immediate().jitter(Jitter::Additive),
        Backoff::immediate().jitter(Jitter::Decorrelated),
        Backoff::table(&AT_ONCE_FIRST).jitter(Jitter::Additive),
    ] {
        refuses(config, "base (ns) = 0, allowed 1..=4611686018427387904");
    }
    refuses(
        Backoff::exponential(MAX_WAIT + nanos(1)),
        "base (ns) = 4611686018427387905, allowed 1..=4611686018427387904",
    );
}

#[test]
fn a_base_that_its_factor_cannot_move() {
    let config = |base, by, over| Backoff::exponential(nanos(base)).factor_ratio(by, over);
    refuses(
        config(1, 3, 2),
        "base (ns) = 1, allowed 2..=4611686018427387904",
    );
    refuses(
        config(99, 101, 100),
        "base (ns) = 99, allowed 100..=4611686018427387904",
    );
    assert_eq!(config(2, 3, 2).build().unwrap().nominal(1), nanos(3));
    assert_eq!(
        config(100, 101, 100).build().unwrap().nominal(1),
        nanos(101)
    );
    assert_eq!(config(1, 5, 2).build().unwrap().nominal(1), nanos(2));
}

#[test]
fn a_cap_below_the_base_or_beyond_what_can_be_told() {
    refuses(
        Backoff::exponential(secs(2)).cap(secs(1)),
        "cap (ns) = 1000000000, allowed 2000000000..=4611686018427387904",
    );
    refuses(
        Backoff::table(&SEVEN).cap(nanos(6)),
        "cap (ns) = 6, allowed 7..=4611686018427387904",
    );
    refuses(
        Backoff::immediate().cap(Duration::MAX),
        "cap (ns) = 18446744073709551615, allowed 0..=4611686018427387904",
    );
}

#[test]
fn a_factor_below_one_or_next_to_it() {
    let config = Backoff::exponential(secs(1));
    refuses(config.factor(0), "factor = 0, allowed 1..=4294967295");
    refuses(
        config.factor_ratio(1, 0),
        "denominator = 0, allowed 1..=2147483648",
    );
    refuses(
        config.factor_ratio(u32::MAX, (1 << 31) + 1),
        "denominator = 2147483649, allowed 1..=2147483648",
    );
    refuses(
        config.factor_ratio(4, 5),
        "numerator = 4, allowed 5..=4294967295",
    );
    refuses(
        config.factor_ratio(1_001, 1_000),
        "numerator = 1001, allowed 1010..=4294967295",
    );
    assert!(config.factor_ratio(1_010, 1_000).build().is_ok());
    // 1.01 times 150 is 151.5.
    refuses(
        config.factor_ratio(151, 150),
        "numerator = 151, allowed 152..=4294967295",
    );
}

#[test]
fn a_factor_of_a_schedule_that_has_none() {
    for config in [
        Backoff::immediate(),
        Backoff::fixed(secs(1)),
        Backoff::linear(secs(1)),
        Backoff::fibonacci(secs(1)),
        Backoff::table(&SEVEN),
    ] {
        refuses(config.factor(2), "factor = 2, allowed 1..=1");
        refuses(config.factor_ratio(8, 5), "numerator = 8, allowed 5..=5");
        assert_eq!(config.factor(1).build(), config.build());
    }
}

#[test]
fn a_table_of_nothing_or_with_a_delay_beyond_what_can_be_told() {
    refuses(Backoff::table(&[]), "delays = 0, allowed 1..=4294967295");
    refuses(
        Backoff::table(&[Duration::ZERO, Duration::MAX]),
        "delay (ns) = 18446744073709551615, allowed 0..=4611686018427387904",
    );
}

#[test]
fn a_jitter_of_the_whole_delay_to_either_side() {
    refuses(
        Backoff::fixed(secs(1)).jitter(Jitter::Proportional { permille: 1_000 }),
        "permille = 1000, allowed 0..=999",
    );
}

#[test]
fn a_factor_of_one_stays_at_the_base_for_ever() {
    for config in [
        Backoff::exponential(secs(1)).factor(1),
        Backoff::exponential(secs(1)).factor_ratio(5, 5),
    ] {
        let policy = config.build().unwrap();
        assert_eq!(policy.nominal(u32::MAX), secs(1));
        assert_eq!(policy.delays(|| 0).nth(1_000), Some(secs(1)));
    }
}

/// The documented bounds on the work of `nominal`, as the number of steps until a delay stays.
#[test]
fn the_slowest_schedules_reach_the_longest_delay_in_the_documented_number_of_steps() {
    for (config, steps) in [
        (Backoff::exponential(nanos(1)), 62),
        (Backoff::fibonacci(nanos(1)), 90),
        (
            Backoff::exponential(nanos(100)).factor_ratio(101, 100),
            3_914,
        ),
        (
            Backoff::exponential(nanos(100)).factor_ratio(2_169_008_170, 2_147_483_648),
            3_905,
        ),
    ] {
        let policy = config.build().unwrap();
        let mut delays = policy.delays(|| 0);
        let reached = delays.position(|delay| delay == MAX_WAIT).unwrap();
        assert_eq!(reached, steps, "{config:?}");
        assert_eq!(policy.nominal(u32::MAX), MAX_WAIT);
    }
}

#[test]
fn two_sequences_that_share_a_generator_have_delays_of_their_own() {
    let policy = Backoff::standard();
    let mut random = SplitMix32::new(1);
    let (mut one, mut other) = (BackoffState::START, BackoffState::START);
    let mut same = 0;
    for _ in 0..1_000 {
        let first = policy.next_delay(&mut one, &mut random);
        let second = policy.next_delay(&mut other, &mut random);
        same += u32::from(first == second);
    }
    // By chance two of 2 * 10^8 or more are equal once in 10^8 pairs.
    assert_eq!(same, 0);
}

#[test]
fn sequences_of_forks_and_of_a_generator_in_a_static_differ() {
    static DICE: SharedRandom = SharedRandom::new(1);
    let policy = Backoff::standard();
    let mut random = SplitMix32::new(1);
    let take = |delays: &mut dyn Iterator<Item = Duration>| delays.take(8).collect::<Vec<_>>();
    let one = take(&mut policy.delays(random.fork()));
    let two = take(&mut policy.delays(random.fork()));
    let three = take(&mut policy.delays(&DICE));
    let four = take(&mut policy.delays(&DICE));
    for (a, b) in [(&one, &two), (&two, &three), (&three, &four)] {
        assert!(a.iter().zip(b).all(|(a, b)| a != b), "{a:?}, {b:?}");
    }
}

/// 100,000 draws of 1 s in ten parts: about 10,000 each. Chi-squared with nine degrees of freedom is
/// above 33.7 in one of 10,000 seeds.
#[test]
fn full_jitter_is_spread_evenly() {
    let policy = policy!(Backoff::fixed(secs(1)).jitter(Jitter::Full));
    let mut parts = [0_i64; 10];
    for delay in policy.delays(SplitMix32::new(7)).take(100_000) {
        parts[(delay.as_nanos() / 100_000_000) as usize] += 1;
    }
    let off: i64 = parts.iter().map(|count| (count - 10_000).pow(2)).sum();
    assert!(off < 337_000, "chi-squared {off} / 10,000: {parts:?}");
}

/// On average `v/2`, `3v/4`, `v` and `v + base/2`, as documented, where the cap is not in the way.
#[test]
fn jitters_have_the_documented_average() {
    for (jitter, average) in [
        (Jitter::None, 1_000_000),
        (Jitter::Full, 500_000),
        (Jitter::Equal, 750_000),
        (Jitter::Proportional { permille: 200 }, 1_000_000),
        (Jitter::Additive, 1_500_000),
    ] {
        let policy = Backoff::fixed(millis(1)).jitter(jitter).build().unwrap();
        let delays = policy.delays(SplitMix32::new(7)).take(100_000);
        let mean = delays.map(Duration::as_nanos).sum::<u64>() / 100_000;
        assert!(mean.abs_diff(average) < 4_000, "{jitter:?}: {mean}");
    }
}

#[test]
fn sizes_are_as_documented() {
    assert_eq!(size_of::<BackoffState>(), 16);
    if cfg!(target_pointer_width = "64") {
        assert_eq!(size_of::<Backoff>(), 48);
    }
}

#[test]
fn any_closure_is_a_generator() {
    let mut random = || 1 << 31;
    let delay = Backoff::standard().next_delay(&mut { BackoffState::START }, &mut random);
    assert_eq!((delay, random.next_u32()), (millis(100), 1 << 31));
}
