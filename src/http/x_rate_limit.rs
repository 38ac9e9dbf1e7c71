//! The three `X-RateLimit` headers.

use super::read_number;
use crate::limit::Standing;
use crate::time::{Duration, Instant};

/// The numbers of the headers `X-RateLimit-Limit`, `-Remaining` and `-Reset`.
///
/// They tell of one limit; where several apply, show the one nearest to saying no. Each is written
/// by [`write_number`](super::write_number). No standard defines them; these are the meanings that
/// most services give them.
///
/// ```
/// use steadfast::http::{MAX_NUMBER_LEN, XRateLimit, write_number};
/// use steadfast::{limit::Standing, time::{Instant, millis, secs}};
///
/// let standing =
///     Standing { limit: 100, window: secs(60), remaining: 49, full_in: millis(36_500) };
/// let numbers = XRateLimit::new(&standing, Instant::from_secs(1_700_000_000));
///
/// let mut buffer = [0; MAX_NUMBER_LEN];
/// assert_eq!(write_number(numbers.limit.into(), &mut buffer), Ok("100"));
/// assert_eq!(write_number(numbers.remaining.into(), &mut buffer), Ok("49"));
/// assert_eq!(write_number(numbers.reset, &mut buffer), Ok("1700000037"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct XRateLimit {
    /// The capacity.
    pub limit: u32,
    /// What would be granted now.
    pub remaining: u32,
    /// When the limit is full again, on a yes and on a no alike: seconds since 1970, rounded up.
    pub reset: u64,
}

impl XRateLimit {
    /// Where a limiter stands, when the Unix clock reads `unix_now`: nanoseconds since 1970, on a
    /// clock that need not be the limiter's own.
    ///
    /// A reset after the year 2554, where an [`Instant`] ends, is told as then. Costs one 64-bit
    /// division.
    pub const fn new(standing: &Standing, unix_now: Instant) -> Self {
        let full_at = unix_now.saturating_add(standing.full_in);
        Self {
            limit: standing.limit,
            remaining: standing.remaining,
            reset: Duration::from_nanos(full_at.as_nanos()).as_secs_ceil(),
        }
    }

    /// Reads `X-RateLimit-Reset` of an answer that comes at `unix_now`, nanoseconds since 1970: in
    /// how long the limit is full again.
    ///
    /// Services disagree on what the number is, and its size tells:
    ///
    /// | number | read as |
    /// |---|---|
    /// | below 10^9 | seconds from now: up to 31 years |
    /// | below 10^11 | seconds since 1970, from 2001 to 5138, as GitHub and this library write it |
    /// | any other | milliseconds since 1970, from 1973 on |
    ///
    /// `None` if it is no number or a time before `unix_now`, when nothing is known of the next
    /// reset. A device that does not know the time passes the answer's `Date`, or
    /// [`Instant::MAX`]: only seconds from now are read then. `X-RateLimit-Limit` and `-Remaining`
    /// are read by [`read_number`](super::read_number).
    ///
    /// ```
    /// use steadfast::{http::XRateLimit, time::{Instant, secs}};
    ///
    /// let now = Instant::from_secs(1_700_000_000);
    /// assert_eq!(XRateLimit::parse_reset("37", now), Some(secs(37)));
    /// assert_eq!(XRateLimit::parse_reset("1700000037", now), Some(secs(37)));
    /// assert_eq!(XRateLimit::parse_reset("1700000037000", now), Some(secs(37)));
    /// assert_eq!(XRateLimit::parse_reset("1699999999", now), None);
    /// ```
    pub fn parse_reset(value: &str, unix_now: Instant) -> Option<Duration> {
        let reset = match read_number(value)? {
            secs @ ..1_000_000_000 => return Some(Duration::from_secs(secs)),
            secs @ ..100_000_000_000 => Instant::from_secs(secs),
            millis => Instant::from_millis(millis),
        };
        Some(reset.since(unix_now)).filter(|_| reset >= unix_now && unix_now < Instant::MAX)
    }
}
