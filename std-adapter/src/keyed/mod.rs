//! A limiter a key, shared by all threads, in memory that never grows.
//!
//! The table is the core's ([`placement`]): sets of eight places, two sets a key. What is added
//! here is sharing. A key that has a place is found and charged without a table-wide lock: its
//! place is one atomic word (compare-and-swap) or one small mutex. Only a newcomer takes a lock,
//! one of [`STRIPES`], so that two threads never give one key two places.
//!
//! A place holds a 64-bit hash of the key and not the key itself. So a key costs no allocation
//! and no more memory for being long, and nothing personal is kept. With `n` active keys the
//! chance that any two share a limiter is about n^2 / 2^65, which is 3 in 100 million at a
//! million keys. The hash is seeded at random, so nobody can choose keys that do.

mod cell;
mod table;

use std::hash::{BuildHasher, Hash, RandomState};
use std::marker::PhantomData;

pub use cell::{LockedCell, StateCell, Stored, WordCell};

use steadfast::ConfigError;
#[cfg(doc)]
use steadfast::limit::Policy;
use steadfast::limit::{Denied, Standing, WhenFull, placement};
use steadfast::time::{Clock, Instant};
use table::{Places, Table};

use crate::SystemClock;
use crate::sync::{AtomicU64, Mutex, Ordering};

/// How many newcomers can look for a place at the same time.
const STRIPES: usize = 64;

/// A limiter a key, for any number of threads and a bounded number of keys.
///
/// | | |
/// |---|---|
/// | memory | 16 bytes a place for [`CompactBucket`](steadfast::limit::CompactBucket); on Linux and Windows 16 more than the state for other policies, so 32 for most; 1.5 places a key that is active at once |
/// | a call | examines at most 16 places; on a known key it allocates nothing, and for a compact bucket takes no lock |
/// | a key at rest | is forgotten when a newcomer needs its place; nothing sweeps |
/// | a newcomer to a full table | [`WhenFull`]: shares one limiter unless you say otherwise |
///
/// ```
/// use steadfast::{limit::TokenBucket, policy};
/// use steadfast_std::KeyedLimiter;
///
/// let limiter = KeyedLimiter::new(policy!(TokenBucket::per_minute(2)), 10_000).unwrap();
/// assert!(limiter.try_acquire("alice").is_ok());
/// assert!(limiter.try_acquire("alice").is_ok());
/// assert!(limiter.try_acquire("alice").is_err());
/// assert!(limiter.try_acquire("bob").is_ok());
/// ```
#[derive(Debug)]
pub struct KeyedLimiter<K: ?Sized, P: Stored, C = SystemClock, S = RandomState> {
    policy: P,
    when_full: WhenFull,
    table: Table<P::Cell>,
    /// What newcomers share when their places are taken.
    overflow: P::Cell,
    newcomers: Box<[Mutex<()>]>,
    crowded: AtomicU64,
    evicted: AtomicU64,
    clock: C,
    hasher: S,
    key: PhantomData<fn(&K)>,
}

/// A decision, and where the limiter that made it stands: what an answer's headers need.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Checked<G> {
    /// Yes or no.
    pub decision: Result<G, Denied>,
    /// After the decision.
    pub standing: Standing,
    /// The time that it was made at.
    pub now: Instant,
    /// Whose limiter decided.
    pub by: AnsweredBy,
}

/// Whose limiter decided: in a full table not always the key's own. Worth a counter, since a
/// client that is denied by the shared one has done nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnsweredBy {
    /// The key's own.
    Own,
    /// The one that newcomers share when their places are taken.
    Shared,
    /// None: there was no place, and the table lets newcomers pass or denies them.
    Nobody,
}

impl<K: ?Sized, P: Stored> KeyedLimiter<K, P> {
    /// A table of at least `places` places on the [`SystemClock`]. Choose about 1.5 for each key
    /// that is active at once.
    ///
    /// The number is rounded up to a multiple of eight; all the memory is taken here, and if there
    /// is not so much the process ends, as with every allocation.
    ///
    /// # Errors
    ///
    /// If `places` is not in 1 to 2^32.
    pub fn new(policy: P, places: usize) -> Result<Self, ConfigError> {
        Self::with_clock(policy, places, SystemClock)
    }
}

impl<K: ?Sized, P: Stored, C: Clock> KeyedLimiter<K, P, C> {
    /// The same on another clock.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_clock(policy: P, places: usize, clock: C) -> Result<Self, ConfigError> {
        Self::with_clock_and_hasher(policy, places, clock, RandomState::new())
    }
}

impl<K: ?Sized, P: Stored, C: Clock, S: BuildHasher> KeyedLimiter<K, P, C, S> {
    /// The same with another hash than the standard library's `SipHash`.
    ///
    /// All 64 bits of the hash must be good, and its two halves independent; where strangers
    /// choose the keys it must be seeded with something they do not know.
    ///
    /// # Errors
    ///
    /// As [`new`](KeyedLimiter::new).
    pub fn with_clock_and_hasher(
        policy: P,
        places: usize,
        clock: C,
        hasher: S,
    ) -> Result<Self, ConfigError> {
        const MOST: u64 = 1 << 32;
        if places == 0 || places as u64 > MOST {
            return Err(ConfigError::new("places", places as u64, 1, MOST));
        }
        Ok(Self {
            policy,
            when_full: WhenFull::default(),
            table: Table::new(places.div_ceil(placement::SET), P::FULL),
            overflow: P::Cell::new(P::FULL),
            newcomers: (0..STRIPES).map(|_| Mutex::new(())).collect(),
            crowded: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
            clock,
            hasher,
            key: PhantomData,
        })
    }

    /// What happens to a newcomer when its places are taken.
    #[must_use]
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Each key's policy.
    pub fn policy(&self) -> &P {
        &self.policy
    }

    /// The clock.
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// How many places there are.
    pub fn places(&self) -> usize {
        self.table.places()
    }

    /// How often a newcomer found all its places taken.
    pub fn crowded(&self) -> u64 {
        self.crowded.load(Ordering::Relaxed)
    }

    /// How often a key gave up its place to a newcomer.
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// How many keys are not at rest. Looks at every place: for a gauge, not for a request.
    pub fn active(&self) -> usize {
        let now = self.clock.now();
        self.table.count(|state| !self.policy.at_rest(state, now))
    }
}

impl<K, P, C, S> KeyedLimiter<K, P, C, S>
where
    K: Hash + ?Sized,
    P: Stored,
    C: Clock,
    S: BuildHasher,
{
    /// Takes one from `key`'s limiter.
    ///
    /// # Errors
    ///
    /// See [`try_acquire_n`](Self::try_acquire_n).
    #[inline]
    pub fn try_acquire(&self, key: &K) -> Result<P::Granted, Denied> {
        self.try_acquire_n(key, 1)
    }

    /// Takes `cost` from `key`'s limiter, all or nothing.
    ///
    /// # Errors
    ///
    /// As [`Policy::decide`], and [`Denied::StoreFull`] under [`WhenFull::Deny`]. Nothing is
    /// taken, and no place.
    #[inline]
    pub fn try_acquire_n(&self, key: &K, cost: u32) -> Result<P::Granted, Denied> {
        let places = self.places_of(key);
        let now = self.clock.now();
        // By value, so that the way through `admit` does not force them into memory.
        let policy = &self.policy;
        let decide = move |state: &mut P::State| policy.decide(state, now, cost);
        let (decision, _) = self.charge(&places, now, cost, decide);
        decision
    }

    /// [`try_acquire_n`](Self::try_acquire_n) together with what the headers say.
    pub fn check(&self, key: &K, cost: u32) -> Checked<P::Granted> {
        let places = self.places_of(key);
        let now = self.clock.now();
        let mut standing = None;
        let (decision, by) = self.charge(&places, now, cost, |state| {
            let decision = self.policy.decide(state, now, cost);
            standing = Some(self.policy.standing(state, now));
            decision
        });
        Checked {
            decision,
            // Whom no limiter answers is told what a full one would say.
            standing: standing
                .filter(|_| by != AnsweredBy::Nobody)
                .unwrap_or_else(|| self.policy.standing(&P::FULL, now)),
            now,
            by,
        }
    }

    /// What the headers say of `key`: a key without a place is full, though the limiter that
    /// newcomers share may deny it.
    pub fn standing(&self, key: &K) -> Standing {
        let places = self.places_of(key);
        let now = self.clock.now();
        places
            .visit(|state| self.policy.standing(state, now))
            .unwrap_or_else(|| self.policy.standing(&P::FULL, now))
    }

    /// Gives back what `key` was granted and did not use; see [`Policy::refund`].
    ///
    /// If `key` has no place, the grant came from the limiter that newcomers share, and goes back
    /// there. Refund soon: a key that was evicted or that has found a place since the grant credits
    /// the wrong limiter, by at most the grant's cost.
    pub fn refund(&self, key: &K, granted: &P::Granted) {
        let places = self.places_of(key);
        let now = self.clock.now();
        let give = |state: &mut P::State| self.policy.refund(state, now, granted);
        if places.visit(give).is_none() {
            self.overflow.visit(|| true, give);
        }
    }

    /// Forgets `key`: its limiter is full again. True if it had a place.
    pub fn forget(&self, key: &K) -> bool {
        self.places_of(key)
            .visit(|state| *state = P::FULL)
            .is_some()
    }

    /// Where `key` may lie. Read the clock after this, not before: memory takes longer to answer
    /// than the clock.
    #[inline]
    fn places_of(&self, key: &K) -> Places<'_, P::Cell> {
        // Zero marks a place that was never used.
        self.table.places_of(self.hasher.hash_one(key).max(1))
    }

    /// Applies `decide` to the state of the key, giving it a place if it has none.
    #[inline]
    fn charge(
        &self,
        places: &Places<'_, P::Cell>,
        now: Instant,
        cost: u32,
        mut decide: impl FnMut(&mut P::State) -> Result<P::Granted, Denied>,
    ) -> (Result<P::Granted, Denied>, AnsweredBy) {
        match places.visit(&mut decide) {
            Some(decision) => (decision, AnsweredBy::Own),
            None => self.admit(places.hash, now, cost, decide),
        }
    }

    #[cold]
    fn admit(
        &self,
        hash: u64,
        now: Instant,
        cost: u32,
        mut decide: impl FnMut(&mut P::State) -> Result<P::Granted, Denied>,
    ) -> (Result<P::Granted, Denied>, AnsweredBy) {
        let mut state = P::FULL;
        if cost == 0 || cost > self.policy.capacity() {
            return (decide(&mut state), AnsweredBy::Own);
        }
        // Which stripe must follow from the key alone, so that one key has one. A panic while it
        // is held breaks nothing, since it guards no data.
        let stripe = &self.newcomers[hash as usize % STRIPES];
        let _alone = stripe
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let places = self.table.places_of(hash);
        if let Some(decision) = places.visit(&mut decide) {
            return (decision, AnsweredBy::Own);
        }
        let granted = match decide(&mut state) {
            Ok(granted) => granted,
            Err(denied) => return (Err(denied), AnsweredBy::Own),
        };
        if places.settle(&self.policy, now, state) {
            return (Ok(granted), AnsweredBy::Own);
        }
        self.crowded.fetch_add(1, Ordering::Relaxed);
        match self.when_full {
            WhenFull::Allow => (Ok(granted), AnsweredBy::Nobody),
            WhenFull::Deny => {
                let retry_after = places.soonest_rest(&self.policy, now);
                (Err(Denied::StoreFull { retry_after }), AnsweredBy::Nobody)
            }
            WhenFull::EvictLeastUsed if places.evict(&self.policy, now, cost, state) => {
                self.evicted.fetch_add(1, Ordering::Relaxed);
                (Ok(granted), AnsweredBy::Own)
            }
            WhenFull::Overflow | WhenFull::EvictLeastUsed => {
                match self.overflow.visit(|| true, decide) {
                    Some(decision) => (decision, AnsweredBy::Shared),
                    // It has no key, so nobody can take it away.
                    None => unreachable!("the shared limiter belongs to everyone"),
                }
            }
        }
    }
}
