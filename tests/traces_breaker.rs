//! What another library's own tests expect of windows and breakers: Resilience4j's
//! `FixedSizeSlidingWindowMetricsTest`, `CircuitBreakerMetricsTest`, `SlidingTimeWindowMetricsTest` and
//! `CircuitBreakerStateMachineTest`, as facts.
//!
//! Overruled, and by what:
//!
//! - **Half-open is not judged by a rate** once all its calls are back. Any failure, and any slow
//!   probe, reopens at once; so many successes close. So "fail, succeed, succeed, succeed closes at
//!   25 %" and "three slow and one fast open at 75 %" end at the first failure or slow probe here,
//!   and there is no least number of calls in half-open.
//! - **Durations are not added up.** A call is slow or not; there is no total and no average.
//! - **Too few calls have no rate of -1**: they are not judged, and the counts are told as they are.
//! - **Rejected calls are not counted by the machine**; whoever is rejected has the answer in hand.
//! - **There is no longest time in half-open**; each probe has a lease instead.
//! - **A probe that is ignored has been answered**, and counts as one that worked, where theirs gives
//!   its permit back. Their rows end in the same phases.
//! - **From closed to half-open there is no verb**, so nothing to refuse.

use steadfast::breaker::{
    Breaker, BreakerState, Cause, Permit, Phase, Rate, Rejected, Transition, Trip,
};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::time::{Duration, Instant, hours, millis, minutes, secs};
use steadfast::window::{Call, CountWindow, TimeWindow, Totals, Window};

const S: Call = Call::GOOD;
const E: Call = Call::FAILED;
const SLOW_S: Call = Call {
    failed: false,
    slow: true,
};
const SLOW_E: Call = Call {
    failed: true,
    slow: true,
};

fn totals(calls: u32, failures: u32, slow: u32) -> Totals {
    Totals {
        calls,
        failures,
        slow,
    }
}

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

/// A breaker, its state and its clock.
struct Calls<T: Trip, const P: usize> {
    breaker: Breaker<T, P>,
    state: BreakerState<T, P>,
    now: Instant,
}

impl<T: Trip, const P: usize> Calls<T, P> {
    fn of(breaker: Breaker<T, P>) -> Self {
        Self {
            breaker,
            state: BreakerState::CLOSED,
            now: Instant::from_secs(1_000),
        }
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    fn enter(&mut self) -> Result<Permit, Rejected> {
        self.breaker.try_enter(&mut self.state, self.now)
    }

    fn back(&mut self, permit: Permit, outcome: Outcome) -> Option<Transition> {
        self.breaker
            .record(&mut self.state, self.now, permit, outcome)
    }

    fn made(&mut self, call: Call) -> Option<Transition> {
        self.took(call, Duration::ZERO)
    }

    /// A call that took so long, of which the clock of the caller knows only the difference.
    fn took(&mut self, call: Call, time: Duration) -> Option<Transition> {
        let permit = self.enter().expect("closed");
        let began = self.now;
        self.wait(time);
        let outcome = if call.failed {
            Outcome::TRANSIENT
        } else {
            Outcome::Success
        };
        let transition = self.back(permit, outcome);
        self.now = began;
        transition
    }

    fn phase(&self) -> Phase {
        self.breaker.phase(&self.state, self.now)
    }

    /// Opened by five failures.
    fn opened(breaker: Breaker<T, P>) -> Self {
        let mut calls = Self::of(breaker);
        for _ in 0..5 {
            calls.made(E);
        }
        assert_eq!(calls.phase(), Phase::Open);
        calls
    }
}

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
