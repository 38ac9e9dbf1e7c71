//! Into how many shards of how many tokens a burst is divided, and what it says of them afterwards.

use std::thread::available_parallelism;

use steadfast::ConfigError;
use steadfast::limit::{AtomicRateLimiter, Policy, TokenBucket, TokenBucketConfig};
use steadfast::time::Clock;

use super::none_left::NoneLeft;
use super::set_aside::{MOST_SHARDS, most_batch, most_shards};
use super::shard::Shard;
use super::{Apart, Centre, LeasedRateLimiter};
use crate::SystemClock;

/// Beyond this a larger batch saves nothing that can be measured, and sets more aside.
const USUAL_BATCH: u32 = 1 << 10;

impl LeasedRateLimiter {
    /// A limiter for this machine on the [`SystemClock`].
    ///
    /// It has a shard for each core ([`available_parallelism`]), rounded up to a power of two, or
    /// as many as a sixteenth of the burst can give one token each; and a batch of
    /// `burst / (16 * shards)`, at most 1,024.
    ///
    /// # Errors
    ///
    /// Those of [`with_shards`](Self::with_shards), but for shards and batch: with a burst of 16
    /// or more these fit.
    pub fn new(bucket: TokenBucketConfig) -> Result<Self, ConfigError> {
        Self::with_clock(bucket, SystemClock)
    }
}

impl<C: Clock> LeasedRateLimiter<C> {
    /// The same on another clock.
    ///
    /// # Errors
    ///
    /// As [`new`](LeasedRateLimiter::new).
    pub fn with_clock(bucket: TokenBucketConfig, clock: C) -> Result<Self, ConfigError> {
        let burst = bucket.build()?.capacity();
        let cores = available_parallelism().map_or(1, usize::from);
        let cores = u32::try_from(cores).unwrap_or(MOST_SHARDS);
        let shards = cores.min(most_shards(burst)?);
        let batch = most_batch(burst, shards.next_power_of_two()).min(USUAL_BATCH);
        Self::with_shards(bucket, shards, batch, clock)
    }

    /// A limiter with `shards` shards, rounded up to a power of two, that hold up to `batch`
    /// tokens each.
    ///
    /// Two threads on one shard disturb each other, so have at least as many shards as cores. A
    /// batch of 30 makes the centre's share of a call small; a larger one sets more of the burst
    /// aside.
    ///
    /// # Errors
    ///
    /// Those of [`CompactBucketConfig::build`](steadfast::limit::CompactBucketConfig::build), for
    /// the burst as it is stated; then `burst` if it is below 16, `shards` if it is not in 1 to
    /// 1,024 or a sixteenth of the burst has not a token for each, `batch` if it is not in 1 to
    /// `burst / (16 * shards)`; and `burst - shards x batch, read in ticks` if what is left of the
    /// burst is too small for the tick of the compact bucket.
    pub fn with_shards(
        bucket: TokenBucketConfig,
        shards: u32,
        batch: u32,
        clock: C,
    ) -> Result<Self, ConfigError> {
        let stated = *bucket.compact().build()?.token_bucket();
        let burst = stated.capacity();
        let most = most_shards(burst)?;
        if shards == 0 || shards > most {
            return Err(ConfigError::new("shards", shards.into(), 1, most.into()));
        }
        // Both are powers of two, so this is not above `most`.
        let shards = shards.next_power_of_two();
        let most = most_batch(burst, shards);
        if batch == 0 || batch > most {
            return Err(ConfigError::new("batch", batch.into(), 1, most.into()));
        }
        let left = burst - shards * batch;
        // The stated burst is allowed, so only the ticks can be too coarse for a smaller one.
        let centre = bucket.burst(left).compact().build().map_err(|error| {
            let field = "burst - shards x batch, read in ticks";
            ConfigError::new(field, error.value, error.min, error.max)
        })?;
        Ok(Self {
            centre: Apart(Centre {
                bucket: AtomicRateLimiter::new(centre),
                none_left: NoneLeft::new(),
            }),
            shards: (0..shards).map(|_| Shard::holding(batch)).collect(),
            batch,
            stated,
            clock,
        })
    }

    /// The bucket that it was made of. A tolerance (of [`Gcra`](steadfast::limit::Gcra)) counts in
    /// whole tokens here.
    pub fn policy(&self) -> &TokenBucket {
        &self.stated
    }

    /// The clock.
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// How many shards there are.
    pub fn shards(&self) -> usize {
        self.shards.len()
    }

    /// How many tokens a shard holds at most.
    pub fn batch(&self) -> u32 {
        self.batch
    }

    /// The largest cost that can ever be granted: the burst less `shards * batch`.
    pub fn capacity(&self) -> u32 {
        self.centre.0.bucket.policy().capacity()
    }
}
