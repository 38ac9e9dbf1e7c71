//! What takes a breaker from one state to another, and what it admits in each.

use steadfast::breaker::{Breaker, Cause, Phase, Rate, Rejected};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::time::{hours, millis, minutes, secs};
use steadfast::window::{TimeWindow, Totals};

use crate::calls::Calls;
use crate::{E, S, totals};

/// 20 s in slices of one; at least 5 calls; half of them failed, or slower than 4 s; open for 5 s;
/// four probes at a time, closed after four.
const D1: Breaker<Rate<TimeWindow<20>>, 4> = policy!(
    Breaker::rate_over_time::<20>(secs(20))
        .failures_percent(50)
        .slow_percent(50, secs(4))
        .min_calls(5)
        .open_for(secs(5))
        .probes::<4>()
        .close_after(4)
);

#[test]
fn d1_1_the_fifth_call_is_judged_even_if_it_worked() {
    let mut calls = Calls::of(D1);
    for call in [E, E, E, S] {
        assert_eq!(calls.made(call), None);
    }
    let tripped = calls.made(S).expect("60 %");
    assert_eq!((tripped.from, tripped.to), (Phase::Closed, Phase::Open));
    assert_eq!(
        (tripped.cause, tripped.totals),
        (Cause::FailureRate, totals(5, 3, 0))
    );
    assert!(matches!(calls.enter(), Err(Rejected::Open { .. })));
}

#[test]
fn d1_2_forty_percent_stay_and_fifty_open() {
    let mut calls = Calls::of(D1);
    for call in [S, S, S, E] {
        assert_eq!(calls.made(call), None);
        calls.wait(secs(1));
    }
    assert_eq!(calls.made(E), None, "40 %");
    calls.wait(secs(1));
    assert_eq!(calls.made(E).expect("50 %").totals, totals(6, 3, 0));
}

#[test]
fn d1_3_slow_calls_open_it() {
    let mut calls = Calls::of(D1);
    let tenth = millis(100);
    for (call, time) in [(E, secs(5)), (S, secs(5)), (E, tenth), (S, tenth)] {
        assert_eq!(calls.took(call, time), None);
    }
    let tripped = calls.took(S, secs(5)).expect("60 % are slow");
    assert_eq!(
        (tripped.cause, tripped.totals),
        (Cause::SlowRate, totals(5, 2, 3))
    );

    // By the clock: 5, 5, 1, 1 and 5 seconds, one after the other.
    let mut calls = Calls::of(D1);
    let mut told = None;
    for (call, seconds) in [(E, 5), (S, 5), (E, 1), (S, 1), (S, 5)] {
        assert_eq!(told, None);
        told = calls.took(call, secs(seconds));
        calls.wait(secs(seconds));
    }
    assert_eq!(told.map(|told| told.totals), Some(totals(5, 2, 3)));
}

#[test]
fn d1_4_it_is_half_open_when_the_open_time_is_over() {
    let mut calls = Calls::opened(D1);
    calls.wait(secs(3));
    for _ in 0..2 {
        let rejected = calls.enter().unwrap_err();
        assert_eq!(rejected.retry_after(), Some(secs(2)));
    }
    calls.wait(secs(3));
    assert_eq!(calls.phase(), Phase::HalfOpen);
    assert!(calls.enter().unwrap().is_probe());
    assert_eq!(
        calls.breaker.standing(&calls.state, calls.now).totals,
        Totals::NONE
    );
}

#[test]
fn d1_4_it_can_be_opened_for_a_time() {
    for (length, early, late) in [
        (hours(2), hours(1), hours(1) + secs(1)),
        (minutes(30), minutes(29), minutes(1)),
    ] {
        let mut calls = Calls::of(D1);
        let (breaker, now) = (calls.breaker, calls.now);
        assert!(
            breaker
                .force_open_for(&mut calls.state, now, length)
                .is_some()
        );
        calls.wait(early);
        assert!(calls.enter().is_err());
        calls.wait(late);
        assert!(calls.enter().is_ok());
        assert_eq!(calls.phase(), Phase::HalfOpen);
    }
}

#[test]
fn d1_5_half_open_admits_four_and_no_more() {
    let mut calls = Calls::opened(D1);
    for _ in 0..2 {
        calls.wait(secs(5));
        let permits: Vec<_> = (0..6).filter_map(|_| calls.enter().ok()).collect();
        assert_eq!(permits.len(), 4);
        calls.breaker.cancel(&mut calls.state, permits[2]);
        let again = calls.enter().expect("one was given back");
        assert!(calls.enter().is_err());
        assert!(calls.back(again, Outcome::TRANSIENT).is_some());
        assert_eq!(calls.phase(), Phase::Open);
    }
}

/// Overruled: there it opens at the fourth call, 75 %; here at the first failure.
#[test]
fn d1_6_a_failure_in_half_open_reopens() {
    let mut calls = Calls::opened(D1);
    calls.wait(secs(5));
    let permit = calls.enter().unwrap();
    let told = calls.back(permit, Outcome::TRANSIENT).unwrap();
    assert_eq!((told.to, told.cause), (Phase::Open, Cause::ProbeFailed));

    // Slow: there 75 % of four open it; here the first.
    let mut calls = Calls::opened(D1);
    calls.wait(secs(5));
    let permit = calls.enter().unwrap();
    calls.wait(secs(5));
    let told = calls.back(permit, Outcome::Success).unwrap();
    assert_eq!((told.to, told.cause), (Phase::Open, Cause::ProbeSlow));
    assert_eq!(told.totals, totals(1, 0, 1));
}

#[test]
fn d1_6_four_successes_close_and_forget() {
    let mut calls = Calls::opened(D1);
    calls.wait(secs(5));
    let permits: Vec<_> = (0..4).map(|_| calls.enter().unwrap()).collect();
    for (number, permit) in permits.into_iter().enumerate() {
        let told = calls.back(permit, Outcome::Success);
        assert_eq!(
            told.map(|told| told.to),
            (number == 3).then_some(Phase::Closed)
        );
    }
    assert_eq!(
        calls.breaker.standing(&calls.state, calls.now).totals,
        Totals::NONE
    );
}

#[test]
fn d1_7_what_is_given_up_gives_its_probe_back_and_what_is_ignored_ends_it() {
    let mut calls = Calls::opened(D1);
    calls.wait(secs(5));
    // Two rounds: were the probes not given back, there would be none for the second.
    for _ in 0..2 {
        let permits: Vec<_> = (0..4).map(|_| calls.enter().unwrap()).collect();
        for permit in permits {
            assert_eq!(calls.back(permit, Outcome::Cancelled), None);
        }
    }
    // Three successes and one that is ignored, or four that are: closed.
    let mut ignored = Calls {
        state: calls.state,
        ..calls
    };
    for outcome in [Outcome::Success, Outcome::Success, Outcome::Success] {
        let permit = calls.enter().unwrap();
        calls.back(permit, outcome);
    }
    let permit = calls.enter().unwrap();
    calls.back(permit, Outcome::Ignored);
    assert_eq!(calls.phase(), Phase::Closed);
    for _ in 0..4 {
        let permit = ignored.enter().unwrap();
        ignored.back(permit, Outcome::Ignored);
    }
    assert_eq!(ignored.phase(), Phase::Closed);
}

#[test]
fn d1_8_what_is_forced_stays() {
    let mut calls = Calls::of(D1);
    let now = calls.now;
    assert!(D1.force_open(&mut calls.state, now).is_some());
    assert_eq!(D1.force_open(&mut calls.state, now), None, "the same again");
    calls.wait(secs(6));
    assert_eq!(calls.enter(), Err(Rejected::ForcedOpen));

    let mut calls = Calls::of(D1);
    assert!(D1.disable(&mut calls.state, now).is_some());
    assert_eq!(D1.disable(&mut calls.state, now), None);
    for _ in 0..20 {
        assert_eq!(calls.made(E), None);
    }
    assert_eq!(D1.standing(&calls.state, now).totals, Totals::NONE);
}

#[test]
fn d1_8_on_trial_it_tells_once_and_stays() {
    let mut calls = Calls::of(D1);
    let now = calls.now;
    assert!(D1.observe_only(&mut calls.state, now).is_some());
    assert_eq!(D1.observe_only(&mut calls.state, now), None);
    let told: Vec<_> = [E, E, E, S, S, E, E].map(|call| calls.made(call)).into();
    let (trial, rest) = (told[4].expect("60 %"), [&told[..4], &told[5..]].concat());
    assert!(trial.is_trial());
    assert_eq!(trial.totals, totals(5, 3, 0));
    assert!(rest.iter().all(Option::is_none));
    assert_eq!(calls.phase(), Phase::ObserveOnly);
}
