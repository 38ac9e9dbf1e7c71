//! What became of a call, as retry and breaker see it: one classification, which both read.

use crate::time::Duration;

/// What a call's result means.
///
/// | outcome | is it retried? | does a breaker count it? | for example |
/// |---|---|---|---|
/// | [`Success`](Self::Success) | no | as a success | 200 |
/// | [`Transient`](Self::Transient) | yes | as a failure | no connection, 500, 503 |
/// | [`TimedOut`](Self::TimedOut) | yes | as a failure | no answer within the time |
/// | [`Throttled`](Self::Throttled) | yes, later | no | 429 |
/// | [`Failure`](Self::Failure) | no | as a failure | 501, an answer that nobody can read |
/// | [`Exhausted`](Self::Exhausted) | no | as a failure | a layer below has retried it in vain, or must not |
/// | [`ThrottledBelow`](Self::ThrottledBelow) | no | no | a layer below has retried a 429 in vain, or must not |
/// | [`Ignored`](Self::Ignored) | no | no; as a probe it is an answer | 404, "out of stock" |
/// | [`Cancelled`](Self::Cancelled) | no | no | the caller left |
/// | [`Rejected`](Self::Rejected) | no | no | a breaker or limiter of ours said no |
///
/// What is not known counts: an error that nobody has classified is [`Transient`](Self::Transient).
///
/// ```
/// use steadfast::outcome::Outcome;
///
/// let answer: Result<u32, &str> = Err("connection refused");
/// assert_eq!(Outcome::of(&answer), Outcome::TRANSIENT);
/// assert!(Outcome::of(&answer).is_failure());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[non_exhaustive]
pub enum Outcome {
    /// It worked.
    Success,
    /// It failed, and may work if it is done again.
    Transient {
        /// How long the other side asks to wait, if it does.
        retry_after: Option<Duration>,
    },
    /// No answer came in time. Whether it was done is not known.
    TimedOut,
    /// The other side is well and asks for fewer calls.
    Throttled {
        /// How long it asks to wait, if it says so.
        retry_after: Option<Duration>,
    },
    /// It failed, through no fault of the caller, and would fail again.
    Failure,
    /// It failed, and a layer below has already retried it, or must not. Retrying it here as well
    /// would multiply the load: three layers of four attempts are 64 calls.
    Exhausted,
    /// [`Throttled`](Self::Throttled), and a layer below has already retried it, or must not.
    ThrottledBelow {
        /// How long the other side asks to wait, if it says so.
        retry_after: Option<Duration>,
    },
    /// An answer that is no success and no failure of the other side: the caller's mistake, or a no
    /// of its business.
    Ignored,
    /// The caller did not wait for the answer.
    Cancelled,
    /// It was never sent: something on this side said no.
    Rejected,
}

impl Outcome {
    /// A transient failure without a word about when to come back.
    pub const TRANSIENT: Self = Self::Transient { retry_after: None };

    /// The outcome of a result about which nothing else is known: `Ok` is a success, and `Err` is
    /// transient.
    pub const fn of<T, E>(result: &Result<T, E>) -> Self {
        match result {
            Ok(_) => Self::Success,
            Err(_) => Self::TRANSIENT,
        }
    }

    /// May it be done again, if doing it twice does no harm?
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Transient { .. } | Self::TimedOut | Self::Throttled { .. }
        )
    }

    /// Does it speak against the other side's health?
    pub const fn is_failure(&self) -> bool {
        matches!(
            self,
            Self::Transient { .. } | Self::TimedOut | Self::Failure | Self::Exhausted
        )
    }

    /// Did it work?
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Success)
    }

    /// How long the other side asks to wait.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Transient { retry_after }
            | Self::Throttled { retry_after }
            | Self::ThrottledBelow { retry_after } => *retry_after,
            _ => None,
        }
    }

    /// Every [`label`](Self::label) that there is.
    pub const LABELS: [&'static str; 10] = [
        "success",
        "transient",
        "timed_out",
        "throttled",
        "failure",
        "exhausted",
        "ignored",
        "cancelled",
        "rejected",
        "throttled_below",
    ];

    /// One word for a counter's label, the same in every version; one of [`LABELS`](Self::LABELS).
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Transient { .. } => "transient",
            Self::TimedOut => "timed_out",
            Self::Throttled { .. } => "throttled",
            Self::Failure => "failure",
            Self::Exhausted => "exhausted",
            Self::ThrottledBelow { .. } => "throttled_below",
            Self::Ignored => "ignored",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_in_the_list_once() {
        let labels = [
            Outcome::Success,
            Outcome::TRANSIENT,
            Outcome::TimedOut,
            Outcome::Throttled { retry_after: None },
            Outcome::Failure,
            Outcome::Exhausted,
            Outcome::Ignored,
            Outcome::Cancelled,
            Outcome::Rejected,
            Outcome::ThrottledBelow { retry_after: None },
        ]
        .map(|outcome| outcome.label());
        assert_eq!(labels, Outcome::LABELS);
    }
}
