//! The table: keys and their states, and nothing else.

use core::hash::{Hash, Hasher};

use super::{KeyedPolicy, WhenFull};
use crate::limit::placement::{self, MAX_EXAMINED, Mixer, SET};
use crate::limit::{Denied, Policy, Standing};
use crate::time::{Duration, Instant};

/// `N` places for keys, and the limiter that newcomers share when their places are taken.
///
/// Up to 16 places may be any number, and every call looks through them all. Above, `N` is a
/// multiple of eight, and a call looks at 16: see [`placement`]. Choose about 1.5 places for each
/// key that is active at once.
///
/// A new table is all zeros, so a `static` one lies in `.bss`. A place is the key, a word that
/// says whether it is taken, and the state: 24 bytes for a `u16` key and a token bucket.
#[derive(Clone, Debug)]
pub struct Places<K, P: Policy, const N: usize> {
    slots: [Place<K, P::State>; N],
    overflow: P::State,
    crowded: u32,
    evicted: u32,
}

#[derive(Clone, Copy, Debug)]
struct Place<K, S> {
    key: Option<K>,
    state: S,
}

/// A stretch of places: where it starts and how long it is.
type Set = (usize, usize);

impl<K: Copy + Eq + Hash, P: Policy, const N: usize> Places<K, P, N> {
    /// An empty table.
    ///
    /// Does not compile if `N` is zero, or above 16 and not a multiple of eight.
    pub const fn new() -> Self {
        const {
            assert!(
                N > 0 && (N <= MAX_EXAMINED || N.is_multiple_of(SET)),
                "a table has 1 to 16 places, or a multiple of 8"
            );
        }
        Self {
            slots: [Place {
                key: None,
                state: P::FULL,
            }; N],
            overflow: P::FULL,
            crowded: 0,
            evicted: 0,
        }
    }

    /// Takes one from `key`'s limiter.
    ///
    /// # Errors
    ///
    /// See [`try_acquire_n`](Self::try_acquire_n).
    #[inline]
    pub fn try_acquire(
        &mut self,
        rule: &KeyedPolicy<P>,
        key: K,
        now: Instant,
    ) -> Result<P::Granted, Denied> {
        self.try_acquire_n(rule, key, now, 1)
    }

    /// Takes `cost` from `key`'s limiter, all or nothing.
    ///
    /// # Errors
    ///
    /// As [`Policy::decide`], and [`Denied::StoreFull`] under [`WhenFull::Deny`]. Nothing is
    /// taken, and no place.
    pub fn try_acquire_n(
        &mut self,
        rule: &KeyedPolicy<P>,
        key: K,
        now: Instant,
        cost: u32,
    ) -> Result<P::Granted, Denied> {
        let sets = Self::sets(rule, &key);
        if let Some(place) = self.find(sets, key) {
            return rule.policy.decide(&mut place.state, now, cost);
        }
        let mut state = P::FULL;
        let granted = rule.policy.decide(&mut state, now, cost)?;
        if cost == 0 {
            return Ok(granted);
        }
        if let Some(place) = self.place_for(rule, sets, now) {
            *place = Place {
                key: Some(key),
                state,
            };
            return Ok(granted);
        }
        self.crowded = self.crowded.saturating_add(1);
        match rule.when_full {
            WhenFull::Allow => Ok(granted),
            WhenFull::Deny => Err(Denied::StoreFull {
                retry_after: self.soonest_rest(rule, sets, now),
            }),
            WhenFull::Overflow => rule.policy.decide(&mut self.overflow, now, cost),
            WhenFull::EvictLeastUsed => {
                let least_used = self.least_used(rule, sets, now, cost);
                if let Some(place) = least_used.and_then(|at| self.slots.get_mut(at)) {
                    *place = Place {
                        key: Some(key),
                        state,
                    };
                    self.evicted = self.evicted.saturating_add(1);
                    return Ok(granted);
                }
                rule.policy.decide(&mut self.overflow, now, cost)
            }
        }
    }

    /// Would `cost` be granted to `key`? Takes nothing, no place either, and is not counted.
    ///
    /// # Errors
    ///
    /// What [`try_acquire_n`](Self::try_acquire_n) would say.
    pub fn peek(
        &self,
        rule: &KeyedPolicy<P>,
        key: K,
        now: Instant,
        cost: u32,
    ) -> Result<(), Denied> {
        let sets = Self::sets(rule, &key);
        let decide = |mut state| rule.policy.decide(&mut state, now, cost).map(|_| ());
        if let Some(state) = self.state_of(sets, key) {
            return decide(state);
        }
        decide(P::FULL)?;
        let mut places = sets.iter().flat_map(|&set| self.set(set));
        let free = |place: &Place<K, P::State>| {
            place.key.is_none() || rule.policy.at_rest(&place.state, now)
        };
        if cost == 0 || places.any(free) {
            return Ok(());
        }
        match rule.when_full {
            WhenFull::Allow => Ok(()),
            WhenFull::Deny => Err(Denied::StoreFull {
                retry_after: self.soonest_rest(rule, sets, now),
            }),
            WhenFull::EvictLeastUsed if self.least_used(rule, sets, now, cost).is_some() => Ok(()),
            WhenFull::Overflow | WhenFull::EvictLeastUsed => decide(self.overflow),
        }
    }

    /// The largest cost that `key`'s own limiter would grant: a key without a place is full. Where
    /// its places are taken, [`peek`](Self::peek) says what would become of it.
    pub fn available(&self, rule: &KeyedPolicy<P>, key: K, now: Instant) -> u32 {
        let state = self.state_of(Self::sets(rule, &key), key);
        rule.policy.available(&state.unwrap_or(P::FULL), now)
    }

    /// What the headers say of `key`: a key without a place is full.
    pub fn standing(&self, rule: &KeyedPolicy<P>, key: K, now: Instant) -> Standing {
        let state = self.state_of(Self::sets(rule, &key), key);
        rule.policy.standing(&state.unwrap_or(P::FULL), now)
    }

    /// Carries every key, and the limiter that newcomers share, over to another policy, keeping
    /// what was used, in tokens. O(N). Returns the rule that the table is to be asked under from
    /// now on: the same but for the policy.
    ///
    /// Keys keep their places, and grants from before can still be given back.
    #[must_use = "the table is to be asked under the new rule from now on"]
    pub fn reconfigure(
        &mut self,
        rule: &KeyedPolicy<P>,
        now: Instant,
        policy: P,
    ) -> KeyedPolicy<P> {
        for place in &mut self.slots {
            if place.key.is_some() {
                rule.policy.reconfigure(&mut place.state, now, &policy);
            }
        }
        rule.policy.reconfigure(&mut self.overflow, now, &policy);
        KeyedPolicy { policy, ..*rule }
    }

    /// Gives back what `key` was granted and did not use; see [`Policy::refund`].
    ///
    /// If `key` has no place, the grant came from the shared limiter and goes back there. Refund
    /// soon: a key that was evicted or that has found a place since the grant credits the wrong
    /// limiter, by at most the grant's cost.
    pub fn refund(&mut self, rule: &KeyedPolicy<P>, key: K, now: Instant, granted: &P::Granted) {
        // Under `Allow` such a grant was never charged to the shared limiter either, but then
        // nobody asks that one.
        match self.find(Self::sets(rule, &key), key) {
            Some(place) => rule.policy.refund(&mut place.state, now, granted),
            None => rule.policy.refund(&mut self.overflow, now, granted),
        }
    }

    /// Forgets `key`: its limiter is full again. True if it had a place.
    pub fn forget(&mut self, rule: &KeyedPolicy<P>, key: K) -> bool {
        match self.find(Self::sets(rule, &key), key) {
            Some(place) => {
                *place = Place {
                    key: None,
                    state: P::FULL,
                };
                true
            }
            None => false,
        }
    }

    /// How many keys are not at rest. O(N).
    pub fn active(&self, rule: &KeyedPolicy<P>, now: Instant) -> usize {
        self.slots
            .iter()
            .filter(|place| place.key.is_some() && !rule.policy.at_rest(&place.state, now))
            .count()
    }

    /// How often a newcomer found all its places taken; stays at `u32::MAX`.
    pub const fn crowded(&self) -> u32 {
        self.crowded
    }

    /// How often a key gave up its place to a newcomer; stays at `u32::MAX`.
    pub const fn evicted(&self) -> u32 {
        self.evicted
    }

    /// The two stretches that `key` may lie in.
    fn sets(rule: &KeyedPolicy<P>, key: &K) -> [Set; 2] {
        if N <= MAX_EXAMINED {
            let first = N.min(SET);
            return [(0, first), (first, N.wrapping_sub(first))];
        }
        let mut mixer = Mixer::new(rule.seed);
        key.hash(&mut mixer);
        let (first, second) = placement::sets_of(mixer.finish(), N / SET);
        [
            (first.wrapping_mul(SET), SET),
            (second.wrapping_mul(SET), SET),
        ]
    }

    fn set(&self, (start, len): Set) -> &[Place<K, P::State>] {
        self.slots
            .get(start..start.wrapping_add(len))
            .unwrap_or_default()
    }

    fn set_mut(&mut self, (start, len): Set) -> &mut [Place<K, P::State>] {
        self.slots
            .get_mut(start..start.wrapping_add(len))
            .unwrap_or_default()
    }

    fn find(&mut self, sets: [Set; 2], key: K) -> Option<&mut Place<K, P::State>> {
        let at = sets.iter().find_map(|&(start, len)| {
            let lane = self
                .set((start, len))
                .iter()
                .position(|place| place.key == Some(key))?;
            Some(start.wrapping_add(lane))
        })?;
        self.slots.get_mut(at)
    }

    /// The state of `key`; `None` if it has no place.
    fn state_of(&self, sets: [Set; 2], key: K) -> Option<P::State> {
        let mut places = sets.iter().flat_map(|&set| self.set(set));
        let place = places.find(|place| place.key == Some(key))?;
        Some(place.state)
    }

    /// A place that nobody needs, in the set with least activity.
    fn place_for(
        &mut self,
        rule: &KeyedPolicy<P>,
        sets: [Set; 2],
        now: Instant,
    ) -> Option<&mut Place<K, P::State>> {
        let free = sets.map(|set| {
            let mut free = 0_u8;
            for (place, bit) in self.set_mut(set).iter_mut().zip(0_u32..) {
                // A clock that jumped back would otherwise keep a place taken for ever.
                rule.policy.mend(&mut place.state, now);
                if place.key.is_none() || rule.policy.at_rest(&place.state, now) {
                    free |= 1_u8.wrapping_shl(bit);
                }
            }
            free
        });
        let (which, lane) = placement::choose(free)?;
        let &set = sets.get(which)?;
        self.set_mut(set).get_mut(lane)
    }

    fn soonest_rest(&self, rule: &KeyedPolicy<P>, sets: [Set; 2], now: Instant) -> Duration {
        sets.iter()
            .flat_map(|&set| self.set(set))
            .map(|place| rule.policy.rests_in(&place.state, now))
            .min()
            .unwrap_or(Duration::MAX)
    }

    /// Of the keys that would not be denied `cost`, the place of the one that will be at rest
    /// soonest.
    fn least_used(
        &self,
        rule: &KeyedPolicy<P>,
        sets: [Set; 2],
        now: Instant,
        cost: u32,
    ) -> Option<usize> {
        let (at, _) = sets
            .iter()
            .flat_map(|&(start, len)| start..start.wrapping_add(len))
            .filter_map(|at| {
                let mut state = self.slots.get(at)?.state;
                let rests_in = rule.policy.rests_in(&state, now);
                rule.policy.decide(&mut state, now, cost).ok()?;
                Some((at, rests_in))
            })
            .min_by_key(|&(_, rests_in)| rests_in)?;
        Some(at)
    }
}

impl<K: Copy + Eq + Hash, P: Policy, const N: usize> Default for Places<K, P, N> {
    fn default() -> Self {
        Self::new()
    }
}
