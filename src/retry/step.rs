//! What a session answers: again at that instant, or no more, and why.

use core::fmt;

use super::BudgetSpent;
use crate::time::{Duration, Instant};

/// What to do after an attempt. 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[must_use = "it says whether to try again"]
pub enum Step {
    /// Try again at this instant, not before. It is never at or after the deadline, and it may be
    /// now.
    RetryAt(Instant),
    /// Do not try again. What the last attempt brought is the answer.
    Stop(StopReason),
}

impl Step {
    /// Every [`label`](Self::label) that there is: `retry`, and those of a [`StopReason`].
    pub const LABELS: [&'static str; 15] = [
        "retry",
        "succeeded",
        "not_retryable",
        "not_repeatable",
        "attempts_spent",
        "elapsed_spent",
        "deadline_too_near",
        "budget_spent",
        "server_delay_too_long",
        "retried_below",
        "cancelled",
        "rejected",
        "breaker_opened",
        "probe",
        "already_stopped",
    ];

    /// One word for a counter's label, the same in every version; one of [`LABELS`](Self::LABELS).
    pub const fn label(&self) -> &'static str {
        match self {
            Self::RetryAt(_) => "retry",
            Self::Stop(reason) => reason.label(),
        }
    }

    /// How long to wait from `now` on before the next attempt; `None` if there is none.
    pub const fn delay(&self, now: Instant) -> Option<Duration> {
        match self {
            Self::RetryAt(at) => Some(at.since(now)),
            Self::Stop(_) => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RetryAt(at) => {
                let since = at.since(Instant::ZERO);
                write!(f, "retry at {since} after the clock's start")
            }
            Self::Stop(reason) => write!(f, "stop: {reason}"),
        }
    }
}

/// Why there is no further attempt. 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[non_exhaustive]
pub enum StopReason {
    /// It worked.
    Succeeded,
    /// It would fail again, or the answer is a no that is meant: [`Outcome::Failure`],
    /// [`Outcome::Ignored`].
    ///
    /// [`Outcome::Failure`]: crate::outcome::Outcome::Failure
    /// [`Outcome::Ignored`]: crate::outcome::Outcome::Ignored
    NotRetryable,
    /// Doing it twice may do harm: [`Retry::not_repeatable`](super::Retry::not_repeatable). Also of a
    /// [`Failure`](crate::outcome::Outcome::Failure), and in a [`Call`](crate::call::Call) whatever
    /// the breaker says, so that no layer above does it twice either.
    NotRepeatable,
    /// There were as many attempts as the policy allows.
    AttemptsSpent {
        /// How many there were.
        attempts: u32,
    },
    /// The retry would begin later than [`max_elapsed`](super::RetryPolicyConfig::max_elapsed) after
    /// the start.
    ElapsedSpent {
        /// When it would have begun, from the start.
        elapsed: Duration,
        /// What is allowed.
        allowed: Duration,
    },
    /// The retry would begin at or after the deadline.
    DeadlineTooNear {
        /// How long the wait would have been.
        delay: Duration,
        /// How long it was until the deadline.
        left: Duration,
    },
    /// The retries of everyone who shares the budget have used it up.
    BudgetSpent(BudgetSpent),
    /// The server asks for a longer wait than
    /// [`max_server_delay`](super::RetryPolicyConfig::max_server_delay).
    ServerDelayTooLong {
        /// What it asks for.
        asked: Duration,
        /// What is allowed.
        allowed: Duration,
    },
    /// A layer below has already retried it, or must not: [`Outcome::Exhausted`],
    /// [`Outcome::ThrottledBelow`].
    ///
    /// [`Outcome::Exhausted`]: crate::outcome::Outcome::Exhausted
    /// [`Outcome::ThrottledBelow`]: crate::outcome::Outcome::ThrottledBelow
    RetriedBelow,
    /// The caller left.
    Cancelled,
    /// Something on this side said no: [`Outcome::Rejected`].
    ///
    /// [`Outcome::Rejected`]: crate::outcome::Outcome::Rejected
    Rejected,
    /// The circuit breaker around each attempt has opened.
    BreakerOpened,
    /// The circuit breaker around the call is half-open, and a probe is one attempt.
    Probe,
    /// The session had stopped before; this outcome is late or came twice, and changes nothing.
    AlreadyStopped,
}

impl StopReason {
    /// One word for a counter's label, the same in every version; one of [`Step::LABELS`].
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::NotRetryable => "not_retryable",
            Self::NotRepeatable => "not_repeatable",
            Self::AttemptsSpent { .. } => "attempts_spent",
            Self::ElapsedSpent { .. } => "elapsed_spent",
            Self::DeadlineTooNear { .. } => "deadline_too_near",
            Self::BudgetSpent(_) => "budget_spent",
            Self::ServerDelayTooLong { .. } => "server_delay_too_long",
            Self::RetriedBelow => "retried_below",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::BreakerOpened => "breaker_opened",
            Self::Probe => "probe",
            Self::AlreadyStopped => "already_stopped",
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeded => f.write_str("it worked"),
            Self::NotRetryable => f.write_str("another attempt would not help"),
            Self::NotRepeatable => f.write_str("doing it twice may do harm"),
            Self::AttemptsSpent { attempts } => write!(f, "attempt {attempts} was the last"),
            Self::ElapsedSpent { elapsed, allowed } => {
                write!(
                    f,
                    "a retry {elapsed} after the start, allowed up to {allowed}"
                )
            }
            Self::DeadlineTooNear { delay, left } => {
                write!(f, "a retry in {delay}, deadline in {left}")
            }
            Self::BudgetSpent(spent) => spent.fmt(f),
            Self::ServerDelayTooLong { asked, allowed } => {
                write!(f, "the server asks for {asked}, allowed up to {allowed}")
            }
            Self::RetriedBelow => f.write_str("a layer below says not to retry it"),
            Self::Cancelled => f.write_str("the caller left"),
            Self::Rejected => f.write_str("it was never sent"),
            Self::BreakerOpened => f.write_str("the breaker has opened"),
            Self::Probe => f.write_str("it was a probe, which is one attempt"),
            Self::AlreadyStopped => f.write_str("the session had stopped before"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_in_the_list_once() {
        let reasons = [
            StopReason::Succeeded,
            StopReason::NotRetryable,
            StopReason::NotRepeatable,
            StopReason::AttemptsSpent { attempts: 4 },
            StopReason::ElapsedSpent {
                elapsed: Duration::ZERO,
                allowed: Duration::ZERO,
            },
            StopReason::DeadlineTooNear {
                delay: Duration::ZERO,
                left: Duration::ZERO,
            },
            StopReason::BudgetSpent(BudgetSpent { left: 0, needed: 5 }),
            StopReason::ServerDelayTooLong {
                asked: Duration::ZERO,
                allowed: Duration::ZERO,
            },
            StopReason::RetriedBelow,
            StopReason::Cancelled,
            StopReason::Rejected,
            StopReason::BreakerOpened,
            StopReason::Probe,
            StopReason::AlreadyStopped,
        ];
        let (first, others) = Step::LABELS.split_first().unwrap();
        assert_eq!(Step::RetryAt(Instant::ZERO).label(), *first);
        assert_eq!(
            reasons.map(|reason| Step::Stop(reason).label()).as_slice(),
            others
        );
    }
}
