//! A limiter a key, in a fixed number of places.
//!
//! A key at rest (full again) holds no information, so its place is reused without a sweep, and
//! a table never grows. What happens to a newcomer that finds every place taken is
//! [`WhenFull`].

mod places;
mod rule;

pub use places::Places;
pub use rule::{KeyedPolicy, WhenFull};

use core::hash::Hash;

use super::{Denied, Policy, Standing};
use crate::time::Instant;

/// A limiter a key, with its table: for one owner. `N` places.
///
/// For a `static`, keep the two halves apart ([`KeyedPolicy`] constant, [`Places`] in
/// [`Shared`](crate::shared::Shared)), so that the table takes no flash.
///
/// ```
/// use steadfast::limit::{Keyed, KeyedPolicy, TokenBucket};
/// use steadfast::{policy, time::Instant};
///
/// let mut nodes: Keyed<u16, TokenBucket, 16> =
///     Keyed::new(KeyedPolicy::new(policy!(TokenBucket::per_second(1))));
/// let now = Instant::from_secs(1);
/// assert!(nodes.try_acquire(7, now).is_ok());
/// assert!(nodes.try_acquire(7, now).is_err());
/// assert!(nodes.try_acquire(8, now).is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct Keyed<K, P: Policy, const N: usize> {
    rule: KeyedPolicy<P>,
    places: Places<K, P, N>,
}

impl<K: Copy + Eq + Hash, P: Policy, const N: usize> Keyed<K, P, N> {
    /// An empty table under `rule`.
    pub const fn new(rule: KeyedPolicy<P>) -> Self {
        Self {
            rule,
            places: Places::new(),
        }
    }

    /// The rule.
    pub const fn rule(&self) -> &KeyedPolicy<P> {
        &self.rule
    }

    /// The table.
    pub const fn places(&self) -> &Places<K, P, N> {
        &self.places
    }

    /// Takes one from `key`'s limiter.
    ///
    /// # Errors
    ///
    /// See [`Places::try_acquire_n`]; nothing is taken.
    #[inline]
    pub fn try_acquire(&mut self, key: K, now: Instant) -> Result<P::Granted, Denied> {
        self.try_acquire_n(key, now, 1)
    }

    /// Takes `cost` from `key`'s limiter, all or nothing.
    ///
    /// # Errors
    ///
    /// See [`Places::try_acquire_n`]; nothing is taken.
    #[inline]
    pub fn try_acquire_n(&mut self, key: K, now: Instant, cost: u32) -> Result<P::Granted, Denied> {
        self.places.try_acquire_n(&self.rule, key, now, cost)
    }

    /// Would `cost` be granted to `key`? See [`Places::peek`].
    ///
    /// # Errors
    ///
    /// What [`try_acquire_n`](Self::try_acquire_n) would say.
    pub fn peek(&self, key: K, now: Instant, cost: u32) -> Result<(), Denied> {
        self.places.peek(&self.rule, key, now, cost)
    }

    /// The largest cost that `key`'s own limiter would grant; see [`Places::available`].
    pub fn available(&self, key: K, now: Instant) -> u32 {
        self.places.available(&self.rule, key, now)
    }

    /// What the headers say of `key`: a key without a place is full.
    pub fn standing(&self, key: K, now: Instant) -> Standing {
        self.places.standing(&self.rule, key, now)
    }

    /// Gives back what `key` was granted and did not use; see [`Policy::refund`].
    pub fn refund(&mut self, key: K, now: Instant, granted: &P::Granted) {
        self.places.refund(&self.rule, key, now, granted);
    }

    /// Goes on under another policy: every key keeps what it used, in tokens, and so does the
    /// limiter that newcomers share. O(N).
    pub fn reconfigure(&mut self, now: Instant, policy: P) {
        self.rule = self.places.reconfigure(&self.rule, now, policy);
    }

    /// Forgets `key`: its limiter is full again. True if it had a place.
    pub fn forget(&mut self, key: K) -> bool {
        self.places.forget(&self.rule, key)
    }
}
