//! Presets, what cannot be configured, the longest times, and how large a breaker is.

mod breaker_calls;

use breaker_calls::{BAD, NOW, call, opened};
use steadfast::breaker::{
    Breaker, BreakerState, Consecutive, FastBreaker, Permit, Rate, Recovery, Rejected, Stakes,
    Traffic, Transition,
};
use steadfast::shared::Shared;
use steadfast::time::{Duration, Instant, nanos, secs};
use steadfast::window::{CountWindow, TimeWindow};
use steadfast::{ConfigError, policy};

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
    let (all, wait) = ("1..=4294967295", "1ns..=4611686018.427387904s");
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
        format!("open_for = 0s, allowed {wait}"),
    );
    is(
        open(long),
        format!("open_for = 4611686018.427387905s, allowed {wait}"),
    );
    let grows = |time| base().open_for(secs(2)).growing_to(time).build().err();
    let allowed = "allowed 2s..=4611686018.427387904s";
    is(grows(secs(1)), format!("growing_to = 1s, {allowed}"));
    is(
        grows(long),
        format!("growing_to = 4611686018.427387905s, {allowed}"),
    );
    let lease = |time| base().probe_lease(time).build().err();
    is(
        lease(Duration::ZERO),
        format!("probe_lease = 0s, allowed {wait}"),
    );
    is(
        lease(long),
        format!("probe_lease = 4611686018.427387905s, allowed {wait}"),
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
    let allowed = "allowed 0s..=4611686018.427387904s";
    is(
        slow,
        format!("longer_than = 4611686018.427387905s, {allowed}"),
    );
    is(
        calls(5).open_for(long).build().err(),
        format!("open_for = 4611686018.427387905s, allowed {wait}"),
    );
    // Fewer calls than the usual least number: all of them.
    assert_eq!(calls(5).build().unwrap().rule().min_calls(), 5);
    assert_eq!(calls(32).build().unwrap().rule().min_calls(), 10);

    let time = Breaker::rate_over_time::<4>(nanos(3)).build().err();
    is(
        time,
        "window = 3ns, allowed 4ns..=4611686018.427387904s".into(),
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
    assert_eq!(size_of::<BreakerState<Rate<TimeWindow<10>>>>(), 144 + 32);
    assert_eq!(size_of::<steadfast::breaker::Standing>(), 40);
    assert_eq!(size_of::<Breaker>(), 40);
    assert_eq!(size_of::<FastBreaker>(), size_of::<Shared<Breaker>>() + 8);
}
