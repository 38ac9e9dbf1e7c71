//! The histories that peers test their windows with, and what comes of them here.
//!
//! - Cloudflare's example of two counters ("How we built rate limiting capable of scaling to
//!   millions of domains").
//! - A peer's sliding counter of four in a second, and of three.
//! - limitador's counter with an expiry: a window from the first hit.
//!
//! Overruled here:
//!
//! - limitador lets one of two updates get lost that meet at the expiry, and accepts two or three
//!   of three hits. Here a limiter is changed in one step, so it is always three.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use proptest::prelude::*;
use steadfast::limit::{FixedWindow, RateLimiter, SlidingWindowCounter, SlidingWindowLog};
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{Duration, Instant, millis, nanos, secs};

const START: Instant = Instant::from_secs(1_000);

/// 42 in the minute before and 18 in this one, 15 s in: 42 * 45/60 + 18 = 49.5.
#[test]
fn cloudflare_two_counters() {
    const POLICY: SlidingWindowCounter = policy!(SlidingWindowCounter::new(50, secs(60)));
    let mut limiter = RateLimiter::new(POLICY);
    assert!(limiter.try_acquire_n(START, 42).is_ok());
    // All of the 42 still count as the next minute starts.
    assert!(limiter.try_acquire_n(START + secs(60), 8).is_ok());
    let now = START + secs(75);
    // 42 * 45/60 + 8 = 39.5.
    assert!(limiter.try_acquire_n(now, 10).is_ok());
    // 49.5: no room for a whole one until half of another hit has slid out, 60/42 of a half
    // second later.
    assert_eq!(limiter.available(now), 0);
    let wait = limiter.try_acquire(now).unwrap_err().retry_after();
    assert_eq!(wait, Some(nanos(714_285_715)));
    assert!(limiter.try_acquire(now + nanos(714_285_714)).is_err());
    assert!(limiter.try_acquire(now + nanos(714_285_715)).is_ok());
}

/// Milliseconds after the start, allowed.
fn check(limit: u32, rows: &[(u64, bool)]) {
    let counter = SlidingWindowCounter::new(limit, secs(1)).build().unwrap();
    let mut counter = RateLimiter::new(counter);
    for &(at, allowed) in rows {
        let now = START + millis(at);
        assert_eq!(counter.try_acquire(now).is_ok(), allowed, "at {at} ms");
    }
}

/// At 1,000 ms all of the second before still counts; at 2,000 ms none does.
#[test]
fn sliding_counter() {
    let all = |at| [(at, true); 4];
    check(
        4,
        &[&all(0)[..], &[(100, false), (1_000, false)], &all(2_000)].concat(),
    );
    check(3, &[(0, true), (0, true), (0, true), (0, false)]);
}

/// The same rows for the log: there the first four are back after one second, not two.
#[test]
fn sliding_log() {
    let mut log = RateLimiter::new(policy!(SlidingWindowLog::<4>::new(4, secs(1))));
    let mut taken = |at| {
        let now = START + millis(at);
        (0..5).take_while(|_| log.try_acquire(now).is_ok()).count()
    };
    assert_eq!(
        [taken(0), taken(100), taken(999), taken(1_000), taken(2_000)],
        [4, 0, 0, 4, 4]
    );
}

proptest! {
    /// What is left is never more than the limit, and in one instant exactly the limit passes.
    #[test]
    fn sliding_counter_in_one_instant(
        limit in 1_u32..200,
        period in 1_u64..1_000_000,
        gaps in prop::collection::vec(0_u64..2_000_000, 0..20),
    ) {
        let policy = SlidingWindowCounter::new(limit, nanos(period)).build().unwrap();
        let mut limiter = RateLimiter::new(policy);
        let mut now = START;
        for gap in gaps {
            now = now + nanos(gap);
            let _ = limiter.try_acquire(now);
            prop_assert!(limiter.available(now) <= limit);
        }
        let idle = now + nanos(2 * period);
        let passed = (0..2 * limit).filter(|_| limiter.try_acquire(idle).is_ok());
        prop_assert_eq!(passed.count(), limit as usize);
    }
}

/// 42 until the expiry and none from then on; three more make 45 before it and 3 at it.
#[test]
fn limitador_expiring_value() {
    const POLICY: FixedWindow = policy!(FixedWindow::new(100, secs(60)));
    let end = START + secs(60);
    let used = |limiter: &RateLimiter<FixedWindow>, now| 100 - limiter.available(now);
    let mut limiter = RateLimiter::new(POLICY);
    assert!(limiter.try_acquire_n(START, 42).is_ok());
    assert_eq!(used(&limiter, end - secs(1)), 42);
    assert_eq!(used(&limiter, end), 0);
    let mut late = limiter.clone();
    assert!(limiter.try_acquire_n(end - secs(1), 3).is_ok());
    assert_eq!(used(&limiter, end - secs(1)), 45);
    assert!(late.try_acquire_n(end, 3).is_ok());
    assert_eq!(used(&late, end), 3);
}

/// Their row allows two. Many threads meet at the expiry, and each hit is counted.
#[test]
fn limitador_updates_that_meet_at_the_expiry() {
    const HITS: u32 = 3;
    for round in 0..200 {
        let limiter = Shared::new(RateLimiter::new(policy!(FixedWindow::new(100, secs(60)))));
        let start = START + secs(round);
        assert!(limiter.try_acquire_n(start, 42).is_ok());
        let end = start + secs(60);
        let passed = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..HITS {
                scope.spawn(|| passed.fetch_add(limiter.try_acquire(end).is_ok().into(), Relaxed));
            }
        });
        assert_eq!(passed.into_inner(), HITS);
        assert_eq!(limiter.available(end), 100 - HITS);
        assert_eq!(limiter.standing(end).full_in, Duration::from_secs(60));
    }
}
