//! What passes in every stretch of a period, wherever it begins, over whole histories.

use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::limit::{
    IntervalBucket, Policy, RateLimiter, SlidingWindowCounter, SlidingWindowLog,
};
use steadfast::policy;
use steadfast::time::{Instant, millis, nanos, secs};

/// The most that passed in any stretch of `period` nanoseconds. Its end is not part of it.
fn most_in_a_stretch(passed: &[(u64, u32)], period: u64) -> u64 {
    let mut stretch = VecDeque::new();
    let (mut sum, mut most) = (0, 0);
    for &(at, cost) in passed {
        stretch.push_back((at, cost));
        sum += u64::from(cost);
        while let Some(&(first, gone)) = stretch.front()
            && at - first >= period
        {
            stretch.pop_front();
            sum -= u64::from(gone);
        }
        most = most.max(sum);
    }
    most
}

/// Asks for `costs` at times that move forward, mostly by less than a period; what passed.
fn passed<P: Policy>(policy: P, start: u64, calls: &[(u64, u32)]) -> Vec<(u64, u32)> {
    let mut limiter = RateLimiter::new(policy);
    let mut now = start;
    let mut passed = Vec::new();
    for &(gap, cost) in calls {
        now += gap;
        if limiter
            .try_acquire_n(Instant::from_nanos(now), cost)
            .is_ok()
        {
            passed.push((now, cost));
        }
    }
    passed
}

fn calls() -> impl Strategy<Value = Vec<(u64, u32)>> {
    let gap = prop_oneof![4 => 0_u64..10, 3 => 0_u64..60, 1 => 0_u64..500];
    let cost = prop_oneof![5 => Just(1_u32), 2 => 0_u32..8];
    vec((gap, cost), 1..600)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_log_never_passes_more_than_its_limit(
        limit in 1_u32..=8,
        period in 1_u64..200,
        start in any::<u32>(),
        calls in calls(),
    ) {
        let policy = SlidingWindowLog::<8>::new(limit, nanos(period)).build().unwrap();
        let passed = passed(policy, start.into(), &calls);
        prop_assert!(most_in_a_stretch(&passed, period) <= limit.into());
    }

    #[test]
    fn the_counter_passes_at_most_twice_its_limit(
        limit in 1_u32..=8,
        period in 1_u64..200,
        start in any::<u32>(),
        calls in calls(),
    ) {
        let policy = SlidingWindowCounter::new(limit, nanos(period)).build().unwrap();
        let passed = passed(policy, start.into(), &calls);
        prop_assert!(most_in_a_stretch(&passed, period) <= 2 * u64::from(limit));
    }
}

/// The log passes its whole limit, too: who asks each millisecond gets it in each second.
#[test]
fn the_log_passes_its_limit_in_each_stretch() {
    const POLICY: SlidingWindowLog<10> = policy!(SlidingWindowLog::new(10, secs(1)));
    let calls = vec![(millis(1).as_nanos(), 1); 20_000];
    let passed = passed(POLICY, 0, &calls);
    assert_eq!(passed.len(), 10 * 20);
    assert_eq!(most_in_a_stretch(&passed, secs(1).as_nanos()), 10);
}

/// Hits that come late in a window are taken to have been spread over it, so nearly twice the
/// limit fits into one period; no window has more than the limit.
#[test]
fn the_counter_passes_nearly_twice_its_limit_where_hits_come_late() {
    const POLICY: SlidingWindowCounter = policy!(SlidingWindowCounter::new(100, secs(1)));
    let ms = millis(1).as_nanos();
    // One opens the window, 99 come in its last millisecond; then one asks each millisecond.
    let mut calls = vec![(0, 1), (999 * ms, 99)];
    calls.extend(vec![(ms, 1); 1_000]);
    let passed = passed(POLICY, 0, &calls);
    let most = most_in_a_stretch(&passed, secs(1).as_nanos());
    assert_eq!(most, 99 + 99);
}

/// A hundred at once and ten a second, asked each millisecond for ten minutes: no portion is lost
/// and none falls early.
#[test]
fn an_interval_bucket_loses_no_portion_however_often_it_is_asked() {
    const POLICY: IntervalBucket = policy!(IntervalBucket::new(10, secs(1)).capacity(100));
    let mut limiter = RateLimiter::new(POLICY);
    let start = Instant::from_nanos(77);
    assert!(limiter.try_acquire_n(start, 100).is_ok());
    for ms in 1..=600_000 {
        let now = start + millis(ms);
        let due = if ms % 1_000 == 0 { 10 } else { 0 };
        assert_eq!(limiter.available(now), due, "after {ms} ms");
        assert!(limiter.try_acquire_n(now, due).is_ok());
        assert!(limiter.try_acquire(now).is_err());
    }
}

/// What was used stays used: the interval that has begun may be over at once, but the new ones
/// that would have fitted into it do not count.
#[test]
fn a_shorter_interval_brings_one_portion_at_once_and_not_an_hour_of_them() {
    const SLOW: IntervalBucket = policy!(IntervalBucket::new(1, secs(3_600)).capacity(100));
    const FAST: IntervalBucket = policy!(IntervalBucket::new(1, secs(1)).capacity(100));
    let mut limiter = RateLimiter::new(SLOW);
    let start = Instant::from_secs(50);
    assert!(limiter.try_acquire_n(start, 100).is_ok());
    let now = start + secs(3_599);
    limiter.reconfigure(now, FAST);
    assert_eq!(limiter.available(now), 1);
    assert_eq!(limiter.available(now + secs(1) - nanos(1)), 1);
    assert_eq!(limiter.available(now + secs(1)), 2);
    // Where it is not over it goes on: the next portion comes when it would have.
    limiter.reconfigure(now + millis(300), SLOW);
    let full_in = limiter.standing(now + millis(300)).full_in;
    assert_eq!(full_in, secs(99 * 3_600) - millis(300));
}
