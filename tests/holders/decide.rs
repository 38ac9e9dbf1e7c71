//! Every holder grants, refunds, reserves and charges as the policy does.

use proptest::prelude::*;
use steadfast::limit::{
    AtomicRateLimiter, Granted, Keyed, KeyedPolicy, Limiter, Policy, RateLimiter, Reserve,
    TokenBucket,
};
use steadfast::shared::Shared;
use steadfast::time::Duration;

use crate::forms::{OnTime, Unwrapped};
use crate::model::policies::{exact_compact_buckets, fixed_windows, token_buckets};
use crate::model::schedule::play;
use crate::{Call, MIDDLE, OneKey, calls, moved};

/// Plays `calls` to the policy by hand, to an owner, and to each of `others`.
fn hold_alike<P: Policy<Granted = Granted>>(
    policy: P,
    calls: &[Call],
    others: &[&dyn Limiter<Granted = Granted>],
) -> Result<u64, TestCaseError> {
    let mut state = P::FULL;
    let mut owned = RateLimiter::new(policy);
    let mut now = MIDDLE;
    let mut grants: Vec<Granted> = Vec::new();
    for &(by, kind, cost, pick) in calls {
        if kind % 3 == 0 {
            now = moved(now, by);
        }
        if kind < 60 && !grants.is_empty() {
            let granted = grants.swap_remove(pick % grants.len());
            policy.refund(&mut state, now, &granted);
            owned.refund(now, &granted);
            for other in others {
                other.refund(now, &granted);
            }
        } else {
            let cost = if kind < 160 { 1 } else { cost };
            let peeked = owned.peek(now, cost);
            let said = policy.decide(&mut state, now, cost);
            prop_assert_eq!(peeked, said.map(|_| ()));
            prop_assert_eq!(owned.try_acquire_n(now, cost), said);
            for other in others {
                prop_assert_eq!(other.peek(now, cost), peeked);
                prop_assert_eq!(other.try_acquire_n(now, cost), said);
            }
            grants.extend(said.ok());
        }
        let standing = policy.standing(&state, now);
        prop_assert_eq!(owned.standing(now), standing);
        prop_assert_eq!(owned.available(now), standing.remaining);
        for other in others {
            prop_assert_eq!(other.standing(now), standing);
            prop_assert_eq!(other.available(now), standing.remaining);
        }
    }
    Ok(calls.len() as u64)
}

fn shared_alike<P: Policy<Granted = Granted>>(
    policy: P,
    calls: &[Call],
) -> Result<u64, TestCaseError> {
    let limiter = RateLimiter::new(policy);
    let shared = Shared::new(limiter.clone());
    let live = Shared::live(limiter.clone());
    let clocked = OnTime::new(Shared::new(limiter));
    let rule = KeyedPolicy::new(policy);
    let table: OneKey<P> = Shared::places();
    let live_table: Shared<Keyed<u8, P, 1>> = Shared::keyed(rule);
    let some = Some(Shared::new(RateLimiter::new(policy)));
    let optional = Unwrapped(some);
    hold_alike(
        policy,
        calls,
        &[
            &shared,
            &live,
            &clocked,
            &table.of(&rule, 7),
            &live_table.of(7),
            &optional,
        ],
    )
}

#[test]
fn every_holder_decides_as_the_policy() {
    let inputs = (token_buckets(), fixed_windows(), calls());
    play(
        "owned, shared, live, clocked and keyed",
        inputs,
        |((bucket, _), (window, _), calls)| {
            Ok(shared_alike(bucket, &calls)? + shared_alike(window, &calls)?)
        },
    );
}

#[test]
fn an_atomic_word_decides_as_the_policy() {
    play(
        "atomic",
        (exact_compact_buckets(), calls()),
        |((policy, _), calls)| {
            let atomic = AtomicRateLimiter::new(policy);
            let clocked = OnTime::new(AtomicRateLimiter::new(policy));
            hold_alike(policy, &calls, &[&atomic, &clocked])
        },
    );
}

/// Nobody's limit says yes to all, and has no headers of its own.
#[test]
fn no_limiter_is_exempt() {
    let none: Option<&Shared<RateLimiter<TokenBucket>>> = None;
    let said = none.try_acquire_n(MIDDLE, u32::MAX);
    assert!(matches!(said, Ok(None)));
    none.refund(MIDDLE, &None);
    assert_eq!(none.peek(MIDDLE, u32::MAX), Ok(()));
    assert_eq!(none.available(MIDDLE), u32::MAX);
    assert!(none.standing(MIDDLE).is_unlimited());
}

#[test]
fn reservations_and_debts_are_the_policys_too() {
    play(
        "reservations and debts",
        (token_buckets(), calls()),
        |((policy, _), calls)| {
            let mut state = TokenBucket::FULL;
            let mut owned = RateLimiter::new(policy);
            let shared = Shared::new(owned.clone());
            let live = Shared::live(owned.clone());
            let mut now = MIDDLE;
            let mut last: Option<Granted> = None;
            for &(by, kind, cost, _) in &calls {
                if kind % 3 == 0 {
                    now = moved(now, by);
                }
                if let (0..60, Some(granted)) = (kind, last.take()) {
                    policy.cancel(&mut state, now, &granted);
                    owned.cancel(now, &granted);
                    shared.cancel(now, &granted);
                    live.cancel(now, &granted);
                }
                if kind > 200 {
                    let beyond = policy.charge(&mut state, now, cost);
                    prop_assert_eq!(owned.charge(now, cost), beyond);
                    prop_assert_eq!(shared.charge(now, cost), beyond);
                    prop_assert_eq!(live.charge(now, cost), beyond);
                }
                let said = policy.reserve(&mut state, now, cost, Duration::MAX);
                prop_assert_eq!(owned.reserve(now, cost, Duration::MAX), said);
                prop_assert_eq!(shared.reserve(now, cost, Duration::MAX), said);
                prop_assert_eq!(live.reserve(now, cost, Duration::MAX), said);
                prop_assert_eq!(live.standing(now), policy.standing(&state, now));
                prop_assert_eq!(shared.standing(now), policy.standing(&state, now));
                last = said.ok();
            }
            Ok(calls.len() as u64)
        },
    );
}
