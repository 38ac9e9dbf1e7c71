//! What cannot be is refused with the field, its value and what is allowed; nothing is clamped
//! in silence and nothing panics.

mod refused;

use std::error::Error;

use refused::refuses;
use steadfast::limit::{
    AllOf, Denied, FixedWindow, Gcra, IntervalBucket, LeakyBucket, LeakyMeter, MAX_WAIT, Policy,
    RateLimiter, Reserve, SlidingWindowCounter, SlidingWindowLog, TokenBucket,
};
use steadfast::time::{Duration, Instant, days, millis, nanos, secs};

const COUNTS: u64 = u32::MAX as u64;
const LONGEST: u64 = MAX_WAIT.as_nanos();

#[test]
fn a_rate_of_nothing() {
    refuses(TokenBucket::per_second(0).build(), "count", 0, (1, COUNTS));
    refuses(
        TokenBucket::per_minute(0).burst(5).build(),
        "count",
        0,
        (1, COUNTS),
    );
    refuses(
        LeakyMeter::leaking(0, secs(1), 5).build(),
        "count",
        0,
        (1, COUNTS),
    );
    refuses(
        TokenBucket::per_second(0).compact().build(),
        "count",
        0,
        (1, COUNTS),
    );
    refuses(
        FixedWindow::new(0, secs(1)).build(),
        "limit",
        0,
        (1, COUNTS),
    );
}

#[test]
fn a_period_of_nothing_or_beyond_what_can_be_told() {
    let allowed = (1, LONGEST);
    refuses(
        TokenBucket::new(5, Duration::ZERO).build(),
        "period (ns)",
        0,
        allowed,
    );
    refuses(
        Gcra::every(Duration::ZERO, secs(1)).build(),
        "period (ns)",
        0,
        allowed,
    );
    refuses(
        FixedWindow::new(5, Duration::ZERO).build(),
        "period (ns)",
        0,
        allowed,
    );
    for beyond in [LONGEST + 1, u64::MAX] {
        refuses(
            TokenBucket::new(5, nanos(beyond)).build(),
            "period (ns)",
            beyond,
            allowed,
        );
        refuses(
            Gcra::every(nanos(beyond), secs(0)).build(),
            "period (ns)",
            beyond,
            allowed,
        );
        refuses(
            FixedWindow::new(5, nanos(beyond)).build(),
            "period (ns)",
            beyond,
            allowed,
        );
    }
    // Saturated while it was written down, and refused all the same.
    refuses(
        TokenBucket::new(1, days(u64::MAX)).build(),
        "period (ns)",
        u64::MAX,
        allowed,
    );

    assert!(TokenBucket::new(1, MAX_WAIT).build().is_ok());
    assert!(FixedWindow::new(1, MAX_WAIT).build().is_ok());
    assert!(TokenBucket::new(u32::MAX, nanos(1)).build().is_ok());
}

/// Written as 1 by some, as twice the burst by others.
#[test]
fn a_burst_of_nothing_or_one_that_never_fills() {
    refuses(
        TokenBucket::per_second(5).burst(0).build(),
        "burst",
        0,
        (1, COUNTS),
    );
    refuses(
        LeakyMeter::leaking(5, secs(1), 0).build(),
        "burst",
        0,
        (1, COUNTS),
    );

    // 2^62 ns are 53,375 days and a part of one.
    let daily = TokenBucket::per_day(1);
    assert!(daily.burst(53_375).build().is_ok());
    refuses(daily.burst(53_376).build(), "burst", 53_376, (1, 53_375));
    refuses(daily.burst(u32::MAX).build(), "burst", COUNTS, (1, 53_375));
    refuses(
        TokenBucket::new(1, MAX_WAIT).burst(2).build(),
        "burst",
        2,
        (1, 1),
    );
    // As many as there are numbers for, where they do fill in time.
    assert!(TokenBucket::per_second(30).burst(u32::MAX).build().is_ok());
}

#[test]
fn a_tolerance_that_is_too_long() {
    let most = LONGEST - 10_000_000_000;
    assert!(Gcra::every(secs(10), nanos(most)).build().is_ok());
    refuses(
        Gcra::every(secs(10), nanos(most + 1)).build(),
        "tolerance (ns)",
        most + 1,
        (0, most),
    );
    refuses(
        Gcra::every(MAX_WAIT, nanos(1)).build(),
        "tolerance (ns)",
        1,
        (0, 0),
    );

    // As many cells as there are numbers for, less a nanosecond, and one more.
    let last = 1_000 * COUNTS - 1;
    let policy = Gcra::every(nanos(1_000), nanos(last)).build().unwrap();
    assert_eq!(policy.capacity(), u32::MAX);
    refuses(
        Gcra::every(nanos(1_000), nanos(last + 1)).build(),
        "tolerance (ns)",
        last + 1,
        (0, last),
    );
}

#[test]
fn a_promise_too_far_ahead() {
    let config = TokenBucket::per_second(1).burst(10);
    let most = LONGEST - 10_000_000_000;
    assert!(config.reserve_ahead(nanos(most)).build().is_ok());
    for beyond in [most + 1, u64::MAX] {
        let built = config.reserve_ahead(nanos(beyond)).build();
        refuses(built, "reserve_ahead (ns)", beyond, (0, most));
    }
}

#[test]
fn a_phase_outside_its_period() {
    let config = FixedWindow::new(5, secs(1));
    assert!(config.phase(nanos(999_999_999)).build().is_ok());
    refuses(
        config.phase(secs(1)).build(),
        "phase (ns)",
        1_000_000_000,
        (0, 999_999_999),
    );
    refuses(
        FixedWindow::new(5, nanos(1)).phase(nanos(1)).build(),
        "phase (ns)",
        1,
        (0, 0),
    );
}

#[test]
fn a_log_of_more_than_it_remembers() {
    let log = |limit| SlidingWindowLog::<8>::new(limit, secs(1)).build();
    assert!(log(8).is_ok());
    refuses(log(0), "limit", 0, (1, 8));
    refuses(log(9), "limit", 9, (1, 8));
    refuses(log(u32::MAX), "limit", COUNTS, (1, 8));
    // A log without a place holds no limit at all.
    let none = SlidingWindowLog::<0>::new(1, secs(1)).build();
    refuses(none, "limit", 1, (1, 0));
    for period in [0, LONGEST + 1, u64::MAX] {
        let built = SlidingWindowLog::<8>::new(8, nanos(period)).build();
        refuses(built, "period (ns)", period, (1, LONGEST));
    }
    assert!(SlidingWindowLog::<8>::new(8, MAX_WAIT).build().is_ok());
}

/// Its longest wait is two periods.
#[test]
fn a_sliding_counter_of_nothing_or_of_too_long() {
    let counter = |limit, period| SlidingWindowCounter::new(limit, nanos(period)).build();
    refuses(counter(0, 1), "limit", 0, (1, COUNTS));
    for period in [0, LONGEST / 2 + 1, u64::MAX] {
        refuses(counter(1, period), "period (ns)", period, (1, LONGEST / 2));
    }
    assert!(counter(u32::MAX, LONGEST / 2).is_ok());
    assert!(counter(1, 1).is_ok());
}

#[test]
fn an_interval_bucket_of_nothing_or_one_that_never_fills() {
    let bucket = |amount, interval| IntervalBucket::new(amount, nanos(interval));
    refuses(bucket(0, 1).build(), "amount", 0, (1, COUNTS));
    refuses(bucket(0, 1).capacity(5).build(), "amount", 0, (1, COUNTS));
    for interval in [0, LONGEST + 1, u64::MAX] {
        let built = bucket(5, interval).build();
        refuses(built, "interval (ns)", interval, (1, LONGEST));
    }
    refuses(bucket(5, 1).capacity(0).build(), "capacity", 0, (1, COUNTS));

    // Whole portions: of three intervals that fit, three fill it and a fourth would not.
    let third = bucket(5, LONGEST / 3);
    assert!(third.capacity(15).build().is_ok());
    refuses(third.capacity(16).build(), "capacity", 16, (1, 15));
    refuses(
        third.capacity(u32::MAX).build(),
        "capacity",
        COUNTS,
        (1, 15),
    );
    assert!(bucket(u32::MAX, LONGEST).build().is_ok());
    assert!(bucket(1, 1).capacity(u32::MAX).build().is_ok());
}

/// Spacing and queue are told as what they are to the bucket of one.
#[test]
fn a_queue_that_is_too_long() {
    let spacing = |interval, queue| LeakyBucket::spacing(nanos(interval), queue).build();
    refuses(spacing(0, 5), "period (ns)", 0, (1, LONGEST));
    refuses(
        spacing(LONGEST + 1, 0),
        "period (ns)",
        LONGEST + 1,
        (1, LONGEST),
    );
    assert!(spacing(LONGEST, 0).is_ok());
    refuses(spacing(LONGEST, 1), "reserve_ahead (ns)", LONGEST, (0, 0));
    assert!(spacing(LONGEST / 4, 3).is_ok());
    refuses(
        spacing(LONGEST / 4, 4),
        "reserve_ahead (ns)",
        LONGEST,
        (0, LONGEST / 4 * 3),
    );
    // Saturated while it was written down, and refused all the same.
    let most = LONGEST - (1 << 40);
    refuses(
        spacing(1 << 40, u32::MAX),
        "reserve_ahead (ns)",
        u64::MAX,
        (0, most),
    );
}

#[test]
fn a_bucket_that_does_not_fit_one_word() {
    let ahead = TokenBucket::per_second(5).reserve_ahead(secs(1)).compact();
    refuses(ahead.build(), "reserve_ahead (ns)", 1_000_000_000, (0, 0));

    // A prime period has no tick but itself.
    let prime = TokenBucket::new(1_009, nanos(1_000_000_007)).compact();
    let field = "reduced count, which no tick fits";
    refuses(prime.build(), field, 1_009, (1, 32));

    // A tick of 25 ns, and a token costs 1.25 us: one token lasts a tick, beside the one in hand.
    let compact = |burst| TokenBucket::per_second(799).burst(burst).compact().build();
    refuses(compact(1), "burst, read in ticks", 1, (2, COUNTS));
    assert!(compact(2).is_ok());

    // 100 years of a third of a nanosecond pass the 2^62 that a word has room for.
    let century = TokenBucket::new(31, days(36_500)).compact().build();
    let error = century.unwrap_err();
    assert_eq!((error.field, error.min), ("burst (in 1/count ns)", 1));
    assert_eq!(error.max, (1 << 62) - (31 << 32) - 1);
    assert_eq!(error.value, days(36_500).as_nanos().saturating_mul(31));
}

#[test]
fn a_cost_above_the_capacity_is_refused_at_once_and_takes_nothing() {
    fn check<P: Policy>(policy: P) {
        let now = Instant::from_secs(9);
        let mut limiter = RateLimiter::new(policy);
        for cost in [6, 7, 15, u32::MAX] {
            let denied = limiter.try_acquire_n(now, cost).unwrap_err();
            assert_eq!(denied, Denied::CostAboveCapacity { cost, capacity: 5 });
            assert_eq!(denied.retry_after(), None);
            assert_eq!(denied.to_string(), format!("cost = {cost}, allowed 0..=5"));
        }
        assert_eq!(limiter.available(now), 5);
        assert!(limiter.try_acquire_n(now, 5).is_ok());
    }
    check(TokenBucket::per_second(5).build().unwrap());
    check(TokenBucket::per_second(5).compact().build().unwrap());
    check(FixedWindow::new(5, secs(1)).build().unwrap());
    check(SlidingWindowLog::<8>::new(5, secs(1)).build().unwrap());
    check(SlidingWindowCounter::new(5, secs(1)).build().unwrap());
    let interval = IntervalBucket::new(2, secs(1)).capacity(5);
    check(interval.build().unwrap());
    check(AllOf(
        TokenBucket::per_second(5).build().unwrap(),
        FixedWindow::new(9, secs(1)).build().unwrap(),
    ));

    let policy = TokenBucket::per_second(5)
        .reserve_ahead(secs(60))
        .build()
        .unwrap();
    let mut state = TokenBucket::FULL;
    let denied = policy
        .reserve(&mut state, Instant::ZERO, 6, secs(60))
        .unwrap_err();
    assert_eq!(
        denied,
        Denied::CostAboveCapacity {
            cost: 6,
            capacity: 5
        }
    );
    assert_eq!(state, TokenBucket::FULL);
}

#[test]
fn a_denial_says_how_long() {
    let mut limiter = RateLimiter::new(TokenBucket::per_second(5).burst(1).build().unwrap());
    let now = Instant::from_secs(1);
    assert!(limiter.try_acquire(now).is_ok());
    let denied = limiter.try_acquire(now).unwrap_err();
    assert_eq!(denied.retry_after(), Some(millis(200)));
    assert_eq!(denied.to_string(), "rate limited, retry after 200ms");
    let full = Denied::StoreFull {
        retry_after: secs(3),
    };
    assert_eq!(full.to_string(), "no place for this key, retry after 3s");
    assert!(Error::source(&full).is_none());
}
