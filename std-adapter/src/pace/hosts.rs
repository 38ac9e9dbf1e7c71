//! A gate for each host, in a table that does not grow.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use steadfast::ConfigError;
use steadfast::limit::Policy;
use steadfast::limit::placement::{self, SET};

use super::gate::{Gate, Paced, Rules, Timed};

/// The table, by the core's [`placement`]: sets of eight places, two sets a host.
#[derive(Debug)]
pub(super) struct Hosts<P: Policy, T> {
    policy: P,
    time: T,
    rules: Rules,
    hasher: RandomState,
    /// One lock: a call looks at 16 places and goes on to the network.
    sets: Mutex<Box<[Set<P, T>]>>,
}

type Set<P, T> = [Option<Host<P, T>>; SET];

/// A host is its name's hash, keyed with this table's own secret: of 4,096 names two are the same
/// in one table of two million million.
#[derive(Debug)]
struct Host<P: Policy, T> {
    hash: u64,
    gate: Arc<Gate<P, T>>,
}

impl<P: Paced, T: Timed> Hosts<P, T> {
    /// With `places`, rounded up to a multiple of eight.
    pub fn new(policy: P, time: T, rules: Rules, places: usize) -> Result<Self, ConfigError> {
        let most = 1 << 32;
        if places == 0 || places as u64 > most {
            return Err(ConfigError::new("places", places as u64, 1, most));
        }
        let sets = (0..places.div_ceil(SET)).map(|_| std::array::from_fn(|_| None));
        Ok(Self {
            policy,
            time,
            rules,
            hasher: RandomState::new(),
            sets: Mutex::new(sets.collect()),
        })
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
        let mut sets = self.sets();
        let (first, second) = placement::sets_of(hash, sets.len());
        let both = [first, second];
        if let Some(gate) = find(&sets, both, hash) {
            return Some(gate);
        }
        let (which, lane) = placement::choose(both.map(|set| free(&sets[set])))?;
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
        let sets = self.sets();
        let (first, second) = placement::sets_of(hash, sets.len());
        find(&sets, [first, second], hash)
    }

    pub fn places(&self) -> usize {
        self.sets().len() * SET
    }

    /// A place is written whole, so a poisoned lock is as good as new.
    fn sets(&self) -> MutexGuard<'_, Box<[Set<P, T>]>> {
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
    let places = both.into_iter().flat_map(|set| &sets[set]);
    let host = places.flatten().find(|host| host.hash == hash)?;
    Some(Arc::clone(&host.gate))
}

/// Which places nobody needs: bit `i` for place `i`.
fn free<P: Paced, T: Timed>(set: &Set<P, T>) -> u8 {
    let mut free = 0;
    for (lane, place) in set.iter().enumerate() {
        let needed = place.as_ref().is_some_and(|host| {
            // Whoever waits or is being answered holds the gate, too; others can only get hold of
            // it here, under the table's lock.
            Arc::strong_count(&host.gate) > 1 || !host.gate.at_rest()
        });
        free |= u8::from(!needed) << lane;
    }
    free
}
