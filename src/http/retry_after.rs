//! The `Retry-After` header.

use core::fmt;

use super::{BufferTooSmall, parse_http_date, read_number, write_number};
use crate::time::{Duration, Instant};

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
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
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

    /// Reads the header of an answer that comes at `unix_now`, nanoseconds since 1970: how long to
    /// wait from then.
    ///
    /// The value is whole seconds or one of the three dates of [`parse_http_date`]. `None`, and so
    /// as if the header were absent, for a wait of zero, a date that is not after `unix_now`, and
    /// anything else: a sign, a fraction, nothing. Seconds are read as they are, however many;
    /// above [`Duration::MAX`], about 584 years, they read as that. Whoever waits sets a limit of
    /// their own.
    ///
    /// A device that does not know the time passes the answer's `Date`, or [`Instant::MAX`]: every
    /// date is past then, and only seconds are read. Costs one pass over the value.
    ///
    /// ```
    /// use steadfast::{http::RetryAfter, time::{Instant, secs}};
    ///
    /// let now = Instant::from_secs(784_111_770);
    /// assert_eq!(RetryAfter::parse("120", now), Some(secs(120)));
    /// assert_eq!(RetryAfter::parse("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(secs(7)));
    /// assert_eq!(RetryAfter::parse("Sun, 06 Nov 1994 08:49:30 GMT", now), None);
    /// assert_eq!(RetryAfter::parse("0", now), None);
    /// assert_eq!(RetryAfter::parse("1.5", now), None);
    /// ```
    pub fn parse(value: &str, unix_now: Instant) -> Option<Duration> {
        let wait = match read_number(value) {
            Some(secs) => Duration::from_secs(secs),
            None => parse_http_date(value, unix_now)?.since(unix_now),
        };
        Some(wait).filter(|wait| *wait > Duration::ZERO)
    }
}
