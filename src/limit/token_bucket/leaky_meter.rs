//! The leaky bucket as a meter: the token bucket, looked at from the other side.

use super::{TokenBucket, TokenBucketConfig};
use crate::time::Duration;

/// The leaky bucket as a meter: water is poured in, leaks out at a steady rate, and what would
/// overflow is refused. The same machine as [`TokenBucket`]: the water is the tokens that are
/// gone.
pub type LeakyMeter = TokenBucket;

impl TokenBucket {
    /// A bucket that holds `capacity` and leaks `leak` every `period`.
    ///
    /// The ranges are those of a token bucket of `leak` tokens every `period` and a burst of
    /// `capacity`.
    ///
    /// ```
    /// use steadfast::{limit::{LeakyMeter, TokenBucket}, policy, time::secs};
    ///
    /// const METER: LeakyMeter = policy!(LeakyMeter::leaking(5, secs(1), 10));
    /// const BUCKET: TokenBucket = policy!(TokenBucket::per_second(5).burst(10));
    /// assert_eq!(METER, BUCKET);
    /// ```
    pub const fn leaking(leak: u32, period: Duration, capacity: u32) -> TokenBucketConfig {
        Self::new(leak, period).burst(capacity)
    }
}
