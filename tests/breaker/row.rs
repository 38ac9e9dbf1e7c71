//! Failures in a row: what counts, what begins a new row, and what says nothing of the other side.

use steadfast::breaker::{BreakerState, Cause, Permit, Phase, Rejected};
use steadfast::outcome::Outcome;
use steadfast::time::secs;

use crate::STANDARD;
use crate::breaker_calls::{BAD, NOW, call, opened};

#[test]
fn it_opens_at_the_fifth_failure_in_a_row_and_not_before() {
    let mut state = BreakerState::CLOSED;
    for _ in 0..4 {
        assert_eq!(call(&STANDARD, &mut state, NOW, BAD), None);
    }
    let told = call(&STANDARD, &mut state, NOW, BAD).expect("the fifth");
    assert_eq!((told.from, told.to), (Phase::Closed, Phase::Open));
    assert_eq!(told.cause, Cause::Failures);
    assert_eq!(told.to_string(), "closed -> open: 5 failures in a row");
    let rejected = STANDARD.try_enter(&mut state, NOW).unwrap_err();
    assert_eq!(
        rejected,
        Rejected::Open {
            retry_after: secs(30)
        }
    );
    assert_eq!(
        rejected.to_string(),
        "the breaker is open: a probe may go in 30s"
    );
}

#[test]
fn a_success_begins_a_new_row() {
    let mut state = BreakerState::CLOSED;
    for _ in 0..100 {
        for _ in 0..4 {
            let _ = call(&STANDARD, &mut state, NOW, BAD);
        }
        let _ = call(&STANDARD, &mut state, NOW, Outcome::Success);
    }
    assert_eq!(STANDARD.phase(&state, NOW), Phase::Closed);
}

#[test]
fn what_says_nothing_about_the_other_side_neither_counts_nor_begins_a_new_row() {
    let mut state = BreakerState::CLOSED;
    let neutral = [
        Outcome::Ignored,
        Outcome::Cancelled,
        Outcome::Rejected,
        Outcome::Throttled { retry_after: None },
        Outcome::ThrottledBelow { retry_after: None },
    ];
    for _ in 0..4 {
        let _ = call(&STANDARD, &mut state, NOW, BAD);
        for outcome in neutral {
            assert_eq!(call(&STANDARD, &mut state, NOW, outcome), None);
        }
    }
    assert_eq!(STANDARD.standing(&state, NOW).totals.failures, 4);
    assert!(call(&STANDARD, &mut state, NOW, BAD).is_some());
}

#[test]
fn a_call_that_no_breaker_watches_changes_nothing() {
    let mut state = opened(&STANDARD);
    let before = state;
    let recorded = STANDARD.record(&mut state, NOW, Permit::UNGUARDED, Outcome::Success);
    assert_eq!(recorded, None);
    STANDARD.cancel(&mut state, Permit::UNGUARDED);
    assert_eq!(state, before);
}
