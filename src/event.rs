//! What happened, as values: for counters, logs and dashboards.
//!
//! A machine emits nothing by itself. Whoever asks it has the answer in hand and makes the event
//! of it, so that what is not observed costs nothing.

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
#[non_exhaustive]
pub enum LimitOutcome {
    /// It passed, and was charged.
    Granted,
    /// It had passed, and the charge was given back: another limit said no, say.
    Refunded,
    /// It did not pass.
    Denied(Denied),
    /// It passed because the limit is on trial; enforced, it would have been denied.
    WouldDeny(Denied),
    /// It passed without being looked at: a caller who is exempt, or has no limit.
    Exempt,
    /// It was refused because it carries nothing to limit it by.
    WithoutKey,
}

impl LimitOutcome {
    /// The outcome of a decision under `P`.
    pub fn of<P: Policy>(decision: &Result<P::Granted, Denied>) -> Self {
        match decision {
            Ok(granted) => P::would_deny(granted).map_or(Self::Granted, Self::WouldDeny),
            Err(denied) => Self::Denied(*denied),
        }
    }

    /// One word for a counter's label, the same in every version: `granted`,
    /// `refunded`, `denied`, `store_full`, `would_deny`, `exempt` or `without_key`.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Refunded => "refunded",
            Self::Denied(Denied::StoreFull { .. }) => "store_full",
            Self::Denied(_) => "denied",
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
    #[cfg(target_pointer_width = "64")]
    fn an_event_is_as_large_as_the_documentation_says() {
        assert_eq!(size_of::<LimitEvent<'_>>(), 56);
    }
}
