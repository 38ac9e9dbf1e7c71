//! What the machines of calling out can say, folded into the digest.

use core::fmt::{self, Write};

use steadfast::backoff::Backoff;
use steadfast::breaker::{Permit, Phase, Rejected, Standing, Transition};
use steadfast::call::{CallError, TimedOut};
use steadfast::deadline::Deadline;
use steadfast::fallback::{Aged, FallbackAlarm, Missed, Served};
use steadfast::fault::Injected;
use steadfast::outcome::Outcome;
use steadfast::retry::{BudgetSpent, Step, StopReason, Withdrawn};
use steadfast::window::Totals;

use crate::digest::{Answer, Digest};

/// A text, eight bytes to a word; its length tells it from one with zeros at its end.
impl Answer for &str {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.len() as u32);
        for piece in self.as_bytes().chunks(8) {
            digest.fold(
                piece
                    .iter()
                    .fold(0, |word, byte| word << 8 | u64::from(*byte)),
            );
        }
    }
}

/// What an answer looks like in a log, piece by piece.
pub(crate) struct Words<T>(pub T);

impl<T: fmt::Display> Answer for Words<T> {
    fn fold_into(self, digest: &mut Digest) {
        /// Pieces may be cut anywhere, so a byte is folded at a time.
        struct Bytes<'a>(&'a mut Digest);

        impl Write for Bytes<'_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                text.bytes().for_each(|byte| self.0.fold(u32::from(byte)));
                Ok(())
            }
        }

        // Never fails: `Bytes` does not.
        let _ = write!(Bytes(digest), "{}", self.0);
    }
}

impl<T: Answer> Answer for Option<T> {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.is_some());
        if let Some(answer) = self {
            digest.fold(answer);
        }
    }
}

impl Answer for Outcome {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.label());
        digest.fold(self.retry_after());
        digest.fold(self.is_retryable());
        digest.fold(self.is_failure());
    }
}

impl Answer for Deadline {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.instant());
    }
}

/// Of a policy: what it says without chance, at the beginning and where 32 bits end.
impl Answer for &Backoff {
    fn fold_into(self, digest: &mut Digest) {
        for attempt in [0, 1, 7, u32::MAX] {
            digest.fold(self.nominal(attempt));
        }
        digest.fold(self.cap());
    }
}

impl Answer for Withdrawn {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.units());
    }
}

impl Answer for BudgetSpent {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.left);
        digest.fold(self.needed);
    }
}

impl Answer for Step {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.label());
        match self {
            Self::RetryAt(at) => digest.fold(at),
            Self::Stop(reason) => digest.fold(reason),
        }
    }
}

impl Answer for StopReason {
    fn fold_into(self, digest: &mut Digest) {
        match self {
            Self::AttemptsSpent { attempts } => digest.fold(attempts),
            Self::ElapsedSpent { elapsed, allowed } => digest.fold((elapsed, allowed)),
            Self::DeadlineTooNear { delay, left } => digest.fold((delay, left)),
            Self::BudgetSpent(spent) => digest.fold(spent),
            Self::ServerDelayTooLong { asked, allowed } => digest.fold((asked, allowed)),
            // The label says it all.
            other => digest.fold(other.label()),
        }
    }
}

impl Answer for Totals {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.calls);
        digest.fold(self.failures);
        digest.fold(self.slow);
    }
}

impl Answer for Phase {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.label());
    }
}

impl Answer for Transition {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold((self.from, self.to));
        digest.fold(self.cause.label());
        digest.fold(self.totals);
        digest.fold(self.is_trial());
    }
}

impl Answer for Permit {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.is_probe());
        digest.fold(self.generation());
        digest.fold(self.transition());
    }
}

impl Answer for Rejected {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(match self {
            Self::Open { .. } => 1_u32,
            Self::ProbesOut { .. } => 2,
            Self::ForcedOpen => 3,
        });
        digest.fold(self.retry_after());
    }
}

impl Answer for Standing {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.phase);
        digest.fold(self.generation);
        digest.fold(self.retry_after);
        digest.fold(self.totals);
        digest.fold(self.probes_out);
    }
}

impl<T: Answer> Answer for Aged<T> {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.value);
        digest.fold(self.age);
        digest.fold(self.is_fresh);
    }
}

impl Answer for Missed {
    fn fold_into(self, digest: &mut Digest) {
        self.iter().for_each(|source| digest.fold(source.label()));
        digest.fold(self.is_empty());
    }
}

impl<T: Answer> Answer for Served<T> {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.value);
        digest.fold(self.source.label());
        digest.fold(self.age);
        digest.fold(self.missed);
    }
}

impl Answer for FallbackAlarm {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.label());
    }
}

impl Answer for Injected {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.fault.label());
        digest.fold(self.delay);
    }
}

impl<E: Answer> Answer for CallError<E> {
    fn fold_into(self, digest: &mut Digest) {
        digest.fold(self.attempts());
        digest.fold(self.outcome());
        digest.fold(self.retry_after());
        match self {
            Self::Failed { error, stopped, .. } => {
                digest.fold(error);
                digest.fold(stopped);
            }
            Self::TimedOut { after, stopped, .. } => {
                let TimedOut { limit } = after;
                digest.fold(limit);
                digest.fold(stopped);
            }
            Self::Rejected { rejected, .. } => digest.fold(rejected),
            // Its number of attempts is all it has; one that came later still differs by its
            // outcome.
            _ => digest.fold(()),
        }
    }
}
