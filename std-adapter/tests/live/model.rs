//! Against a plain limiter for each key.

use std::collections::HashMap;

use proptest::prelude::*;
use steadfast::limit::{
    AnyPolicy, FixedWindow, IntervalBucket, RateLimiter, SlidingWindowCounter, TokenBucket,
};
use steadfast::policy;
use steadfast::time::{Duration, Instant, ManualClock, millis};
use steadfast_std::{LiveLimiter, Quotas};

use crate::bucket;

const POLICIES: [AnyPolicy; 7] = [
    AnyPolicy::TokenBucket(policy!(TokenBucket::new(7, millis(10)).burst(3))),
    AnyPolicy::TokenBucket(policy!(TokenBucket::new(3, millis(10)).burst(5))),
    AnyPolicy::FixedWindow(policy!(FixedWindow::new(3, millis(10)))),
    AnyPolicy::FixedWindow(policy!(FixedWindow::new(4, millis(5)))),
    AnyPolicy::SlidingWindowCounter(policy!(SlidingWindowCounter::new(4, millis(10)))),
    AnyPolicy::IntervalBucket(policy!(IntervalBucket::new(2, millis(4)).capacity(6))),
    AnyPolicy::Unlimited,
];

/// What everybody may use, and what some of the twelve keys may use instead.
#[derive(Clone, Debug)]
struct Plan {
    each: usize,
    own: Vec<(u64, usize)>,
}

impl Plan {
    fn of(&self, key: u64) -> AnyPolicy {
        let own = self.own.iter().rev().find(|(owner, _)| *owner == key);
        POLICIES[own.map_or(self.each, |&(_, policy)| policy)]
    }

    fn quotas(&self) -> Quotas {
        let each = Quotas::new(POLICIES[self.each]);
        let own = self.own.iter();
        own.fold(each, |quotas, (key, policy)| {
            quotas.own(key, POLICIES[*policy])
        })
    }
}

fn plans() -> impl Strategy<Value = Plan> {
    let own = prop::collection::vec((0..12_u64, 0..POLICIES.len()), 0..5);
    (0..POLICIES.len(), own).prop_map(|(each, own)| Plan { each, own })
}

#[derive(Clone, Debug)]
enum Call {
    Acquire { key: u64, cost: u32 },
    Refund { key: u64 },
    Forget { key: u64 },
    Reconfigure(Plan),
    Advance(u64),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = prop_oneof![
        8 => (0..12_u64, 0..7_u32).prop_map(|(key, cost)| Call::Acquire { key, cost }),
        2 => (0..12_u64).prop_map(|key| Call::Refund { key }),
        1 => (0..12_u64).prop_map(|key| Call::Forget { key }),
        1 => plans().prop_map(Call::Reconfigure),
        3 => (0..8_000_000_u64).prop_map(Call::Advance),
    ];
    prop::collection::vec(call, 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// With room for every key it must be indistinguishable from a limiter for each key, each
    /// reconfigured by itself.
    #[test]
    fn it_decides_as_a_limiter_for_each_key(first in plans(), calls in calls()) {
        let clock = ManualClock::new(Instant::from_secs(1));
        let mut now = Instant::from_secs(1);
        let live = LiveLimiter::with_clock(first.quotas(), 1_024, &clock).unwrap();
        let mut plan = first;
        let mut each: HashMap<u64, RateLimiter<AnyPolicy>> = HashMap::new();
        let mut last: HashMap<u64, _> = HashMap::new();
        for call in calls {
            match call {
                Call::Acquire { key, cost } => {
                    let limiter = each.entry(key).or_insert_with(|| RateLimiter::new(plan.of(key)));
                    let expected = limiter.try_acquire_n(now, cost);
                    let asked = live.check(&key, cost);
                    let taken = asked.decision.as_ref().map(|granted| *granted.taken().unwrap());
                    prop_assert_eq!(taken, expected.as_ref().copied());
                    prop_assert_eq!(asked.standing, limiter.standing(now));
                    prop_assert_eq!(asked.on_trial, None);
                    if let (Ok(ours), Ok(theirs)) = (asked.decision, expected) {
                        last.insert(key, (ours, theirs));
                    }
                }
                Call::Refund { key } => {
                    if let Some((ours, theirs)) = last.remove(&key)
                        && let Some(limiter) = each.get_mut(&key)
                    {
                        limiter.refund(now, &theirs);
                        live.refund(&key, &ours);
                        prop_assert_eq!(live.standing(&key), limiter.standing(now));
                    }
                }
                Call::Forget { key } => {
                    each.remove(&key);
                    last.remove(&key);
                    live.forget(&key);
                }
                Call::Reconfigure(new) => {
                    for (key, limiter) in &mut each {
                        limiter.reconfigure(now, new.of(*key));
                    }
                    live.reconfigure(new.quotas());
                    plan = new;
                }
                Call::Advance(by) => {
                    now = now + Duration::from_nanos(by);
                    clock.set(now);
                }
            }
        }
        prop_assert_eq!(live.crowded(), 0, "there was room for all");
    }
}

#[test]
fn a_change_that_does_not_concern_a_key_changes_nothing_for_it() {
    for each in POLICIES {
        let clock = ManualClock::new(Instant::from_secs(1));
        let edited = LiveLimiter::with_clock(each, 64, &clock).unwrap();
        let mut alone = RateLimiter::new(each);
        for step in 0..200_u64 {
            let now = Instant::from_secs(1) + Duration::from_micros(step * 700);
            clock.set(now);
            let asked = edited.check("alice", 1);
            assert_eq!(
                asked.decision.is_ok(),
                alone.try_acquire(now).is_ok(),
                "{each:?} {step}"
            );
            assert_eq!(
                asked.standing,
                alone.standing(now),
                "{each:?} at step {step}"
            );
            let burst = 10 + (step % 2) as u32;
            edited.reconfigure(Quotas::new(each).own("bob", bucket(burst).into()));
        }
    }
}
