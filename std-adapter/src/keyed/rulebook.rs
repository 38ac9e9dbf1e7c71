//! Which policy holds for which key, as a table asks it.

use steadfast::limit::{Denied, Policy};
use steadfast::time::{Duration, Instant};

/// The policies of all the keys in a table, and how they read its states.
///
/// A table judges other keys' states as well as the caller's, when it looks for a place; so it
/// needs the rules of any key, by its hash. Hash zero is nobody's: the limiter that newcomers
/// share.
pub(super) trait Rulebook {
    type State: Copy;
    type Granted;

    /// The state of a key that was never seen.
    fn full(&self) -> Self::State;

    /// False if these rules were replaced: places may then look taken that are not, since they are
    /// under newer rules.
    fn is_current(&self) -> bool;
    fn decide(
        &self,
        hash: u64,
        state: &mut Self::State,
        now: Instant,
        cost: u32,
    ) -> Result<Self::Granted, Denied>;
    fn at_rest(&self, hash: u64, state: &Self::State, now: Instant) -> bool;
    fn rests_in(&self, hash: u64, state: &Self::State, now: Instant) -> Duration;
    fn mend(&self, hash: u64, state: &mut Self::State, now: Instant);
}

/// Whose hash is the limiter that newcomers share.
pub(super) const NOBODY: u64 = 0;

/// One policy for every key, for ever.
#[derive(Clone, Copy, Debug)]
pub(super) struct Same<'a, P>(pub &'a P);

impl<P: Policy> Rulebook for Same<'_, P> {
    type State = P::State;
    type Granted = P::Granted;

    #[inline]
    fn full(&self) -> P::State {
        P::FULL
    }

    #[inline]
    fn is_current(&self) -> bool {
        true
    }

    #[inline]
    fn decide(
        &self,
        _: u64,
        state: &mut P::State,
        now: Instant,
        cost: u32,
    ) -> Result<P::Granted, Denied> {
        self.0.decide(state, now, cost)
    }

    fn at_rest(&self, _: u64, state: &P::State, now: Instant) -> bool {
        self.0.at_rest(state, now)
    }

    fn rests_in(&self, _: u64, state: &P::State, now: Instant) -> Duration {
        self.0.rests_in(state, now)
    }

    fn mend(&self, _: u64, state: &mut P::State, now: Instant) {
        self.0.mend(state, now);
    }
}
