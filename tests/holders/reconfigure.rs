//! Every holder is reconfigured as the policy is.

use proptest::prelude::*;
use steadfast::limit::{
    AtomicRateLimiter, Clocked, CompactBucket, Keyed, KeyedPolicy, Limiter, Policy, RateLimiter,
};
use steadfast::shared::Shared;
use steadfast::time::ManualClock;

use crate::model::policies::{any_policies, exact_compact_buckets};
use crate::model::schedule::play;
use crate::{Call, MIDDLE, OneKey, calls, moved};

/// Forms that are reconfigured on the way, each its own way.
#[test]
fn every_holder_is_reconfigured_as_the_policy() {
    let inputs = (
        any_policies(),
        any_policies(),
        exact_compact_buckets(),
        exact_compact_buckets(),
        calls(),
    );
    play(
        "reconfigured",
        inputs,
        |(one, other, word, other_word, calls)| {
            let words = reconfigured_alike([word.0, other_word.0], &calls)?;
            atomic_reconfigured_alike([word.0, other_word.0], &calls)?;
            Ok(words + reconfigured_alike([one.0, other.0], &calls)?)
        },
    );
}

fn reconfigured_alike<P: Policy<Granted: PartialEq>>(
    policies: [P; 2],
    calls: &[Call],
) -> Result<u64, TestCaseError> {
    let mut policy = policies[0];
    let mut state = P::FULL;
    let mut owned = RateLimiter::new(policy);
    let mut shared = Shared::new(owned.clone());
    let live = Shared::live(owned.clone());
    let clocked = Clocked::new(&live, ManualClock::new(MIDDLE));
    let mut table: Keyed<u8, P, 1> = Keyed::new(KeyedPolicy::new(policy));
    let live_table: Shared<Keyed<u8, P, 1>> = Shared::keyed(KeyedPolicy::new(policy));
    let (places, mut rule): (OneKey<P>, _) = (Shared::places(), KeyedPolicy::new(policy));
    let mut now = MIDDLE;
    for &(by, kind, cost, pick) in calls {
        if kind % 3 == 0 {
            now = moved(now, by);
        }
        if kind < 60 {
            let new = policies[pick % 2];
            policy.reconfigure(&mut state, now, &new);
            policy = new;
            owned.reconfigure(now, new);
            shared.reconfigure(now, new);
            // One by its clock, so that the form is reconfigured once.
            clocked.clock().set(now);
            clocked.reconfigure(new);
            table.reconfigure(now, new);
            live_table.reconfigure(now, new);
            rule = places
                .with(|places| places.reconfigure(&rule, now, new))
                .expect("not from inside");
        } else {
            let said = policy.decide(&mut state, now, cost);
            prop_assert_eq!(owned.try_acquire_n(now, cost), said);
            prop_assert_eq!(shared.try_acquire_n(now, cost), said);
            prop_assert_eq!(live.try_acquire_n(now, cost), said);
            prop_assert_eq!(table.try_acquire_n(7, now, cost), said);
            prop_assert_eq!(live_table.try_acquire_n(7, now, cost), said);
            prop_assert_eq!(places.try_acquire_n(&rule, 7, now, cost), said);
        }
        let standing = policy.standing(&state, now);
        prop_assert_eq!(owned.standing(now), standing);
        prop_assert_eq!(shared.standing(now), standing);
        prop_assert_eq!(live.standing(now), standing);
        prop_assert_eq!(table.standing(7, now), standing);
        prop_assert_eq!(table.available(7, now), standing.remaining);
        prop_assert_eq!(live_table.of(7).standing(now), standing);
        prop_assert_eq!(places.of(&rule, 7).standing(now), standing);
        prop_assert_eq!(live.policy().capacity(), policy.capacity());
        prop_assert_eq!(live_table.rule().policy().capacity(), policy.capacity());
    }
    Ok(calls.len() as u64)
}

fn atomic_reconfigured_alike(
    policies: [CompactBucket; 2],
    calls: &[Call],
) -> Result<(), TestCaseError> {
    let mut owned = RateLimiter::new(policies[0]);
    let mut atomic = AtomicRateLimiter::new(policies[0]);
    let mut now = MIDDLE;
    for &(by, kind, cost, pick) in calls {
        if kind % 3 == 0 {
            now = moved(now, by);
        }
        match kind {
            0..50 => {
                owned.reconfigure(now, policies[pick % 2]);
                atomic.reconfigure(now, policies[pick % 2]);
            }
            // Goes on where the owner stands.
            50..60 => atomic = owned.clone().into(),
            _ => {
                let said = owned.try_acquire_n(now, cost);
                prop_assert_eq!(atomic.try_acquire_n(now, cost), said);
            }
        }
        prop_assert_eq!(atomic.standing(now), owned.standing(now));
        prop_assert_eq!(atomic.policy(), owned.policy());
    }
    Ok(())
}
