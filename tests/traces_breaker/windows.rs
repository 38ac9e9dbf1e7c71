//! What a window of calls or of time holds, and the rate at which it trips.

use steadfast::breaker::{Breaker, Cause, Phase, Rate};
use steadfast::policy;
use steadfast::time::{Instant, millis, secs};
use steadfast::window::{Call, CountWindow, TimeWindow, Totals, Window};

use crate::calls::Calls;
use crate::{E, S, SLOW_E, SLOW_S, totals};

/// Records each call and compares what is in the window with it.
fn record_all<const W: usize>(calls: u32, expected: &[(Call, Totals)]) {
    let window = CountWindow::<W>::new(calls).build().unwrap();
    let mut state = CountWindow::<W>::EMPTY;
    for (number, &(call, right)) in expected.iter().enumerate() {
        let said = window.record(&mut state, Instant::ZERO, call);
        assert_eq!(said, right, "call {number}");
    }
}

#[test]
fn c1_a_window_of_four_calls() {
    record_all::<1>(
        4,
        &[
            (E, totals(1, 1, 0)),
            (S, totals(2, 1, 0)),
            (S, totals(3, 1, 0)),
            (S, totals(4, 1, 0)),
            (S, totals(4, 0, 0)),
        ],
    );
    // 100, 50, 33.3, 25 and 0 percent.
    assert!(totals(3, 1, 0).failures_reach(333) && !totals(3, 1, 0).failures_reach(334));
    assert!(totals(4, 1, 0).failures_reach(250) && !totals(4, 1, 0).failures_reach(251));
}

#[test]
fn c1_a_window_of_two_calls_with_slow_ones() {
    record_all::<1>(
        2,
        &[
            (SLOW_E, totals(1, 1, 1)),
            (SLOW_S, totals(2, 1, 2)),
            (S, totals(2, 0, 1)),
            (S, totals(2, 0, 0)),
        ],
    );
}

#[test]
fn c1_a_window_of_five_calls_two_of_them_slow() {
    record_all::<1>(
        5,
        &[
            (SLOW_S, totals(1, 0, 1)),
            (SLOW_E, totals(2, 1, 2)),
            (S, totals(3, 1, 2)),
            (S, totals(4, 1, 2)),
            (S, totals(5, 1, 2)),
        ],
    );
    assert!(totals(5, 1, 2).slow_reach(400) && !totals(5, 1, 2).slow_reach(401));
}

#[test]
fn c1_ten_calls_of_which_six_failed_trip_at_half() {
    const BREAKER: Breaker<Rate<CountWindow<1>>> = policy!(
        Breaker::rate_over_calls::<1>(10)
            .failures_percent(50)
            .min_calls(10)
    );
    let mut calls = Calls::of(BREAKER);
    for call in [S, S, E, E] {
        assert_eq!(calls.made(call), None);
    }
    // Four calls: not judged, though half of them failed.
    let standing = BREAKER.standing(&calls.state, calls.now);
    assert_eq!(
        (standing.phase, standing.totals),
        (Phase::Closed, totals(4, 2, 0))
    );
    let mut calls = Calls::of(BREAKER);
    for call in [E, E, E, E, E, E, S, S, S] {
        assert_eq!(calls.made(call), None);
    }
    let tripped = calls.made(S).expect("the tenth call, a success, is judged");
    assert_eq!(
        (tripped.cause, tripped.totals),
        (Cause::FailureRate, totals(10, 6, 0))
    );
    // Three successes more would have been 30 %.
    let window = *BREAKER.rule().window();
    let mut state = CountWindow::EMPTY;
    for call in [E, E, E, E, E, E, S, S, S, S, S, S, S] {
        window.record(&mut state, Instant::ZERO, call);
    }
    assert_eq!(window.totals(&state, Instant::ZERO), totals(10, 3, 0));
}

const FIVE_SECONDS: TimeWindow<5> = policy!(TimeWindow::new(secs(5)));

#[test]
fn c2_five_seconds_with_a_slow_call_and_a_pause() {
    let (window, mut state) = (FIVE_SECONDS, TimeWindow::<5>::EMPTY);
    let mut now = Instant::from_secs(1_000);
    assert_eq!(window.record(&mut state, now, E), totals(1, 1, 0));
    now = now + millis(100);
    assert_eq!(window.record(&mut state, now, S), totals(2, 1, 0));
    now = now + millis(700);
    assert_eq!(window.record(&mut state, now, SLOW_E), totals(3, 2, 1));
    now = now + secs(4);
    assert_eq!(window.totals(&state, now), totals(3, 2, 1));
    now = now + secs(1);
    assert_eq!(window.totals(&state, now), Totals::NONE);
    now = now + millis(100);
    assert_eq!(window.record(&mut state, now, S), totals(1, 0, 0));
    now = now + secs(5);
    assert_eq!(window.record(&mut state, now, S), totals(1, 0, 0));
}

#[test]
fn c2_five_seconds_slide_second_by_second() {
    let (window, mut state) = (FIVE_SECONDS, TimeWindow::<5>::EMPTY);
    let mut now = Instant::from_secs(1_000);
    let steps = [
        (0, E, totals(1, 1, 0)),
        (100, S, totals(2, 1, 0)),
        (100, S, totals(3, 1, 0)),
        (1_000, S, totals(4, 1, 0)),
        (1_000, S, totals(5, 1, 0)),
        (1_000, E, totals(6, 2, 0)),
        (1_000, S, totals(7, 2, 0)),
        (1_000, S, totals(5, 1, 0)),
        (1_000, S, totals(5, 1, 0)),
        (5_000, S, totals(1, 0, 0)),
    ];
    for (number, (later, call, right)) in steps.into_iter().enumerate() {
        now = now + millis(later);
        assert_eq!(window.record(&mut state, now, call), right, "step {number}");
    }
}
