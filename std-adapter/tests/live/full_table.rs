//! A table without a place for whoever comes: what newcomers share, who gives way, who needs none.

use steadfast::event::LimitOutcome;
use steadfast::limit::{AnyPolicy, Denied, TokenBucket, WhenFull};
use steadfast::policy;
use steadfast::time::{Duration, Instant, ManualClock, secs};
use steadfast_std::{AnsweredBy, LimiterByKey, LiveLimiter, Quotas};

use crate::bucket;

#[test]
fn a_full_table_lets_newcomers_share_what_everybody_has() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let quotas = Quotas::new(bucket(2)).own(&100_u64, bucket(50));
    let live = LiveLimiter::with_clock(quotas.clone(), 8, &clock).unwrap();
    for key in 0..8_u64 {
        assert!(live.try_acquire(&key).is_ok());
    }
    // Two of them, and not the fifty of whoever comes.
    assert_eq!(live.check(&100_u64, 1).by, AnsweredBy::Shared);
    assert!(live.try_acquire(&101_u64).is_ok());
    assert!(live.try_acquire(&100_u64).is_err());
    live.reconfigure(bucket(3));
    assert!(live.try_acquire(&101_u64).is_ok());
    assert!(
        live.try_acquire(&101_u64).is_err(),
        "what was used stays used"
    );
    let there = live.occupancy();
    assert_eq!((there.active, there.places), (8, 8));

    let denying = LiveLimiter::with_clock(quotas, 8, &clock)
        .unwrap()
        .when_full(WhenFull::Deny);
    for key in 0..8_u64 {
        assert!(denying.try_acquire(&key).is_ok());
    }
    let Err(Denied::StoreFull { retry_after }) = denying.try_acquire(&8_u64) else {
        panic!("there was a place");
    };
    assert_eq!(retry_after, secs(1));
}

#[test]
fn the_limiter_that_newcomers_share_is_refunded_and_carried_over_like_any_other() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let live = LiveLimiter::with_clock(bucket(2), 8, &clock).unwrap();
    for key in 0..8_u64 {
        assert!(live.try_acquire(&key).is_ok());
    }
    let shared = live.try_acquire(&8_u64).unwrap();
    assert!(live.try_acquire(&9_u64).is_ok());
    assert!(live.try_acquire(&10_u64).is_err());
    live.refund(&8_u64, &shared);
    assert!(live.try_acquire(&10_u64).is_ok());
    // Twice, so that whoever was not carried over the first time is two versions behind.
    live.reconfigure(policy!(TokenBucket::per_minute(1).burst(3)));
    live.reconfigure(bucket(4));
    assert_eq!(live.check(&11_u64, 2).by, AnsweredBy::Shared);
    let denied = live.check(&11_u64, 1);
    assert!(matches!(
        denied.event("limit", 1).outcome,
        LimitOutcome::DeniedShared(_)
    ));
    // More than newcomers share, though not more than anybody may have: a place helps, so waiting
    // does.
    live.reconfigure(Quotas::new(bucket(4)).own("partner", bucket(50)));
    let Err(Denied::StoreFull { retry_after }) = live.check("partner", 20).decision else {
        panic!("it must be told to come again");
    };
    assert!(retry_after > Duration::ZERO);
    clock.advance(retry_after);
    assert!(live.check("partner", 20).decision.is_ok());
}

/// One place is taken for each key that is being limited, and none by who is not: a flood must
/// not lock out those who are exempt from it, nor they evict anybody.
#[test]
fn who_is_unlimited_passes_through_a_full_table_and_takes_no_place() {
    let each = AnyPolicy::from(bucket(2));
    for when_full in [
        WhenFull::Overflow,
        WhenFull::Deny,
        WhenFull::Allow,
        WhenFull::EvictLeastUsed,
    ] {
        let clock = ManualClock::new(Instant::from_secs(1));
        let quotas = Quotas::new(each).own("partner", AnyPolicy::Unlimited);
        let live = LiveLimiter::with_clock(quotas, 8, &clock).unwrap();
        let live = live.when_full(when_full);
        for key in 0..100_u64 {
            let _ = live.try_acquire(&key);
        }
        let (active, evicted) = (live.active(), live.evicted());
        for _ in 0..100 {
            let asked = live.check("partner", 1_000);
            assert!(asked.decision.is_ok(), "{when_full:?}");
            assert_eq!(asked.event("limit", 1).outcome, LimitOutcome::Exempt);
        }
        assert_eq!((live.active(), live.evicted()), (active, evicted));
    }
}

#[test]
fn in_a_full_table_the_least_used_gives_way_or_all_pass_as_chosen() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let table = |when_full| {
        let live = LiveLimiter::with_clock(bucket(2), 8, &clock).unwrap();
        let live = live.when_full(when_full);
        for key in 0..8_u64 {
            assert!(
                live.try_acquire_n(&key, if key == 5 { 1 } else { 2 })
                    .is_ok()
            );
        }
        live
    };
    let evicting = table(WhenFull::EvictLeastUsed);
    assert_eq!(evicting.check(&8_u64, 1).by, AnsweredBy::Own);
    assert_eq!(evicting.evicted(), 1);
    assert_eq!(
        evicting.standing(&5_u64).remaining,
        2,
        "it starts full again"
    );
    let allowing = table(WhenFull::Allow);
    for _ in 0..10 {
        let asked = allowing.check(&8_u64, 2);
        assert!(asked.decision.is_ok());
        assert_eq!(asked.by, AnsweredBy::Nobody);
    }
}
