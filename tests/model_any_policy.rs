//! The policy that is chosen at run time against the model of whichever algorithm it is, over
//! made-up histories; and what becomes of a state when the algorithm changes.
//!
//! How to run many: see `model/schedule.rs`.

mod model;

use model::agree::agree_from;
use model::any::Any;
use model::machine::Machine;
use model::policies::{
    any_policies, fixed_windows, interval_buckets, sliding_counters, token_buckets,
};
use model::schedule::{play, play_one_in, steps};
use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::limit::{
    AnyPolicy, AnyState, Denied, FixedWindow, IntervalBucket, Policy, RateLimiter,
    SlidingWindowCounter, TokenBucket,
};
use steadfast::policy;
use steadfast::time::{Duration, Instant, days, minutes, nanos, secs};

/// Reconfigured to any of up to four others on the way, of the same algorithm or of another.
#[test]
fn decides_as_the_algorithm_that_was_chosen() {
    let inputs = (vec(any_policies(), 1..5), any::<u64>(), 0_u32..64, steps());
    play("any policy", inputs, |(policies, start, by, steps)| {
        agree_from(&policies, Any::new, start >> by, &steps)
    });
}

/// Every algorithm as often as any other, and never reconfigured: so each gets long histories.
#[test]
fn decides_as_each_algorithm_does_by_itself() {
    let inputs = (any_policies(), any::<u64>(), 0_u32..64, steps());
    play("any policy, one", inputs, |(policy, start, by, steps)| {
        agree_from(&[policy], Any::new, start >> by, &steps)
    });
}

/// How far time moves, a cost, and what else.
type Call = (i64, u32, u8);

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let by = (any::<i64>(), 0_u32..64).prop_map(|(by, shift)| by >> shift);
    let cost = (any::<u32>(), 0_u32..32).prop_map(|(cost, shift)| cost >> shift);
    vec((by, cost, any::<u8>()), 100)
}

/// The same calls to an algorithm and to the policy that chose it: every answer, every header and
/// every later state must be alike.
fn alike<P: Machine + Into<AnyPolicy>>(policy: P, calls: &[Call]) -> Result<u64, TestCaseError> {
    let mut own = RateLimiter::new(policy);
    let mut any = RateLimiter::new(policy.into());
    let mut now = Instant::from_nanos(1 << 62);
    let mut last = None;
    for &(by, cost, what) in calls {
        if what % 3 == 0 {
            now = Instant::from_nanos(now.as_nanos().saturating_add_signed(by));
        }
        let cost = if what < 100 { 1 } else { cost };
        let said = (own.try_acquire_n(now, cost), any.try_acquire_n(now, cost));
        prop_assert_eq!(
            said.0.as_ref().map(|_| ()).map_err(|denied| *denied),
            said.1.map(|_| ())
        );
        prop_assert_eq!(own.peek(now, 1), any.peek(now, 1));
        match (said, last.take()) {
            (_, Some((own_grant, any_grant))) if what < 40 => {
                own.refund(now, &own_grant);
                any.refund(now, &any_grant);
            }
            ((Ok(own_grant), Ok(any_grant)), _) => last = Some((own_grant, any_grant)),
            (_, kept) => last = kept,
        }
        prop_assert_eq!(own.standing(now), any.standing(now));
    }
    Ok(calls.len() as u64)
}

#[test]
fn answers_as_the_algorithm_itself() {
    let policies = (
        token_buckets(),
        fixed_windows(),
        sliding_counters(),
        interval_buckets(),
    );
    play_one_in(
        4,
        "any policy beside the algorithm itself",
        (policies, calls()),
        |((bucket, window, counter, portions), calls)| {
            Ok(alike(bucket.0, &calls)?
                + alike(window.0, &calls)?
                + alike(counter.0, &calls)?
                + alike(portions.0, &calls)?)
        },
    );
}

const NOW: Instant = Instant::from_secs(1_000_000);
const TEN: [AnyPolicy; 4] = [
    AnyPolicy::TokenBucket(policy!(TokenBucket::per_minute(10))),
    AnyPolicy::FixedWindow(policy!(FixedWindow::new(10, minutes(1)))),
    AnyPolicy::SlidingWindowCounter(policy!(SlidingWindowCounter::new(10, minutes(1)))),
    AnyPolicy::IntervalBucket(policy!(IntervalBucket::new(10, minutes(1)))),
];
const FOUR: [AnyPolicy; 4] = [
    AnyPolicy::TokenBucket(policy!(TokenBucket::per_hour(4))),
    AnyPolicy::FixedWindow(policy!(FixedWindow::new(4, minutes(60)))),
    AnyPolicy::SlidingWindowCounter(policy!(SlidingWindowCounter::new(4, minutes(60)))),
    AnyPolicy::IntervalBucket(policy!(IntervalBucket::new(4, minutes(60)))),
];

#[test]
fn another_algorithm_keeps_what_was_used_up_to_its_capacity() {
    for from in TEN {
        for used in 0..=10 {
            for to in TEN.into_iter().chain(FOUR) {
                let mut limiter = RateLimiter::new(from);
                assert!(limiter.try_acquire_n(NOW, used).is_ok());
                limiter.reconfigure(NOW, to);
                let left = to.capacity().saturating_sub(used);
                assert_eq!(limiter.available(NOW), left, "{used} of {from:?} as {to:?}");
                // And back: what did not fit into the smaller one is forgotten.
                limiter.reconfigure(NOW, from);
                assert_eq!(limiter.available(NOW), 10 - used.min(to.capacity()));
            }
        }
    }
}

/// A token that has half refilled is one that was used.
#[test]
fn what_was_used_is_rounded_up_to_a_token() {
    let mut limiter = RateLimiter::new(TEN[0]);
    assert!(limiter.try_acquire_n(NOW, 5).is_ok());
    let now = NOW + secs(9);
    assert_eq!(limiter.available(now), 6);
    limiter.reconfigure(now, TEN[1]);
    assert_eq!(limiter.available(now), 6);
    assert_eq!(limiter.standing(now).full_in, minutes(1));
}

#[test]
fn to_and_from_unlimited_it_is_full() {
    for limited in TEN {
        let mut limiter = RateLimiter::new(limited);
        assert!(limiter.try_acquire_n(NOW, 10).is_ok());
        limiter.reconfigure(NOW, AnyPolicy::Unlimited);
        for _ in 0..3 {
            let granted = limiter.try_acquire_n(NOW, u32::MAX).unwrap();
            assert_eq!((granted.at(), granted.cost()), (NOW, 0));
        }
        assert_eq!(limiter.available(NOW), u32::MAX);
        assert_eq!(limiter.standing(NOW).full_in, Duration::ZERO);
        let (policy, state) = limiter.clone().into_parts();
        assert!(policy.at_rest(&state, NOW));
        limiter.reconfigure(NOW, limited);
        assert_eq!(limiter.available(NOW), 10);
    }
}

#[test]
fn a_grant_of_another_algorithm_gives_nothing_back() {
    let all = TEN.into_iter().chain([AnyPolicy::Unlimited]);
    for from in all.clone() {
        let mut limiter = RateLimiter::new(from);
        let granted = limiter.try_acquire_n(NOW, 6).unwrap();
        for to in all.clone() {
            let mut limiter = limiter.clone();
            limiter.reconfigure(NOW, to);
            let before = limiter.available(NOW);
            limiter.refund(NOW, &granted);
            let same = std::mem::discriminant(&from) == std::mem::discriminant(&to);
            let given_back = if same && from != AnyPolicy::Unlimited {
                6
            } else {
                0
            };
            assert_eq!(
                limiter.available(NOW),
                before + given_back,
                "{from:?}, {to:?}"
            );
        }
    }
}

/// A state from before a clock jumped far back becomes "empty at now" by a no, and is stored.
#[test]
fn a_no_that_mends_is_kept() {
    for policy in TEN {
        let mut state = AnyPolicy::FULL;
        assert!(policy.decide(&mut state, NOW + days(1), 10).is_ok());
        let before = state;
        let denied = policy.decide(&mut state, NOW, 1).unwrap_err();
        assert_ne!(state, before, "{policy:?}");
        let wait = denied.retry_after().unwrap();
        assert!(wait <= minutes(2), "{policy:?} waits {wait}");
        // A little later the same no is no longer about the jump.
        let mut copy = state;
        let later = policy.decide(&mut copy, NOW + nanos(1), 1).unwrap_err();
        assert_eq!(
            later,
            Denied::RateLimited {
                retry_after: wait - nanos(1)
            }
        );
        let mut mended = before;
        policy.mend(&mut mended, NOW);
        assert_eq!(mended, state);
    }
}

/// Under a policy of another algorithm a state counts as full, and is one.
#[test]
fn a_state_that_nobody_carried_over_counts_as_full() {
    for from in TEN {
        for to in TEN {
            let mut state: AnyState = AnyPolicy::FULL;
            assert!(from.decide(&mut state, NOW, 10).is_ok());
            let same = from == to;
            assert_eq!(to.available(&state, NOW), if same { 0 } else { 10 });
            assert_eq!(to.at_rest(&state, NOW), !same);
            assert_eq!(to.rests_in(&state, NOW) == Duration::ZERO, !same);
            assert_eq!(to.decide(&mut state, NOW, 10).is_ok(), !same);
        }
    }
}

/// A state that is full again after a refund or a reconfiguration is the one that was never used.
#[test]
fn there_is_one_full_state() {
    let mut bucket = AnyPolicy::FULL;
    let granted = TEN[0].decide(&mut bucket, NOW, 3).unwrap();
    TEN[0].refund(&mut bucket, NOW, &granted);
    assert_eq!(bucket, AnyPolicy::FULL);

    let mut rested = AnyPolicy::FULL;
    assert!(TEN[0].decide(&mut rested, NOW, 3).is_ok());
    TEN[0].reconfigure(&mut rested, NOW + minutes(2), &FOUR[0]);
    assert_eq!(rested, AnyPolicy::FULL);
}
