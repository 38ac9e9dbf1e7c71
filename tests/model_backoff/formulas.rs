//! Every delay is that of its formula, and the work to find it is bounded as documented.

use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::backoff::{Backoff, BackoffState, Jitter};
use steadfast::limit::MAX_WAIT;
use steadfast::time::{nanos, secs};

use crate::made_up::{attempts, draws, rules};
use crate::model::schedule::play;

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
fn sizes_are_as_documented() {
    assert_eq!(size_of::<BackoffState>(), 16);
    if cfg!(target_pointer_width = "64") {
        assert_eq!(size_of::<Backoff>(), 48);
    }
}
