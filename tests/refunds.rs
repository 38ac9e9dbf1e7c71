//! Giving back: never more than what the grant still holds back, and never to another window.

use proptest::prelude::*;
use steadfast::limit::{FixedWindow, Policy, RateLimiter, TokenBucket};
use steadfast::time::{Instant, millis, minutes, nanos, secs};

const START: Instant = Instant::from_secs(100);

#[test]
fn what_was_taken_and_given_back_at_once_was_never_taken() {
    fn check<P: Policy>(policy: P) {
        for cost in 1..=10 {
            let mut limiter = RateLimiter::new(policy);
            assert!(limiter.try_acquire_n(START, 10 - cost).is_ok());
            let granted = limiter.try_acquire_n(START, cost).unwrap();
            assert_eq!(limiter.available(START), 0);
            limiter.refund(START, &granted);
            assert_eq!(limiter.available(START), cost);
        }
    }
    check(TokenBucket::per_second(10).build().unwrap());
    check(TokenBucket::per_second(10).compact().build().unwrap());
    check(FixedWindow::new(10, secs(1)).build().unwrap());
}

/// Ten tokens in a second: after 400 ms four have refilled, and six are left to give back.
#[test]
fn what_has_refilled_is_not_given_back_again() {
    fn check<P: Policy>(policy: P) {
        let mut limiter = RateLimiter::new(policy);
        let granted = limiter.try_acquire_n(START, 10).unwrap();
        let now = START + millis(400);
        assert!(limiter.try_acquire_n(now, 4).is_ok());
        limiter.refund(now, &granted);
        assert_eq!(limiter.available(now), 6);

        let mut limiter = RateLimiter::new(policy);
        let granted = limiter.try_acquire_n(START, 10).unwrap();
        let now = START + secs(1);
        assert!(limiter.try_acquire_n(now, 10).is_ok());
        limiter.refund(now, &granted);
        assert_eq!(limiter.available(now), 0);
    }
    check(TokenBucket::per_second(10).build().unwrap());
    check(TokenBucket::per_second(10).compact().build().unwrap());
}

#[test]
fn a_grant_of_an_old_window_credits_no_new_one() {
    let policy = FixedWindow::new(10, minutes(1)).build().unwrap();
    let mut limiter = RateLimiter::new(policy);
    let old = limiter.try_acquire_n(START, 10).unwrap();
    let turned = START + minutes(1);
    let new = limiter.try_acquire_n(turned, 10).unwrap();
    limiter.refund(turned, &old);
    assert_eq!(limiter.available(turned), 0);
    limiter.refund(turned, &new);
    assert_eq!(limiter.available(turned), 10);
}

/// Another period, and so another window, though both began at the same instant.
#[test]
fn a_grant_from_before_a_new_period_credits_no_window_of_it() {
    let mut limiter = RateLimiter::new(FixedWindow::new(10, minutes(1)).build().unwrap());
    let old = limiter.try_acquire_n(START, 10).unwrap();
    limiter.reconfigure(START, FixedWindow::new(10, minutes(2)).build().unwrap());
    limiter.refund(START, &old);
    assert_eq!(limiter.available(START), 0);
}

#[test]
fn a_peek_has_nothing_to_give_back() {
    fn check<P: Policy>(policy: P) {
        let mut limiter = RateLimiter::new(policy);
        assert!(limiter.try_acquire_n(START, 5).is_ok());
        let nothing = limiter.try_acquire_n(START, 0).unwrap();
        limiter.refund(START, &nothing);
        assert_eq!(limiter.available(START), 5);
    }
    check(TokenBucket::per_second(10).build().unwrap());
    check(TokenBucket::per_second(10).compact().build().unwrap());
    check(FixedWindow::new(10, secs(1)).build().unwrap());
}

/// The first of several gives back what is its own, and the others keep theirs.
#[test]
fn a_cancelled_reservation_leaves_the_later_ones_their_time() {
    let policy = TokenBucket::per_second(10)
        .reserve_ahead(secs(10))
        .build()
        .unwrap();
    let mut limiter = RateLimiter::new(policy);
    assert!(limiter.try_acquire_n(START, 10).is_ok());
    let first = limiter.reserve(START, 3, secs(10)).unwrap();
    let second = limiter.reserve(START, 2, secs(10)).unwrap();
    assert_eq!(second.at(), START + millis(500));
    limiter.cancel(START, &first);
    // One of three lies beyond what was promised after it.
    assert_eq!(
        limiter.reserve(START, 1, secs(10)).unwrap().at(),
        START + millis(500)
    );
}

proptest! {
    /// Whatever came in between, a grant from before a reconfiguration gives back at most its
    /// cost, and nothing that would pass the new burst.
    #[test]
    fn a_grant_from_before_a_reconfiguration_gives_back_its_cost_at_most(
        (count, period, burst) in (1_u32..=32, 1_u64..10_000, 1_u32..50),
        (new_count, new_period, new_burst) in (1_u32..=32, 1_u64..10_000, 1_u32..50),
        cost in any::<u32>(),
        (gap, more) in (0_u64..100_000, any::<u32>()),
    ) {
        let build = |count, period, burst| TokenBucket::new(count, nanos(period)).burst(burst);
        let old = build(count, period, burst);
        let new = build(new_count, new_period, new_burst);
        let wide = (old.build().unwrap(), new.build().unwrap());
        let word = (old.compact().build().unwrap(), new.compact().build().unwrap());
        let cost = 1 + cost % burst;
        check(wide, START, cost, gap, more)?;
        check(word, START, cost, gap, more)?;
    }
}

fn check<P: Policy>(
    (old, new): (P, P),
    start: Instant,
    cost: u32,
    gap: u64,
    more: u32,
) -> Result<(), TestCaseError> {
    let mut limiter = RateLimiter::new(old);
    let granted = limiter.try_acquire_n(start, cost).unwrap();
    limiter.reconfigure(start, new);
    let now = start + nanos(gap);
    let more = more % (limiter.available(now) + 1);
    prop_assert!(limiter.try_acquire_n(now, more).is_ok());
    let before = limiter.available(now);
    limiter.refund(now, &granted);
    let after = limiter.available(now);
    // A part of a token that was there already may complete another one.
    prop_assert!(before <= after && after <= before + cost + 1);
    prop_assert!(after <= new.capacity());
    Ok(())
}
