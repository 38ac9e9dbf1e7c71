//! Held open, held closed, switched off, or on trial, by whoever runs it.

use steadfast::breaker::{BreakerState, Phase, Rejected};
use steadfast::time::{days, hours};
use steadfast::window::Totals;

use crate::STANDARD;
use crate::breaker_calls::{BAD, NOW, call};

#[test]
fn held_open_it_refuses_until_it_is_reset() {
    let mut state = BreakerState::CLOSED;
    assert!(STANDARD.force_open(&mut state, NOW).is_some());
    let rejected = STANDARD
        .try_enter(&mut state, NOW + days(1_000))
        .unwrap_err();
    assert_eq!(rejected, Rejected::ForcedOpen);
    assert_eq!(rejected.retry_after(), None);
    assert_eq!(STANDARD.standing(&state, NOW).retry_after, None);
    let told = STANDARD.reset(&mut state, NOW).expect("it was open");
    assert_eq!(told.to_string(), "forced_open -> closed: by hand");
    assert!(STANDARD.try_enter(&mut state, NOW).is_ok());
}

#[test]
fn held_open_for_a_time_it_is_half_open_after_it() {
    let mut state = BreakerState::CLOSED;
    assert!(STANDARD.force_open_for(&mut state, NOW, hours(2)).is_some());
    assert_eq!(STANDARD.phase(&state, NOW), Phase::ForcedOpen);
    let rejected = STANDARD.try_enter(&mut state, NOW + hours(1)).unwrap_err();
    assert_eq!(rejected.retry_after(), Some(hours(1)));
    let probe = STANDARD.try_enter(&mut state, NOW + hours(2)).unwrap();
    let told = probe.transition().expect("the first");
    assert_eq!((told.from, told.to), (Phase::ForcedOpen, Phase::HalfOpen));
}

#[test]
fn held_closed_it_counts_and_does_not_open_and_switched_off_it_does_not_count() {
    let mut state = BreakerState::CLOSED;
    assert!(STANDARD.force_closed(&mut state, NOW).is_some());
    for _ in 0..20 {
        assert_eq!(call(&STANDARD, &mut state, NOW, BAD), None);
    }
    let standing = STANDARD.standing(&state, NOW);
    assert_eq!(
        (standing.phase, standing.totals.failures),
        (Phase::ForcedClosed, 20)
    );
    assert!(STANDARD.disable(&mut state, NOW).is_some());
    for _ in 0..20 {
        assert_eq!(call(&STANDARD, &mut state, NOW, BAD), None);
    }
    let standing = STANDARD.standing(&state, NOW);
    assert_eq!(
        (standing.phase, standing.totals),
        (Phase::Disabled, Totals::NONE)
    );
}

#[test]
fn on_trial_it_tells_once_that_it_would_open() {
    let mut state = BreakerState::CLOSED;
    assert!(STANDARD.observe_only(&mut state, NOW).is_some());
    let told: Vec<_> = (0..20)
        .filter_map(|_| call(&STANDARD, &mut state, NOW, BAD))
        .collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].is_trial());
    assert_eq!(told[0].totals.failures, 5);
    // Asked for again after a reset, it tells again.
    assert!(STANDARD.reset(&mut state, NOW).is_some());
    assert!(STANDARD.observe_only(&mut state, NOW).is_some());
    let told = (0..20).filter_map(|_| call(&STANDARD, &mut state, NOW, BAD));
    assert_eq!(told.count(), 1);
}
