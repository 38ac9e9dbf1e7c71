//! Half-open: how many probes pass, whose result counts, and what becomes of one that does not come
//! back.

use steadfast::breaker::{Breaker, BreakerState, Phase, Rejected};
use steadfast::outcome::Outcome;
use steadfast::time::{hours, nanos, secs};

use crate::STANDARD;
use crate::breaker_calls::{BAD, NOW, call, opened};

#[test]
fn of_a_thousand_that_come_in_half_open_one_passes() {
    let mut state = opened(&STANDARD);
    let later = NOW + secs(30);
    let passed = (0..1_000).filter(|_| STANDARD.try_enter(&mut state, later).is_ok());
    assert_eq!(passed.count(), 1);

    let ten = Breaker::consecutive(5).probes::<10>().build().unwrap();
    let mut state = opened(&ten);
    let passed = (0..1_000).filter(|_| ten.try_enter(&mut state, later).is_ok());
    assert_eq!(passed.count(), 10);
}

#[test]
fn the_first_probe_tells_that_it_is_half_open_and_the_others_do_not() {
    let mut state = opened(&STANDARD);
    let later = NOW + secs(30);
    for first in [true, false, false] {
        let probe = STANDARD.try_enter(&mut state, later).unwrap();
        let told = probe.transition().map(|told| (told.from, told.to));
        assert_eq!(told, first.then_some((Phase::Open, Phase::HalfOpen)));
        STANDARD.cancel(&mut state, probe);
    }
}

#[test]
fn a_result_from_before_it_opened_neither_closes_nor_reopens_it() {
    for late in [Outcome::Success, BAD] {
        let mut state = BreakerState::CLOSED;
        let earlier: Vec<_> = (0..10)
            .map(|_| STANDARD.try_enter(&mut state, NOW).unwrap())
            .collect();
        for _ in 0..5 {
            let _ = call(&STANDARD, &mut state, NOW, BAD);
        }
        let later = NOW + secs(30);
        let probe = STANDARD.try_enter(&mut state, later).unwrap();
        let before = state;
        for permit in earlier {
            assert_eq!(STANDARD.record(&mut state, later, permit, late), None);
        }
        assert_eq!(state, before);
        assert_eq!(
            STANDARD.record(&mut state, later, probe, Outcome::Success),
            None
        );
    }
}

#[test]
fn a_probe_that_is_given_up_leaves_its_place_to_another() {
    let mut state = opened(&STANDARD);
    let later = NOW + secs(30);
    for outcome in [
        Outcome::Cancelled,
        Outcome::Throttled { retry_after: None },
        Outcome::ThrottledBelow { retry_after: None },
        Outcome::Rejected,
    ] {
        for _ in 0..1_000 {
            let probe = STANDARD
                .try_enter(&mut state, later)
                .expect("the place is free");
            assert_eq!(STANDARD.record(&mut state, later, probe, outcome), None);
        }
    }
    for _ in 0..3 {
        let _ = call(&STANDARD, &mut state, later, Outcome::Success);
    }
    assert_eq!(STANDARD.phase(&state, later), Phase::Closed);
}

/// Or a client who asks for what is not there keeps it half-open, and all others refused, for ever.
#[test]
fn a_probe_that_is_answered_no_has_been_answered() {
    let mut state = opened(&STANDARD);
    let later = NOW + secs(30);
    for _ in 0..3 {
        let _ = call(&STANDARD, &mut state, later, Outcome::Ignored);
    }
    assert_eq!(STANDARD.phase(&state, later), Phase::Closed);
}

#[test]
fn a_probe_that_never_comes_back_is_written_off_when_its_lease_is_over() {
    let mut state = opened(&STANDARD);
    let later = NOW + secs(30);
    let lost = STANDARD.try_enter(&mut state, later).unwrap();
    let rejected = STANDARD.try_enter(&mut state, later + secs(1)).unwrap_err();
    assert_eq!(
        rejected,
        Rejected::ProbesOut {
            retry_after: secs(59)
        }
    );
    let over = later + secs(60);
    assert!(STANDARD.try_enter(&mut state, over - nanos(1)).is_err());
    let probe = STANDARD.try_enter(&mut state, over).expect("written off");

    // It comes back after all: its place is another's.
    let before = state;
    assert_eq!(STANDARD.record(&mut state, over, lost, BAD), None);
    STANDARD.cancel(&mut state, lost);
    assert_eq!(state, before);
    assert!(STANDARD.record(&mut state, over, probe, BAD).is_some());
}

#[test]
fn a_probe_that_comes_back_late_counts_while_nobody_has_its_place() {
    let once = Breaker::consecutive(1).close_after(1).build().unwrap();
    let mut state = opened(&once);
    let probe = once.try_enter(&mut state, NOW + secs(30)).unwrap();
    let told = once.record(&mut state, NOW + hours(1), probe, Outcome::Success);
    assert_eq!(told.map(|told| told.to), Some(Phase::Closed));
}

#[test]
fn a_probe_that_is_recorded_twice_counts_once() {
    let mut state = opened(&STANDARD);
    let later = NOW + secs(30);
    let probe = STANDARD.try_enter(&mut state, later).unwrap();
    for _ in 0..10 {
        assert_eq!(
            STANDARD.record(&mut state, later, probe, Outcome::Success),
            None
        );
    }
    assert_eq!(STANDARD.standing(&state, later).totals.calls, 1);
    // Not in the place of the next one either.
    let next = STANDARD.try_enter(&mut state, later).unwrap();
    assert_eq!(STANDARD.record(&mut state, later, probe, BAD), None);
    assert_eq!(
        STANDARD.record(&mut state, later, next, Outcome::Success),
        None
    );
    assert_eq!(STANDARD.standing(&state, later).totals.calls, 2);
}
