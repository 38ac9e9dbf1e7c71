//! GCRA: the token bucket, configured by its emission interval.

use super::{TokenBucket, TokenBucketConfig};
use crate::time::Duration;

/// The generic cell rate algorithm (ITU-T I.371, "virtual scheduling"): the same machine as
/// [`TokenBucket`], configured in time instead of tokens.
pub type Gcra = TokenBucket;

impl TokenBucket {
    /// One token each `interval`, and up to `tolerance` early.
    ///
    /// The same limiter as a token bucket of `1 + tolerance / interval` tokens. The tolerance
    /// need not be a whole number of intervals. `interval` is 1 ns to
    /// [`MAX_WAIT`](crate::limit::MAX_WAIT), and with `tolerance` at most that.
    ///
    /// ```
    /// use steadfast::{limit::{Gcra, Policy, TokenBucket}, policy, time::millis};
    ///
    /// const CELLS: Gcra = policy!(Gcra::every(millis(200), millis(800)));
    /// const TOKENS: TokenBucket = policy!(TokenBucket::per_second(5));
    /// assert_eq!(CELLS, TOKENS);
    /// ```
    pub const fn every(interval: Duration, tolerance: Duration) -> TokenBucketConfig {
        Self::with_tolerance(interval, tolerance)
    }
}
