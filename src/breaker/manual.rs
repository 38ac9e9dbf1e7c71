//! What a person can do: hold a breaker open or closed, switch it off, put it on trial.

use super::permit::FIRST_AFTER_FORCED;
use super::state::{Stage, Watch};
use super::transition::{Cause, Phase, Transition};
use super::trip::Trip;
use super::{Breaker, BreakerState};
use crate::time::{Duration, Instant};

/// Each says what it changed, `None` if the breaker is in that phase already. What is under way
/// when the phase changes is of an earlier generation, so its result changes nothing.
impl<T: Trip, const PROBES: usize> Breaker<T, PROBES> {
    /// Refuses every call until it is [`reset`](Self::reset), or put into another phase: before
    /// maintenance of the other side, say.
    pub fn force_open(
        &self,
        state: &mut BreakerState<T, PROBES>,
        now: Instant,
    ) -> Option<Transition> {
        if matches!(state.stage, Stage::ForcedOpen) {
            return None;
        }
        self.put(state, now, Stage::ForcedOpen)
    }

    /// Refuses every call for `duration`, and then is half-open. Replaces an earlier one.
    pub fn force_open_for(
        &self,
        state: &mut BreakerState<T, PROBES>,
        now: Instant,
        duration: Duration,
    ) -> Option<Transition> {
        let held = Stage::Open {
            since: now,
            length: duration,
            first: FIRST_AFTER_FORCED,
        };
        self.put(state, now, held)
    }

    /// Lets every call pass and counts them, and does not open, until it is
    /// [`reset`](Self::reset).
    pub fn force_closed(
        &self,
        state: &mut BreakerState<T, PROBES>,
        now: Instant,
    ) -> Option<Transition> {
        self.watch(state, now, Watch::ForcedClosed)
    }

    /// Switches it off: lets every call pass and counts nothing, until it is
    /// [`reset`](Self::reset).
    pub fn disable(&self, state: &mut BreakerState<T, PROBES>, now: Instant) -> Option<Transition> {
        if matches!(state.stage, Stage::Disabled) {
            return None;
        }
        state.openings = 0;
        self.put(state, now, Stage::Disabled)
    }

    /// Puts it on trial: lets every call pass and counts them, and tells, once, when it would open
    /// ([`Transition::is_trial`]), until it is [`reset`](Self::reset).
    pub fn observe_only(
        &self,
        state: &mut BreakerState<T, PROBES>,
        now: Instant,
    ) -> Option<Transition> {
        self.watch(state, now, Watch::ObserveOnly)
    }

    /// Closed, with nothing counted: the fault is mended. Also how each of the other phases ends.
    ///
    /// In a breaker that is closed already it forgets what was counted, and says nothing.
    pub fn reset(&self, state: &mut BreakerState<T, PROBES>, now: Instant) -> Option<Transition> {
        state.openings = 0;
        self.put(state, now, Stage::Closed(T::NONE))
    }

    fn watch(
        &self,
        state: &mut BreakerState<T, PROBES>,
        now: Instant,
        watch: Watch,
    ) -> Option<Transition> {
        let to = match watch {
            Watch::ForcedClosed => Phase::ForcedClosed,
            _ => Phase::ObserveOnly,
        };
        if self.phase(state, now) == to {
            return None;
        }
        state.openings = 0;
        let counts = T::NONE;
        self.put(state, now, Stage::Watching { counts, watch })
    }

    fn put(
        &self,
        state: &mut BreakerState<T, PROBES>,
        now: Instant,
        next: Stage<T::Counts, PROBES>,
    ) -> Option<Transition> {
        let from = self.phase(state, now);
        let totals = self.standing(state, now).totals;
        state.go(next);
        let to = self.phase(state, now);
        let by_hand = Transition {
            from,
            to,
            cause: Cause::ByHand,
            totals,
        };
        (from != to).then_some(by_hand)
    }
}
