//! What a user of a breaker relies on, one by one; and what it refuses.

mod model;

use std::cell::{Cell, RefCell};

use model::schedule::play;
use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::breaker::{
    Breaker, BreakerState, Breakers, Cause, CircuitBreaker, Consecutive, FastBreaker, Locked,
    Permit, Phase, Rate, Recovery, Rejected, Stakes, Traffic, Transition, Trip,
};
use steadfast::outcome::Outcome;
use steadfast::shared::Shared;
use steadfast::time::{Duration, Instant, days, hours, minutes, nanos, secs};
use steadfast::window::{CountWindow, TimeWindow, Totals};
use steadfast::{ConfigError, policy};

const BAD: Outcome = Outcome::TRANSIENT;
const NOW: Instant = Instant::from_secs(100_000);
const STANDARD: Breaker = Breaker::standard();

/// One call, made and recorded at `now`.
fn call<T: Trip, const P: usize>(
    breaker: &Breaker<T, P>,
    state: &mut BreakerState<T, P>,
    now: Instant,
    outcome: Outcome,
) -> Option<Transition> {
    let permit = breaker.try_enter(state, now).expect("it passes");
    breaker.record(state, now, permit, outcome)
}

/// A breaker that opened at [`NOW`].
fn opened<const P: usize>(breaker: &Breaker<Consecutive, P>) -> BreakerState<Consecutive, P> {
    let mut state = BreakerState::CLOSED;
    while breaker.phase(&state, NOW) == Phase::Closed {
        let _ = call(breaker, &mut state, NOW, BAD);
    }
    state
}

#[test]
fn it_opens_at_the_fifth_failure_in_a_row_and_not_before() {
    let mut state = BreakerState::CLOSED;
    for _ in 0..4 {
        assert_eq!(call(&STANDARD, &mut state, NOW, BAD), None);
    }
    let told = call(&STANDARD, &mut state, NOW, BAD).expect("the fifth");
    assert_eq!((told.from, told.to), (Phase::Closed, Phase::Open));
    assert_eq!(told.cause, Cause::Failures);
    assert_eq!(
        told.to_string(),
        "closed -> open: 5 calls failed one after the other"
    );
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

#[test]
fn presets_are_what_they_say() {
    let opens = |breaker: Breaker| breaker.rule().failures();
    assert_eq!(policy!(Breaker::consecutive(5)), Breaker::standard());
    let sensitive = policy!(Breaker::consecutive(3).open_for(secs(15)).close_after(1));
    assert_eq!(sensitive, Breaker::sensitive());
    for (traffic, common) in [
        (Traffic::Low, 3..=5),
        (Traffic::Medium, 5..=10),
        (Traffic::High, 10..=20),
    ] {
        let breaker = Breaker::advised(traffic, Recovery::Normal, Stakes::Normal);
        assert!(common.contains(&opens(breaker)));
    }
    for (recovery, least, most) in [
        (Recovery::Quick, 10, 30),
        (Recovery::Normal, 30, 60),
        (Recovery::Slow, 120, 300),
    ] {
        let breaker = Breaker::advised(Traffic::Low, recovery, Stakes::Normal);
        let rejected = breaker.try_enter(&mut opened(&breaker), NOW).unwrap_err();
        let wait = rejected.retry_after().unwrap();
        assert!(secs(least) <= wait && wait <= secs(most));
    }
    for (stakes, common) in [
        (Stakes::Low, 1..=2),
        (Stakes::Normal, 3..=5),
        (Stakes::High, 5..=10),
    ] {
        let breaker = Breaker::advised(Traffic::High, Recovery::Quick, stakes);
        assert!(common.contains(&breaker.close_after()));
    }
}

#[test]
fn what_cannot_be_is_refused_with_the_field_its_value_and_what_is_allowed() {
    let base = || Breaker::consecutive(5);
    let long = nanos((1 << 62) + 1);
    let (all, wait) = ("1..=4294967295", "1..=4611686018427387904");
    let is = |said: Option<ConfigError>, right: String| {
        assert_eq!(said.map(|error| error.to_string()), Some(right));
    };
    is(
        Breaker::consecutive(0).build().err(),
        format!("failures = 0, allowed {all}"),
    );
    is(
        base().close_after(0).build().err(),
        format!("close_after = 0, allowed {all}"),
    );
    let open = |time| base().open_for(time).build().err();
    is(
        open(Duration::ZERO),
        format!("open_for (ns) = 0, allowed {wait}"),
    );
    is(
        open(long),
        format!("open_for (ns) = 4611686018427387905, allowed {wait}"),
    );
    let grows = |time| base().open_for(secs(2)).growing_to(time).build().err();
    let allowed = "allowed 2000000000..=4611686018427387904";
    is(
        grows(secs(1)),
        format!("growing_to (ns) = 1000000000, {allowed}"),
    );
    is(
        grows(long),
        format!("growing_to (ns) = 4611686018427387905, {allowed}"),
    );
    let lease = |time| base().probe_lease(time).build().err();
    is(
        lease(Duration::ZERO),
        format!("probe_lease (ns) = 0, allowed {wait}"),
    );
    is(
        lease(long),
        format!("probe_lease (ns) = 4611686018427387905, allowed {wait}"),
    );
    let jitter = base().open_jitter_percent(101).build().err();
    is(jitter, "open_jitter_percent = 101, allowed 0..=100".into());
    is(
        base().probes::<0>().build().err(),
        "probes = 0, allowed 1..=1024".into(),
    );

    let calls = |calls| Breaker::rate_over_calls::<1>(calls);
    is(calls(0).build().err(), "calls = 0, allowed 1..=32".into());
    is(calls(33).build().err(), "calls = 33, allowed 1..=32".into());
    is(
        calls(5).min_calls(6).build().err(),
        "min_calls = 6, allowed 1..=5".into(),
    );
    is(
        calls(5).min_calls(0).build().err(),
        "min_calls = 0, allowed 1..=5".into(),
    );
    for percent in [0, 101, u32::MAX] {
        let right = |field| format!("{field} = {percent}, allowed 1..=100");
        is(
            calls(5).failures_percent(percent).build().err(),
            right("failures_percent"),
        );
        is(
            calls(5).slow_percent(percent, secs(1)).build().err(),
            right("slow_percent"),
        );
    }
    let slow = calls(5).slow_percent(50, long).build().err();
    let allowed = "allowed 0..=4611686018427387904";
    is(
        slow,
        format!("longer_than (ns) = 4611686018427387905, {allowed}"),
    );
    is(
        calls(5).open_for(long).build().err(),
        format!("open_for (ns) = 4611686018427387905, allowed {wait}"),
    );
    // Fewer calls than the usual least number: all of them.
    assert_eq!(calls(5).build().unwrap().rule().min_calls(), 5);
    assert_eq!(calls(32).build().unwrap().rule().min_calls(), 10);

    let time = Breaker::rate_over_time::<4>(nanos(3)).build().err();
    is(
        time,
        "window (ns) = 3, allowed 4..=4611686018427387904".into(),
    );
    let time = Breaker::rate_over_time::<4>(secs(1))
        .min_calls(0)
        .build()
        .err();
    is(time, format!("min_calls = 0, allowed {all}"));
}

#[test]
fn times_as_long_as_they_may_be_do_not_overflow() {
    let longest = nanos(1 << 62);
    let breaker = Breaker::consecutive(1)
        .open_for(longest)
        .growing_to(longest)
        .probe_lease(longest)
        .build()
        .unwrap();
    for now in [Instant::ZERO, NOW, Instant::MAX - secs(1), Instant::MAX] {
        let mut state = BreakerState::CLOSED;
        let _ = call(&breaker, &mut state, now, BAD);
        let _ = breaker.try_enter(&mut state, now);
        let _ = breaker.try_enter(&mut state, Instant::MAX);
        let _ = breaker.try_enter(&mut state, Instant::ZERO);
        let _ = breaker.standing(&state, Instant::MAX);
        let _ = breaker.force_open_for(&mut state, now, Duration::MAX);
        assert!(now == Instant::MAX || breaker.try_enter(&mut state, now).is_err());
    }
}

/// A lock that counts how often it was taken.
struct Counting<S> {
    value: RefCell<S>,
    taken: Cell<u32>,
}

impl<S> Counting<S> {
    fn new(value: S) -> Self {
        Self {
            value: RefCell::new(value),
            taken: Cell::new(0),
        }
    }
}

impl<S> Locked<S> for &Counting<S> {
    fn with<R>(&self, work: impl FnOnce(&mut S) -> R) -> R {
        self.taken.set(self.taken.get() + 1);
        work(&mut self.value.borrow_mut())
    }
}

fn no_clock() -> Instant {
    panic!("the time is read")
}

#[test]
fn while_all_is_well_a_fast_breaker_takes_no_lock_and_reads_no_clock() {
    let lock = Counting::new(BreakerState::CLOSED);
    let breaker = FastBreaker::<Consecutive, 1, _>::with_lock(STANDARD, &lock);
    // The first call of all asks the lock.
    let first = breaker.try_enter(|| NOW).unwrap();
    breaker.cancel(first);
    assert_eq!(lock.taken.get(), 1);
    for outcome in [Outcome::Success, Outcome::Success] {
        let permit = breaker.try_enter(no_clock).unwrap();
        assert_eq!(breaker.record(no_clock, permit, outcome), None);
        drop(breaker.enter(no_clock).unwrap());
    }
    assert_eq!(lock.taken.get(), 1);
    // A failure takes it, and the success after that; then all is well again.
    for outcome in [BAD, Outcome::Success] {
        let permit = breaker.try_enter(no_clock).unwrap();
        assert_eq!(breaker.record(|| NOW, permit, outcome), None);
    }
    assert_eq!(lock.taken.get(), 3);
    let permit = breaker.try_enter(no_clock).unwrap();
    assert_eq!(breaker.record(no_clock, permit, Outcome::Success), None);
    assert_eq!(breaker.standing(NOW).totals, Totals::NONE);
}

/// The same calls, the same answers: a fast breaker is the machine.
fn as_the_machine<T: Trip, const P: usize>(
    breaker: Breaker<T, P>,
    steps: &[(u8, u8, u8)],
) -> Result<u64, TestCaseError> {
    let lock = Counting::new(BreakerState::CLOSED);
    let fast = FastBreaker::<T, P, _>::with_lock(breaker, &lock);
    let mut state = BreakerState::CLOSED;
    let mut out: Vec<(Permit, Permit)> = Vec::new();
    let mut now = NOW;
    for &(act, forward, pick) in steps {
        now = now + nanos(u64::from(forward % 4));
        let picked = usize::from(pick) % out.len().max(1);
        match act {
            0..=99 => {
                let (one, other) = (fast.try_enter(|| now), breaker.try_enter(&mut state, now));
                prop_assert_eq!(one.is_ok(), other.is_ok());
                prop_assert_eq!(one.err(), other.err());
                if let (Ok(one), Ok(other)) = (one, other) {
                    prop_assert_eq!(one.is_probe(), other.is_probe());
                    prop_assert_eq!(one.generation(), other.generation());
                    out.push((one, other));
                }
            }
            100..=219 if !out.is_empty() => {
                let (one, other) = out.remove(picked);
                let outcome = match act % 8 {
                    0..=2 => Outcome::Success,
                    3..=6 => BAD,
                    _ => Outcome::Ignored,
                };
                let said = fast.record(|| now, one, outcome);
                prop_assert_eq!(said, breaker.record(&mut state, now, other, outcome));
            }
            220..=239 if !out.is_empty() => {
                let (one, other) = out.remove(picked);
                fast.cancel(one);
                breaker.cancel(&mut state, other);
            }
            240..=247 => {
                let _ =
                    fast.with_state(|breaker, state| breaker.force_open_for(state, now, nanos(3)));
                let _ = breaker.force_open_for(&mut state, now, nanos(3));
            }
            248..=250 => {
                let _ = fast.with_state(|breaker, state| breaker.observe_only(state, now));
                let _ = breaker.observe_only(&mut state, now);
            }
            251..=253 => {
                let _ = fast.with_state(|breaker, state| breaker.disable(state, now));
                let _ = breaker.disable(&mut state, now);
            }
            _ => {
                let _ = fast.with_state(|breaker, state| breaker.reset(state, now));
                let _ = breaker.reset(&mut state, now);
            }
        }
        prop_assert_eq!(fast.standing(now), breaker.standing(&state, now));
        prop_assert_eq!(*lock.value.borrow(), state);
    }
    Ok(steps.len() as u64)
}

#[test]
fn a_fast_breaker_says_what_the_machine_says() {
    let inputs = (1_u32..=3, vec(any::<(u8, u8, u8)>(), 50..=100));
    play("fast breaker", inputs, |(count, steps)| {
        let times = |config: steadfast::breaker::BreakerConfig<_, 2>| {
            config
                .open_for(nanos(5))
                .probe_lease(nanos(7))
                .close_after(count)
        };
        let row = times(Breaker::consecutive(count).probes::<2>());
        let rate = Breaker::rate_over_calls::<1>(4)
            .slow_percent(50, nanos(2))
            .open_for(nanos(5))
            .probe_lease(nanos(7));
        Ok(as_the_machine(row.build().unwrap(), &steps)?
            + as_the_machine(rate.build().unwrap(), &steps)?)
    });
}

#[test]
fn a_guard_that_is_dropped_by_a_panic_frees_its_probe() {
    static MAIL: Shared<Breaker> = Shared::breaker(Breaker::sensitive());
    for _ in 0..3 {
        let permit = MAIL.try_enter(NOW).unwrap();
        MAIL.record(NOW, permit, BAD);
    }
    let later = NOW + secs(15);
    let panicked = std::panic::catch_unwind(|| {
        let _call = MAIL.enter(|| later).unwrap();
        assert_eq!(MAIL.standing(later).probes_out, 1);
        std::panic::resume_unwind(Box::new("the operation panics"));
    });
    assert!(panicked.is_err());
    assert_eq!(MAIL.standing(later).probes_out, 0);
    let call = MAIL.enter(|| later).unwrap();
    let told = call
        .record(|| later, Outcome::Success)
        .expect("one is enough");
    assert_eq!(told.to, Phase::Closed);
}

const NODE: Breaker = policy!(Breaker::consecutive(2).open_for(secs(10)).close_after(1));

/// One call to `key`; whether it passed.
fn call_to<const N: usize>(
    nodes: &mut Breakers<u8, N>,
    key: u8,
    now: Instant,
    outcome: Outcome,
) -> bool {
    match nodes.try_enter(&NODE, key, now) {
        Ok(permit) => {
            nodes.record(&NODE, key, now, permit, outcome);
            true
        }
        Err(_) => false,
    }
}

#[test]
fn each_target_has_its_own_breaker_and_one_at_rest_needs_no_place() {
    let mut nodes: Breakers<u8, 2> = Breakers::new();
    for key in 0..100 {
        assert!(call_to(&mut nodes, key, NOW, Outcome::Success));
    }
    assert_eq!(nodes.iter().count(), 0);
    for _ in 0..2 {
        assert!(call_to(&mut nodes, 7, NOW, BAD));
    }
    assert_eq!(nodes.phase(&NODE, 7, NOW), Phase::Open);
    assert!(call_to(&mut nodes, 8, NOW, BAD));
    assert_eq!(nodes.phase(&NODE, 8, NOW), Phase::Closed);
    assert_eq!((nodes.iter().count(), nodes.unguarded()), (2, 0));
}

#[test]
fn when_all_places_refuse_calls_a_newcomer_passes_and_is_counted() {
    let mut nodes: Breakers<u8, 2> = Breakers::new();
    for key in [1, 1, 2, 2, 3, 3, 3] {
        assert!(call_to(&mut nodes, key, NOW, BAD));
    }
    assert_eq!(nodes.unguarded(), 3);
    // The open time of both is over, and nobody has come since: one makes room.
    let later = NOW + secs(10);
    for _ in 0..2 {
        assert!(call_to(&mut nodes, 3, later, BAD));
    }
    assert_eq!(nodes.phase(&NODE, 3, later), Phase::Open);
    assert_eq!(nodes.unguarded(), 3);
}

/// Names that failed once, long ago, and never came back.
#[test]
fn targets_that_are_gone_do_not_keep_their_places() {
    let mut nodes: Breakers<u8, 4> = Breakers::new();
    for key in 0..4 {
        assert!(call_to(&mut nodes, key, NOW, BAD));
    }
    for _ in 0..2 {
        assert!(call_to(&mut nodes, 9, NOW, BAD));
    }
    assert_eq!(nodes.phase(&NODE, 9, NOW), Phase::Open);
    assert_eq!(nodes.unguarded(), 0);
}

/// It came back for one probe, and nobody has called it since.
#[test]
fn a_target_in_half_open_that_nobody_calls_does_not_keep_its_place() {
    const SLOW: Breaker = policy!(Breaker::consecutive(1).open_for(secs(10)).close_after(2));
    let mut nodes: Breakers<u8, 1> = Breakers::new();
    for (at, outcome) in [(NOW, BAD), (NOW + secs(10), Outcome::Success)] {
        let permit = nodes.try_enter(&SLOW, 1, at).unwrap();
        nodes.record(&SLOW, 1, at, permit, outcome);
    }
    let later = NOW + secs(20);
    assert_eq!(nodes.phase(&SLOW, 1, later), Phase::HalfOpen);
    let permit = nodes.try_enter(&SLOW, 2, later).unwrap();
    nodes.record(&SLOW, 2, later, permit, BAD);
    assert_eq!(nodes.phase(&SLOW, 2, later), Phase::Open);
}

/// More targets than places, all of them down, all called at once: those that have a place open.
#[test]
fn results_that_find_their_target_without_a_place_give_it_one() {
    let mut nodes: Breakers<u8, 4> = Breakers::new();
    for _ in 0..4 {
        let permits: Vec<_> = (0..8)
            .filter_map(|key| Some((key, nodes.try_enter(&NODE, key, NOW).ok()?)))
            .collect();
        for (key, permit) in permits {
            nodes.record(&NODE, key, NOW, permit, BAD);
            nodes.record(&NODE, key, NOW, permit, BAD);
        }
    }
    let open = (0..8).filter(|&key| nodes.phase(&NODE, key, NOW) == Phase::Open);
    assert_eq!(open.count(), 4);
}

/// A seed that is the same on every device would bring all of them back at once.
#[test]
fn tables_with_other_seeds_and_places_of_one_table_open_for_other_times() {
    const JITTERED: Breaker = policy!(
        Breaker::consecutive(1)
            .open_for(secs(30))
            .open_jitter_percent(100)
    );
    let mut waits = Vec::new();
    for device in 0..8 {
        let mut nodes: Breakers<u8, 4> = Breakers::new();
        nodes.seed(device);
        for key in 0..4 {
            let permit = nodes.try_enter(&JITTERED, key, NOW).unwrap();
            nodes.record(&JITTERED, key, NOW, permit, BAD);
            waits.push(nodes.standing(&JITTERED, key, NOW).retry_after);
        }
    }
    waits.sort_unstable();
    waits.dedup();
    assert_eq!(waits.len(), 32);
    assert!(waits.iter().all(|wait| wait.unwrap() > secs(30)));
}

#[test]
fn a_target_that_lost_its_place_and_came_back_does_not_count_old_probes() {
    let mut nodes: Breakers<u8, 1> = Breakers::new();
    for _ in 0..2 {
        call_to(&mut nodes, 1, NOW, BAD);
    }
    // A probe is lost, another closes it.
    let later = NOW + secs(10);
    let old = nodes.try_enter(&NODE, 1, later).unwrap();
    let over = later + secs(60);
    assert!(call_to(&mut nodes, 1, over, Outcome::Success));
    assert_eq!(nodes.phase(&NODE, 1, over), Phase::Closed);
    // Another takes the place and recovers; then the first comes back, and opens again.
    for _ in 0..2 {
        call_to(&mut nodes, 2, over, BAD);
    }
    call_to(&mut nodes, 2, over + secs(10), Outcome::Success);
    let end = over + secs(30);
    for _ in 0..2 {
        call_to(&mut nodes, 1, end, BAD);
    }
    let probe = nodes.try_enter(&NODE, 1, end + secs(10)).unwrap();
    let (now, before) = (end + secs(10), nodes.standing(&NODE, 1, end + secs(10)));
    assert_eq!(nodes.record(&NODE, 1, now, old, BAD), None);
    assert_eq!(nodes.standing(&NODE, 1, now), before);
    assert!(
        nodes
            .record(&NODE, 1, now, probe, Outcome::Success)
            .is_some()
    );
}

#[test]
fn a_target_can_be_held_open_by_hand() {
    let mut nodes: Breakers<u8, 1> = Breakers::new();
    let state = nodes.state_mut(&NODE, 5, NOW).expect("there is a place");
    assert!(NODE.force_open(state, NOW).is_some());
    assert!(!call_to(&mut nodes, 5, NOW, Outcome::Success));
    assert!(
        nodes.state_mut(&NODE, 6, NOW).is_none(),
        "it is not at rest"
    );
}

#[test]
fn breakers_by_target_in_a_static_guard_calls() {
    static NODES: Shared<Breakers<u8, 2>> = Shared::breakers(NODE);
    let node = NODES.of_target(9);
    for _ in 0..2 {
        let call = node.enter(|| NOW).unwrap();
        call.record(|| NOW, BAD);
    }
    assert!(node.enter(|| NOW).is_err());
    let later = NOW + secs(10);
    drop(node.enter(|| later).unwrap());
    assert_eq!(NODES.standing(9, later).probes_out, 0);
    assert!(NODES.of_target(8).enter(|| NOW).is_ok());
    assert_eq!(NODES.unguarded(), 0);
}

#[test]
#[cfg(target_pointer_width = "64")]
fn breakers_are_as_large_as_documented() {
    use std::mem::size_of;
    assert_eq!(size_of::<Permit>(), 16);
    assert_eq!(size_of::<Rejected>(), 16);
    assert_eq!(size_of::<Transition>(), 16);
    assert_eq!(size_of::<BreakerState>(), 48);
    assert_eq!(size_of::<BreakerState<Consecutive, 4>>(), 48 + 3 * 16);
    assert_eq!(size_of::<BreakerState<Rate<CountWindow<4>>>>(), 64 + 8);
    assert_eq!(size_of::<BreakerState<Rate<TimeWindow<10>>>>(), 144 + 24);
    assert_eq!(size_of::<steadfast::breaker::Standing>(), 40);
    assert_eq!(size_of::<Breaker>(), 40);
    assert_eq!(size_of::<FastBreaker>(), size_of::<Shared<Breaker>>() + 8);
}

/// The state was changed and the word was not: it would say "forced open" and let calls pass.
#[test]
fn after_a_panic_under_the_lock_everybody_asks_the_lock() {
    struct InMutex(std::sync::Mutex<BreakerState>);
    impl Locked<BreakerState> for InMutex {
        fn with<R>(&self, work: impl FnOnce(&mut BreakerState) -> R) -> R {
            let lock = self.0.lock();
            work(&mut lock.unwrap_or_else(std::sync::PoisonError::into_inner))
        }
    }
    let lock = InMutex(std::sync::Mutex::new(BreakerState::CLOSED));
    let fast: FastBreaker<Consecutive, 1, InMutex> = FastBreaker::with_lock(STANDARD, lock);
    let permit = fast.try_enter(|| NOW).unwrap();
    fast.record(|| NOW, permit, Outcome::Success);
    let by_hand = std::panic::AssertUnwindSafe(|| {
        fast.with_state(|breaker, state| {
            let _ = breaker.force_open(state, NOW);
            assert!(NOW < Instant::ZERO, "a log line that panics");
        });
    });
    assert!(std::panic::catch_unwind(by_hand).is_err());
    assert_eq!(fast.phase(NOW), Phase::ForcedOpen);
    assert_eq!(fast.try_enter(|| NOW), Err(Rejected::ForcedOpen));
}

/// Three holders of one machine.
#[test]
fn a_state_under_a_policy_of_the_callers_answers_as_the_others_do() {
    static STATE: Shared<BreakerState> = Shared::breaker_state(BreakerState::CLOSED);
    let whole = Shared::breaker(STANDARD);
    let under = STATE.under(&STANDARD);
    let mut now = NOW;
    let mut probes = 0;
    for step in 0..400_u64 {
        now = now + secs(step % 7);
        let outcome = if step % 50 < 20 {
            BAD
        } else {
            Outcome::Success
        };
        let (one, other) = (under.enter(|| now), whole.enter(|| now));
        match (one, other) {
            (Ok(one), Ok(other)) if step % 11 > 0 => {
                probes += u32::from(one.permit().is_probe());
                assert_eq!(one.permit(), other.permit());
                assert_eq!(one.record(|| now, outcome), other.record(|| now, outcome));
            }
            // Given up.
            (Ok(_), Ok(_)) => {}
            (one, other) => assert_eq!(one.err(), other.err()),
        }
        assert_eq!(under.standing(now), whole.standing(now));
    }
    assert!(probes > 10, "it was half-open, too: {probes}");
    let by_hand = under.with_state(|breaker, state| breaker.force_open(state, now));
    assert_eq!(by_hand.map(|told| told.to), Some(Phase::ForcedOpen));
}
