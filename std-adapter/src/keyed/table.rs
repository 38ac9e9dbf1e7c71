//! The places, and how a key finds its own.

use steadfast::limit::placement::{self, SET};
use steadfast::time::{Duration, Instant};

use super::cell::StateCell;
use super::rulebook::Rulebook;
use crate::prefetch::prefetch;
use crate::sync::{AtomicU64, Ordering};

/// Sets of eight places. A key is its hash; zero means that the place was never used.
#[derive(Debug)]
pub(super) struct Table<C> {
    sets: Box<[Set<C>]>,
}

/// Keys and cells apart, so that looking for a key reads one cache line a set.
#[derive(Debug)]
#[repr(align(64))]
struct Set<C> {
    keys: [AtomicU64; SET],
    cells: [C; SET],
}

impl<C: StateCell> Table<C> {
    pub fn new(sets: usize, full: C::State) -> Self {
        let set = || Set {
            keys: std::array::from_fn(|_| AtomicU64::new(0)),
            cells: std::array::from_fn(|_| C::new(full)),
        };
        Self {
            sets: (0..sets).map(|_| set()).collect(),
        }
    }

    pub fn places(&self) -> usize {
        self.sets.len() * SET
    }

    /// The places that the key with this hash may lie in, which are now being fetched from
    /// memory: do something else before asking for more.
    #[inline]
    pub fn places_of(&self, hash: u64) -> Places<'_, C> {
        let (first, second) = placement::sets_of(hash, self.sets.len());
        let sets = [&self.sets[first], &self.sets[second]];
        for set in sets {
            prefetch(&set.keys);
            prefetch(&set.cells);
        }
        Places { hash, sets }
    }

    /// How many keys `counts` is true of, given their hash and state.
    pub fn count(&self, mut counts: impl FnMut(u64, &C::State) -> bool) -> usize {
        let lanes = self.sets.iter().flat_map(Set::lanes);
        lanes
            .filter(|(key, cell)| {
                let hash = key.load(Ordering::Acquire);
                let mine = || key.load(Ordering::Acquire) == hash;
                // A place that is just being handed over counts for neither.
                cell.visit(mine, |state| *state)
                    .is_some_and(|state| counts(hash, &state))
            })
            .count()
    }

    /// Changes every state, given the hash of its key.
    pub fn change_all(&self, mut change: impl FnMut(u64, &mut C::State)) {
        for (key, cell) in self.sets.iter().flat_map(Set::lanes) {
            loop {
                let hash = key.load(Ordering::Acquire);
                let mine = || key.load(Ordering::Acquire) == hash;
                if cell.visit(mine, |state| change(hash, state)).is_some() {
                    break;
                }
                // It was handed over in between: it is the new key's now.
            }
        }
    }
}

/// The two sets that one key may lie in.
#[derive(Debug)]
pub(super) struct Places<'a, C> {
    pub hash: u64,
    sets: [&'a Set<C>; 2],
}

impl<C: StateCell> Places<'_, C> {
    /// Changes the key's state; `None` if it has no place.
    #[inline]
    pub fn visit<R>(&self, mut change: impl FnMut(&mut C::State) -> R) -> Option<R> {
        let [first, second] = self.sets;
        let mut found = first.lanes_of(self.hash) | second.lanes_of(self.hash) << SET;
        while found != 0 {
            let place = found.trailing_zeros() as usize;
            let set = if place < SET { first } else { second };
            let (key, cell) = (&set.keys[place % SET], &set.cells[place % SET]);
            let mine = || key.load(Ordering::Acquire) == self.hash;
            if let Some(said) = cell.visit(mine, &mut change) {
                return Some(said);
            }
            // It was handed over in the meantime.
            found &= found - 1;
        }
        None
    }

    /// Gives the key a place that nobody needs, in the set with least activity. The caller makes
    /// sure that no other thread does so for the same key.
    pub fn settle<B>(&self, rules: &B, now: Instant, state: C::State) -> bool
    where
        B: Rulebook<State = C::State>,
    {
        loop {
            let free = self.sets.map(|set| {
                let mut free = 0_u8;
                for (lane, (key, cell)) in set.lanes().enumerate() {
                    let look = |there: &mut C::State| {
                        let whose = key.load(Ordering::Acquire);
                        // A clock that jumped back would otherwise keep a place taken for ever.
                        rules.mend(whose, there, now);
                        rules.at_rest(whose, there, now)
                    };
                    if cell.visit(|| true, look) == Some(true) {
                        free |= 1 << lane;
                    }
                }
                free
            });
            let Some((which, lane)) = placement::choose(free) else {
                return false;
            };
            let rests = |whose, there: &C::State| rules.at_rest(whose, there, now);
            if self.sets[which].claim(lane, rests, self.hash, state) {
                return true;
            }
            // Somebody else took that place, or its key came back: look again.
        }
    }

    /// Takes the place of the key that will be at rest soonest, of those that would not be denied
    /// `cost`.
    pub fn evict<B>(&self, rules: &B, now: Instant, cost: u32, state: C::State) -> bool
    where
        B: Rulebook<State = C::State>,
    {
        let welcome = |whose, there: &C::State| {
            let mut there = *there;
            rules.decide(whose, &mut there, now, cost).is_ok()
        };
        loop {
            let least_used = self
                .sets
                .iter()
                .flat_map(|set| (0..SET).map(move |lane| (set, lane)))
                .filter_map(|(set, lane)| {
                    let there = set.cells[lane].visit(|| true, |there| *there)?;
                    let whose = set.keys[lane].load(Ordering::Acquire);
                    welcome(whose, &there).then(|| (rules.rests_in(whose, &there, now), set, lane))
                })
                .min_by_key(|&(rests_in, ..)| rests_in);
            let Some((_, set, lane)) = least_used else {
                return false;
            };
            if set.claim(lane, welcome, self.hash, state) {
                return true;
            }
        }
    }

    /// When the first of these places is at rest; at least a nanosecond.
    pub fn soonest_rest<B>(&self, rules: &B, now: Instant) -> Duration
    where
        B: Rulebook<State = C::State>,
    {
        let lanes = self.sets.iter().flat_map(|set| set.lanes());
        lanes
            .filter_map(|(key, cell)| {
                let whose = || key.load(Ordering::Acquire);
                cell.visit(|| true, |there| rules.rests_in(whose(), there, now))
            })
            .min()
            .unwrap_or(Duration::ZERO)
            .max(Duration::from_nanos(1))
    }
}

impl<C: StateCell> Set<C> {
    fn lanes(&self) -> impl Iterator<Item = (&AtomicU64, &C)> {
        self.keys.iter().zip(&self.cells)
    }

    /// Which places hold this hash: bit `i` for place `i`.
    ///
    /// Looks at all of them without a branch: where a key lies cannot be predicted, and a wrong
    /// guess costs more than the other comparisons. The order of memory does not matter, since
    /// whoever finds the key asks for it again in [`StateCell::visit`].
    #[inline]
    fn lanes_of(&self, hash: u64) -> u32 {
        let mut found = 0;
        for (lane, key) in self.keys.iter().enumerate() {
            found |= u32::from(key.load(Ordering::Relaxed) == hash) << lane;
        }
        found
    }

    fn claim(
        &self,
        lane: usize,
        may: impl Fn(u64, &C::State) -> bool,
        hash: u64,
        state: C::State,
    ) -> bool {
        let may = |there: &C::State| may(self.keys[lane].load(Ordering::Acquire), there);
        let take = || self.keys[lane].store(hash, Ordering::Release);
        self.cells[lane].claim(may, take, state)
    }
}

#[cfg(all(test, any(target_os = "linux", windows)))]
mod tests {
    use steadfast::limit::{AnyState, CompactBucket, FixedWindow, SlidingWindowLog, TokenBucket};

    use super::*;
    use crate::keyed::rules::Versioned;
    use crate::keyed::{LockedCell, Stored};

    fn place<P: Stored>() -> usize {
        size_of::<Set<P::Cell>>() / SET
    }

    #[test]
    fn a_place_takes_what_the_documentation_says() {
        assert_eq!(place::<CompactBucket>(), 16);
        assert_eq!(place::<TokenBucket>(), 32);
        assert_eq!(place::<FixedWindow>(), 32);
        // Eight times and where the next one goes.
        assert_eq!(place::<SlidingWindowLog<8>>(), 72 + 16);
        // With quotas that change; 65,536 of them are 3 MiB, and 2^24 are 768 MiB.
        let live = size_of::<Set<LockedCell<Versioned<AnyState>>>>() / SET;
        assert_eq!(live, 48);
        assert_eq!(live << 16, 3 << 20);
        assert_eq!(live << 24, 768 << 20);
    }
}
