//! A limiter a key, shared by all threads, in memory that never grows.
//!
//! The table is the core's ([`placement`]): sets of eight places, two sets a key. What is added
//! here is sharing. A key that has a place is found and charged without a table-wide lock: its
//! place is one atomic word (compare-and-swap) or one small mutex. Only a newcomer takes a lock,
//! one of 64, so that two threads never give one key two places.
//!
//! A place holds a 64-bit hash of the key and not the key itself. So a key costs no allocation
//! and no more memory for being long, and nothing personal is kept. With `n` active keys the
//! chance that any two share a limiter is about n^2 / 2^65, which is 3 in 100 million at a
//! million keys. The hash is seeded at random, so nobody can choose keys that do.

mod cell;
mod checked;
mod live;
mod of_key;
mod quotas;
mod rulebook;
mod rules;
mod store;
mod table;

use std::hash::{BuildHasher, Hash, RandomState};
use std::marker::PhantomData;

pub use cell::{LockedCell, StateCell, Stored, WordCell};
pub use checked::{AnsweredBy, Checked, LimiterByKey, Occupancy};
pub use live::{LiveGranted, LiveLimiter};
pub use of_key::OfKey;
pub use quotas::Quotas;

use rulebook::Same;
use steadfast::ConfigError;
#[cfg(doc)]
use steadfast::limit::Policy;
use steadfast::limit::{Denied, Standing, WhenFull};
use steadfast::time::{Clock, Instant};
use store::Store;
use table::Places;

use crate::SystemClock;

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
    store: Store<P::Cell>,
    clock: C,
    hasher: S,
    key: PhantomData<fn(&K)>,
}

impl<K: ?Sized, P: Stored> KeyedLimiter<K, P> {
    /// A table of at least `places` places on the [`SystemClock`]. Choose about 1.5 for each key
    /// that is active at once. Where keys are text, the key's type is `str`.
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
        Ok(Self {
            policy,
            store: Store::new(places, P::FULL)?,
            clock,
            hasher,
            key: PhantomData,
        })
    }

    /// What happens to a newcomer when its places are taken.
    #[must_use]
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.store.when_full = when_full;
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
        self.store.places()
    }

    /// How often a newcomer found all its places taken.
    pub fn crowded(&self) -> u64 {
        self.store.crowded()
    }

    /// How often a key gave up its place to a newcomer.
    pub fn evicted(&self) -> u64 {
        self.store.evicted()
    }

    /// How many keys are not at rest. Looks at every place: for a gauge, not for a request.
    pub fn active(&self) -> usize {
        let now = self.clock.now();
        self.store
            .count(|_, state| !self.policy.at_rest(state, now))
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
        // By value, so that the way to a newcomer's place does not force them into memory.
        let policy = &self.policy;
        match places.visit(move |state| policy.decide(state, now, cost)) {
            Some(decision) => decision,
            None => self.newcomer(&places, now, cost),
        }
    }

    #[cold]
    #[inline(never)]
    fn newcomer(
        &self,
        places: &Places<'_, P::Cell>,
        now: Instant,
        cost: u32,
    ) -> Result<P::Granted, Denied> {
        let decide = |_, state: &mut P::State| self.policy.decide(state, now, cost);
        self.charge(places, now, cost, decide).0
    }

    /// [`try_acquire_n`](Self::try_acquire_n) together with what the headers say.
    pub fn check(&self, key: &K, cost: u32) -> Checked<P::Granted> {
        self.check_at(&self.places_of(key), cost)
    }

    /// Would `cost` be granted to `key`? Takes nothing, and no place.
    ///
    /// # Errors
    ///
    /// What [`try_acquire_n`](Self::try_acquire_n) would say; of a key without a place, what a
    /// full limiter would say, though the one that newcomers share may say otherwise.
    pub fn peek(&self, key: &K, cost: u32) -> Result<(), Denied> {
        self.peek_at(&self.places_of(key), cost)
    }

    /// One key's limiter, to stand beside others in [`Named`](steadfast::limit::Named).
    pub fn of(&self, key: &K) -> OfKey<'_, Self>
    where
        Self: LimiterByKey,
    {
        OfKey::new(self, key)
    }

    /// What the headers say of `key`: a key without a place is full, though the limiter that
    /// newcomers share may deny it.
    pub fn standing(&self, key: &K) -> Standing {
        self.standing_at(&self.places_of(key))
    }

    /// Gives back what `key` was granted and did not use; see [`Policy::refund`].
    ///
    /// If `key` has no place, the grant came from the limiter that newcomers share, and goes back
    /// there. Refund soon: a key that was evicted or that has found a place since the grant credits
    /// the wrong limiter, by at most the grant's cost.
    pub fn refund(&self, key: &K, granted: &P::Granted) {
        self.refund_at(&self.places_of(key), granted);
    }

    /// Forgets `key`: its limiter is full again. True if it had a place.
    pub fn forget(&self, key: &K) -> bool {
        Self::forget_at(&self.places_of(key))
    }

    #[inline]
    fn places_of(&self, key: &K) -> Places<'_, P::Cell> {
        self.store.places_of(hash_of(&self.hasher, key))
    }
}

/// By where the key may lie, whatever it is.
impl<K: ?Sized, P: Stored, C: Clock, S> KeyedLimiter<K, P, C, S> {
    #[inline]
    fn charge(
        &self,
        places: &Places<'_, P::Cell>,
        now: Instant,
        cost: u32,
        decide: impl FnMut(u64, &mut P::State) -> Result<P::Granted, Denied>,
    ) -> (Result<P::Granted, Denied>, AnsweredBy) {
        match self
            .store
            .charge(&Same(&self.policy), places, now, cost, decide)
        {
            Some(answer) => answer,
            None => unreachable!("these rules are never replaced"),
        }
    }

    fn check_at(&self, places: &Places<'_, P::Cell>, cost: u32) -> Checked<P::Granted> {
        let now = self.clock.now();
        let mut standing = None;
        let (decision, by) = self.charge(places, now, cost, |_, state| {
            let decision = self.policy.decide(state, now, cost);
            standing = Some(self.policy.standing(state, now));
            decision
        });
        Checked {
            enforced: !P::ON_TRIAL,
            on_trial: decision.as_ref().ok().and_then(P::would_deny),
            decision,
            // Whom no limiter answers is told what a full one would say.
            standing: standing
                .filter(|_| by != AnsweredBy::Nobody)
                .unwrap_or_else(|| self.policy.standing(&P::FULL, now)),
            now,
            by,
        }
    }

    fn peek_at(&self, places: &Places<'_, P::Cell>, cost: u32) -> Result<(), Denied> {
        let now = self.clock.now();
        let mut state = places.visit(|state| *state).unwrap_or(P::FULL);
        self.policy.decide(&mut state, now, cost).map(|_| ())
    }

    fn standing_at(&self, places: &Places<'_, P::Cell>) -> Standing {
        let now = self.clock.now();
        places
            .visit(|state| self.policy.standing(state, now))
            .unwrap_or_else(|| self.policy.standing(&P::FULL, now))
    }

    fn refund_at(&self, places: &Places<'_, P::Cell>, granted: &P::Granted) {
        let now = self.clock.now();
        let give = |state: &mut P::State| self.policy.refund(state, now, granted);
        if places.visit(give).is_none() {
            self.store.overflow(give);
        }
    }

    fn forget_at(places: &Places<'_, P::Cell>) -> bool {
        places.visit(|state| *state = P::FULL).is_some()
    }
}

/// A key's hash; zero marks a place that was never used.
#[inline]
fn hash_of<K: Hash + ?Sized>(hasher: &impl BuildHasher, key: &K) -> u64 {
    hasher.hash_one(key).max(1)
}

impl<K, P, C, S> LimiterByKey for KeyedLimiter<K, P, C, S>
where
    K: ?Sized,
    P: Stored + Send + Sync,
    P::Granted: Send,
    C: Clock + Send + Sync,
    S: BuildHasher + Send + Sync,
{
    type Granted = P::Granted;

    fn hash_of<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        hash_of(&self.hasher, key)
    }

    fn check_hashed(&self, hash: u64, cost: u32) -> Checked<P::Granted> {
        self.check_at(&self.store.places_of(hash), cost)
    }

    fn peek_hashed(&self, hash: u64, cost: u32) -> Result<(), Denied> {
        self.peek_at(&self.store.places_of(hash), cost)
    }

    fn standing_hashed(&self, hash: u64) -> Standing {
        self.standing_at(&self.store.places_of(hash))
    }

    fn refund_hashed(&self, hash: u64, granted: &P::Granted) {
        self.refund_at(&self.store.places_of(hash), granted);
    }

    fn forget_hashed(&self, hash: u64) -> bool {
        Self::forget_at(&self.store.places_of(hash))
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
