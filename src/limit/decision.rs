//! The answers of a rate limiter.

use core::fmt;

use crate::time::{Duration, Instant};

/// Yes: the cost was taken. Keep it if the cost may have to be given back.
///
/// 24 bytes. It says what was taken and when, not what is left: that is worked out only when
/// asked for, so that a yes costs no division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Granted {
    /// From when on the grant may be used.
    pub(super) at: u64,
    /// Whole nanoseconds of the mark that the machine left: the bucket's arrival time, or the end
    /// of the window.
    pub(super) mark: u64,
    /// The rest of the mark.
    pub(super) part: u32,
    pub(super) cost: u32,
}

impl Granted {
    /// Cost zero: nothing was taken, so there is nothing to give back.
    pub(super) const fn nothing(at: u64) -> Self {
        Self {
            at,
            mark: 0,
            part: 0,
            cost: 0,
        }
    }

    /// From when on it may be used: the time of the call, or later for a reservation.
    pub const fn at(&self) -> Instant {
        Instant::from_nanos(self.at)
    }

    /// What was taken.
    pub const fn cost(&self) -> u32 {
        self.cost
    }
}

/// No: nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[non_exhaustive]
pub enum Denied {
    /// Over the limit. The same call succeeds after `retry_after`, if nobody else comes first,
    /// and not a nanosecond earlier.
    RateLimited {
        /// How long to wait; never zero.
        retry_after: Duration,
    },
    /// The cost is more than this limiter can ever grant at once. Waiting does not help.
    CostAboveCapacity {
        /// What was asked for.
        cost: u32,
        /// The most that can be granted.
        capacity: u32,
    },
    /// A keyed store that denies newcomers has no place for this key
    /// ([`WhenFull::Deny`](super::WhenFull::Deny)).
    StoreFull {
        /// When the first of the places it may lie in is free again; never zero.
        retry_after: Duration,
    },
}

impl Denied {
    /// How long to wait before asking again; `None` if waiting does not help.
    pub const fn retry_after(&self) -> Option<Duration> {
        match *self {
            Self::RateLimited { retry_after } | Self::StoreFull { retry_after } => {
                Some(retry_after)
            }
            Self::CostAboveCapacity { .. } => None,
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RateLimited { retry_after } => {
                write!(f, "rate limited, retry after {retry_after}")
            }
            Self::CostAboveCapacity { cost, capacity } => {
                write!(f, "cost = {cost}, allowed 0..={capacity}")
            }
            Self::StoreFull { retry_after } => {
                write!(f, "no place for this key, retry after {retry_after}")
            }
        }
    }
}

impl core::error::Error for Denied {}

/// Where a limiter stands, as its headers tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Standing {
    /// The capacity: what a full limiter grants at once.
    pub limit: u32,
    /// How long the limiter takes to give out `limit` again: the window, or the time in which an
    /// empty bucket fills.
    pub window: Duration,
    /// What would be granted now.
    pub remaining: u32,
    /// How long until it is full again; zero if it is.
    pub full_in: Duration,
}

impl Standing {
    /// Of a caller without a limit.
    pub(super) const UNLIMITED: Self = Self {
        limit: u32::MAX,
        window: Duration::ZERO,
        remaining: u32::MAX,
        full_in: Duration::ZERO,
    };

    /// Is this limit nearer to saying no than the other? Of two that are as near, the one that
    /// takes longer to be full is.
    pub(super) fn is_nearer_to_no_than(&self, other: &Self) -> bool {
        let as_near = self.remaining == other.remaining;
        self.remaining < other.remaining || as_near && self.full_in > other.full_in
    }

    /// Is there no limit at all ([`AnyPolicy::Unlimited`](super::AnyPolicy::Unlimited))? Of a
    /// limit the window is never zero.
    pub const fn is_unlimited(&self) -> bool {
        self.window.as_nanos() == 0
    }
}
