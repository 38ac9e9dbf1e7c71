//! The token bucket in one 64-bit word.
//!
//! The word is the arrival time of [`TokenBucket`](super::TokenBucket) counted in the only unit
//! it ever moves by: `1 / count` of a tick, with the count reduced against the period. Taking
//! tokens is one addition without a fraction or a carry, and it stays exact. The word wraps, so
//! two are compared by their signed distance.

mod config;
mod tick;

pub use config::CompactBucketConfig;

use super::quotient::quotient;
use super::{Denied, Granted, Policy, Standing, TokenBucket, Word};
use crate::time::{Duration, Instant};
use tick::Tick;

/// A [`TokenBucket`] whose state is one word: for [`AtomicRateLimiter`](super::AtomicRateLimiter)
/// and for tables with a million keys.
///
/// With a reduced count of 32 or less (100 a minute reduces to 1 every 600 ms, 7 a minute stays
/// 7) it decides as [`TokenBucket`] does, to the nanosecond. Above, time is read in a coarser
/// tick, [`CompactBucket::tick`]: a decision is then less than a tick late or early, and the
/// error does not accumulate. A bucket that no tick fits is a [`ConfigError`](crate::ConfigError).
///
/// A key that nobody asked for during [`CompactBucket::memory`] (9 years or more) may be read as
/// empty, once; and a clock that jumps back by more than that is taken for one that went on, so
/// the bucket is full again.
///
/// It cannot reserve ahead. The policy is 128 bytes, the state 8. A yes costs a multiplication, a
/// comparison and an addition; a no may divide, once. O(1).
///
/// ```
/// use steadfast::{limit::{AtomicRateLimiter, CompactBucket, TokenBucket}, policy, time::Instant};
///
/// static API: AtomicRateLimiter<CompactBucket> =
///     AtomicRateLimiter::new(policy!(TokenBucket::per_second(100).compact()));
///
/// assert!(API.try_acquire(Instant::from_secs(1)).is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct CompactBucket {
    /// Units to a tick: the reduced count.
    units: u64,
    /// What one token costs, in units.
    step: u64,
    /// `full - step`, in units.
    slack: u64,
    /// What all of the burst costs, in units.
    full: u64,
    /// How far ahead a word is believed, in units.
    believed: u64,
    tick: Tick,
    bucket: TokenBucket,
}

/// What a [`CompactBucket`] remembers: its arrival time, or 0 if it was never used. 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct CompactBucketState(u64);

impl CompactBucket {
    /// How coarsely time is read: 1 ns where the reduced count is 32 or less.
    pub const fn tick(&self) -> Duration {
        Duration::from_nanos(self.tick.nanos)
    }

    /// How long a key may stay away and still be read right.
    pub const fn memory(&self) -> Duration {
        let ticks = quotient(1 << 63, self.units as u128) as u64;
        Duration::from_nanos(ticks.saturating_mul(self.tick.nanos))
    }

    /// The same bucket with a state of two words.
    pub const fn token_bucket(&self) -> &TokenBucket {
        &self.bucket
    }

    #[inline]
    fn clamp(&self, now: Instant) -> u64 {
        now.as_nanos().min(self.bucket.horizon)
    }

    /// `now` in the units of the word.
    #[inline]
    fn read(&self, now: u64) -> u64 {
        self.tick.read(now).wrapping_mul(self.units)
    }

    /// How far the word lies ahead of `now`, in units; zero if it does not.
    #[inline]
    fn owed(state: CompactBucketState, now: u64) -> u64 {
        let distance = state.0.wrapping_sub(now);
        if state.0 == 0 || distance > i64::MAX as u64 {
            0
        } else {
            distance
        }
    }

    /// A word must not look like "never used", nor like the value that stores set aside; the one
    /// instant in 2^64 that would is pushed at most two units later.
    #[inline]
    fn at(word: u64) -> CompactBucketState {
        CompactBucketState(if word.wrapping_add(1) <= 1 { 1 } else { word })
    }

    /// A word that lies `owed` ahead of `read`. One at rest holds no information, and is as if it
    /// was never used.
    fn owing(read: u64, owed: u64) -> CompactBucketState {
        if owed == 0 {
            Self::FULL
        } else {
            Self::at(read.wrapping_add(owed))
        }
    }

    fn mend_at(&self, state: &mut CompactBucketState, read: u64) {
        if Self::owed(*state, read) > self.believed {
            *state = Self::at(read.wrapping_add(self.full));
        }
    }

    #[inline]
    fn take(
        &self,
        state: &mut CompactBucketState,
        now: u64,
        cost: u32,
        price: u64,
        slack: u64,
    ) -> Result<Granted, Denied> {
        let read = self.read(now);
        let owed = Self::owed(*state, read);
        if owed > slack {
            let (left, retry_after) = self.refuse(*state, now, read, slack);
            *state = left;
            return Err(Denied::RateLimited { retry_after });
        }
        *state = Self::at(read.wrapping_add(owed).wrapping_add(price));
        Ok(Granted {
            at: now,
            mark: state.0,
            part: 0,
            cost,
        })
    }

    /// A no: the state that it leaves, and how long to wait.
    ///
    /// A function of its own, and the state by value, so that a yes is short enough to become
    /// part of its caller, in registers.
    #[inline(never)]
    fn refuse(
        &self,
        mut state: CompactBucketState,
        now: u64,
        read: u64,
        slack: u64,
    ) -> (CompactBucketState, Duration) {
        self.mend_at(&mut state, read);
        let missing = Self::owed(state, read).wrapping_sub(slack);
        (state, self.wait(now, missing))
    }

    /// Costs that are not one: nothing, several, or too many.
    #[inline(never)]
    fn decide_many(
        &self,
        state: &mut CompactBucketState,
        now: u64,
        cost: u32,
    ) -> Result<Granted, Denied> {
        if cost == 0 {
            return Ok(Granted::nothing(now));
        }
        if cost > self.bucket.burst {
            return Err(Denied::CostAboveCapacity {
                cost,
                capacity: self.bucket.burst,
            });
        }
        let price = self.step.wrapping_mul(u64::from(cost));
        self.take(state, now, cost, price, self.full.wrapping_sub(price))
    }

    /// How long from `now` until `units` more units have gone by.
    fn wait(&self, now: u64, units: u64) -> Duration {
        let ticks = if self.units == 1 {
            units
        } else {
            // Rounded up. Both are below 2^62; the count is never zero.
            units
                .wrapping_add(self.units.wrapping_sub(1))
                .checked_div(self.units)
                .unwrap_or(units)
        };
        if self.tick.nanos == 1 {
            return Duration::from_nanos(ticks);
        }
        let then = self
            .tick
            .read(now)
            .saturating_add(ticks)
            .saturating_mul(self.tick.nanos);
        Duration::from_nanos(then.saturating_sub(now))
    }
}

impl Policy for CompactBucket {
    type State = CompactBucketState;
    type Granted = Granted;

    const FULL: CompactBucketState = CompactBucketState(0);

    #[inline]
    fn decide(
        &self,
        state: &mut CompactBucketState,
        now: Instant,
        cost: u32,
    ) -> Result<Granted, Denied> {
        let now = self.clamp(now);
        if cost == 1 {
            self.take(state, now, 1, self.step, self.slack)
        } else {
            self.decide_many(state, now, cost)
        }
    }

    #[inline]
    fn at_rest(&self, state: &CompactBucketState, now: Instant) -> bool {
        Self::owed(*state, self.read(self.clamp(now))) == 0
    }

    fn rests_in(&self, state: &CompactBucketState, now: Instant) -> Duration {
        let now = self.clamp(now);
        let read = self.read(now);
        let mut state = *state;
        self.mend_at(&mut state, read);
        match Self::owed(state, read) {
            0 => Duration::ZERO,
            owed => self.wait(now, owed),
        }
    }

    fn mend(&self, state: &mut CompactBucketState, now: Instant) {
        self.mend_at(state, self.read(self.clamp(now)));
    }

    fn available(&self, state: &CompactBucketState, now: Instant) -> u32 {
        let owed = Self::owed(*state, self.read(self.clamp(now)));
        let room = self.full.saturating_sub(owed);
        // A step is never zero, and what fits in the burst fits 32 bits.
        room.checked_div(self.step).unwrap_or(0) as u32
    }

    fn capacity(&self) -> u32 {
        self.bucket.burst
    }

    fn refund(&self, state: &mut CompactBucketState, now: Instant, granted: &Granted) {
        let read = self.read(self.clamp(now));
        self.mend_at(state, read);
        let price = self
            .step
            .wrapping_mul(u64::from(granted.cost.min(self.bucket.burst)));
        // What has refilled since is no longer this grant's to give; after other refunds the mark
        // lies too far ahead, by no more than they gave back.
        let back = price.min(Self::owed(CompactBucketState(granted.mark), read));
        let left = Self::owed(*state, read).saturating_sub(back);
        *state = Self::owing(read, left);
    }

    fn reconfigure(&self, state: &mut CompactBucketState, now: Instant, new: &Self) {
        let read = self.read(self.clamp(now));
        self.mend_at(state, read);
        let owed = u128::from(Self::owed(*state, read));
        let step = u128::from(self.step);
        let each = u128::from(new.step);
        let carried = match (owed.checked_div(step), owed.checked_rem(step)) {
            (Some(tokens), Some(rest)) if tokens < u128::from(new.bucket.burst) => {
                // Below `full` by less than a step, and rounded up to a unit.
                (tokens * each + (rest * each).div_ceil(step)).min(u128::from(new.full)) as u64
            }
            _ => new.full,
        };
        *state = Self::owing(new.read(new.clamp(now)), carried);
    }

    fn standing(&self, state: &CompactBucketState, now: Instant) -> Standing {
        Standing {
            limit: self.bucket.burst,
            window: Duration::from_nanos(self.bucket.full.ceil()),
            remaining: self.available(state, now),
            full_in: self.rests_in(state, now),
        }
    }
}

impl Word for CompactBucketState {
    #[inline]
    fn to_word(self) -> u64 {
        self.0
    }

    #[inline]
    fn from_word(word: u64) -> Self {
        Self(word)
    }
}
