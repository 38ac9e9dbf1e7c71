//! Why a call came to nothing.

use core::fmt;

use super::TimedOut;
use crate::breaker::Rejected;
use crate::outcome::Outcome;
use crate::retry::StopReason;
use crate::time::{Duration, days};

/// What servers ask for longer than this is handed on as this. Quotas are often a day's; and whoever
/// has sent nonsense should not send everybody's clients away for years. For a quota of a month a
/// client comes back once a day.
pub(crate) const LONGEST_HANDED_ON: Duration = days(1);

/// Why a call came to nothing, and after how many attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[non_exhaustive]
pub enum CallError<E> {
    /// The operation failed; this is what its last attempt said.
    Failed {
        /// The operation's own error.
        error: E,
        /// How many attempts were made, 1 or more.
        attempts: u32,
        /// Why there was not another one.
        stopped: StopReason,
        /// What the error was taken for.
        outcome: Outcome,
    },
    /// The last attempt did not answer within the time that it might take.
    TimedOut {
        /// How long it might take.
        after: TimedOut,
        /// How many attempts were made, 1 or more.
        attempts: u32,
        /// Why there was not another one.
        stopped: StopReason,
    },
    /// The deadline of the whole call came first; or that of its own part of the time, if it
    /// [leaves](super::Call::leaving) some to whoever is asked next. Of a call that may not be
    /// repeated an attempt that ran into it has [timed out](Self::TimedOut), which says so.
    DeadlineExceeded {
        /// How many attempts were made; none, if there was no time for the first.
        attempts: u32,
    },
    /// The circuit breaker said no.
    Rejected {
        /// Why, and when to come back.
        rejected: Rejected,
        /// How many attempts were made before; more than none only where the breaker guards each
        /// of them.
        attempts: u32,
    },
}

impl<E> CallError<E> {
    /// How many attempts were made.
    pub const fn attempts(&self) -> u32 {
        match self {
            Self::Failed { attempts, .. }
            | Self::TimedOut { attempts, .. }
            | Self::DeadlineExceeded { attempts }
            | Self::Rejected { attempts, .. } => *attempts,
        }
    }

    /// What this means to a caller that retries too. What has been retried here, or must not be, is
    /// [`Exhausted`](Outcome::Exhausted), or [`ThrottledBelow`](Outcome::ThrottledBelow) if it was
    /// throttled, so that the layers do not multiply.
    ///
    /// ```
    /// use steadfast::{call::CallError, outcome::Outcome};
    ///
    /// // In the layer above: `.judged_by(|result| CallError::outcome_of(result))`.
    /// let below: Result<(), CallError<&str>> = Err(CallError::DeadlineExceeded { attempts: 3 });
    /// assert_eq!(CallError::outcome_of(&below), Outcome::Exhausted);
    /// ```
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Failed {
                attempts,
                stopped,
                outcome,
                ..
            } => above(*attempts, stopped, *outcome),
            Self::TimedOut {
                attempts, stopped, ..
            } => above(*attempts, stopped, Outcome::TimedOut),
            // It was never sent.
            Self::DeadlineExceeded { attempts: 0 } | Self::Rejected { .. } => Outcome::Rejected,
            Self::DeadlineExceeded { attempts: 1 } => Outcome::TimedOut,
            Self::DeadlineExceeded { .. } => Outcome::Exhausted,
        }
    }

    /// [`outcome`](Self::outcome), of a whole result.
    pub const fn outcome_of<V>(result: &Result<V, Self>) -> Outcome {
        match result {
            Ok(_) => Outcome::Success,
            Err(error) => error.outcome(),
        }
    }

    /// When it is worth coming back, if that is known.
    ///
    /// What the other side has asked for is handed on, also where it was too long to wait for here;
    /// more than a day ([`Unavailable::LONGEST_WAIT`](crate::http::Unavailable::LONGEST_WAIT)) as a
    /// day. What it asked for is in the `outcome` of [`Failed`](Self::Failed), and in the log where
    /// [`ServerDelayTooLong`](StopReason::ServerDelayTooLong) is the reason.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Failed { outcome, .. } => match outcome.retry_after() {
                Some(asked) if asked.as_nanos() > LONGEST_HANDED_ON.as_nanos() => {
                    Some(LONGEST_HANDED_ON)
                }
                asked => asked,
            },
            Self::Rejected { rejected, .. } => rejected.retry_after(),
            Self::TimedOut { .. } | Self::DeadlineExceeded { .. } => None,
        }
    }

    /// The HTTP status of an answer to one's own client: 503 if the breaker said no, here or in a
    /// layer below, or if the other side asks for fewer calls; 504 if time ran out; 502 if the other
    /// side failed.
    pub const fn status(&self) -> u16 {
        match self {
            // What a layer below has rejected was not sent either.
            Self::Rejected { .. }
            | Self::Failed {
                outcome:
                    Outcome::Throttled { .. } | Outcome::ThrottledBelow { .. } | Outcome::Rejected,
                ..
            } => 503,
            Self::TimedOut { .. } | Self::DeadlineExceeded { .. } => 504,
            Self::Failed { .. } => 502,
        }
    }

    /// The operation's own error, if that is what it is.
    pub fn into_error(self) -> Option<E> {
        match self {
            Self::Failed { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// Has a layer above no business to try it again? It was retried here, or must not be, or was below.
pub(crate) const fn is_final(attempts: u32, stopped: &StopReason) -> bool {
    attempts > 1
        || matches!(
            stopped,
            StopReason::NotRepeatable | StopReason::BudgetSpent(_) | StopReason::RetriedBelow
        )
}

/// What a layer above should take `outcome` for.
const fn above(attempts: u32, stopped: &StopReason, outcome: Outcome) -> Outcome {
    let is_final = is_final(attempts, stopped);
    match outcome {
        outcome if is_final && outcome.is_failure() => Outcome::Exhausted,
        // Not counted by a breaker, and not done again.
        Outcome::Throttled { retry_after } if is_final => Outcome::ThrottledBelow { retry_after },
        outcome => outcome,
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed {
                error,
                attempts,
                stopped,
                ..
            } => write!(f, "{error} (attempts: {attempts}; {stopped})"),
            Self::TimedOut {
                after,
                attempts,
                stopped,
            } => write!(f, "{after} (attempts: {attempts}; {stopped})"),
            Self::DeadlineExceeded { attempts: 0 } => {
                f.write_str("there was no time for an attempt")
            }
            Self::DeadlineExceeded { attempts } => {
                write!(f, "the deadline has passed (attempts: {attempts})")
            }
            Self::Rejected { rejected, .. } => write!(f, "{rejected}"),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for CallError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Failed { error, .. } => Some(error),
            _ => None,
        }
    }
}
