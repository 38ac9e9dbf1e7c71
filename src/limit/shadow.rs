//! A limit on trial: it decides and reports, and denies nobody.

use super::{Denied, Policy, Standing};
use crate::time::{Duration, Instant};

/// Tries a limit before it is enforced: everything passes, and the answer says what the limit
/// would have done.
///
/// It keeps a state of its own, as if it were enforced: what it would have denied takes nothing.
/// (A full keyed table under [`WhenFull::Deny`](super::WhenFull::Deny) still denies newcomers: it
/// has no place to try the limit on.)
///
/// ```
/// use steadfast::{limit::{RateLimiter, Shadow, TokenBucket}, policy, time::Instant};
///
/// let mut trial = RateLimiter::new(Shadow(policy!(TokenBucket::per_minute(1))));
/// let now = Instant::from_secs(1);
/// assert!(trial.try_acquire(now).unwrap().would_pass());
/// assert!(!trial.try_acquire(now).unwrap().would_pass());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Shadow<P>(pub P);

/// A yes, and what the limit on trial said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Shadowed<G>(pub Result<G, Denied>);

impl<G> Shadowed<G> {
    /// Would it have passed, had the limit been enforced?
    pub const fn would_pass(&self) -> bool {
        self.0.is_ok()
    }
}

impl<P: Policy> Policy for Shadow<P> {
    type State = P::State;
    type Granted = Shadowed<P::Granted>;

    const FULL: P::State = P::FULL;
    const ON_TRIAL: bool = true;

    fn decide(
        &self,
        state: &mut P::State,
        now: Instant,
        cost: u32,
    ) -> Result<Self::Granted, Denied> {
        Ok(Shadowed(self.0.decide(state, now, cost)))
    }

    fn at_rest(&self, state: &P::State, now: Instant) -> bool {
        self.0.at_rest(state, now)
    }

    fn rests_in(&self, state: &P::State, now: Instant) -> Duration {
        self.0.rests_in(state, now)
    }

    fn mend(&self, state: &mut P::State, now: Instant) {
        self.0.mend(state, now);
    }

    /// What the limit on trial would grant.
    fn available(&self, state: &P::State, now: Instant) -> u32 {
        self.0.available(state, now)
    }

    /// Everything passes.
    fn capacity(&self) -> u32 {
        u32::MAX
    }

    fn refund(&self, state: &mut P::State, now: Instant, granted: &Self::Granted) {
        if let Ok(granted) = &granted.0 {
            self.0.refund(state, now, granted);
        }
    }

    fn reconfigure(&self, state: &mut P::State, now: Instant, new: &Self) {
        self.0.reconfigure(state, now, &new.0);
    }

    fn would_deny(granted: &Self::Granted) -> Option<Denied> {
        granted.0.as_ref().err().copied()
    }

    /// Where the limit on trial stands.
    fn standing(&self, state: &P::State, now: Instant) -> Standing {
        self.0.standing(state, now)
    }
}
