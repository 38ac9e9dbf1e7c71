//! A call that no breaker guards.

use crate::breaker::{CircuitBreaker, Permit, Rejected, Transition};
use crate::outcome::Outcome;
use crate::time::Instant;

/// No breaker: every call passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct NoBreaker;

impl CircuitBreaker for NoBreaker {
    fn try_enter(&self, _: impl FnOnce() -> Instant) -> Result<Permit, Rejected> {
        Ok(Permit::UNGUARDED)
    }

    fn record(&self, _: impl FnOnce() -> Instant, _: Permit, _: Outcome) -> Option<Transition> {
        None
    }

    fn cancel(&self, _: Permit) {}
}
