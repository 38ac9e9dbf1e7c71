//! A shared limiter together with its clock.

use super::{Denied, Limiter, Reconfigure, Standing};
use crate::time::Clock;

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
    /// See [`Limiter::try_acquire_n`]; nothing is taken.
    #[inline]
    pub fn try_acquire(&self) -> Result<L::Granted, Denied> {
        self.try_acquire_n(1)
    }

    /// Takes `cost`, all or nothing.
    ///
    /// # Errors
    ///
    /// See [`Limiter::try_acquire_n`]; nothing is taken.
    #[inline]
    pub fn try_acquire_n(&self, cost: u32) -> Result<L::Granted, Denied> {
        self.limiter.try_acquire_n(self.clock.now(), cost)
    }

    /// Gives back what was granted and not used; see [`Limiter::refund`].
    pub fn refund(&self, granted: &L::Granted) {
        self.limiter.refund(self.clock.now(), granted);
    }

    /// Would `cost` be granted now? Takes nothing.
    ///
    /// # Errors
    ///
    /// What [`try_acquire_n`](Self::try_acquire_n) would say.
    pub fn peek(&self, cost: u32) -> Result<(), Denied> {
        self.limiter.peek(self.clock.now(), cost)
    }

    /// The largest cost that would be granted now.
    pub fn available(&self) -> u32 {
        self.limiter.available(self.clock.now())
    }

    /// What the headers say: limit, remaining, time to full.
    pub fn standing(&self) -> Standing {
        self.limiter.standing(self.clock.now())
    }
}

impl<L: Reconfigure, C: Clock> Clocked<L, C> {
    /// Goes on under another policy from now on; see [`Reconfigure::reconfigure`].
    pub fn reconfigure(&self, policy: L::Policy) {
        self.limiter.reconfigure(self.clock.now(), policy);
    }
}
