//! How long it stays open, and clocks that jump.

use steadfast::breaker::{Breaker, BreakerState, Phase};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{days, minutes, nanos, secs};

use crate::STANDARD;
use crate::breaker_calls::{BAD, NOW, call, opened};

#[test]
fn it_is_half_open_to_the_nanosecond_even_if_nobody_comes() {
    let state = opened(&STANDARD);
    assert_eq!(
        STANDARD.phase(&state, NOW + secs(30) - nanos(1)),
        Phase::Open
    );
    assert_eq!(STANDARD.phase(&state, NOW + secs(30)), Phase::HalfOpen);
    assert_eq!(STANDARD.phase(&state, NOW + days(365)), Phase::HalfOpen);
}

#[test]
fn the_open_time_grows_while_it_reopens_and_is_short_again_when_it_has_closed() {
    let breaker = Breaker::consecutive(1)
        .open_for(secs(30))
        .growing_to(minutes(3))
        .close_after(1)
        .build()
        .unwrap();
    let mut state = BreakerState::CLOSED;
    let mut now = NOW;
    for _ in 0..2 {
        for seconds in [30, 60, 120, 180, 180] {
            let _ = call(&breaker, &mut state, now, BAD);
            let rejected = breaker.try_enter(&mut state, now).unwrap_err();
            assert_eq!(rejected.retry_after(), Some(secs(seconds)));
            now = now + secs(seconds);
        }
        let _ = call(&breaker, &mut state, now, Outcome::Success);
        assert_eq!(breaker.phase(&state, now), Phase::Closed);
    }
}

/// Devices whom one outage has opened do not all come back at once, and none comes back early.
#[test]
fn jitter_only_lengthens_the_open_time_and_differs_from_seed_to_seed() {
    static NODE: Breaker = policy!(Breaker::consecutive(1).open_jitter_percent(20));
    let mut waits: Vec<_> = (0..100)
        .map(|device| {
            let breaker = Shared::breaker_in(NODE, BreakerState::seeded(device));
            let permit = breaker.try_enter(NOW).unwrap();
            let _ = breaker.record(NOW, permit, BAD);
            let rejected = breaker.try_enter(NOW).unwrap_err();
            let wait = rejected.retry_after().unwrap();
            assert!(breaker.try_enter(NOW + wait - nanos(1)).is_err());
            assert!(breaker.try_enter(NOW + wait).is_ok());
            wait
        })
        .collect();
    waits.sort();
    waits.dedup();
    assert_eq!(waits.len(), 100);
    assert!(waits[0] >= secs(30) && waits[0] < secs(31));
    assert!(waits[99] > secs(35) && waits[99] < secs(36));
}

#[test]
fn a_clock_that_goes_back_a_day_makes_nobody_wait_a_day() {
    let mut state = opened(&STANDARD);
    let back = NOW - days(1);
    let rejected = STANDARD.try_enter(&mut state, back).unwrap_err();
    assert_eq!(rejected.retry_after(), Some(secs(30)), "it begins anew");
    let probe = STANDARD.try_enter(&mut state, back + secs(30)).unwrap();

    // A probe's lease likewise.
    let further = back - days(1);
    let rejected = STANDARD.try_enter(&mut state, further).unwrap_err();
    assert_eq!(rejected.retry_after(), Some(secs(60)));
    assert!(STANDARD.try_enter(&mut state, further + secs(60)).is_ok());
    assert_eq!(STANDARD.record(&mut state, further, probe, BAD), None);
}

#[test]
fn a_clock_that_lags_a_little_is_believed() {
    let mut state = opened(&STANDARD);
    let rejected = STANDARD.try_enter(&mut state, NOW - secs(4)).unwrap_err();
    assert_eq!(rejected.retry_after(), Some(secs(34)));
    assert_eq!(STANDARD.phase(&state, NOW + secs(30)), Phase::HalfOpen);
}

#[test]
fn a_clock_that_jumps_forward_a_day_lets_a_probe_pass_and_no_more() {
    let mut state = opened(&STANDARD);
    let later = NOW + days(1);
    assert!(STANDARD.try_enter(&mut state, later).is_ok());
    assert!(STANDARD.try_enter(&mut state, later).is_err());
}
