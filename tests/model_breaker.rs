//! The breaker against a model that keeps every call in a list, over made-up histories: results that
//! come late, twice, never, or are given up, what people do by hand, and clocks that jump.
//!
//! How to run many: see `model/schedule.rs`.

mod breaker_model;
mod model;

use std::fmt::{self, Debug};

use breaker_model::{Config, HANDS, Hand, Rate, Rule, World};
use model::schedule::{play, scaled};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use steadfast::breaker::{Breaker, BreakerConfig, Trip};
use steadfast::outcome::Outcome;
use steadfast::time::{Duration, nanos};

type Verdict = Result<u64, TestCaseError>;

#[derive(Clone, Copy, Debug)]
enum Move {
    Stay,
    Forward(u64),
    Back(u64),
    /// To the instant that the last no named, or a nanosecond before.
    ToRetry(u64),
    /// To just before, at or after so many eighths of the longest time that is configured.
    Eighths(u64, u64),
    Day {
        back: bool,
    },
    /// As far back as is just believed, or no longer.
    Lead(u64),
    NearEnd(u64),
    To(u64),
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Enter,
    Record(usize, Outcome),
    RecordAgain(usize, Outcome),
    Cancel(usize),
    /// Never comes back.
    Lose(usize),
    ByHand(Hand),
}

const OUTCOMES: [Outcome; 10] = [
    Outcome::Success,
    Outcome::TRANSIENT,
    Outcome::TimedOut,
    Outcome::Throttled { retry_after: None },
    Outcome::Failure,
    Outcome::Exhausted,
    Outcome::ThrottledBelow { retry_after: None },
    Outcome::Ignored,
    Outcome::Cancelled,
    Outcome::Rejected,
];

const DAY: u64 = 86_400_000_000_000;

fn step((clock, by, act, with): (u8, u64, u8, u64)) -> (Move, Act) {
    let clock = match clock {
        0..=119 => Move::Stay,
        120..=144 => Move::Forward(by % 4),
        145..=164 => Move::Forward(scaled(by)),
        165..=169 => Move::Back(by % 4),
        170..=174 => Move::Back(scaled(by)),
        175..=204 => Move::ToRetry(by % 2),
        205..=239 => Move::Eighths(by % 12, by >> 32),
        240..=244 => Move::Day { back: by % 2 == 0 },
        245..=248 => Move::Lead(by % 5),
        249..=250 => Move::NearEnd(scaled(by)),
        251..=253 => Move::To(scaled(by)),
        254..=255 => Move::To(by),
    };
    let index = (with >> 32) as usize;
    let outcome = match with % 16 {
        0..=5 => Outcome::Success,
        6..=9 => Outcome::TimedOut,
        _ => OUTCOMES[(with >> 8) as usize % OUTCOMES.len()],
    };
    let act = match act {
        0..=99 => Act::Enter,
        100..=219 => Act::Record(index, outcome),
        220..=229 => Act::RecordAgain(index, outcome),
        230..=237 => Act::Cancel(index),
        238..=245 => Act::Lose(index),
        246..=249 => Act::ByHand(Hand::ForceOpenFor(scaled(with))),
        250..=252 => Act::ByHand(Hand::Reset),
        253..=255 => Act::ByHand(HANDS[index % HANDS.len()]),
    };
    (clock, act)
}

/// A history. Its length stays while it shrinks, so steps that do nothing much are not printed.
#[derive(Clone)]
struct Steps(Vec<(Move, Act)>);

impl Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            if !matches!(step, (Move::Stay, Act::Enter)) {
                write!(f, "\n  {number}: {step:?}")?;
            }
        }
        Ok(())
    }
}

fn steps() -> impl Strategy<Value = Steps> {
    vec(any::<(u8, u64, u8, u64)>().prop_map(step), 100..=150).prop_map(Steps)
}

/// What every breaker has, by the kind of numbers: some of a few nanoseconds, some of any length.
fn common() -> impl Strategy<Value = (u64, Option<u64>, u32, u64)> {
    let length = any::<u64>().prop_map(|n| scaled(n).clamp(1, 1 << 62));
    (length.clone(), any::<(bool, u64)>(), 1_u32..=4, length).prop_map(
        |(open_for, (grows, more), close_after, lease)| {
            let cap = (open_for.saturating_add(scaled(more))).min(1 << 62);
            (open_for, grows.then_some(cap), close_after, lease)
        },
    )
}

type Common = (u64, Option<u64>, u32, u64);

fn with_common<R: Copy, const P: usize>(
    config: BreakerConfig<R, P>,
    (open_for, cap, close_after, lease): Common,
) -> BreakerConfig<R, P> {
    let config = config
        .open_for(nanos(open_for))
        .close_after(close_after)
        .probe_lease(nanos(lease));
    match cap {
        Some(cap) => config.growing_to(nanos(cap)),
        None => config,
    }
}

fn described(rule: Rule, probes: usize, (open_for, cap, close_after, lease): Common) -> Config {
    Config {
        rule,
        probes,
        open_for,
        cap: cap.unwrap_or(open_for),
        close_after: close_after as usize,
        lease,
    }
}

fn agree<T: Trip, const P: usize>(
    breaker: Breaker<T, P>,
    config: Config,
    start: u64,
    steps: &[(Move, Act)],
) -> Verdict {
    let mut world = World::new(breaker, config, start);
    let window = match config.rule {
        Rule::Time(slices, slice, _) => slice.saturating_mul(slices as u64),
        _ => 0,
    };
    let longest = config.cap.max(config.lease).max(window);
    // One schedule in four has nobody who does anything by hand.
    let hands = !steps.len().is_multiple_of(4);
    let mut lost = Vec::new();
    for (number, &(clock, act)) in steps.iter().enumerate() {
        let now = world.now;
        world.now = match clock {
            Move::Stay => now,
            Move::Forward(by) => now.saturating_add(by),
            Move::Back(by) => now.saturating_sub(by),
            Move::ToRetry(early) => now.saturating_add(world.retry.saturating_sub(early)),
            Move::Eighths(by, about) => now
                .saturating_add((longest / 8).saturating_mul(by))
                .saturating_add(about % 3)
                .saturating_sub(1),
            Move::Day { back: false } => now.saturating_add(DAY),
            Move::Day { back: true } => now.saturating_sub(DAY),
            Move::Lead(by) => now.saturating_sub((1 << 32) - 2 + by),
            Move::NearEnd(by) => u64::MAX - by,
            Move::To(to) => to,
        };
        match act {
            Act::Record(index, outcome) => world.record(index, outcome),
            Act::RecordAgain(index, outcome) => world.record_again(index, outcome),
            Act::Cancel(index) => {
                world.cancel(index);
                Ok(())
            }
            Act::Lose(index) if !world.out.is_empty() => {
                let index = index % world.out.len();
                lost.push(world.out.remove(index));
                Ok(())
            }
            Act::ByHand(hand) if hands => world.by_hand(hand),
            Act::Enter | Act::Lose(_) | Act::ByHand(_) => world.enter(),
        }
        .and_then(|()| world.look())
        .map_err(|error| {
            let now = world.now;
            TestCaseError::fail(format!("step {number}, {act:?} at {now}: {error}"))
        })?;
    }
    // Those that were lost come back after all, and each call ends.
    world.out.append(&mut lost);
    world.end_all(OUTCOMES[steps.len() % OUTCOMES.len()])?;
    Ok(steps.len() as u64)
}

#[test]
fn by_failures_in_a_row() {
    let inputs = (1_u32..=6, common(), any::<u64>(), 0_u32..64, steps());
    play(
        "breaker, failures in a row",
        inputs,
        |(failures, common, start, by, Steps(steps))| {
            let config = with_common(Breaker::consecutive(failures), common);
            let rule = Rule::Row(failures as usize);
            let (start, one) = (start >> by, described(rule, 1, common));
            match steps.len() % 3 {
                0 => agree(config.build().unwrap(), one, start, &steps),
                1 => {
                    let two = described(rule, 2, common);
                    agree(config.probes::<2>().build().unwrap(), two, start, &steps)
                }
                _ => {
                    let four = described(rule, 4, common);
                    agree(config.probes::<4>().build().unwrap(), four, start, &steps)
                }
            }
        },
    );
}

type RateInput = (u32, u32, Option<(u32, u64)>);

fn rates() -> impl Strategy<Value = RateInput> {
    let percent = || prop_oneof![1_u32..=100, Just(50), Just(100)];
    let slow = any::<(bool, u64)>();
    (1_u32..=12, percent(), slow, percent()).prop_map(
        |(min, failures, (slow, longest), percent)| {
            let longest = scaled(longest).min(1 << 62);
            (min, failures, slow.then_some((percent, longest)))
        },
    )
}

fn rate((min, failures, slow): RateInput) -> Rate {
    Rate {
        min: min as usize,
        failures: failures as usize,
        slow: slow.map(|(percent, longest)| (percent as usize, longest)),
    }
}

#[test]
fn by_a_rate_over_calls() {
    let inputs = (
        1_u32..=96,
        rates(),
        common(),
        any::<u64>(),
        0_u32..64,
        steps(),
    );
    play(
        "breaker, rate over calls",
        inputs,
        |(calls, rates, common, start, by, Steps(steps))| {
            // Short windows as often as long ones.
            let calls = if calls % 2 == 0 { 1 + calls / 8 } else { calls };
            let (min, failures, slow) = (rates.0.min(calls), rates.1, rates.2);
            let rule = Rule::Calls(calls as usize, rate((min, failures, slow)));
            let config = Breaker::rate_over_calls::<3>(calls)
                .failures_percent(failures)
                .min_calls(min);
            let config = match slow {
                Some((percent, longest)) => config.slow_percent(percent, nanos(longest)),
                None => config,
            };
            let config = with_common(config, common);
            if steps.len() % 2 == 0 {
                let one = described(rule, 1, common);
                agree(config.build().unwrap(), one, start >> by, &steps)
            } else {
                let three = described(rule, 3, common);
                agree(
                    config.probes::<3>().build().unwrap(),
                    three,
                    start >> by,
                    &steps,
                )
            }
        },
    );
}

#[test]
fn by_a_rate_over_time() {
    let window = any::<u64>().prop_map(|n| scaled(n).clamp(5, 1 << 62));
    let inputs = (window, rates(), common(), any::<u64>(), 0_u32..64, steps());
    play(
        "breaker, rate over time",
        inputs,
        |(window, rates, common, start, by, Steps(steps))| match steps.len() % 3 {
            0 => over_time::<1>(window, rates, common, start >> by, &steps),
            1 => over_time::<2>(window, rates, common, start >> by, &steps),
            _ => over_time::<5>(window, rates, common, start >> by, &steps),
        },
    );
}

fn over_time<const B: usize>(
    window: u64,
    rates: RateInput,
    common: Common,
    start: u64,
    steps: &[(Move, Act)],
) -> Verdict {
    let (min, failures, slow) = rates;
    let config = Breaker::rate_over_time::<B>(Duration::from_nanos(window))
        .failures_percent(failures)
        .min_calls(min);
    let config = match slow {
        Some((percent, longest)) => config.slow_percent(percent, nanos(longest)),
        None => config,
    };
    let rule = Rule::Time(B, window.div_ceil(B as u64), rate(rates));
    let config = with_common(config.probes::<2>(), common);
    agree(
        config.build().unwrap(),
        described(rule, 2, common),
        start,
        steps,
    )
}
