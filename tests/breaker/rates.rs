//! Breakers that judge a share of the calls in a window: of those that failed, or were slow.

use steadfast::breaker::{Breaker, BreakerState, Cause, Rate};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::time::{minutes, nanos, secs};
use steadfast::window::CountWindow;

use crate::breaker_calls::{BAD, NOW, call};

#[test]
fn a_failure_rate_is_judged_at_the_least_number_of_calls_even_by_a_success() {
    const HALF: Breaker<Rate<CountWindow<1>>> = policy!(
        Breaker::rate_over_calls::<1>(20)
            .failures_percent(50)
            .min_calls(10)
    );
    let mut state = BreakerState::CLOSED;
    for outcome in [BAD; 5].into_iter().chain([Outcome::Success; 4]) {
        assert_eq!(call(&HALF, &mut state, NOW, outcome), None);
    }
    let told = call(&HALF, &mut state, NOW, Outcome::Success).expect("the tenth");
    assert_eq!(told.to_string(), "closed -> open: 5 of 10 calls failed");
}

#[test]
fn after_ten_thousand_successes_half_a_window_of_failures_trips() {
    let half = Breaker::rate_over_calls::<4>(100).build().unwrap();
    let mut state = BreakerState::CLOSED;
    for _ in 0..10_000 {
        let _ = call(&half, &mut state, NOW, Outcome::Success);
    }
    let failures = (1..=100).find(|_| call(&half, &mut state, NOW, BAD).is_some());
    assert_eq!(failures, Some(50));
}

#[test]
fn failures_of_a_minute_ago_do_not_count_in_a_window_of_ten_seconds() {
    let half = Breaker::rate_over_time::<10>(secs(10))
        .min_calls(3)
        .build()
        .unwrap();
    let mut state = BreakerState::CLOSED;
    for _ in 0..2 {
        let _ = call(&half, &mut state, NOW, BAD);
    }
    let later = NOW + minutes(1);
    for outcome in [Outcome::Success, Outcome::Success, BAD] {
        assert_eq!(call(&half, &mut state, later, outcome), None);
    }
}

#[test]
fn slow_successes_open_it_and_a_slow_probe_reopens_it() {
    let slow = Breaker::rate_over_calls::<1>(4)
        .slow_percent(50, secs(2))
        .close_after(1)
        .build()
        .unwrap();
    let mut state = BreakerState::CLOSED;
    let mut told = None;
    // Exactly two seconds are not longer than two seconds.
    for took in [secs(2), secs(2) + nanos(1), secs(2), secs(3)] {
        assert_eq!(told, None);
        let permit = slow.try_enter(&mut state, NOW).unwrap();
        told = slow.record(&mut state, NOW + took, permit, Outcome::Success);
    }
    let told = told.expect("two of four");
    assert_eq!(
        told.to_string(),
        "closed -> open: 2 of 4 calls took too long"
    );
    let probe = slow.try_enter(&mut state, NOW + secs(60)).unwrap();
    let told = slow.record(&mut state, NOW + secs(63), probe, Outcome::Success);
    assert_eq!(told.map(|told| told.cause), Some(Cause::ProbeSlow));
}
