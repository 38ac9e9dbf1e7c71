//! A call under way, and what all shared breakers can do.

use super::permit::{Permit, Rejected};
use super::transition::Transition;
use crate::outcome::Outcome;
use crate::time::Instant;

/// A breaker that is asked by shared reference, wherever its state lies. What drives calls is
/// generic over it.
///
/// The time is passed as a closure, since a breaker that is closed and has counted nothing need not
/// know it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a breaker that calls can share",
    note = "a `Breaker` is only the policy: `Shared::breaker(..)`, a `FastBreaker` or a `Target` of \
            `steadfast-std` remembers, and is passed as `&it`",
    note = "one in an `Arc` is passed as `&*it`"
)]
pub trait CircuitBreaker {
    /// May a call be made? See [`Breaker::try_enter`](super::Breaker::try_enter).
    ///
    /// # Errors
    ///
    /// If it is open, held open, or half-open with all its probes out.
    fn try_enter(&self, now: impl FnOnce() -> Instant) -> Result<Permit, Rejected>;

    /// Takes note of what became of a call; see [`Breaker::record`](super::Breaker::record).
    fn record(
        &self,
        now: impl FnOnce() -> Instant,
        permit: Permit,
        outcome: Outcome,
    ) -> Option<Transition>;

    /// The call was given up; see [`Breaker::cancel`](super::Breaker::cancel).
    fn cancel(&self, permit: Permit);

    /// What it guards, for events; `None` if it does not know.
    fn name(&self) -> Option<&str> {
        None
    }

    /// As [`try_enter`](Self::try_enter), with a guard that gives the call up when it is dropped.
    ///
    /// # Errors
    ///
    /// As [`try_enter`](Self::try_enter).
    #[inline]
    fn enter(&self, now: impl FnOnce() -> Instant) -> Result<Entered<'_, Self>, Rejected>
    where
        Self: Sized,
    {
        let permit = self.try_enter(now)?;
        Ok(Entered {
            breaker: self,
            permit,
        })
    }
}

impl<B: CircuitBreaker> CircuitBreaker for &B {
    #[inline]
    fn try_enter(&self, now: impl FnOnce() -> Instant) -> Result<Permit, Rejected> {
        (**self).try_enter(now)
    }

    #[inline]
    fn record(
        &self,
        now: impl FnOnce() -> Instant,
        permit: Permit,
        outcome: Outcome,
    ) -> Option<Transition> {
        (**self).record(now, permit, outcome)
    }

    #[inline]
    fn cancel(&self, permit: Permit) {
        (**self).cancel(permit);
    }

    fn name(&self) -> Option<&str> {
        (**self).name()
    }
}

/// A call under way. If it is dropped before its result is [recorded](Self::record), because its
/// future was dropped or its code panicked, the call counts as [`Outcome::Cancelled`]: it frees
/// exactly its own probe and counts nothing.
///
/// ```
/// use steadfast::breaker::{Breaker, CircuitBreaker};
/// use steadfast::{outcome::Outcome, shared::Shared, time::{Instant, secs}};
///
/// static MAIL: Shared<Breaker> = Shared::breaker(Breaker::sensitive());
///
/// let now = Instant::from_secs(1);
/// for _ in 0..3 {
///     let call = MAIL.enter(|| now)?;
///     call.record(|| now, Outcome::TimedOut);
/// }
/// let later = now + secs(15);
/// let probe = MAIL.enter(|| later)?;
/// assert!(MAIL.enter(|| later).is_err());
/// drop(probe);
/// assert!(MAIL.enter(|| later).is_ok());
/// # Ok::<(), steadfast::breaker::Rejected>(())
/// ```
#[derive(Debug)]
#[must_use = "dropped at once, the call counts as given up"]
pub struct Entered<'a, B: CircuitBreaker> {
    breaker: &'a B,
    permit: Permit,
}

impl<B: CircuitBreaker> Entered<'_, B> {
    /// Takes note of what became of the call, and says what that changed.
    #[inline]
    pub fn record(self, now: impl FnOnce() -> Instant, outcome: Outcome) -> Option<Transition> {
        let (breaker, permit) = (self.breaker, self.permit);
        // It has ended, so it is not given up.
        core::mem::forget(self);
        breaker.record(now, permit, outcome)
    }

    /// The permit: whether it is a probe, and what it changed.
    pub const fn permit(&self) -> Permit {
        self.permit
    }
}

impl<B: CircuitBreaker> Drop for Entered<'_, B> {
    #[inline]
    fn drop(&mut self) {
        self.breaker.cancel(self.permit);
    }
}
