//! A breaker for each of a few targets, in a fixed number of places.

use super::permit::GENERATIONS;
use super::{
    Breaker, BreakerState, Consecutive, Permit, Phase, Rejected, Standing, Transition, Trip,
};
use crate::outcome::Outcome;
use crate::random::mixed;
use crate::time::Instant;

/// Breakers by the key of their target, `N` at most, all under one policy, which is passed in.
///
/// A breaker at rest (closed, no failure and no slow call counted) is as good as none. So a target
/// takes a place when its first call fails (or, where rates are judged, when its first call is
/// counted), and its place may be given to another as soon as it is at rest. If none is at rest, one
/// whose open time is over makes room, and then the one with the fewest failures; never one that is
/// open, half-open, or held by hand. When all are, a newcomer is not guarded: its calls pass, and
/// [`unguarded`](Self::unguarded) counts the results that found no place.
///
/// A linear scan, so O(N): for tens of targets. Each place takes the key and a [`BreakerState`].
/// When a place is given away whose breaker had been open, the results of calls that are under way
/// to targets without a place are lost; that is once for each recovery.
///
/// ```
/// use steadfast::breaker::{Breaker, Breakers, Phase};
/// use steadfast::{outcome::Outcome, time::Instant};
///
/// const NODE: Breaker = Breaker::sensitive();
/// let mut nodes: Breakers<u8, 4> = Breakers::new();
///
/// let now = Instant::from_secs(1);
/// for _ in 0..3 {
///     let permit = nodes.try_enter(&NODE, 0x1A, now)?;
///     nodes.record(&NODE, 0x1A, now, permit, Outcome::TimedOut);
/// }
/// assert_eq!(nodes.phase(&NODE, 0x1A, now), Phase::Open);
/// assert_eq!(nodes.phase(&NODE, 0x1B, now), Phase::Closed);
/// # Ok::<(), steadfast::breaker::Rejected>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Breakers<K, const N: usize, T: Trip = Consecutive, const PROBES: usize = 1> {
    places: [Option<(K, BreakerState<T, PROBES>)>; N],
    /// In which a newcomer begins: no earlier breaker of its target had a later one.
    generation: u32,
    unguarded: u32,
    /// For the jitter of the open times: of the table, and how many places it has given.
    seed: u32,
    given: u32,
}

impl<K: Copy + Eq, const N: usize, T: Trip, const PROBES: usize> Default
    for Breakers<K, N, T, PROBES>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Copy + Eq, const N: usize, T: Trip, const PROBES: usize> Breakers<K, N, T, PROBES> {
    /// No target yet.
    pub const fn new() -> Self {
        Self {
            places: [None; N],
            generation: 0,
            unguarded: 0,
            seed: 0,
            given: 0,
        }
    }

    /// Sets the seed for the jitter of the open times, of targets that take a place from now on. Mix
    /// in what tells this device from the others; each place draws differently.
    pub const fn seed(&mut self, seed: u64) {
        self.seed = BreakerState::<T, PROBES>::seeded(seed).seed;
    }

    /// What a newcomer begins with.
    const fn newcomer(&self) -> BreakerState<T, PROBES> {
        let mut state = BreakerState::CLOSED.in_generation(self.generation);
        state.seed = mixed(self.seed ^ self.given);
        state
    }

    /// May `key` be called? See [`Breaker::try_enter`].
    ///
    /// # Errors
    ///
    /// If its breaker is open, held open, or half-open with all its probes out.
    pub fn try_enter(
        &mut self,
        policy: &Breaker<T, PROBES>,
        key: K,
        now: Instant,
    ) -> Result<Permit, Rejected> {
        let mut newcomer = self.newcomer();
        policy.try_enter(self.find(key).unwrap_or(&mut newcomer), now)
    }

    /// Takes note of what became of a call to `key`; see [`Breaker::record`].
    pub fn record(
        &mut self,
        policy: &Breaker<T, PROBES>,
        key: K,
        now: Instant,
        permit: Permit,
        outcome: Outcome,
    ) -> Option<Transition> {
        if let Some(state) = self.find(key) {
            return policy.record(state, now, permit, outcome);
        }
        // As if it had a place: does it need one?
        let new = self.newcomer();
        let mut state = new;
        let transition = policy.record(&mut state, now, permit, outcome);
        if state == new {
            return None;
        }
        if self.give_place(policy, key, now, state) {
            transition
        } else {
            self.unguarded = self.unguarded.saturating_add(1);
            None
        }
    }

    /// The call to `key` was given up; see [`Breaker::cancel`].
    pub fn cancel(&mut self, policy: &Breaker<T, PROBES>, key: K, permit: Permit) {
        if let Some(state) = self.find(key) {
            policy.cancel(state, permit);
        }
    }

    /// The phase of `key`'s breaker at `now`.
    pub fn phase(&self, policy: &Breaker<T, PROBES>, key: K, now: Instant) -> Phase {
        policy.phase(&self.state(key), now)
    }

    /// How `key`'s breaker stands.
    pub fn standing(&self, policy: &Breaker<T, PROBES>, key: K, now: Instant) -> Standing {
        policy.standing(&self.state(key), now)
    }

    /// The targets that have a place, and their states.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &BreakerState<T, PROBES>)> {
        self.places
            .iter()
            .flatten()
            .map(|(key, state)| (key, state))
    }

    /// How many results found no place, since those of others were all active. Stays at the end of
    /// its range.
    pub const fn unguarded(&self) -> u32 {
        self.unguarded
    }

    /// `key`'s state, for what is done by hand: [`Breaker::force_open`] and the like. Gives it a
    /// place; `None` if there is none.
    pub fn state_mut(
        &mut self,
        policy: &Breaker<T, PROBES>,
        key: K,
        now: Instant,
    ) -> Option<&mut BreakerState<T, PROBES>> {
        if self.find(key).is_none() {
            let state = self.newcomer();
            self.give_place(policy, key, now, state);
        }
        self.find(key)
    }

    fn find(&mut self, key: K) -> Option<&mut BreakerState<T, PROBES>> {
        let mut places = self.places.iter_mut().flatten();
        places
            .find(|(there, _)| *there == key)
            .map(|(_, state)| state)
    }

    fn state(&self, key: K) -> BreakerState<T, PROBES> {
        let mut places = self.places.iter().flatten();
        let there = places.find(|(there, _)| *there == key);
        there.map_or(BreakerState::CLOSED, |(_, state)| *state)
    }

    /// A place for a newcomer: an empty one, or the one whose breaker is missed the least. Whether
    /// there was one.
    fn give_place(
        &mut self,
        policy: &Breaker<T, PROBES>,
        key: K,
        now: Instant,
        state: BreakerState<T, PROBES>,
    ) -> bool {
        for (_, state) in self.places.iter_mut().flatten() {
            policy.mend(state, now);
        }
        let missed = |place: &Option<(K, BreakerState<T, PROBES>)>| match place {
            Some((_, state)) => policy.missed_if_forgotten(state, now).map(Some),
            None => Some(None),
        };
        let places = self.places.iter().enumerate();
        // Nothing is less than any number: an empty place comes first.
        let least = places
            .filter_map(|(index, place)| Some((missed(place)?, index)))
            .min();
        let Some((_, index)) = least else {
            return false;
        };
        let Some(place) = self.places.get_mut(index) else {
            return false;
        };
        if let Some((_, left)) = place {
            // Whoever comes back to this target must not meet a generation that it had before.
            let ahead = left.generation.wrapping_sub(self.generation) & GENERATIONS;
            if ahead < GENERATIONS / 2 {
                self.generation = left.generation;
            }
        }
        *place = Some((key, state));
        self.given = self.given.wrapping_add(1);
        true
    }
}
