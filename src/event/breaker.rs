//! What a breaker did with one call, and what that changed.

use crate::breaker::{Phase, Rejected, Transition};
use crate::outcome::Outcome;
use crate::time::Instant;

/// What a breaker did. 48 bytes.
///
/// ```
/// use steadfast::breaker::{Breaker, BreakerState};
/// use steadfast::event::{BreakerEvent, BreakerOutcome};
/// use steadfast::{outcome::Outcome, time::Instant};
///
/// const MAIL: Breaker = Breaker::sensitive();
/// let mut state = BreakerState::CLOSED;
/// let now = Instant::from_secs(1);
/// let mut told = Vec::new();
/// for _ in 0..3 {
///     let permit = MAIL.try_enter(&mut state, now)?;
///     let outcome = Outcome::TimedOut;
///     let transition = MAIL.record(&mut state, now, permit, outcome);
///     told.push(BreakerOutcome::Recorded(outcome).label());
///     told.extend(transition.map(|transition| BreakerOutcome::Changed(transition).label()));
/// }
/// assert_eq!(told, ["failure", "failure", "failure", "opened"]);
/// let event = BreakerEvent {
///     breaker: "mail",
///     outcome: BreakerOutcome::Rejected(MAIL.try_enter(&mut state, now).unwrap_err()),
///     at: now,
/// };
/// assert_eq!(event.outcome.label(), "rejected");
/// # Ok::<(), steadfast::breaker::Rejected>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct BreakerEvent<'a> {
    /// The breaker's name.
    pub breaker: &'a str,
    /// What it did.
    pub outcome: BreakerOutcome,
    /// When, on the breaker's clock.
    pub at: Instant,
}

/// What a breaker did with a call, or that it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[non_exhaustive]
pub enum BreakerOutcome {
    /// A call has ended.
    Recorded(Outcome),
    /// A call was not made.
    Rejected(Rejected),
    /// It moved from one phase to another; or, [on trial](Transition::is_trial), would have.
    Changed(Transition),
}

impl BreakerOutcome {
    /// Every [`label`](Self::label) that there is.
    pub const LABELS: [&'static str; 14] = [
        "success",
        "failure",
        "not_counted",
        "rejected",
        "probes_out",
        "rejected_by_hand",
        "closed",
        "opened",
        "half_opened",
        "forced_open",
        "forced_closed",
        "disabled",
        "observe_only",
        "would_open",
    ];

    /// One word for a counter's label, the same in every version; one of [`LABELS`](Self::LABELS).
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Recorded(outcome) if outcome.is_success() => "success",
            Self::Recorded(outcome) if outcome.is_failure() => "failure",
            Self::Recorded(_) => "not_counted",
            Self::Rejected(Rejected::Open { .. }) => "rejected",
            Self::Rejected(Rejected::ProbesOut { .. }) => "probes_out",
            Self::Rejected(Rejected::ForcedOpen) => "rejected_by_hand",
            Self::Changed(transition) if transition.is_trial() => "would_open",
            Self::Changed(Transition { to, .. }) => match to {
                Phase::Closed => "closed",
                Phase::Open => "opened",
                Phase::HalfOpen => "half_opened",
                Phase::ForcedOpen => "forced_open",
                Phase::ForcedClosed => "forced_closed",
                Phase::Disabled => "disabled",
                Phase::ObserveOnly => "observe_only",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::Cause;
    use crate::time::secs;
    use crate::window::Totals;

    #[test]
    fn every_label_is_in_the_list_once() {
        let change = |from, to, cause| {
            BreakerOutcome::Changed(Transition {
                from,
                to,
                cause,
                totals: Totals::NONE,
            })
        };
        let retry_after = secs(1);
        let labels = [
            BreakerOutcome::Recorded(Outcome::Success),
            BreakerOutcome::Recorded(Outcome::Exhausted),
            BreakerOutcome::Recorded(Outcome::Ignored),
            BreakerOutcome::Rejected(Rejected::Open { retry_after }),
            BreakerOutcome::Rejected(Rejected::ProbesOut { retry_after }),
            BreakerOutcome::Rejected(Rejected::ForcedOpen),
            change(Phase::HalfOpen, Phase::Closed, Cause::Recovered),
            change(Phase::Closed, Phase::Open, Cause::Failures),
            change(Phase::Open, Phase::HalfOpen, Cause::OpenTimeOver),
            change(Phase::Closed, Phase::ForcedOpen, Cause::ByHand),
            change(Phase::Closed, Phase::ForcedClosed, Cause::ByHand),
            change(Phase::Closed, Phase::Disabled, Cause::ByHand),
            change(Phase::Closed, Phase::ObserveOnly, Cause::ByHand),
            change(Phase::ObserveOnly, Phase::Open, Cause::SlowRate),
        ]
        .map(|outcome| outcome.label());
        assert_eq!(labels, BreakerOutcome::LABELS);
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn an_event_is_as_large_as_the_documentation_says() {
        assert_eq!(size_of::<BreakerEvent<'_>>(), 48);
    }
}
