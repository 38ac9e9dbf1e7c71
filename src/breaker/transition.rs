//! The phases of a breaker, and what a change from one to another tells.

use core::fmt;

use crate::window::Totals;

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub enum Phase {
    /// Calls pass and are counted.
    Closed,
    /// No call passes, until the open time is over.
    Open,
    /// A few probes pass.
    HalfOpen,
    /// Someone holds it open: no call passes.
    ForcedOpen,
    /// Someone holds it closed: calls pass and are counted, and it does not open.
    ForcedClosed,
    /// It is switched off: calls pass and nothing is counted.
    Disabled,
    /// It is on trial: calls pass and are counted, and it tells when it would open.
    ObserveOnly,
}

impl Phase {
    /// Every [`label`](Self::label) that there is.
    pub const LABELS: [&'static str; 7] = [
        "closed",
        "open",
        "half_open",
        "forced_open",
        "forced_closed",
        "disabled",
        "observe_only",
    ];

    /// One word for a label, the same in every version; one of [`LABELS`](Self::LABELS).
    pub const fn label(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::ForcedClosed => "forced_closed",
            Self::Disabled => "disabled",
            Self::ObserveOnly => "observe_only",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// Why a breaker changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[non_exhaustive]
pub enum Cause {
    /// So many failures in a row.
    Failures,
    /// Too large a share of the calls failed.
    FailureRate,
    /// Too large a share of the calls took too long.
    SlowRate,
    /// The open time is over, and the first probe goes.
    OpenTimeOver,
    /// A probe failed.
    ProbeFailed,
    /// A probe worked, and took too long.
    ProbeSlow,
    /// Enough probes worked.
    Recovered,
    /// Someone changed it.
    ByHand,
}

impl Cause {
    /// Every [`label`](Self::label) that there is.
    pub const LABELS: [&'static str; 8] = [
        "failures",
        "failure_rate",
        "slow_rate",
        "open_time_over",
        "probe_failed",
        "probe_slow",
        "recovered",
        "by_hand",
    ];

    /// One word for a label, the same in every version; one of [`LABELS`](Self::LABELS).
    pub const fn label(self) -> &'static str {
        match self {
            Self::Failures => "failures",
            Self::FailureRate => "failure_rate",
            Self::SlowRate => "slow_rate",
            Self::OpenTimeOver => "open_time_over",
            Self::ProbeFailed => "probe_failed",
            Self::ProbeSlow => "probe_slow",
            Self::Recovered => "recovered",
            Self::ByHand => "by_hand",
        }
    }
}

/// A breaker changed from one phase to another, and why. 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[must_use = "log it, or say that nobody needs to know"]
pub struct Transition {
    /// From where.
    pub from: Phase,
    /// To where.
    pub to: Phase,
    /// Why.
    pub cause: Cause,
    /// What was counted in the phase that ended: the calls that opened it, or, in half-open, the
    /// probes.
    pub totals: Totals,
}

impl Transition {
    /// Is it what would have happened, told by a breaker that
    /// [only observes](super::Breaker::observe_only)?
    pub const fn is_trial(&self) -> bool {
        matches!(
            (self.from, self.to, self.cause),
            (
                Phase::ObserveOnly,
                Phase::Open,
                Cause::Failures | Cause::FailureRate | Cause::SlowRate
            )
        )
    }
}

impl fmt::Display for Transition {
    /// For a log: `closed -> open: 5 failures in a row`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals {
            calls,
            failures,
            slow,
        } = self.totals;
        write!(f, "{} -> {}: ", self.from, self.to)?;
        match self.cause {
            Cause::Failures => write!(f, "{failures} failures in a row"),
            Cause::FailureRate => write!(f, "{failures} of {calls} calls failed"),
            Cause::SlowRate => write!(f, "{slow} of {calls} calls took too long"),
            Cause::OpenTimeOver => f.write_str("the open time is over"),
            Cause::ProbeFailed => f.write_str("a probe failed"),
            Cause::ProbeSlow => f.write_str("a probe took too long"),
            Cause::Recovered => {
                let probes = if calls == 1 { "probe" } else { "probes" };
                write!(f, "{calls} {probes} worked")
            }
            Cause::ByHand => f.write_str("by hand"),
        }
    }
}
