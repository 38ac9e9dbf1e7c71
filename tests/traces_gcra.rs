//! The histories that redis-cell tests itself with: each field of its answer, its rates, and its
//! answers on the wire.
//!
//! Overruled here:
//!
//! - Its store gives up after five lost compare-and-swaps. A limiter here never does: a swap is
//!   lost only because another call's succeeded, so somebody always gets on.

use steadfast::limit::{Gcra, Policy, RateLimiter, TokenBucket};
use steadfast::policy;
use steadfast::time::{Duration, Instant, millis, minutes, secs};

/// Milliseconds after the start; cost; limited; remaining; milliseconds until it is full again;
/// seconds to come back after, if that helps.
type Row = (u64, u32, bool, u32, u64, Option<u64>);

const ROWS: [Row; 15] = [
    // More than it can ever grant.
    (0, 6, true, 5, 0, None),
    (0, 1, false, 4, 1_000, None),
    (0, 1, false, 3, 2_000, None),
    (0, 1, false, 2, 3_000, None),
    (0, 1, false, 1, 4_000, None),
    (0, 1, false, 0, 5_000, None),
    (0, 1, true, 0, 5_000, Some(1)),
    (3_000, 1, false, 2, 3_000, None),
    (3_100, 1, false, 1, 3_900, None),
    (4_000, 1, false, 1, 4_000, None),
    (8_000, 1, false, 4, 1_000, None),
    (9_500, 1, false, 4, 1_000, None),
    // Only looks.
    (9_500, 0, false, 4, 1_000, None),
    (9_500, 2, false, 2, 3_000, None),
    (9_500, 5, true, 2, 3_000, Some(3)),
];

fn check<P: Policy>(policy: P) {
    // Five at once: one, and four more ("max_burst").
    let mut limiter = RateLimiter::new(policy);
    for (number, (at, cost, limited, remaining, full_in, retry)) in ROWS.into_iter().enumerate() {
        let now = Instant::from_secs(1_000) + millis(at);
        let said = limiter.try_acquire_n(now, cost);
        assert_eq!(said.is_err(), limited, "row {number}");
        let retry_after = said.err().and_then(|denied| denied.retry_after());
        assert_eq!(retry_after, retry.map(secs), "row {number}");
        let standing = limiter.standing(now);
        assert_eq!(standing.limit, 5);
        assert_eq!(standing.window, secs(5));
        assert_eq!(standing.remaining, remaining, "row {number}");
        assert_eq!(standing.full_in, millis(full_in), "row {number}");
    }
}

#[test]
fn every_field_of_the_answer() {
    check(policy!(Gcra::every(secs(1), secs(4))));
    check(policy!(TokenBucket::per_second(1).burst(5).compact()));
}

/// So many in a time are one each so often.
#[test]
fn rates() {
    let interval = |config: steadfast::limit::TokenBucketConfig| {
        let mut limiter = RateLimiter::new(config.burst(1).build().unwrap());
        limiter.try_acquire(Instant::ZERO).unwrap();
        limiter
            .try_acquire(Instant::ZERO)
            .unwrap_err()
            .retry_after()
            .unwrap()
    };
    assert_eq!(interval(TokenBucket::per_day(24)), minutes(60));
    assert_eq!(interval(TokenBucket::per_hour(6)), minutes(10));
    assert_eq!(interval(TokenBucket::per_minute(6)), secs(10));
    assert_eq!(interval(TokenBucket::new(6, minutes(2))), secs(20));
    assert_eq!(interval(TokenBucket::per_second(5)), millis(200));
    assert!(TokenBucket::per_second(0).build().is_err());
}

/// `CL.THROTTLE k 0 1 2 1`: limited, limit, remaining, retry after, reset after, in seconds.
#[test]
fn on_the_wire() {
    let mut limiter = RateLimiter::new(policy!(Gcra::every(secs(2), Duration::ZERO)));
    let mut throttle = |now| {
        let said = limiter.try_acquire(now);
        let standing = limiter.standing(now);
        let seconds = |wait: Duration| i64::try_from(wait.as_secs_ceil()).unwrap();
        let retry = said.err().and_then(|denied| denied.retry_after());
        [
            i64::from(said.is_err()),
            i64::from(standing.limit),
            i64::from(standing.remaining),
            retry.map_or(-1, seconds),
            seconds(standing.full_in),
        ]
    };
    let start = Instant::from_secs(77);
    assert_eq!(throttle(start), [0, 1, 0, -1, 2]);
    assert_eq!(throttle(start), [1, 1, 0, 2, 2]);
    assert_eq!(throttle(start + secs(2)), [0, 1, 0, -1, 2]);
}
