//! What cannot be told in the IETF headers.

use core::fmt;

use crate::time::Duration;

/// The largest integer that a structured field can carry: 15 digits (RFC 9651, section 3.3.1).
pub const MAX_INTEGER: u64 = 999_999_999_999_999;

/// A value that a [`QuotaPolicy`](super::QuotaPolicy) or a [`ServiceLimit`](super::ServiceLimit)
/// cannot carry.
///
/// ```
/// use steadfast::{http::{LimitName, QuotaPolicy}, time::millis};
///
/// let error = QuotaPolicy::new(LimitName::DEFAULT, 10, millis(1_500)).unwrap_err();
/// assert_eq!(error.to_string(), "window = 1.5s, allowed whole seconds from 1s");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[non_exhaustive]
pub enum ItemError {
    /// More than [`MAX_INTEGER`].
    TooLarge {
        /// Which of the values.
        field: &'static str,
        /// What it was.
        value: u64,
    },
    /// A window that is zero or not in whole seconds.
    Window {
        /// What it was.
        window: Duration,
    },
}

impl ItemError {
    /// `Ok` if a structured field can carry `value`.
    pub(super) const fn check(field: &'static str, value: u64) -> Result<(), Self> {
        if value > MAX_INTEGER {
            Err(Self::TooLarge { field, value })
        } else {
            Ok(())
        }
    }
}

impl fmt::Display for ItemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { field, value } => {
                write!(f, "{field} = {value}, allowed 0..={MAX_INTEGER}")
            }
            Self::Window { window } => {
                write!(f, "window = {window}, allowed whole seconds from 1s")
            }
        }
    }
}

impl core::error::Error for ItemError {}
