//! A limiter a key whose quotas differ by key and change while it runs.

mod by_hash;

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::{Arc, PoisonError};

use steadfast::ConfigError;
use steadfast::limit::{AnyPolicy, Denied, Policy, Standing, WhenFull};
use steadfast::time::Clock;

use super::cell::LockedCell;
use super::checked::{Checked, LimiterByKey};
use super::of_key::OfKey;
use super::quotas::{Quotas, hash_of};
use super::rules::{Rules, Versioned};
use super::store::Store;
use crate::SystemClock;
use crate::sync::{Mutex, Published};

/// A limiter a key, as [`KeyedLimiter`](super::KeyedLimiter), whose quotas may differ by key and
/// change while it runs. It does not matter what type a key has, as long as it can be hashed.
///
/// | | |
/// |---|---|
/// | memory | 24 bytes a place more than the state, 48 for [`AnyPolicy`] |
/// | a call | as the keyed limiter's, a lock of the place's own, and O(log n) in the keys with quotas of their own |
/// | new quotas | O(places), while calls go on |
///
/// ```
/// use steadfast::{limit::TokenBucket, policy};
/// use steadfast_std::{LiveLimiter, Quotas};
///
/// let quotas = Quotas::new(policy!(TokenBucket::per_minute(2)))
///     .own("partner", policy!(TokenBucket::per_minute(1_000)));
/// let limiter = LiveLimiter::new(quotas, 10_000).unwrap();
/// assert!(limiter.try_acquire_n("alice", 2).is_ok());
/// assert!(limiter.try_acquire("alice").is_err());
/// assert!(limiter.try_acquire_n("partner", 500).is_ok());
///
/// // What was used stays used.
/// limiter.reconfigure(policy!(TokenBucket::per_minute(3)));
/// assert!(limiter.try_acquire("alice").is_ok());
/// assert!(limiter.try_acquire("alice").is_err());
/// ```
#[derive(Debug)]
pub struct LiveLimiter<P: Policy = AnyPolicy, C = SystemClock> {
    rules: Published<Rules<P>>,
    /// Held while the quotas change.
    changing: Mutex<()>,
    store: Store<LockedCell<Versioned<P::State>>>,
    clock: C,
}

/// A yes of a [`LiveLimiter`].
///
/// Nothing was taken if the quotas are on trial and would have said no.
#[derive(Clone, Copy, Debug)]
pub struct LiveGranted<G>(Option<G>);

impl<G> LiveGranted<G> {
    /// The policy's own grant.
    pub const fn taken(&self) -> Option<&G> {
        self.0.as_ref()
    }
}

impl<P> LiveLimiter<P>
where
    P: Policy,
    P::State: Send,
{
    /// A table of at least `places` places on the [`SystemClock`]. Choose about 1.5 for each key
    /// that is active at once.
    ///
    /// # Errors
    ///
    /// As [`KeyedLimiter::new`](super::KeyedLimiter::new).
    pub fn new(quotas: impl Into<Quotas<P>>, places: usize) -> Result<Self, ConfigError> {
        Self::with_clock(quotas, places, SystemClock)
    }
}

impl<P, C> LiveLimiter<P, C>
where
    P: Policy,
    P::State: Send,
    C: Clock,
{
    /// The same on another clock.
    ///
    /// # Errors
    ///
    /// As [`KeyedLimiter::new`](super::KeyedLimiter::new).
    pub fn with_clock(
        quotas: impl Into<Quotas<P>>,
        places: usize,
        clock: C,
    ) -> Result<Self, ConfigError> {
        let quotas = Arc::new(quotas.into().sorted());
        Ok(Self {
            rules: Published::new(Rules {
                version: 0,
                before: Arc::clone(&quotas),
                quotas,
            }),
            changing: Mutex::new(()),
            store: Store::new(places, Rules::<P>::NEVER)?,
            clock,
        })
    }

    /// What happens to a newcomer when its places are taken.
    #[must_use]
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.store.when_full = when_full;
        self
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
        let rules = self.rules.load();
        self.store.count(|hash, state| {
            let rests = |policy: &P| policy.at_rest(&state.state, now);
            match rules.of(hash, state) {
                Some(policy) => !rests(policy),
                // The quotas are just changing, and this place was carried over already.
                None => !self.rules.load().of(hash, state).is_some_and(rests),
            }
        })
    }

    /// Goes on under other quotas, keeping what each key has used, in tokens
    /// ([`Policy::reconfigure`]). A key whose policy stays the same notices nothing; one that is
    /// unlimited in between starts full.
    ///
    /// Calls that come meanwhile are decided under the new ones. Those who change the quotas at
    /// the same time do so one after the other.
    pub fn reconfigure(&self, quotas: impl Into<Quotas<P>>) {
        let quotas = Arc::new(quotas.into().sorted());
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.rules.load();
        let rules = Arc::new(Rules {
            version: before.version + 1,
            quotas,
            before: Arc::clone(&before.quotas),
        });
        self.rules.store(Arc::clone(&rules));
        let now = self.clock.now();
        self.store.change_all(|hash, state| {
            rules.bring_up(hash, state, now);
        });
    }

    /// Takes one from `key`'s limiter.
    ///
    /// # Errors
    ///
    /// See [`try_acquire_n`](Self::try_acquire_n).
    #[inline]
    pub fn try_acquire<K: Hash + ?Sized>(
        &self,
        key: &K,
    ) -> Result<LiveGranted<P::Granted>, Denied> {
        self.try_acquire_n(key, 1)
    }

    /// Takes `cost` from `key`'s limiter, all or nothing.
    ///
    /// # Errors
    ///
    /// As [`Policy::decide`], and [`Denied::StoreFull`] under [`WhenFull::Deny`]. Nothing is
    /// taken, and no place. Quotas on trial deny nobody.
    pub fn try_acquire_n<K: Hash + ?Sized>(
        &self,
        key: &K,
        cost: u32,
    ) -> Result<LiveGranted<P::Granted>, Denied> {
        self.check(key, cost).decision
    }

    /// [`try_acquire_n`](Self::try_acquire_n) together with what the headers say.
    pub fn check<K: Hash + ?Sized>(&self, key: &K, cost: u32) -> Checked<LiveGranted<P::Granted>> {
        self.check_at(hash_of(key), cost)
    }

    /// Would `cost` be granted to `key`? Takes nothing, and no place.
    ///
    /// # Errors
    ///
    /// What [`try_acquire_n`](Self::try_acquire_n) would say; of a key without a place, what a
    /// full limiter would say, though the one that newcomers share may say otherwise.
    pub fn peek<K: Hash + ?Sized>(&self, key: &K, cost: u32) -> Result<(), Denied> {
        self.peek_at(hash_of(key), cost)
    }

    /// One key's limiter, to stand beside others in [`Named`](steadfast::limit::Named).
    pub fn of<K: Hash + ?Sized>(&self, key: &K) -> OfKey<'_, Self>
    where
        Self: LimiterByKey,
    {
        OfKey::new(self, key)
    }

    /// What the headers say of `key`: a key without a place is full, though the limiter that
    /// newcomers share may deny it.
    pub fn standing<K: Hash + ?Sized>(&self, key: &K) -> Standing {
        self.standing_at(hash_of(key))
    }

    /// Gives back what `key` was granted and did not use; see [`Policy::refund`] and
    /// [`KeyedLimiter::refund`](super::KeyedLimiter::refund).
    pub fn refund<K: Hash + ?Sized>(&self, key: &K, granted: &LiveGranted<P::Granted>) {
        self.refund_at(hash_of(key), granted);
    }

    /// Forgets `key`: its limiter is full again. True if it had a place.
    pub fn forget<K: Hash + ?Sized>(&self, key: &K) -> bool {
        self.forget_at(hash_of(key))
    }
}
