//! A gate for each host, in a table that does not grow.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use steadfast::ConfigError;
use steadfast::limit::Policy;
use steadfast::limit::placement::{self, SET};
use steadfast::time::Duration;

use super::gate::{Gate, Paced, Rules, Timed};

/// The table, by the core's [`placement`]: sets of eight places, two sets a host.
#[derive(Debug)]
pub(super) struct Hosts<P: Policy, T> {
    policy: P,
    time: T,
    rules: Rules,
    hasher: RandomState,
    set_count: usize,
    /// Made by the first call, since a layer that is still being configured needs none.
    ///
    /// One lock: a call looks at 16 places and goes on to the network.
    sets: Mutex<Vec<Set<P, T>>>,
}

type Set<P, T> = [Option<Host<P, T>>; SET];

/// A host is its name's hash, keyed with this table's own secret: of 4,096 names two are the same
/// in one table of two million million.
#[derive(Debug)]
struct Host<P: Policy, T> {
    hash: u64,
    gate: Arc<Gate<P, T>>,
}

/// How many places a table has: at least one, rounded up to a multiple of eight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places(usize);

impl Places {
    /// The most: a table of 64 MiB, without what the hosts in it take.
    const MOST: usize = 1 << 22;

    pub const STANDARD: Self = Self(1 << 12);

    pub const fn new(places: usize) -> Result<Self, ConfigError> {
        if places == 0 || places > Self::MOST {
            let most = Self::MOST as u64;
            return Err(ConfigError::new("places", places as u64, 1, most));
        }
        Ok(Self(places))
    }

    pub const fn get(self) -> usize {
        self.0
    }
}

impl<P: Paced, T: Timed> Hosts<P, T> {
    pub fn new(policy: P, time: T, rules: Rules, places: Places) -> Self {
        Self {
            policy,
            time,
            rules,
            hasher: RandomState::new(),
            set_count: places.get().div_ceil(SET),
            sets: Mutex::default(),
        }
    }

    pub fn policy(&self) -> P {
        self.policy
    }

    pub fn time(&self) -> &T {
        &self.time
    }

    /// The host's gate; a new one if it has none, `None` if there is no place for it.
    pub fn gate_of(&self, host: &str) -> Option<Arc<Gate<P, T>>> {
        let hash = self.hash(host);
        let both = self.sets_of(hash);
        let mut sets = self.sets();
        if sets.is_empty() {
            sets.resize_with(self.set_count, Set::default);
        } else if let Some(gate) = find(&sets, both, hash) {
            return Some(gate);
        }
        let spare = both.map(|set| spare(&sets[set]));
        let (which, lane) = placement::choose(spare.map(free)).or_else(|| least_held(spare))?;
        let gate = Arc::new(Gate::new(self.policy, self.time.clone(), self.rules));
        sets[both[which]][lane] = Some(Host {
            hash,
            gate: Arc::clone(&gate),
        });
        Some(gate)
    }

    /// The host's gate, if it has one.
    pub fn known(&self, host: &str) -> Option<Arc<Gate<P, T>>> {
        let hash = self.hash(host);
        find(&self.sets(), self.sets_of(hash), hash)
    }

    pub fn places(&self) -> usize {
        self.set_count * SET
    }

    /// How many places are not free.
    pub fn in_use(&self) -> usize {
        let sets = self.sets();
        let free = sets
            .iter()
            .map(|set| free(spare(set)).count_ones() as usize);
        sets.len() * SET - free.sum::<usize>()
    }

    fn sets_of(&self, hash: u64) -> [usize; 2] {
        placement::sets_of(hash, self.set_count).into()
    }

    /// A place is written whole, so a poisoned lock is as good as new.
    fn sets(&self) -> MutexGuard<'_, Vec<Set<P, T>>> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Upper and lower case are one, as is a name with the root's dot at its end.
    fn hash(&self, host: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for byte in host.strip_suffix('.').unwrap_or(host).bytes() {
            hasher.write_u8(byte.to_ascii_lowercase());
        }
        hasher.finish()
    }
}

fn find<P: Policy, T>(sets: &[Set<P, T>], both: [usize; 2], hash: u64) -> Option<Arc<Gate<P, T>>> {
    let places = both.into_iter().filter_map(|set| sets.get(set)).flatten();
    let host = places.flatten().find(|host| host.hash == hash)?;
    Some(Arc::clone(&host.gate))
}

/// For each place how long it will be before nobody needs it, if it is needed only to remember what
/// its host has asked for: zero if it is free. `None` if its host is being called.
type Spare = [Option<Duration>; SET];

fn spare<P: Paced, T: Timed>(set: &Set<P, T>) -> Spare {
    set.each_ref().map(|place| match place {
        None => Some(Duration::ZERO),
        // Whoever waits or is being answered holds the gate, too; others can only get hold of it
        // here, under the table's lock.
        Some(host) if Arc::strong_count(&host.gate) > 1 => None,
        Some(host) => host.gate.only_held_for(),
    })
}

/// Which places nobody needs: bit `i` for place `i`.
fn free(spare: Spare) -> u8 {
    let lanes = spare.iter().enumerate();
    lanes.fold(0, |free, (lane, needed)| {
        free | u8::from(*needed == Some(Duration::ZERO)) << lane
    })
}

/// The place that is needed only to remember a hold, and that for the shortest time. Given up for a
/// newcomer: else whoever owns many names could fill the table by asking for silence on each.
fn least_held(spare: [Spare; 2]) -> Option<(usize, usize)> {
    let places = spare.iter().enumerate();
    places
        .flat_map(|(which, lanes)| {
            let held = lanes.iter().enumerate();
            held.filter_map(move |(lane, held)| Some((*held.as_ref()?, which, lane)))
        })
        .min()
        .map(|(_, which, lane)| (which, lane))
}
