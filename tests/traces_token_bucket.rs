//! The histories that golang.org/x/time/rate tests itself with, and what comes of them here;
//! those with reservations are in `traces_reservations.rs`.
//!
//! Where our rules say otherwise the test asserts our outcome, beside the row's own:
//!
//! - `JumpBackwards`: there a clock that goes to and fro makes tokens, since each step forward is
//!   refilled anew. Here a state a little ahead of the clock is left alone, so it makes none.
//! - Rates of nothing, rates without end, and bursts of nothing are a `ConfigError`: a policy is
//!   checked once, and one that admits nothing or everything is no bucket. Who has no limit says so
//!   by name (`AnyPolicy::Unlimited`). One token in 10^10 s is a `ConfigError` too, since that is
//!   more than the longest wait of 146 years.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use steadfast::limit::{
    AnyPolicy, AtomicRateLimiter, CompactBucket, Gcra, MAX_WAIT, RateLimiter, TokenBucket,
};
use steadfast::policy;
use steadfast::time::{Duration, Instant, days, minutes, nanos, secs};

/// So many units of 100 ms.
const fn d(count: u64) -> Duration {
    Duration::from_millis(100 * count)
}

/// So many units after a start with room before it.
fn t(units: u64) -> Instant {
    Instant::from_secs(1_000) + d(units)
}

type Limiter = RateLimiter<TokenBucket>;

/// `count` a second, up to `burst` at once, and reservations as far ahead as one likes.
fn limiter(count: u32, burst: u32) -> Limiter {
    RateLimiter::new(rate(count, burst))
}

fn rate(count: u32, burst: u32) -> TokenBucket {
    let config = TokenBucket::per_second(count).burst(burst);
    config.reserve_ahead(days(1)).build().unwrap()
}

/// Time, tokens before the call, cost, allowed.
type Row = (u64, u32, u32, bool);

fn check(burst: u32, rows: &[Row]) {
    // Reservations must make no difference to those who make none.
    let plain = TokenBucket::per_second(10).burst(burst);
    let mut compact = RateLimiter::new(plain.compact().build().unwrap());
    let mut plain = RateLimiter::new(plain.build().unwrap());
    let mut reserving = limiter(10, burst);
    for &(time, tokens, cost, allowed) in rows {
        let now = t(time);
        assert_eq!(plain.available(now), tokens, "at t{time}");
        assert_eq!(
            plain.try_acquire_n(now, cost).is_ok(),
            allowed,
            "{cost} at t{time}"
        );
        assert_eq!(reserving.available(now), tokens);
        assert_eq!(reserving.try_acquire_n(now, cost).is_ok(), allowed);
        assert_eq!(compact.available(now), tokens);
        assert_eq!(compact.try_acquire_n(now, cost).is_ok(), allowed);
    }
}

#[test]
fn burst_1() {
    check(
        1,
        &[
            (0, 1, 1, true),
            (0, 0, 1, false),
            (0, 0, 1, false),
            (1, 1, 1, true),
            (1, 0, 1, false),
            (1, 0, 1, false),
            (2, 1, 2, false),
            (2, 1, 1, true),
            (2, 0, 1, false),
        ],
    );
}

#[test]
fn burst_3() {
    check(
        3,
        &[
            (0, 3, 2, true),
            (0, 1, 2, false),
            (0, 1, 1, true),
            (0, 0, 1, false),
            (1, 1, 4, false),
            (2, 2, 1, true),
            (3, 2, 1, true),
            (4, 2, 1, true),
            (4, 1, 1, true),
            (4, 0, 1, false),
            (4, 0, 1, false),
            (9, 3, 3, true),
            (9, 0, 0, true),
        ],
    );
}

/// Their column: T T T F F T F F T F F, with two tokens left at the second row. Here a step back
/// takes the refill of that step back with it, so at t0 there is one.
#[test]
fn jump_backwards() {
    check(
        3,
        &[
            (1, 3, 1, true),
            (0, 1, 1, true),
            (0, 0, 1, false),
            (0, 0, 1, false),
            (0, 0, 1, false),
            (1, 1, 1, true),
            (1, 0, 1, false),
            (1, 0, 1, false),
            (2, 1, 1, true),
            (2, 0, 1, false),
            (2, 0, 1, false),
        ],
    );
}

/// A rate of nothing cannot be configured. The slowest there is admits its burst, then nobody
/// for as long as anyone looks, and no sum overflows on the way.
#[test]
fn zero_and_tiny_rates() {
    assert!(TokenBucket::per_second(0).burst(1).build().is_err());
    // 10^-10 a second.
    assert!(TokenBucket::new(1, secs(10_000_000_000)).build().is_err());

    let slowest = TokenBucket::new(1, MAX_WAIT).build().unwrap();
    let mut lim = RateLimiter::new(slowest);
    assert!(lim.try_acquire(t(0)).is_ok());
    for later in [0, 1, 1_000, 1_000_000_000] {
        let wait = MAX_WAIT - d(later);
        let denied = lim.try_acquire(t(later)).unwrap_err();
        assert_eq!(denied.retry_after(), Some(wait));
    }

    // Given a rate after all, the one that was used takes one unit.
    let mut lim = RateLimiter::new(slowest);
    assert!(lim.try_acquire(t(0)).is_ok());
    lim.reconfigure(t(0), rate(10, 1));
    assert_eq!(lim.reserve(t(0), 1, d(1)).unwrap().at(), t(1));

    // 0.7692307692307693 a second is ten in 13 s.
    let mut lim = RateLimiter::new(TokenBucket::new(10, secs(13)).burst(1).build().unwrap());
    assert!(lim.try_acquire(t(0)).is_ok());
    assert!(lim.try_acquire(t(0)).is_err());
}

/// A rate without end, or a burst of nothing under one, cannot be configured; no limit can.
#[test]
fn unlimited() {
    assert!(Gcra::every(Duration::ZERO, Duration::ZERO).build().is_err());
    assert!(TokenBucket::per_second(u32::MAX).burst(0).build().is_err());
    let mut lim = RateLimiter::new(AnyPolicy::Unlimited);
    assert!(lim.try_acquire_n(t(0), 3).is_ok());
    assert_eq!(lim.available(t(0)), u32::MAX);
}

/// Intervals, and the rates that they are.
#[test]
fn every() {
    let every = |interval| Gcra::every(interval, Duration::ZERO).build().unwrap();
    let rate = |count, period| TokenBucket::new(count, period).burst(1).build().unwrap();
    for (interval, each_second) in [
        (nanos(1), 1_000_000_000),
        (nanos(1_000), 1_000_000),
        (nanos(1_000_000), 1_000),
        (Duration::from_millis(10), 100),
        (d(1), 10),
        (secs(1), 1),
    ] {
        assert_eq!(every(interval), rate(each_second, secs(1)));
    }
    // 0.5, 0.4, 0.25 and 0.1 a second.
    assert_eq!(every(secs(2)), rate(5, secs(10)));
    assert_eq!(every(d(25)), rate(4, secs(10)));
    assert_eq!(every(secs(4)), rate(25, secs(100)));
    assert_eq!(every(secs(10)), rate(6, minutes(1)));
}

#[test]
fn fifteen_at_once() {
    const POLICY: CompactBucket = policy!(TokenBucket::per_second(1).burst(5).compact());
    let limiter = AtomicRateLimiter::new(POLICY);
    let passed = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..15 {
            scope.spawn(|| passed.fetch_add(limiter.try_acquire(t(0)).is_ok().into(), Relaxed));
        }
    });
    assert_eq!(passed.into_inner(), 5);
}

/// They allow a thousandth less and one more; ours is exact.
#[test]
fn long_run() {
    let mut lim = limiter(100, 100);
    let mut passed = 0;
    for poll in 0..=2_500 {
        let elapsed = 2 * poll;
        passed += u64::from(
            lim.try_acquire(t(0) + Duration::from_millis(elapsed))
                .is_ok(),
        );
        // Each poll takes one, until the burst is spent; then the rate is all there is.
        let ideal = 100 + elapsed / 10;
        assert_eq!(passed, ideal.min(poll + 1), "after {elapsed} ms");
    }
    assert_eq!(passed, 100 + 500);
}
