//! How a breaker stands, for those who only look.

use super::permit::{FIRST, FIRST_AFTER_FORCED};
use super::state::{Stage, Watch, left};
use super::{Breaker, BreakerState, Phase, Trip};
use crate::time::{Duration, Instant};
use crate::window::Totals;

/// How a breaker stands, for a status page. 40 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Standing {
    /// The phase at this instant.
    pub phase: Phase,
    /// Which generation of permits counts.
    pub generation: u32,
    /// How long until a call may pass: zero if it may now, `None` if nobody knows. In half-open
    /// with all probes out, until the first of them is written off.
    pub retry_after: Option<Duration>,
    /// What is counted: the calls, or, in half-open, the probes that worked.
    pub totals: Totals,
    /// How many probes are out.
    pub probes_out: u32,
}

impl<T: Trip, const PROBES: usize> Breaker<T, PROBES> {
    /// The phase at `now`. Half-open when the open time is over, be there a probe or not.
    pub fn phase(&self, state: &BreakerState<T, PROBES>, now: Instant) -> Phase {
        match state.stage {
            Stage::Closed(_) => Phase::Closed,
            Stage::Watching { watch, .. } => match watch {
                Watch::ForcedClosed => Phase::ForcedClosed,
                Watch::ObserveOnly | Watch::Told => Phase::ObserveOnly,
            },
            Stage::Open {
                mut since,
                length,
                first,
            } => {
                if left(&mut since, length, now) == Duration::ZERO {
                    Phase::HalfOpen
                } else if first == FIRST_AFTER_FORCED {
                    Phase::ForcedOpen
                } else {
                    Phase::Open
                }
            }
            Stage::HalfOpen(_) => Phase::HalfOpen,
            Stage::ForcedOpen => Phase::ForcedOpen,
            Stage::Disabled => Phase::Disabled,
        }
    }

    /// Everything a status page shows.
    pub fn standing(&self, state: &BreakerState<T, PROBES>, now: Instant) -> Standing {
        let mut standing = Standing {
            phase: self.phase(state, now),
            generation: state.generation,
            retry_after: Some(Duration::ZERO),
            totals: Totals::NONE,
            probes_out: 0,
        };
        match state.stage {
            Stage::Closed(counts) | Stage::Watching { counts, .. } => {
                standing.totals = self.rule.totals(&counts, now);
            }
            Stage::Open {
                mut since, length, ..
            } => standing.retry_after = Some(left(&mut since, length, now)),
            Stage::HalfOpen(mut probes) => {
                standing.totals.calls = probes.successes;
                standing.probes_out = probes.out();
                if let Err(wait) = probes.admit(now, self.lease) {
                    standing.retry_after = Some(wait);
                }
            }
            Stage::ForcedOpen => standing.retry_after = None,
            Stage::Disabled => {}
        }
        standing
    }

    /// Is it closed with nothing counted against anyone, so that forgetting it changes nothing that
    /// matters?
    pub fn at_rest(&self, state: &BreakerState<T, PROBES>, now: Instant) -> bool {
        self.missed_if_forgotten(state, now) == Some(0)
    }

    /// After the clock went back further than its lead, an open time and the leases of probes begin
    /// anew at `now`. Whoever asks for a call does this by itself; for those who only look, for a long
    /// time.
    pub fn mend(&self, state: &mut BreakerState<T, PROBES>, now: Instant) {
        match &mut state.stage {
            Stage::Open { since, length, .. } => {
                let _ = left(since, *length, now);
            }
            Stage::HalfOpen(probes) => probes.mend(now, self.lease),
            _ => {}
        }
    }

    /// For a table that needs a place: how much would be missed of this breaker. Zero at rest; one
    /// if its open time is over, and no probe is waited for; more than its failures and slow calls if
    /// it is closed; `None` if it must stay, since it refuses calls or is held by hand. A table
    /// [mends](Self::mend) it before, or one that nobody calls stays for as long as the clock went
    /// back.
    pub fn missed_if_forgotten(
        &self,
        state: &BreakerState<T, PROBES>,
        now: Instant,
    ) -> Option<u32> {
        match state.stage {
            Stage::Closed(counts) => {
                let totals = self.rule.totals(&counts, now);
                let counted = totals.failures.saturating_add(totals.slow);
                Some(counted.saturating_add(u32::from(counted > 0)))
            }
            Stage::Open {
                mut since,
                length,
                first: FIRST,
            } => (left(&mut since, length, now) == Duration::ZERO).then_some(1),
            // The next call would be a probe: nobody is waited for.
            Stage::HalfOpen(mut probes) => probes.admit(now, self.lease).ok().map(|_| 1),
            _ => None,
        }
    }
}
