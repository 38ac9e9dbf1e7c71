//! What can be asked without changing anything.

use steadfast::breaker::{Phase, Standing};
use steadfast::time::Duration;
use steadfast::window::Totals;

use super::model::{Is, Model, left};

impl Model {
    pub fn phase(&self, now: i128) -> Phase {
        match self.is {
            Is::Closed => Phase::Closed,
            Is::ForcedClosed => Phase::ForcedClosed,
            Is::ObserveOnly { .. } => Phase::ObserveOnly,
            Is::Disabled => Phase::Disabled,
            Is::Open { since, length, .. } if left(since, length, now) == 0 => Phase::HalfOpen,
            Is::Open { forced: true, .. } | Is::ForcedOpen => Phase::ForcedOpen,
            Is::Open { .. } => Phase::Open,
            Is::HalfOpen { .. } => Phase::HalfOpen,
        }
    }

    pub fn standing(&self, now: i128) -> Standing {
        let nanos = |wait: i128| Duration::from_nanos(u64::try_from(wait).expect("fits"));
        let counts = matches!(
            self.is,
            Is::Closed | Is::ForcedClosed | Is::ObserveOnly { .. }
        );
        Standing {
            phase: self.phase(now),
            generation: (self.era % (1 << 30)) as u32,
            retry_after: match self.is {
                Is::Open { since, length, .. } => Some(nanos(left(since, length, now))),
                Is::HalfOpen { .. } if self.probes.iter().all(Option::is_some) => {
                    self.soonest(now).map(nanos)
                }
                Is::ForcedOpen => None,
                _ => Some(Duration::ZERO),
            },
            totals: if counts {
                self.totals(now)
            } else {
                Totals {
                    calls: self.good_probes as u32,
                    ..Totals::NONE
                }
            },
            probes_out: self.probes.iter().flatten().count() as u32,
        }
    }

    pub fn opens_in(&self, now: i128) -> i128 {
        match self.is {
            Is::Open { since, length, .. } => left(since, length, now),
            _ => 0,
        }
    }
}
