//! What a user of a breaker relies on, one by one.

mod breaker_calls;

use breaker_calls::{BAD, NOW, call, opened};
use steadfast::breaker::{Breaker, BreakerState, Cause, Permit, Phase, Rate, Rejected};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{days, hours, minutes, nanos, secs};
use steadfast::window::{CountWindow, Totals};

const STANDARD: Breaker = Breaker::standard();

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
    let throttled = Outcome::Throttled { retry_after: None };
    for outcome in [Outcome::Cancelled, throttled, Outcome::Rejected] {
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

#[test]
fn a_call_that_no_breaker_watches_changes_nothing() {
    let mut state = opened(&STANDARD);
    let before = state;
    let recorded = STANDARD.record(&mut state, NOW, Permit::UNGUARDED, Outcome::Success);
    assert_eq!(recorded, None);
    STANDARD.cancel(&mut state, Permit::UNGUARDED);
    assert_eq!(state, before);
}
