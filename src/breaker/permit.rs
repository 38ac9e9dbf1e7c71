//! What a breaker says to who would like to call: a permit, or a no.

use core::fmt;

use super::transition::{Cause, Phase, Transition};
use crate::time::{Duration, Instant};
use crate::window::Totals;

/// Generations have 30 bits, so that one fits a word with two bits beside it.
pub(super) const GENERATIONS: u32 = (1 << 30) - 1;

/// No probe.
pub(super) const NO_TICKET: u32 = 0;
/// The first probe after the breaker was open.
pub(super) const FIRST: u32 = 1;
/// The first probe after the breaker was forced open for a time.
pub(super) const FIRST_AFTER_FORCED: u32 = 2;
/// Probes after the first.
pub(super) const FURTHER: u32 = 3;

/// The right to make one call, and the proof of it when its result is recorded. 16 bytes.
///
/// It carries the generation of its breaker, which changes with every phase: a result that comes
/// back when the breaker has moved on changes nothing. In half-open it carries a ticket too, so a
/// probe's result counts once, and a probe that was written off does not count in another's place.
///
/// While the breaker is closed, calls have no tickets: whoever records the same permit twice counts
/// its result twice. [`Entered`](super::Entered) records once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[must_use = "a permit whose result is never recorded holds its probe until the lease ends"]
pub struct Permit {
    /// When it was given, where that matters.
    pub(super) at: Instant,
    pub(super) generation: u32,
    pub(super) ticket: u32,
}

impl Permit {
    /// A call that no breaker watches: recording it changes nothing.
    pub const UNGUARDED: Self = Self {
        at: Instant::ZERO,
        generation: u32::MAX,
        ticket: NO_TICKET,
    };

    /// Is the call a probe, in half-open?
    pub const fn is_probe(&self) -> bool {
        self.ticket != NO_TICKET
    }

    /// In which generation of the breaker it was given.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// What changed by giving it: the first probe turns the breaker from open to half-open.
    pub const fn transition(&self) -> Option<Transition> {
        let from = match self.ticket {
            FIRST => Phase::Open,
            FIRST_AFTER_FORCED => Phase::ForcedOpen,
            _ => return None,
        };
        Some(Transition {
            from,
            to: Phase::HalfOpen,
            cause: Cause::OpenTimeOver,
            totals: Totals::NONE,
        })
    }
}

/// The breaker said no: the call was not made.
///
/// To a client of ours it is a 503 with `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub enum Rejected {
    /// It is open.
    Open {
        /// The exact time until a probe may go.
        retry_after: Duration,
    },
    /// It is half-open, and as many probes as may be are out.
    ProbesOut {
        /// Until the first of them is written off. One that returns earlier makes room, or
        /// decides the matter, so it may be worth asking before.
        retry_after: Duration,
    },
    /// Someone holds it open, without an end.
    ForcedOpen,
}

impl Rejected {
    /// When to come back; `None` if nobody knows.
    ///
    /// While the breaker is open it is exact: a nanosecond earlier the answer is no. It does not
    /// promise a yes, since others may come back at the same instant.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Open { retry_after } | Self::ProbesOut { retry_after } => Some(*retry_after),
            Self::ForcedOpen => None,
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { retry_after } => {
                write!(f, "the breaker is open: a probe may go in {retry_after}")
            }
            Self::ProbesOut { retry_after } => {
                write!(
                    f,
                    "the breaker is half-open and its probes are out, the first for {retry_after} \
                     more at most"
                )
            }
            Self::ForcedOpen => f.write_str("the breaker is held open"),
        }
    }
}

impl core::error::Error for Rejected {}
