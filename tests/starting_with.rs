//! Limiters that do not start full, of every algorithm.

mod model;

use std::fmt::Debug;

use model::policies::{
    any_policies, coarse_compact_buckets, exact_compact_buckets, fixed_windows, interval_buckets,
    leaky_buckets, sliding_counters, sliding_logs, token_buckets,
};
use model::schedule::play_one_in;
use proptest::prelude::*;
use steadfast::ConfigError;
use steadfast::limit::{
    AllOf, AnyPolicy, AtomicRateLimiter, FixedWindow, Gcra, IntervalBucket, LeakyBucket, Policy,
    RateLimiter, Shadow, SlidingWindowCounter, SlidingWindowLog, TokenBucket,
};
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{Instant, hours, millis, minutes, secs};

const NOW: Instant = Instant::from_secs(1_000_000);

/// Empty, full and everything in between: what was asked for is there, and not one more.
fn starts_with_what_it_is_told<P: Policy + Debug>(
    policy: P,
    now: Instant,
    part: u32,
) -> Result<(), TestCaseError> {
    let full = policy.available(&P::FULL, now);
    for available in [
        0,
        full,
        u32::try_from((u64::from(full) * u64::from(part)) >> 32).unwrap(),
    ] {
        let limiter = RateLimiter::starting_with(policy, now, available).unwrap();
        prop_assert_eq!(limiter.available(now), available, "of {:?}", policy);
        // As one that was used so.
        let mut used = RateLimiter::new(policy);
        prop_assert!(used.try_acquire_n(now, full - available).is_ok());
        prop_assert_eq!(limiter.standing(now), used.standing(now));
        let rests = |limiter: RateLimiter<P>| {
            let (policy, state) = limiter.into_parts();
            policy.rests_in(&state, now)
        };
        prop_assert_eq!(rests(limiter.clone()), rests(used.clone()));
        prop_assert_eq!(limiter.peek(now, 1), used.peek(now, 1));
    }
    if let Some(more) = full.checked_add(1) {
        let error = RateLimiter::starting_with(policy, now, more).unwrap_err();
        let right = ConfigError::new("available", more.into(), 0, full.into());
        prop_assert_eq!(error, right);
    }
    Ok(())
}

macro_rules! starts_with_what_it_is_told {
    ($($name:ident: $policies:expr;)*) => {
        $(#[test]
        fn $name() {
            let inputs = ($policies, any::<u64>(), any::<u32>());
            play_one_in(2, stringify!($name), inputs, |((policy, _), now, part)| {
                starts_with_what_it_is_told(policy, Instant::from_nanos(now), part)?;
                Ok(3)
            });
        })*
    };
}

starts_with_what_it_is_told! {
    a_token_bucket: token_buckets();
    a_leaky_bucket: leaky_buckets();
    a_compact_bucket: exact_compact_buckets();
    a_compact_bucket_of_a_coarse_tick: coarse_compact_buckets();
    a_fixed_window: fixed_windows();
    a_sliding_window_log: sliding_logs::<9>();
    a_sliding_window_counter: sliding_counters();
    an_interval_bucket: interval_buckets();
    a_limit_on_trial: fixed_windows().prop_map(|(policy, rule)| (Shadow(policy), rule));
    all_of_two: (token_buckets(), sliding_counters())
        .prop_map(|((bucket, rule), (counter, _))| (AllOf(bucket, counter), rule));
    any_policy: any_policies()
        .prop_filter("one that limits", |(policy, _)| *policy != AnyPolicy::Unlimited);
}

/// How an empty one fills: after so long so many.
#[test]
fn what_is_missing_comes_back_as_the_policy_has_it() {
    fn check<P: Policy + Debug>(policy: P, then: &[(u64, u32)]) {
        let limiter = RateLimiter::starting_with(policy, NOW, 0).unwrap();
        assert!(limiter.peek(NOW, 1).is_err());
        for &(at, available) in then {
            let now = NOW + millis(at);
            assert_eq!(
                limiter.available(now),
                available,
                "{policy:?} after {at} ms"
            );
        }
    }
    let bucket = policy!(TokenBucket::per_second(10));
    let window = policy!(FixedWindow::new(10, secs(1)));
    check(bucket, &[(99, 0), (100, 1), (1_000, 10)]);
    check(
        policy!(TokenBucket::per_second(10).compact()),
        &[(99, 0), (100, 1), (1_000, 10)],
    );
    // One cell, and half of another early: the half is not a token, and is there at the start.
    check(
        policy!(Gcra::every(secs(1), millis(500))),
        &[(499, 0), (500, 1), (1_000, 1)],
    );
    check(
        policy!(LeakyBucket::spacing(millis(50), 3)),
        &[(49, 0), (50, 1)],
    );
    check(window, &[(999, 0), (1_000, 10)]);
    check(
        policy!(SlidingWindowLog::<10>::new(10, secs(1))),
        &[(999, 0), (1_000, 10)],
    );
    check(
        policy!(SlidingWindowCounter::new(10, secs(1))),
        &[(999, 0), (1_000, 0), (1_100, 1)],
    );
    check(
        policy!(IntervalBucket::new(4, secs(1)).capacity(10)),
        &[(999, 0), (1_000, 4), (2_000, 8), (3_000, 10)],
    );
    check(AllOf(bucket, window), &[(100, 0), (999, 0), (1_000, 10)]);
    check(AnyPolicy::from(window), &[(999, 0), (1_000, 10)]);
    // On trial it denies nobody, and starts as empty.
    let trial = RateLimiter::starting_with(Shadow(window), NOW, 0).unwrap();
    assert_eq!(trial.available(NOW), 0);
    assert!(!trial.clone().try_acquire(NOW).unwrap().would_pass());
}

/// The tighter limit says what there is; the other has given out as much.
#[test]
fn of_two_limits_both_have_given_out_what_is_missing() {
    let both = AllOf(
        policy!(TokenBucket::per_second(10)),
        policy!(FixedWindow::new(1_000, hours(1))),
    );
    let limiter = RateLimiter::starting_with(both, NOW, 3).unwrap();
    let (AllOf(bucket, window), state) = limiter.into_parts();
    assert_eq!(bucket.available(&state.0, NOW), 3);
    assert_eq!(window.available(&state.1, NOW), 993);
    assert!(RateLimiter::starting_with(both, NOW, 11).is_err());
}

#[test]
fn where_there_is_no_limit_nothing_can_be_missing() {
    let limiter = RateLimiter::starting_with(AnyPolicy::Unlimited, NOW, 0).unwrap();
    assert_eq!(limiter.available(NOW), u32::MAX);
}

#[test]
fn every_holder_of_one_limiter_can_start_so() {
    let bucket = policy!(TokenBucket::per_minute(10).compact());
    let limiter = RateLimiter::starting_with(bucket, NOW, 4).unwrap();
    assert_eq!(Shared::new(limiter.clone()).available(NOW), 4);
    assert_eq!(Shared::live(limiter.clone()).available(NOW), 4);
    let atomic = AtomicRateLimiter::from(limiter);
    assert_eq!(atomic.available(NOW), 4);
    assert_eq!(atomic.available(NOW + minutes(1)), 10);
}
