//! The places, and how a key finds its own.

use steadfast::limit::Policy;
use steadfast::limit::placement::{self, SET};
use steadfast::time::{Duration, Instant};

use super::cell::StateCell;
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

    fn sets_of(&self, hash: u64) -> [&Set<C>; 2] {
        let (first, second) = placement::sets_of(hash, self.sets.len());
        [&self.sets[first], &self.sets[second]]
    }

    /// Starts fetching the places of a hash from memory.
    #[inline]
    pub fn touch(&self, hash: u64) {
        for set in self.sets_of(hash) {
            std::hint::black_box(set.keys[0].load(Ordering::Relaxed));
        }
    }

    /// Changes the state of the key with this hash; `None` if it has no place.
    #[inline]
    pub fn visit<R>(&self, hash: u64, mut change: impl FnMut(&mut C::State) -> R) -> Option<R> {
        for set in self.sets_of(hash) {
            for (key, cell) in set.keys.iter().zip(&set.cells) {
                if key.load(Ordering::Acquire) == hash {
                    let mine = || key.load(Ordering::Acquire) == hash;
                    if let Some(said) = cell.visit(mine, &mut change) {
                        return Some(said);
                    }
                }
            }
        }
        None
    }

    /// Gives the hash a place that nobody needs, in the set with least activity. The caller makes
    /// sure that no other thread does so for the same hash.
    pub fn settle<P>(&self, policy: &P, hash: u64, now: Instant, state: C::State) -> bool
    where
        P: Policy<State = C::State>,
    {
        let sets = self.sets_of(hash);
        let rests = |there: &C::State| policy.at_rest(there, now);
        loop {
            let free = sets.map(|set| {
                let mut free = 0_u8;
                for (lane, cell) in set.cells.iter().enumerate() {
                    // A clock that jumped back would otherwise keep a place taken for ever.
                    let look = |there: &mut C::State| {
                        policy.mend(there, now);
                        rests(there)
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
            if sets[which].claim(lane, rests, hash, state) {
                return true;
            }
            // Somebody else took that place, or its key came back: look again.
        }
    }

    /// Takes the place of the key that will be at rest soonest, of those that are not being
    /// denied.
    pub fn evict<P>(&self, policy: &P, hash: u64, now: Instant, state: C::State) -> bool
    where
        P: Policy<State = C::State>,
    {
        let sets = self.sets_of(hash);
        let welcome = |there: &C::State| policy.decide(&mut { *there }, now, 1).is_ok();
        loop {
            let least_used = sets
                .iter()
                .flat_map(|set| (0..SET).map(move |lane| (set, lane)))
                .filter_map(|(set, lane)| {
                    let there = set.cells[lane].visit(|| true, |there| *there)?;
                    welcome(&there).then(|| (policy.rests_in(&there, now), set, lane))
                })
                .min_by_key(|&(rests_in, ..)| rests_in);
            let Some((_, set, lane)) = least_used else {
                return false;
            };
            if set.claim(lane, welcome, hash, state) {
                return true;
            }
        }
    }

    /// When the first of this hash's places is at rest; at least a nanosecond.
    pub fn soonest_rest<P>(&self, policy: &P, hash: u64, now: Instant) -> Duration
    where
        P: Policy<State = C::State>,
    {
        self.sets_of(hash)
            .iter()
            .flat_map(|set| &set.cells)
            .filter_map(|cell| cell.visit(|| true, |there| policy.rests_in(there, now)))
            .min()
            .unwrap_or(Duration::ZERO)
            .max(Duration::from_nanos(1))
    }

    /// How many states `counts` is true of.
    pub fn count(&self, counts: impl Fn(&C::State) -> bool) -> usize {
        self.sets
            .iter()
            .flat_map(|set| &set.cells)
            .filter(|cell| cell.visit(|| true, |there| counts(there)) == Some(true))
            .count()
    }
}

impl<C: StateCell> Set<C> {
    fn claim(
        &self,
        lane: usize,
        may: impl Fn(&C::State) -> bool,
        hash: u64,
        state: C::State,
    ) -> bool {
        let take = || self.keys[lane].store(hash, Ordering::Release);
        self.cells[lane].claim(may, take, state)
    }
}
