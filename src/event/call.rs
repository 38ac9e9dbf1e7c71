//! How a whole call ended.

use core::fmt;

use super::one_line::OneLine;
use crate::breaker::Rejected;
use crate::outcome::Outcome;
use crate::retry::StopReason;
use crate::time::{Duration, Instant};

/// How a whole call ended, its retries included. 88 bytes on a 64-bit machine.
///
/// ```
/// use steadfast::event::{CallEvent, CallOutcome};
/// use steadfast::time::{Instant, millis};
///
/// let event = CallEvent {
///     operation: "quote",
///     outcome: CallOutcome::DeadlineExceeded,
///     attempts: 2,
///     took: millis(8_000),
///     at: Instant::from_secs(60),
/// };
/// assert_eq!(event.outcome.label(), "deadline_exceeded");
/// assert_eq!(
///     event.to_string(),
///     "quote: deadline_exceeded in 8s (attempts: 2; the deadline has passed)"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct CallEvent<'a> {
    /// What was called.
    pub operation: &'a str,
    /// How it ended.
    pub outcome: CallOutcome,
    /// How many attempts were begun; none, if there was no time for one or the breaker said no.
    pub attempts: u32,
    /// How long it took in all, attempts and waits together, on the call's clock. Of a clock that
    /// goes back only what it moves forward counts.
    pub took: Duration,
    /// When it ended, on the call's clock.
    pub at: Instant,
}

impl fmt::Display for CallEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            outcome,
            attempts,
            took,
            ..
        } = self;
        let (operation, label) = (OneLine(operation), outcome.label());
        write!(f, "{operation}: {label} in {took} (attempts: {attempts}")?;
        match outcome {
            CallOutcome::Attempted { stopped, .. } => write!(f, "; {stopped})"),
            CallOutcome::DeadlineExceeded if *attempts == 0 => {
                f.write_str("; there was no time for one)")
            }
            CallOutcome::DeadlineExceeded => f.write_str("; the deadline has passed)"),
            CallOutcome::Rejected(rejected) => write!(f, "; {rejected})"),
            CallOutcome::GivenUp(_) => f.write_str("; the caller left)"),
        }
    }
}

/// How a whole call ended. 48 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[non_exhaustive]
pub enum CallOutcome {
    /// With an attempt.
    Attempted {
        /// What the last attempt came to.
        outcome: Outcome,
        /// Why there was not another one.
        stopped: StopReason,
    },
    /// The deadline of the whole came first, or that of the part of it that is not
    /// [left](crate::call::Call::leaving) to others: before an attempt, between two, or during the
    /// last. One that may not be repeated and ran into it has ended with that attempt, which timed
    /// out.
    DeadlineExceeded,
    /// The circuit breaker said no.
    Rejected(Rejected),
    /// It was dropped before its end: the caller left, or the operation panicked.
    /// [`Outcome::Cancelled`]; or [`Outcome::TimedOut`], if it was given up so late that this
    /// counts ([`given_up_counts_after`](crate::call::Call::given_up_counts_after)).
    GivenUp(Outcome),
}

impl CallOutcome {
    /// Did it work?
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Attempted { outcome, .. } if outcome.is_success())
    }

    /// Every [`label`](Self::label) that there is.
    pub const LABELS: [&'static str; 9] = [
        "success",
        "ignored",
        "failure",
        "timed_out",
        "throttled",
        "budget_spent",
        "deadline_exceeded",
        "rejected",
        "cancelled",
    ];

    /// One word for a counter's label, the same in every version; one of [`LABELS`](Self::LABELS).
    ///
    /// | label | the call ended with |
    /// |---|---|
    /// | `success` | an answer that was judged to be one |
    /// | `ignored` | an answer that is a no: [`Outcome::Ignored`] |
    /// | `failure` | an attempt that failed, also with an `Ok` that was judged to be a failure |
    /// | `timed_out` | an attempt that took too long; or given up so late that it counts |
    /// | `throttled` | an attempt to which the other side said to come back later |
    /// | `budget_spent` | any of these three, and the budget had no retry left for it |
    /// | `deadline_exceeded` | the deadline of the whole, also before the first attempt |
    /// | `rejected` | a no of this side: of the breaker, or [`Outcome::Rejected`] |
    /// | `cancelled` | a caller who left, or an operation that panicked |
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Attempted {
                stopped: StopReason::BudgetSpent(_),
                ..
            } => "budget_spent",
            Self::Attempted { outcome, .. } | Self::GivenUp(outcome) => match outcome {
                Outcome::Success => "success",
                Outcome::Ignored => "ignored",
                Outcome::Transient { .. } | Outcome::Failure | Outcome::Exhausted => "failure",
                Outcome::TimedOut => "timed_out",
                Outcome::Throttled { .. } | Outcome::ThrottledBelow { .. } => "throttled",
                Outcome::Cancelled => "cancelled",
                Outcome::Rejected => "rejected",
            },
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Rejected(_) => "rejected",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retry::BudgetSpent;

    #[test]
    fn every_label_is_in_the_list_once() {
        let attempted = |outcome| CallOutcome::Attempted {
            outcome,
            stopped: StopReason::AttemptsSpent { attempts: 4 },
        };
        let spent = CallOutcome::Attempted {
            outcome: Outcome::TimedOut,
            stopped: StopReason::BudgetSpent(BudgetSpent { left: 0, needed: 5 }),
        };
        let labels = [
            attempted(Outcome::Success),
            attempted(Outcome::Ignored),
            attempted(Outcome::TRANSIENT),
            attempted(Outcome::TimedOut),
            attempted(Outcome::Throttled { retry_after: None }),
            spent,
            CallOutcome::DeadlineExceeded,
            CallOutcome::Rejected(Rejected::ForcedOpen),
            CallOutcome::GivenUp(Outcome::Cancelled),
        ]
        .map(|outcome| outcome.label());
        assert_eq!(labels, CallOutcome::LABELS);
    }

    #[test]
    fn outcomes_that_mean_the_same_have_one_label() {
        let attempted = |outcome| CallOutcome::Attempted {
            outcome,
            stopped: StopReason::NotRetryable,
        };
        for (outcome, label) in [
            (attempted(Outcome::Failure), "failure"),
            (attempted(Outcome::Exhausted), "failure"),
            (
                attempted(Outcome::ThrottledBelow { retry_after: None }),
                "throttled",
            ),
            (attempted(Outcome::Cancelled), "cancelled"),
            (attempted(Outcome::Rejected), "rejected"),
            (CallOutcome::GivenUp(Outcome::TimedOut), "timed_out"),
        ] {
            assert_eq!(outcome.label(), label);
            assert!(!outcome.is_success());
        }
        assert!(attempted(Outcome::Success).is_success());
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn an_event_is_as_large_as_the_documentation_says() {
        assert_eq!(size_of::<CallOutcome>(), 48);
        assert_eq!(size_of::<CallEvent<'_>>(), 88);
    }
}
