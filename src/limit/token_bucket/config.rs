//! How a token bucket is configured, and what is allowed.

use super::TokenBucket;
use crate::config::ConfigError;
use crate::limit::MAX_WAIT;
use crate::limit::quotient::quotient;
use crate::limit::span::Span;
use crate::time::{Duration, days, hours, minutes, secs};

/// A token bucket being configured; [`build`](Self::build) or [`policy!`](crate::policy) checks it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct TokenBucketConfig {
    count: u32,
    period: Duration,
    depth: Depth,
    ahead: Duration,
}

/// How much may come at once.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
enum Depth {
    Tokens(u32),
    /// On top of one token; how GCRA says it.
    Tolerance(Duration),
}

impl TokenBucket {
    /// `count` tokens every `period`, and as many at once; [`burst`](TokenBucketConfig::burst)
    /// sets another burst.
    ///
    /// `count` is 1 to `u32::MAX`; `period` is 1 ns to [`MAX_WAIT`].
    pub const fn new(count: u32, period: Duration) -> TokenBucketConfig {
        TokenBucketConfig {
            count,
            period,
            depth: Depth::Tokens(count),
            ahead: Duration::ZERO,
        }
    }

    /// `count` tokens a second: 5 means one every 200 ms, not one every 5 s.
    pub const fn per_second(count: u32) -> TokenBucketConfig {
        Self::new(count, secs(1))
    }

    /// `count` tokens a minute.
    pub const fn per_minute(count: u32) -> TokenBucketConfig {
        Self::new(count, minutes(1))
    }

    /// `count` tokens an hour.
    pub const fn per_hour(count: u32) -> TokenBucketConfig {
        Self::new(count, hours(1))
    }

    /// `count` tokens every 24 hours.
    pub const fn per_day(count: u32) -> TokenBucketConfig {
        Self::new(count, days(1))
    }

    /// The configuration of GCRA; see [`Gcra`](super::Gcra).
    pub(super) const fn with_tolerance(
        interval: Duration,
        tolerance: Duration,
    ) -> TokenBucketConfig {
        TokenBucketConfig {
            count: 1,
            period: interval,
            depth: Depth::Tolerance(tolerance),
            ahead: Duration::ZERO,
        }
    }
}

impl TokenBucketConfig {
    /// How many tokens may be taken at once, 1 to `u32::MAX`; filling them may take at most
    /// [`MAX_WAIT`].
    #[must_use]
    pub const fn burst(mut self, tokens: u32) -> Self {
        self.depth = Depth::Tokens(tokens);
        self
    }

    /// How far ahead [`reserve`](crate::limit::Reserve::reserve) may promise, and how far below
    /// empty [`charge`](crate::limit::Reserve::charge) may go: debt and reservations share one
    /// bound. Zero unless set; together with the time that the burst takes to fill at most
    /// [`MAX_WAIT`].
    #[must_use]
    pub const fn reserve_ahead(mut self, longest: Duration) -> Self {
        self.ahead = longest;
        self
    }

    /// [`reserve_ahead`](Self::reserve_ahead) by another name, for those who
    /// [`charge`](crate::limit::Reserve::charge): a debt that takes at most `longest` to pay off.
    /// The later of the two calls counts.
    #[must_use]
    pub const fn debt_up_to(self, longest: Duration) -> Self {
        self.reserve_ahead(longest)
    }

    /// Checks the whole and makes the policy.
    ///
    /// # Errors
    ///
    /// The first field that is out of range: `count`, `period (ns)`, `burst`, `tolerance (ns)`
    /// or `reserve_ahead (ns)`.
    pub const fn build(self) -> Result<TokenBucket, ConfigError> {
        let period = self.period.as_nanos();
        let longest = MAX_WAIT.as_nanos();
        if let Err(error) = ConfigError::check("count", self.count as u64, 1, u32::MAX as u64) {
            return Err(error);
        }
        if let Err(error) = ConfigError::check("period (ns)", period, 1, longest) {
            return Err(error);
        }
        let shared = gcd(self.count as u64, period);
        let parts = quotient(self.count as u128, shared as u128) as u32;
        let step = quotient(period as u128, shared as u128) as u64;

        let (full, burst) = match self.depth {
            Depth::Tokens(burst) => {
                // Each token costs `step` parts, and there are `longest * parts` of them in all.
                let most = quotient(longest as u128 * parts as u128, step as u128);
                let most = if most > u32::MAX as u128 {
                    u32::MAX as u64
                } else {
                    most as u64
                };
                if let Err(error) = ConfigError::check("burst", burst as u64, 1, most) {
                    return Err(error);
                }
                (burst as u128 * step as u128, burst as u128)
            }
            Depth::Tolerance(tolerance) => {
                // Cells come one by one, so a token costs `step` whole nanoseconds.
                let tolerance = tolerance.as_nanos();
                let countable = u32::MAX as u128 * step as u128 - 1;
                let most = if countable < (longest - step) as u128 {
                    countable as u64
                } else {
                    longest - step
                };
                if let Err(error) = ConfigError::check("tolerance (ns)", tolerance, 0, most) {
                    return Err(error);
                }
                let full = tolerance as u128 + step as u128;
                (full, quotient(full, step as u128))
            }
        };
        let slack = full - step as u128;
        let (Some(step), Some(full), Some(slack)) = (
            Span::from_parts(step as u128, parts),
            Span::from_parts(full, parts),
            Span::from_parts(slack, parts),
        ) else {
            // All three are at most `full`, which the checks above hold to 2^62 ns.
            return Err(ConfigError {
                field: "burst",
                value: burst as u64,
                min: 1,
                max: 1,
            });
        };
        let ahead = self.ahead.as_nanos();
        if let Err(error) = ConfigError::check("reserve_ahead (ns)", ahead, 0, longest - full.whole)
        {
            return Err(error);
        }
        Ok(TokenBucket {
            step,
            full,
            slack,
            horizon: u64::MAX - full.whole - ahead,
            ahead,
            parts,
            burst: burst as u32,
        })
    }
}

/// The greatest common divisor, by Euclid; neither may be zero.
const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
