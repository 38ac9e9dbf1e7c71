//! What is asked of a live limiter by the hash of a key, whatever type the key had: decided by the
//! quotas of the moment, and once more if they changed in between.

use std::hash::Hash;

use steadfast::limit::{Denied, Policy, Standing};
use steadfast::time::{Clock, Instant};

use super::{LiveGranted, LiveLimiter};
use crate::keyed::checked::{AnsweredBy, Checked, LimiterByKey, Occupancy};
use crate::keyed::quotas::hash_of;
use crate::keyed::rulebook::NOBODY;
use crate::keyed::rules::{Held, OUTDATED, Rules, Versioned};

impl<P, C> LiveLimiter<P, C>
where
    P: Policy,
    P::State: Send,
    C: Clock,
{
    fn held<'a>(&'a self, rules: &'a Rules<P>) -> Held<'a, P> {
        Held {
            rules,
            published: &self.rules,
        }
    }

    pub(super) fn check_at(&self, hash: u64, cost: u32) -> Checked<LiveGranted<P::Granted>> {
        let places = self.store.places_of(hash);
        let now = self.clock.now();
        loop {
            let rules = self.rules.load();
            let mut standing = None;
            let decide = |whose, state: &mut Versioned<P::State>| {
                standing = None;
                let policy = rules.bring_up(whose, state, now).ok_or(OUTDATED)?;
                let decision = policy.decide(&mut state.state, now, cost);
                standing = Some(policy.standing(&state.state, now));
                decision
            };
            let held = self.held(&rules);
            let answer = self.store.charge(&held, &places, now, cost, decide);
            let (Some((decision, by)), Some(standing)) = (answer, standing) else {
                // The quotas changed in between.
                continue;
            };
            let on_trial = match &decision {
                Ok(granted) => P::would_deny(granted),
                Err(denied) => rules.quotas.is_on_trial().then_some(*denied),
            };
            return Checked {
                decision: match decision {
                    Err(_) if on_trial.is_some() => Ok(LiveGranted(None)),
                    decision => decision.map(|granted| LiveGranted(Some(granted))),
                },
                on_trial,
                enforced: !P::ON_TRIAL && !rules.quotas.is_on_trial(),
                // Whom no limiter answers is told what a full one would say.
                standing: if by == AnsweredBy::Nobody {
                    rules.quotas.of(hash).standing(&P::FULL, now)
                } else {
                    standing
                },
                now,
                by,
            };
        }
    }

    /// Does something with the key's state under the rules that hold; `None` if it has no place.
    fn visit<R>(
        &self,
        hash: u64,
        mut change: impl FnMut(&P, &mut P::State, Instant) -> R,
    ) -> Option<R> {
        let places = self.store.places_of(hash);
        let now = self.clock.now();
        loop {
            let rules = self.rules.load();
            let visited = places.visit(|state| {
                let policy = rules.bring_up(hash, state, now)?;
                Some(change(policy, &mut state.state, now))
            });
            match visited {
                Some(Some(said)) => return Some(said),
                // The quotas changed in between.
                Some(None) => {}
                None => return None,
            }
        }
    }

    pub(super) fn peek_at(&self, hash: u64, cost: u32) -> Result<(), Denied> {
        let peek = |policy: &P, state: &mut P::State, now| {
            let mut state = *state;
            policy.decide(&mut state, now, cost).map(|_| ())
        };
        let said = self.visit(hash, peek).unwrap_or_else(|| {
            let rules = self.rules.load();
            peek(rules.quotas.of(hash), &mut { P::FULL }, self.clock.now())
        });
        if said.is_err() && self.rules.load().quotas.is_on_trial() {
            return Ok(());
        }
        said
    }

    pub(super) fn standing_at(&self, hash: u64) -> Standing {
        let stands = |policy: &P, state: &mut P::State, now| policy.standing(state, now);
        self.visit(hash, stands).unwrap_or_else(|| {
            let rules = self.rules.load();
            rules.quotas.of(hash).standing(&P::FULL, self.clock.now())
        })
    }

    pub(super) fn refund_at(&self, hash: u64, granted: &LiveGranted<P::Granted>) {
        let Some(granted) = granted.taken() else {
            return;
        };
        let give = |policy: &P, state: &mut P::State, now| policy.refund(state, now, granted);
        if self.visit(hash, give).is_some() {
            return;
        }
        let now = self.clock.now();
        loop {
            let rules = self.rules.load();
            let given = self.store.overflow(|state| {
                let policy = rules.bring_up(NOBODY, state, now)?;
                policy.refund(&mut state.state, now, granted);
                Some(())
            });
            if given.is_some() {
                return;
            }
        }
    }

    pub(super) fn forget_at(&self, hash: u64) -> bool {
        self.store
            .places_of(hash)
            .visit(|state| state.state = P::FULL)
            .is_some()
    }
}

impl<P, C> LimiterByKey for LiveLimiter<P, C>
where
    P: Policy + Send + Sync,
    P::State: Send,
    P::Granted: Send,
    C: Clock + Send + Sync,
{
    type Granted = LiveGranted<P::Granted>;

    fn hash_of<K: Hash + ?Sized>(&self, key: &K) -> u64 {
        hash_of(key)
    }

    fn check_hashed(&self, hash: u64, cost: u32) -> Checked<Self::Granted> {
        self.check_at(hash, cost)
    }

    fn peek_hashed(&self, hash: u64, cost: u32) -> Result<(), Denied> {
        self.peek_at(hash, cost)
    }

    fn standing_hashed(&self, hash: u64) -> Standing {
        self.standing_at(hash)
    }

    fn refund_hashed(&self, hash: u64, granted: &Self::Granted) {
        self.refund_at(hash, granted);
    }

    fn forget_hashed(&self, hash: u64) -> bool {
        self.forget_at(hash)
    }

    fn occupancy(&self) -> Occupancy {
        Occupancy {
            active: self.active(),
            places: self.places(),
            crowded: self.crowded(),
            evicted: self.evicted(),
        }
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }
}
