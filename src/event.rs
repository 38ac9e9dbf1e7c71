//! What happened, as values: for counters, logs and dashboards.
//!
//! A machine emits nothing by itself. Whoever asks it has the answer in hand and makes the event
//! of it, so that what is not observed costs nothing.

mod breaker;
mod call;
mod fallback;
mod one_line;
mod retry;

pub use breaker::{BreakerEvent, BreakerOutcome};
pub use call::{CallEvent, CallOutcome};
pub use fallback::FallbackEvent;
pub use retry::RetryEvent;

use crate::limit::{Denied, Policy};
use crate::time::Instant;

/// What a rate limit did with one request. 56 bytes.
///
/// ```
/// use steadfast::event::{LimitEvent, LimitOutcome};
/// use steadfast::{limit::{RateLimiter, TokenBucket}, policy, time::Instant};
///
/// let mut radio = RateLimiter::new(policy!(TokenBucket::per_second(1)));
/// let now = Instant::from_secs(1);
/// let decision = radio.try_acquire(now);
/// let event = LimitEvent {
///     limit: "radio",
///     outcome: LimitOutcome::of::<TokenBucket>(&decision),
///     cost: 1,
///     at: now,
/// };
/// assert_eq!(event.outcome.label(), "granted");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct LimitEvent<'a> {
    /// The limit's name.
    pub limit: &'a str,
    /// What became of the request.
    pub outcome: LimitOutcome,
    /// What was asked for.
    pub cost: u32,
    /// When, on the limiter's clock.
    pub at: Instant,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[non_exhaustive]
pub enum LimitOutcome {
    /// It passed, and was charged.
    Granted,
    /// It had passed, and the charge was given back: another limit said no, say.
    Refunded,
    /// It did not pass.
    Denied(Denied),
    /// It did not pass, though its key may have done nothing: in a full table there was no place
    /// for it, and the limiter that newcomers share said no.
    DeniedShared(Denied),
    /// It would have been denied, and passed marked, to be answered with less.
    Degraded(Denied),
    /// It passed because the limit is on trial; enforced, it would have been denied.
    WouldDeny(Denied),
    /// It passed uncounted: a caller who is exempt, or has no limit.
    Exempt,
    /// It was refused because it carries nothing to limit it by.
    WithoutKey,
}

impl LimitOutcome {
    /// What the limit said, if it said no.
    pub const fn denied(&self) -> Option<&Denied> {
        match self {
            Self::Denied(denied)
            | Self::DeniedShared(denied)
            | Self::Degraded(denied)
            | Self::WouldDeny(denied) => Some(denied),
            _ => None,
        }
    }

    /// The outcome of a decision under `P`.
    pub fn of<P: Policy>(decision: &Result<P::Granted, Denied>) -> Self {
        match decision {
            Ok(granted) => P::would_deny(granted).map_or(Self::Granted, Self::WouldDeny),
            Err(denied) => Self::Denied(*denied),
        }
    }

    /// Every [`label`](Self::label) that there is.
    pub const LABELS: [&'static str; 9] = [
        "granted",
        "refunded",
        "denied",
        "denied_shared",
        "store_full",
        "degraded",
        "would_deny",
        "exempt",
        "without_key",
    ];

    /// One word for a counter's label, the same in every version; one of [`LABELS`](Self::LABELS).
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Refunded => "refunded",
            Self::Denied(Denied::StoreFull { .. }) => "store_full",
            Self::Denied(_) => "denied",
            Self::DeniedShared(_) => "denied_shared",
            Self::Degraded(_) => "degraded",
            Self::WouldDeny(_) => "would_deny",
            Self::Exempt => "exempt",
            Self::WithoutKey => "without_key",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_in_the_list_once() {
        let denied = Denied::CostAboveCapacity {
            cost: 2,
            capacity: 1,
        };
        let full = Denied::StoreFull {
            retry_after: crate::time::secs(1),
        };
        let labels = [
            LimitOutcome::Granted,
            LimitOutcome::Refunded,
            LimitOutcome::Denied(denied),
            LimitOutcome::DeniedShared(denied),
            LimitOutcome::Denied(full),
            LimitOutcome::Degraded(denied),
            LimitOutcome::WouldDeny(denied),
            LimitOutcome::Exempt,
            LimitOutcome::WithoutKey,
        ]
        .map(|outcome| outcome.label());
        assert_eq!(labels, LimitOutcome::LABELS);
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn an_event_is_as_large_as_the_documentation_says() {
        assert_eq!(size_of::<LimitEvent<'_>>(), 56);
    }
}
