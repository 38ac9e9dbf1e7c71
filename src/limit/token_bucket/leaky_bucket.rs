//! The leaky bucket as a queue: it spaces what is sent, and says when each may go.

use super::{TokenBucket, TokenBucketConfig};
use crate::time::Duration;

/// The leaky bucket as a shaper: one departure each interval, never two at once, and a bounded
/// queue. The same machine as [`TokenBucket`] with a burst of one, asked by
/// [`reserve`](crate::limit::Reserve::reserve), which says when to send.
pub type LeakyBucket = TokenBucket;

impl TokenBucket {
    /// One departure each `interval`, and up to `queue` waiting.
    ///
    /// `interval` is 1 ns to [`MAX_WAIT`](crate::limit::MAX_WAIT), and times `queue + 1` at most
    /// that.
    ///
    /// ```
    /// use steadfast::{limit::{LeakyBucket, RateLimiter}, policy, time::{Instant, millis, secs}};
    ///
    /// let mut radio = RateLimiter::new(policy!(LeakyBucket::spacing(millis(50), 2)));
    /// let now = Instant::from_secs(9);
    /// let mut send_at = || radio.reserve(now, 1, secs(1)).map(|reserved| reserved.at());
    /// assert_eq!(send_at(), Ok(now));
    /// assert_eq!(send_at(), Ok(now + millis(50)));
    /// assert_eq!(send_at(), Ok(now + millis(100)));
    /// assert!(send_at().is_err(), "the queue is full");
    /// ```
    pub const fn spacing(interval: Duration, queue: u32) -> TokenBucketConfig {
        Self::new(1, interval).reserve_ahead(interval.saturating_mul(queue as u64))
    }
}
