//! The three `X-RateLimit` headers.

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
}
