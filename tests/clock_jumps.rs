//! Clocks that run backwards, and the end of time: what is written at `steadfast::limit`, for
//! each machine.

use steadfast::limit::{
    AllOf, CLOCK_LEAD, FixedWindow, Gcra, IntervalBucket, LeakyBucket, Policy, RateLimiter,
    SlidingWindowCounter, SlidingWindowLog, TokenBucket,
};
use steadfast::time::{Duration, Instant, days, minutes, nanos, secs};

/// One a minute, as a bucket of each kind, as a window of each kind, and as two of them. The
/// longest wait of a sliding counter is two of its periods.
macro_rules! each {
    ($check:expr) => {
        $check(TokenBucket::per_minute(1).build().unwrap());
        $check(TokenBucket::per_minute(1).compact().build().unwrap());
        $check(FixedWindow::new(1, minutes(1)).build().unwrap());
        $check(IntervalBucket::new(1, minutes(1)).build().unwrap());
        $check(LeakyBucket::spacing(minutes(1), 0).build().unwrap());
        $check(SlidingWindowLog::<3>::new(1, minutes(1)).build().unwrap());
        $check(SlidingWindowCounter::new(1, secs(30)).build().unwrap());
        $check(AllOf(
            TokenBucket::per_minute(1).build().unwrap(),
            SlidingWindowCounter::new(1, secs(30)).build().unwrap(),
        ));
    };
}

/// Another core's clock may lead a little: its state is left alone.
#[test]
fn a_state_ahead_by_the_longest_wait_and_the_lead_is_believed() {
    fn check<P: Policy>(policy: P) {
        let mut limiter = RateLimiter::new(policy);
        let start = Instant::from_secs(1_000);
        assert!(limiter.try_acquire(start).is_ok());
        let back = start - CLOCK_LEAD;
        let denied = limiter.try_acquire(back).unwrap_err();
        assert_eq!(denied.retry_after(), Some(minutes(1) + CLOCK_LEAD));
        assert!(limiter.try_acquire(start + minutes(1) - nanos(1)).is_err());
        assert!(limiter.try_acquire(start + minutes(1)).is_ok());
    }
    each!(check);
}

/// One nanosecond more is not: the limiter is empty at `now`, and that holds from then on.
#[test]
fn a_state_further_ahead_is_empty_at_now_even_after_a_no() {
    fn check<P: Policy>(policy: P) {
        let mut limiter = RateLimiter::new(policy);
        let start = Instant::from_secs(1_000);
        assert!(limiter.try_acquire(start).is_ok());
        let back = start - CLOCK_LEAD - nanos(1);
        let denied = limiter.try_acquire(back).unwrap_err();
        assert_eq!(denied.retry_after(), Some(minutes(1)));
        assert!(limiter.try_acquire(back + minutes(1) - nanos(1)).is_err());
        assert!(limiter.try_acquire(back + minutes(1)).is_ok());
    }
    each!(check);
}

/// The headers must not tell a client to wait for years.
#[test]
fn what_a_limiter_says_of_itself_after_a_jump_back_is_what_it_does() {
    fn check<P: Policy>(policy: P) {
        let mut limiter = RateLimiter::new(policy);
        assert!(
            limiter
                .try_acquire(Instant::from_secs(0) + days(1_000))
                .is_ok()
        );
        let now = Instant::from_secs(5);
        let standing = limiter.standing(now);
        assert_eq!(standing.full_in, minutes(1));
        assert_eq!(standing.remaining, 0);
        assert_eq!(
            limiter.peek(now, 1).unwrap_err().retry_after(),
            Some(minutes(1))
        );
        assert_eq!(
            limiter.try_acquire(now).unwrap_err().retry_after(),
            Some(minutes(1))
        );
        assert_eq!(limiter.standing(now), standing);
    }
    each!(check);
}

/// A window that is not believed is all used, whatever was left in it.
#[test]
fn a_window_says_nothing_is_available_after_a_far_jump_back() {
    let policy = FixedWindow::new(10, minutes(1)).build().unwrap();
    let mut limiter = RateLimiter::new(policy);
    assert!(limiter.try_acquire(Instant::from_secs(1_000_000)).is_ok());
    let now = Instant::from_secs(5);
    assert_eq!(limiter.available(now), 0);
    assert!(limiter.try_acquire(now).is_err());
    assert_eq!(limiter.available(now), 0);
}

/// Going to and fro makes no tokens: over any history, the burst and the rate times the way
/// forward.
#[test]
fn an_oscillating_clock_makes_no_tokens() {
    fn check<P: Policy>(policy: P) {
        let mut limiter = RateLimiter::new(policy);
        let (early, late) = (Instant::from_secs(1_000), Instant::from_secs(1_059));
        let mut passed = 0;
        for _ in 0..1_000 {
            passed += u32::from(limiter.try_acquire(late).is_ok());
            passed += u32::from(limiter.try_acquire(early).is_ok());
        }
        assert_eq!(passed, 1);
    }
    each!(check);
}

/// What is given back under a clock that went back is what was taken, in every form alike.
#[test]
fn a_refund_after_a_jump_back_gives_back_what_was_taken() {
    fn check<P: Policy>(policy: P) {
        let mut limiter = RateLimiter::new(policy);
        let start = Instant::from_secs(1_000);
        let first = limiter.try_acquire(start).unwrap();
        assert!(limiter.try_acquire(start).is_ok());
        let back = start - secs(2);
        limiter.refund(back, &first);
        assert_eq!(limiter.available(start), 1);
    }
    let two = TokenBucket::per_minute(2);
    check(two.build().unwrap());
    check(two.compact().build().unwrap());
    check(FixedWindow::new(2, minutes(1)).build().unwrap());
    check(IntervalBucket::new(2, minutes(1)).build().unwrap());
    check(SlidingWindowLog::<2>::new(2, minutes(1)).build().unwrap());
    check(SlidingWindowCounter::new(2, minutes(1)).build().unwrap());
}

/// What refilled long ago is not owed again because a refund came late and the clock went back.
#[test]
fn a_late_refund_owes_nothing_when_the_clock_goes_back() {
    fn check<P: Policy>(policy: P) {
        let mut limiter = RateLimiter::new(policy);
        let start = Instant::from_secs(1_000);
        let granted = limiter.try_acquire(start).unwrap();
        limiter.refund(start + minutes(10), &granted);
        assert_eq!(limiter.available(start + minutes(5)), 1);
        assert!(limiter.try_acquire(start + minutes(5)).is_ok());
    }
    each!(check);
}

/// In the last T before the end nothing overflows: what is granted there is granted once.
#[test]
fn time_stands_still_in_the_last_wait_before_the_end() {
    fn check<P: Policy>(policy: P) {
        let mut limiter = RateLimiter::new(policy);
        let last = Instant::MAX - minutes(1);
        let mut passed = 0;
        for before in [90, 61, 60, 59, 30, 1, 0] {
            let now = Instant::MAX - secs(before);
            passed += u32::from(limiter.try_acquire(now).is_ok());
            assert!(limiter.standing(now).full_in <= minutes(1));
        }
        // One at 90 s; the next would come at 30 s, which for a limiter is still 60 s.
        assert_eq!(passed, 1);
        assert!(limiter.available(last) == 0 && limiter.available(Instant::MAX) == 0);
    }
    each!(check);
}

/// At the first instant of all, too, what was given back is there again.
/// A counter that nobody has started, or whose oscillator has died.
#[test]
fn a_clock_that_stops_gives_out_what_is_there_and_no_more_until_it_goes_on() {
    fn check<P: Policy>(policy: P) {
        for stopped in [Instant::ZERO, Instant::from_secs(1_000)] {
            let mut limiter = RateLimiter::new(policy);
            assert!(limiter.try_acquire(stopped).is_ok());
            for _ in 0..1_000 {
                let denied = limiter.try_acquire(stopped).unwrap_err();
                assert_eq!(denied.retry_after(), Some(minutes(1)));
            }
            assert!(
                limiter
                    .try_acquire(stopped + minutes(1) - nanos(1))
                    .is_err()
            );
            assert!(limiter.try_acquire(stopped + minutes(1)).is_ok());
        }
    }
    each!(check);
}

#[test]
fn a_refund_at_the_start_of_time_is_whole() {
    fn check<P: Policy>(policy: P) {
        let mut limiter = RateLimiter::new(policy);
        let granted = limiter.try_acquire(Instant::ZERO).unwrap();
        limiter.refund(Instant::ZERO, &granted);
        assert_eq!(limiter.available(Instant::ZERO), 1);
        assert!(limiter.try_acquire(Instant::ZERO).is_ok());
    }
    each!(check);
}

/// The widest policies there are, at both ends of time.
#[test]
fn the_longest_waits_overflow_nowhere() {
    let longest = steadfast::limit::MAX_WAIT;
    for policy in [
        TokenBucket::new(1, longest).build().unwrap(),
        TokenBucket::new(u32::MAX, longest).build().unwrap(),
        TokenBucket::new(1, nanos(1))
            .reserve_ahead(longest - nanos(1))
            .build()
            .unwrap(),
        Gcra::every(longest, Duration::ZERO).build().unwrap(),
    ] {
        for start in [Instant::ZERO, Instant::MAX - longest, Instant::MAX] {
            let mut limiter = RateLimiter::new(policy);
            let all = policy.capacity();
            assert!(limiter.try_acquire_n(start, all).is_ok());
            let wait = limiter
                .try_acquire_n(start, all)
                .unwrap_err()
                .retry_after()
                .unwrap();
            assert_eq!(wait, policy.standing(&TokenBucket::FULL, start).window);
            assert_eq!(limiter.standing(start).full_in, wait);
        }
    }
}
