//! Where calls that worked are counted without the lock, while they do no more than add up.

use super::state::{Stage, Watch};
use super::{Breaker, BreakerState, Phase, Transition, Trip};
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

/// What a [`FastBreaker`](super::FastBreaker) asks of the machine for this.
impl<T: Trip, const PROBES: usize> Breaker<T, PROBES> {
    /// Counts so many calls that worked in time, of this generation, while good calls did no more
    /// than add up.
    pub(super) fn add_good(&self, state: &mut BreakerState<T, PROBES>, calls: u32) {
        match &mut state.stage {
            // What is due to open now forgets the rest.
            Stage::Closed(counts)
            | Stage::Watching {
                counts,
                watch: Watch::ObserveOnly,
            } => {
                self.rule.add(counts, calls);
            }
            Stage::Watching { counts, .. } => {
                let mut left = calls;
                while left > 0 {
                    let added = self.rule.add(counts, left).max(1);
                    left = left.saturating_sub(added);
                }
            }
            _ => {}
        }
    }

    /// Opens a closed breaker that good calls should have opened when they were added.
    pub(super) fn trip(
        &self,
        state: &mut BreakerState<T, PROBES>,
        now: Instant,
    ) -> Option<Transition> {
        let (Stage::Closed(counts) | Stage::Watching { counts, .. }) = &state.stage else {
            return None;
        };
        let cause = self.rule.due(counts, now)?;
        let totals = self.rule.totals(counts, now);
        let (from, to) = (Phase::Closed, Phase::Open);
        let change = Transition {
            from,
            to,
            cause,
            totals,
        };
        self.change(state, now, change)
    }

    /// When a good call need not be recorded at once.
    pub(super) fn steady(&self, state: &BreakerState<T, PROBES>) -> Steady {
        match &state.stage {
            Stage::Closed(counts) | Stage::Watching { counts, .. } => self.rule.steady(counts),
            _ => Steady::NEVER,
        }
    }
}
