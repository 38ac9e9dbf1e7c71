//! How a compact bucket is configured, and which tick fits it.

use super::CompactBucket;
use super::tick::Tick;
use crate::config::ConfigError;
use crate::limit::quotient::quotient;
use crate::limit::{CLOCK_LEAD, TokenBucketConfig};
use crate::time::Duration;

/// A compact bucket being configured.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct CompactBucketConfig(TokenBucketConfig);

impl TokenBucketConfig {
    /// The same bucket in one word; see [`CompactBucket`].
    pub const fn compact(self) -> CompactBucketConfig {
        CompactBucketConfig(self)
    }
}

impl CompactBucketConfig {
    /// Checks the whole and makes the policy.
    ///
    /// # Errors
    ///
    /// Those of [`TokenBucketConfig::build`], and: `reserve_ahead (ns)` if set; `reduced count,
    /// which no tick fits` if it is above 32 and has none; `burst, read in ticks` if the tick is
    /// longer than the burst lasts, so that tokens would be lost between two readings;
    /// `burst (in 1/count ns)` if it does not leave the word room to wrap. A
    /// [`TokenBucket`](crate::limit::TokenBucket) takes all of these.
    pub const fn build(self) -> Result<CompactBucket, ConfigError> {
        let bucket = match self.0.build() {
            Ok(bucket) => bucket,
            Err(error) => return Err(error),
        };
        if let Err(error) = ConfigError::check("reserve_ahead (ns)", bucket.ahead, 0, 0) {
            return Err(error);
        }
        let units = bucket.parts as u64;
        let period = bucket.step_in_parts();
        let Some(nanos) = tick_for(units, period) else {
            return Err(ConfigError {
                field: "reduced count, which no tick fits",
                value: units,
                min: 1,
                max: EXACT_COUNT,
            });
        };
        // The tick divides the period, so every sum stays whole.
        let step = quotient(period as u128, nanos as u128) as u64;
        let full = quotient(bucket.full.in_parts(bucket.parts), nanos as u128);
        let lead = quotient(CLOCK_LEAD.as_nanos() as u128 * units as u128, nanos as u128);
        let believed = full + lead;
        if believed >= 1 << 62 {
            return Err(ConfigError {
                field: "burst (in 1/count ns)",
                value: if full > u64::MAX as u128 {
                    u64::MAX
                } else {
                    full as u64
                },
                min: 1,
                max: (1 << 62) - lead as u64 - 1,
            });
        }
        let (full, believed) = (full as u64, believed as u64);
        let slack = full - step;
        if nanos > 1 && slack < units {
            // All but one token of the burst must cover a tick.
            let needed = quotient((units + step - 1) as u128, step as u128) as u64 + 1;
            return Err(ConfigError {
                field: "burst, read in ticks",
                value: bucket.burst as u64,
                min: needed,
                max: u32::MAX as u64,
            });
        }
        Ok(CompactBucket {
            units,
            step,
            slack,
            full,
            believed,
            tick: Tick::new(nanos),
            bucket,
        })
    }
}

/// Counts up to this leave the word 58 bits of nanoseconds.
const EXACT_COUNT: u64 = 32;

/// Coarser than this is not offered.
const MAX_TICK: Duration = Duration::from_millis(100);

/// The finest tick that leaves the word its 58 bits: a divisor of `period`, of the form
/// 2^a 3^b 5^c, of at least `units / 32`.
const fn tick_for(units: u64, period: u64) -> Option<u64> {
    let least = units.div_ceil(EXACT_COUNT);
    let mut best: Option<u64> = None;
    let mut twos = 1;
    while twos <= MAX_TICK.as_nanos() && period.is_multiple_of(twos) {
        let mut threes = twos;
        while threes <= MAX_TICK.as_nanos() && period.is_multiple_of(threes) {
            let mut fives = threes;
            while fives <= MAX_TICK.as_nanos() && period.is_multiple_of(fives) {
                let better = match best {
                    Some(best) => fives < best,
                    None => true,
                };
                if fives >= least && better {
                    best = Some(fives);
                }
                fives *= 5;
            }
            threes *= 3;
        }
        twos *= 2;
    }
    best
}
