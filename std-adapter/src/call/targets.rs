//! A target a name, for those who learn only at run time whom they call.

use std::hash::{DefaultHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use steadfast::ConfigError;
use steadfast::breaker::{Breaker, BreakerState, Consecutive, Trip};
use steadfast::retry::{RetryBudget, RetryBudgetState};
use steadfast::time::Instant;

use super::Target;
use super::own_seed::OwnSeed;
use super::target::Name;
use crate::random::drawn_seed;

/// At how many targets a newcomer looks to find room.
const LOOKS: usize = 16;

/// Targets by name, made when they are first asked for; so many at most.
///
/// For names that come from outside, the hosts of webhooks, say. On a 64-bit machine, with
/// [`Consecutive`] and one probe, a target takes about 360 bytes, and its name of at most
/// [`MAX_NAME`](Self::MAX_NAME): never more than `capacity` times 700 bytes in all. What is not used
/// yet takes nothing. With a [`Rate`](steadfast::breaker::Rate) it is its window more, and 640 to
/// 8,320 bytes, 256 a processor, for threads to count in.
///
/// # When it is full
///
/// A newcomer looks at up to 16 targets, from the one asked for longest ago on, and takes the place
/// of the one that is missed the least. In this order:
///
/// | target | |
/// |---|---|
/// | at rest: closed, nothing counted, its budget full | as good as new |
/// | its breaker is at rest, its budget is not full | [`evicted`](Self::evicted) counts it |
/// | its open time is over; or half-open, and a probe may go | the same |
/// | closed, with failures counted; those with the fewest first | the same |
/// | it refuses calls, or is held by hand | stays |
/// | somebody has its `Arc` | stays |
///
/// So a place is held only by whoever is called now, and by breakers that are open, each for its
/// open time. If all 16 stay, the newcomer is given [`everyone_else`](Self::everyone_else), and
/// [`crowded`](Self::crowded) counts it; those 16 are looked at last from then on, so the next
/// newcomer sees others.
///
/// A call takes a lock and a hash, and looks for room in O(1). While there is room the table grows
/// by doubling, which moves all of it. Keep the `Arc` where the name stays the same.
///
/// A sentence takes what is in the `Arc`, `&*partner`; `now` is of the clock that it goes by, as for
/// any [`Target`].
///
/// ```
/// # #[cfg(feature = "tokio")]
/// # mod example {
/// use steadfast::breaker::Breaker;
/// use steadfast::retry::{RetryBudget, RetryPolicy};
/// use steadfast::time::Clock;
/// use steadfast_std::{Resilient, Targets, TokioTime};
///
/// # async fn post(to: &str) -> Result<(), &'static str> { Ok(()) }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # pub async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hosts = Targets::new(Breaker::standard(), RetryBudget::standard(), 1_000)?;
///
/// let partner = hosts.of("partner.example", TokioTime::of_process().now());
/// let told = (|| post(partner.name()))
///     .retry(&RetryPolicy::standard())
///     .budget(&*partner)
///     .guarded_by(&*partner)
///     .call()
///     .await;
/// assert!(told.is_ok());
/// # Ok(())
/// # }
/// # }
/// # #[cfg(feature = "tokio")]
/// # example::main().unwrap();
/// ```
#[derive(Debug)]
pub struct Targets<T: Trip = Consecutive, const PROBES: usize = 1> {
    breaker: Breaker<T, PROBES>,
    budget: RetryBudget,
    capacity: usize,
    seed: u64,
    everyone_else: Arc<Target<T, PROBES>>,
    known: Mutex<Known<T, PROBES>>,
}

#[derive(Debug)]
struct Known<T: Trip, const PROBES: usize> {
    /// Without a limit of its own: who goes is decided here.
    by_name: LruCache<Arc<str>, Arc<Target<T, PROBES>>, RandomState>,
    crowded: u64,
    evicted: u64,
}

impl<T: Trip, const PROBES: usize> Targets<T, PROBES> {
    /// The longest name, in bytes, that is given a target of its own. A host's name in the DNS has
    /// at most 253 (RFC 1035, 3.1, without the lengths of its labels).
    pub const MAX_NAME: usize = 255;

    /// No target yet. `capacity` is 1 to `u32::MAX`.
    ///
    /// # Errors
    ///
    /// If `capacity` is zero, or more than that.
    pub fn new(
        breaker: Breaker<T, PROBES>,
        budget: RetryBudget,
        capacity: usize,
    ) -> Result<Self, ConfigError> {
        let most = u64::from(u32::MAX);
        if capacity == 0 || capacity as u64 > most {
            return Err(ConfigError::new("capacity", capacity as u64, 1, most));
        }
        let mut unguarded = BreakerState::CLOSED;
        let _ = breaker.disable(&mut unguarded, Instant::ZERO);
        let everyone_else = Name::Static("everyone else");
        let unguarded = OwnSeed::to_be_drawn(unguarded);
        Ok(Self {
            breaker,
            budget,
            capacity,
            seed: drawn_seed(),
            everyone_else: Arc::new(Target::of(everyone_else, breaker, budget, unguarded)),
            known: Mutex::new(Known {
                by_name: LruCache::unbounded_with_hasher(RandomState::new()),
                crowded: 0,
                evicted: 0,
            }),
        })
    }

    /// Sets the seed for the jitter of the open times, of targets that take a place from now on: for
    /// a run that can be repeated. Each name has its own by it. Unless set, it is one that this
    /// table has in this process alone.
    ///
    /// The same seed and name give the same open times in programs that the same Rust has built,
    /// since the hash is the standard library's.
    pub const fn seed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// The target of this name; [`everyone_else`](Self::everyone_else) if there is no room, or if the
    /// name is longer than [`MAX_NAME`](Self::MAX_NAME). `now` is what tells which target may go.
    pub fn of(&self, name: &str, now: Instant) -> Arc<Target<T, PROBES>> {
        self.lock(|known| {
            if name.len() <= Self::MAX_NAME {
                if let Some(target) = known.by_name.get(name) {
                    return Arc::clone(target);
                }
                if known.by_name.len() < self.capacity || self.make_room(known, now) {
                    let name: Arc<str> = name.into();
                    let target = Arc::new(self.newcomer(&name));
                    known.by_name.push(name, Arc::clone(&target));
                    return target;
                }
            }
            known.crowded = known.crowded.saturating_add(1);
            Arc::clone(&self.everyone_else)
        })
    }

    /// The one that is shared by whoever finds no place.
    ///
    /// Its breaker is switched off, since calls to one would be refused for the failures of another:
    /// they pass unguarded. Its budget is shared: together they retry no more than one target may.
    pub fn everyone_else(&self) -> &Arc<Target<T, PROBES>> {
        &self.everyone_else
    }

    /// How often somebody found no place.
    pub fn crowded(&self) -> u64 {
        self.lock(|known| known.crowded)
    }

    /// How often a target made room that was not at rest, so that what it had counted is forgotten.
    /// If this goes up, `capacity` is small for the names that are called.
    pub fn evicted(&self) -> u64 {
        self.lock(|known| known.evicted)
    }

    /// Every target that has a place, in no order. Whoever keeps them keeps their places taken.
    pub fn all(&self) -> Vec<Arc<Target<T, PROBES>>> {
        self.lock(|known| {
            let targets = known.by_name.iter();
            targets.map(|(_, target)| Arc::clone(target)).collect()
        })
    }

    fn newcomer(&self, name: &Arc<str>) -> Target<T, PROBES> {
        // Of its own, so that targets that failed together do not come back together.
        let mut seed = DefaultHasher::new();
        (self.seed, name).hash(&mut seed);
        let state = OwnSeed::of(BreakerState::seeded(seed.finish()));
        let name = Name::Owned(Arc::clone(name));
        Target::of(name, self.breaker, self.budget, state)
    }

    /// Forgets the target that is missed the least, of those it looks at. Whether there was one.
    fn make_room(&self, known: &mut Known<T, PROBES>, now: Instant) -> bool {
        let mut least: Option<(u64, Arc<str>)> = None;
        for _ in 0..LOOKS.min(known.by_name.len()) {
            let Some((name, target)) = known.by_name.peek_lru() else {
                break;
            };
            let (name, missed) = (Arc::clone(name), self.missed(target, now));
            // As if it had been asked for, so that those that stay do not hide the others.
            known.by_name.promote(&name);
            let Some(missed) = missed else { continue };
            if least.as_ref().is_none_or(|(least, _)| missed < *least) {
                least = Some((missed, name));
            }
            if missed == 0 {
                break;
            }
        }
        let Some((missed, name)) = least else {
            return false;
        };
        known.by_name.pop(&name);
        known.evicted = known.evicted.saturating_add(u64::from(missed > 0));
        true
    }

    /// How much would be missed of it; nothing at rest, `None` if it has to stay.
    fn missed(&self, target: &Arc<Target<T, PROBES>>, now: Instant) -> Option<u64> {
        // Nobody can take it meanwhile: it is found only under the lock.
        if Arc::strong_count(target) > 1 {
            return None;
        }
        let of_breaker = target.with_breaker(|breaker, state| {
            breaker.mend(state, now);
            breaker.missed_if_forgotten(state, now)
        })?;
        let full = self.budget.available(&RetryBudgetState::FULL, now);
        let is_spent = target.budget_available(now) < full;
        Some(u64::from(of_breaker) * 2 + u64::from(is_spent))
    }

    fn lock<R>(&self, work: impl FnOnce(&mut Known<T, PROBES>) -> R) -> R {
        work(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
