//! What a grant gives back: to its shard, to the centre, or nothing, and never a second burst.

use steadfast::time::{ManualClock, millis, secs};
use steadfast_std::{LeasedGrant, LeasedRateLimiter};

use crate::{START, limiter, until_a_no};

#[test]
fn a_grant_goes_back_into_its_shard_while_it_is_on_the_same_lease() {
    let clock = ManualClock::new(START);
    let limiter = limiter(1, 40, &clock);
    let granted = limiter.try_acquire().unwrap();
    assert_eq!(limiter.available(), 639);
    // However late: the shard still lacks it.
    clock.advance(secs(9));
    limiter.refund(&granted);
    assert_eq!(limiter.available(), 640);
    // A second refund is a mistake; it does not overfill the shard.
    limiter.refund(&granted);
    assert_eq!(limiter.available(), 640);
}

/// A grant of the second lease, drawn when the centre lacked `before` tokens; the shard is on its
/// third by now.
fn a_grant_of_a_lease_drawn_after(
    before: u32,
    limiter: &LeasedRateLimiter<&ManualClock>,
) -> LeasedGrant {
    assert!(limiter.try_acquire_n(before - 1).is_ok());
    // The first lease, and one more, with which the second is drawn.
    for _ in 0..=40 {
        assert!(limiter.try_acquire().is_ok());
    }
    let granted = limiter.try_acquire().unwrap();
    // The rest of the lease, and one more, with which the next is drawn.
    for _ in 0..40 {
        assert!(limiter.try_acquire().is_ok());
    }
    granted
}

#[test]
fn a_grant_of_an_older_lease_goes_to_the_centre_until_it_has_refilled() {
    // What the centre lacked before that lease refills in 100 ms.
    for (wait, back) in [(0, 1), (99, 1), (100, 0), (101, 0), (5_000, 0)] {
        let clock = ManualClock::new(START);
        let limiter = limiter(1, 40, &clock);
        let granted = a_grant_of_a_lease_drawn_after(100, &limiter);
        clock.advance(millis(wait));
        let before = limiter.available();
        limiter.refund(&granted);
        assert_eq!(limiter.available() - before, back, "after {wait} ms");
    }
}

/// The centre may have refilled long ago what was left of another lease.
#[test]
fn what_was_left_of_an_older_lease_does_not_go_to_the_centre() {
    let clock = ManualClock::new(START);
    let limiter = limiter(1, 40, &clock);
    // Two are left of the first lease when the second is drawn.
    assert!(limiter.try_acquire_n(500).is_ok());
    assert!(limiter.try_acquire_n(38).is_ok());
    assert!(limiter.try_acquire_n(3).is_ok());
    let drawn = limiter.try_acquire_n(38).unwrap();
    let older = limiter.try_acquire_n(2).unwrap();
    // The third lease.
    assert!(limiter.try_acquire().is_ok());
    let before = limiter.available();
    limiter.refund(&older);
    assert_eq!(limiter.available(), before);
    limiter.refund(&drawn);
    assert_eq!(limiter.available(), before + 38);
}

/// After a refund the centre refills earlier than a lease that was drawn before it knows, as with
/// the mark of any bucket. What is then given back though it has refilled is at most what was
/// refunded before.
#[test]
fn grants_that_have_refilled_give_back_no_more_than_was_refunded_before() {
    let mut most = 0;
    // Both parts are above the batch, so they are from the centre.
    for refunded in [0, 41, 60, 81, 82, 100, 459] {
        let clock = ManualClock::new(START);
        let limiter = limiter(1, 40, &clock);
        let early = limiter.try_acquire_n(refunded).unwrap();
        assert!(limiter.try_acquire_n(500 - refunded).is_ok());
        for _ in 0..=40 {
            assert!(limiter.try_acquire().is_ok());
        }
        let old = [(); 40].map(|()| limiter.try_acquire().unwrap());
        assert!(limiter.try_acquire().is_ok(), "and the next lease is drawn");
        limiter.refund(&early);
        // The centre lacked 582.
        clock.advance(millis(u64::from(582 - refunded)));
        assert_eq!(until_a_no(&limiter), 640);
        for granted in &old {
            limiter.refund(granted);
        }
        let more = until_a_no(&limiter);
        assert!(more <= refunded.into(), "{more} after {refunded}");
        most = most.max(more);
    }
    assert_eq!(most, 40, "the bound is not there in vain");
}

#[test]
fn a_grant_from_the_centre_gives_back_what_has_not_refilled() {
    for (wait, back) in [(0, 100), (30, 70), (100, 0), (5_000, 0)] {
        let clock = ManualClock::new(START);
        let limiter = limiter(1, 40, &clock);
        let granted = limiter.try_acquire_n(100).unwrap();
        clock.advance(millis(wait));
        let before = limiter.available();
        limiter.refund(&granted);
        assert_eq!(limiter.available() - before, back, "after {wait} ms");
    }
}

/// Old grants, kept for an hour, do not bring back a burst that has been used since.
#[test]
fn old_grants_do_not_pass_a_second_burst() {
    let clock = ManualClock::new(START);
    let limiter = limiter(2, 20, &clock);
    let old: Vec<_> = (0..640).map(|_| limiter.try_acquire().unwrap()).collect();
    clock.advance(secs(3_600));
    assert!(until_a_no(&limiter) >= 600);
    for granted in &old {
        limiter.refund(granted);
    }
    // The other shard is still on its first lease, which was used up an hour ago and never drawn
    // again: it lacks those, and what it gets back is its own.
    assert!(limiter.available() <= 20, "{}", limiter.available());
}
