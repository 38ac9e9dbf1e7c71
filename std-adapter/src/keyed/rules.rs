//! Rules that change while they are asked.
//!
//! The quotas lie behind one pointer, which readers follow without a lock. Each state carries the
//! version of the quotas that it is under. New quotas are published first. Then every place is
//! visited and carried over, those that were never used as well; whoever comes to a place before
//! that carries it over itself. Who still holds the old quotas may use them for a place that was
//! not yet visited, which is as if it had come before the change. Where it meets a state that is
//! newer than its quotas, it starts again with the new ones. Only when all places were visited may
//! the quotas change again, so a state is at most one version behind, and the quotas before are all
//! that is kept.

use std::fmt::Debug;
use std::sync::Arc;

use steadfast::limit::{Denied, Policy};
use steadfast::time::{Duration, Instant};

use super::quotas::Quotas;
use super::rulebook::Rulebook;
use crate::sync::Published;

/// A state, and the version of the rules that it is under.
#[derive(Clone, Copy, Debug)]
pub(super) struct Versioned<S> {
    pub version: u64,
    pub state: S,
}

/// The quotas that hold, and those that they replaced.
#[derive(Debug)]
pub(super) struct Rules<P> {
    pub version: u64,
    pub quotas: Arc<Quotas<P>>,
    pub before: Arc<Quotas<P>>,
}

impl<P: Policy> Rules<P> {
    /// A key that was never seen. Under every version it is full.
    pub const NEVER: Versioned<P::State> = Versioned {
        version: 0,
        state: P::FULL,
    };

    /// The policy that `state` is under; `None` if it is under newer rules than these.
    pub fn of(&self, hash: u64, state: &Versioned<P::State>) -> Option<&P> {
        match state.version {
            version if version > self.version => None,
            version if version == self.version => Some(self.quotas.of(hash)),
            _ => Some(self.before.of(hash)),
        }
    }

    /// Brings a state up to these rules, and returns what it is under now; `None` if it is under
    /// newer ones.
    #[inline]
    pub fn bring_up(&self, hash: u64, state: &mut Versioned<P::State>, now: Instant) -> Option<&P> {
        if state.version > self.version {
            return None;
        }
        let policy = self.quotas.of(hash);
        if state.version < self.version {
            let before = self.before.of(hash);
            before.reconfigure(&mut state.state, now, policy);
            state.version = self.version;
        }
        Some(policy)
    }
}

/// What comes of asking under rules that were replaced; nobody sees it.
pub(super) const OUTDATED: Denied = Denied::StoreFull {
    retry_after: Duration::ZERO,
};

/// The rules that somebody holds, and those that hold.
#[derive(Debug)]
pub(super) struct Held<'a, P> {
    pub rules: &'a Rules<P>,
    pub published: &'a Published<Rules<P>>,
}

impl<P: Policy> Rulebook for Held<'_, P> {
    type State = Versioned<P::State>;
    type Granted = P::Granted;

    fn full(&self) -> Self::State {
        Rules::<P>::NEVER
    }

    fn is_current(&self) -> bool {
        self.published.load().version == self.rules.version
    }

    fn decide(
        &self,
        hash: u64,
        state: &mut Self::State,
        now: Instant,
        cost: u32,
    ) -> Result<P::Granted, Denied> {
        let policy = self.rules.bring_up(hash, state, now).ok_or(OUTDATED)?;
        policy.decide(&mut state.state, now, cost)
    }

    /// A state under newer rules is not at rest for who holds the old: it takes no such place.
    fn at_rest(&self, hash: u64, state: &Self::State, now: Instant) -> bool {
        let policy = self.rules.of(hash, state);
        policy.is_some_and(|policy| policy.at_rest(&state.state, now))
    }

    fn rests_in(&self, hash: u64, state: &Self::State, now: Instant) -> Duration {
        let policy = self.rules.of(hash, state);
        policy.map_or(Duration::MAX, |policy| policy.rests_in(&state.state, now))
    }

    fn mend(&self, hash: u64, state: &mut Self::State, now: Instant) {
        if let Some(policy) = self.rules.of(hash, state) {
            policy.mend(&mut state.state, now);
        }
    }
}
