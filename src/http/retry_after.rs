//! The `Retry-After` header.

use core::fmt;

use super::{BufferTooSmall, write_number};
use crate::time::Duration;

/// The `Retry-After` header: how long to wait, in whole seconds, rounded up and at least 1.
///
/// Rounded up so that a client that waits as told is not denied for having come a moment early;
/// at least 1 since 0 would invite it to come back at once. Source: RFC 9110, section 10.2.3.
///
/// ```
/// use steadfast::{http::RetryAfter, time::millis};
///
/// let mut buffer = [0; RetryAfter::MAX_LEN];
/// assert_eq!(RetryAfter::new(millis(44_001)).write(&mut buffer), Ok("45"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RetryAfter(u64);

impl fmt::Display for RetryAfter {
    /// The header's value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl RetryAfter {
    /// The bytes that the value takes at most: those of [`Duration::MAX`].
    pub const MAX_LEN: usize = "18446744074".len();

    /// To come back after `wait`.
    pub const fn new(wait: Duration) -> Self {
        let secs = wait.as_secs_ceil();
        Self(if secs == 0 { 1 } else { secs })
    }

    /// Seconds to wait: 1 to 18,446,744,074.
    pub const fn secs(self) -> u64 {
        self.0
    }

    /// Writes the seconds.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`]; never with [`MAX_LEN`](Self::MAX_LEN) bytes.
    pub fn write(self, buffer: &mut [u8]) -> Result<&str, BufferTooSmall> {
        write_number(self.0, buffer)
    }
}
