//! A shared limiter together with its clock.

use super::{Denied, Policy, RateLimiter};
use crate::shared::Shared;
use crate::time::{Clock, Instant};

/// A limiter that is asked by shared reference.
pub trait Limiter {
    /// What a yes carries.
    type Granted;

    /// Takes `cost`, all or nothing.
    ///
    /// # Errors
    ///
    /// See [`Policy::decide`]; nothing is taken.
    fn try_acquire_n(&self, now: Instant, cost: u32) -> Result<Self::Granted, Denied>;

    /// Gives back what was granted and not used; see [`Policy::refund`].
    fn refund(&self, now: Instant, granted: &Self::Granted);
}

impl<P: Policy> Limiter for Shared<RateLimiter<P>> {
    type Granted = P::Granted;

    #[inline]
    fn try_acquire_n(&self, now: Instant, cost: u32) -> Result<P::Granted, Denied> {
        self.try_acquire_n(now, cost)
    }

    fn refund(&self, now: Instant, granted: &P::Granted) {
        self.refund(now, granted);
    }
}

#[cfg(target_has_atomic = "64")]
impl<P: Policy> Limiter for super::AtomicRateLimiter<P>
where
    P::State: super::Word,
{
    type Granted = P::Granted;

    #[inline]
    fn try_acquire_n(&self, now: Instant, cost: u32) -> Result<P::Granted, Denied> {
        self.try_acquire_n(now, cost)
    }

    fn refund(&self, now: Instant, granted: &P::Granted) {
        self.refund(now, granted);
    }
}

impl<L: Limiter + ?Sized> Limiter for &L {
    type Granted = L::Granted;

    #[inline]
    fn try_acquire_n(&self, now: Instant, cost: u32) -> Result<L::Granted, Denied> {
        (**self).try_acquire_n(now, cost)
    }

    fn refund(&self, now: Instant, granted: &L::Granted) {
        (**self).refund(now, granted);
    }
}

/// A limiter that reads the time itself.
///
/// The clock is read before the limiter's lock or word is touched.
///
/// ```
/// use steadfast::limit::{AtomicRateLimiter, Clocked, TokenBucket};
/// use steadfast::{policy, time::{Instant, ManualClock}};
///
/// static UPTIME: ManualClock = ManualClock::new(Instant::ZERO);
/// let limiter = Clocked::new(
///     AtomicRateLimiter::new(policy!(TokenBucket::per_second(1).compact())),
///     &UPTIME,
/// );
/// assert!(limiter.try_acquire().is_ok());
/// assert!(limiter.try_acquire().is_err());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Clocked<L, C> {
    limiter: L,
    clock: C,
}

impl<L, C> Clocked<L, C> {
    /// Binds `limiter` to `clock`.
    pub const fn new(limiter: L, clock: C) -> Self {
        Self { limiter, clock }
    }

    /// The limiter.
    pub const fn limiter(&self) -> &L {
        &self.limiter
    }

    /// The clock.
    pub const fn clock(&self) -> &C {
        &self.clock
    }
}

impl<L: Limiter, C: Clock> Clocked<L, C> {
    /// Takes one, if there is one.
    ///
    /// # Errors
    ///
    /// See [`Policy::decide`]; nothing is taken.
    #[inline]
    pub fn try_acquire(&self) -> Result<L::Granted, Denied> {
        self.try_acquire_n(1)
    }

    /// Takes `cost`, all or nothing.
    ///
    /// # Errors
    ///
    /// See [`Policy::decide`]; nothing is taken.
    #[inline]
    pub fn try_acquire_n(&self, cost: u32) -> Result<L::Granted, Denied> {
        self.limiter.try_acquire_n(self.clock.now(), cost)
    }

    /// Gives back what was granted and not used; see [`Policy::refund`].
    pub fn refund(&self, granted: &L::Granted) {
        self.limiter.refund(self.clock.now(), granted);
    }
}
