//! Where calls that worked are counted without the lock, while they do no more than add up.

use crate::time::Instant;
use crate::window::Steady;

/// Where a [`FastBreaker`](super::FastBreaker) that judges by rates counts calls that worked,
/// without its lock.
///
/// A good call opens a breaker only where it makes up the least number of calls, or where a good
/// one has just dropped out of the window. While none can, each is counted here, and all are
/// [taken](Self::take) over under the lock before anything else is recorded. [`UnderLock`] counts
/// nothing, so each takes the lock.
///
/// Where there are 64-bit atomics, a `Stripe` for each thread does it by loads and one store, and a
/// `SharedSteady` says when: `steadfast-std`'s `Target` is made so.
pub trait GoodCalls {
    /// Is any call ever counted here? Where none is, what that costs is compiled out.
    const APART: bool = true;

    /// Says when calls may be counted here; never, before it is said. Under the breaker's lock.
    fn set_steady(&self, steady: Steady);

    /// Counts a good call of this generation that ended at `now`. `false` if it was not counted, as
    /// when that is not [steady](Steady::holds), and has to be recorded under the lock.
    fn count(&self, generation: u32, now: Instant) -> bool;

    /// How many of this generation were counted since they were last taken. Under the breaker's
    /// lock.
    fn take(&self, generation: u32) -> u32;
}

/// Every good call is recorded under the lock.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct UnderLock;

impl GoodCalls for UnderLock {
    const APART: bool = false;

    #[inline]
    fn set_steady(&self, _: Steady) {}

    #[inline]
    fn count(&self, _: u32, _: Instant) -> bool {
        false
    }

    #[inline]
    fn take(&self, _: u32) -> u32 {
        0
    }
}
