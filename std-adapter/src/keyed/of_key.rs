//! One key of a table, as a limiter by itself.

use std::hash::Hash;

use steadfast::limit::{Denied, Limiter, Standing};
use steadfast::time::Instant;

use super::checked::LimiterByKey;

/// One key's limiter, made by [`KeyedLimiter::of`](super::KeyedLimiter::of) and
/// [`LiveLimiter::of`](super::LiveLimiter::of), to stand beside others in
/// [`Named`](steadfast::limit::Named).
///
/// The table reads its own clock, whatever `now` the caller passes.
///
/// ```
/// use steadfast::limit::{AtomicRateLimiter, Named, TokenBucket};
/// use steadfast::{policy, time::Clock};
/// use steadfast_std::{KeyedLimiter, SystemClock};
///
/// let everybody = AtomicRateLimiter::new(policy!(TokenBucket::per_second(1_000).compact()));
/// let users = KeyedLimiter::<str, _>::new(policy!(TokenBucket::per_minute(1)), 1_000).unwrap();
///
/// let limits = Named::new("everybody", &everybody).and("user", users.of("alice"));
/// assert!(limits.try_acquire(SystemClock.now()).is_ok());
/// let denied = limits.try_acquire(SystemClock.now()).unwrap_err();
/// assert_eq!(denied.limit, "user");
/// ```
#[derive(Debug)]
pub struct OfKey<'a, L> {
    limiter: &'a L,
    hash: u64,
}

impl<'a, L: LimiterByKey> OfKey<'a, L> {
    pub(super) fn new<K: Hash + ?Sized>(limiter: &'a L, key: &K) -> Self {
        Self {
            limiter,
            hash: limiter.hash_of(key),
        }
    }
}

impl<L> Clone for OfKey<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> Copy for OfKey<'_, L> {}

impl<L: LimiterByKey> Limiter for OfKey<'_, L> {
    type Granted = L::Granted;

    fn try_acquire_n(&self, _: Instant, cost: u32) -> Result<L::Granted, Denied> {
        self.limiter.check_hashed(self.hash, cost).decision
    }

    fn refund(&self, _: Instant, granted: &L::Granted) {
        self.limiter.refund_hashed(self.hash, granted);
    }

    fn peek(&self, _: Instant, cost: u32) -> Result<(), Denied> {
        self.limiter.peek_hashed(self.hash, cost)
    }

    fn standing(&self, _: Instant) -> Standing {
        self.limiter.standing_hashed(self.hash)
    }
}
