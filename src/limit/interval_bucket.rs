//! The token bucket that refills by the interval: nothing in between, a portion at its end.

use super::quotient::quotient;
use super::{CLOCK_LEAD, Denied, Granted, MAX_WAIT, Policy, Standing};
use crate::config::ConfigError;
use crate::time::{Duration, Instant};

/// A token bucket of `capacity` into which `amount` tokens fall at the end of each `interval`.
///
/// For quotas that are handed out in portions: 100 at once and ten more every second, but not one
/// every 100 ms. Intervals are counted from the first token taken from a full bucket. Where one
/// interval fills it, it is a [`FixedWindow`](super::FixedWindow); where tokens should come back
/// evenly, take a [`TokenBucket`](super::TokenBucket). No part of an interval is lost, however
/// often it is asked.
///
/// The policy is 24 bytes, the state 16. A yes is a comparison and an addition; it divides 64 bits
/// only when more than one interval has passed since the last call. O(1).
///
/// ```
/// use steadfast::{limit::{IntervalBucket, RateLimiter}, policy, time::{Instant, millis, secs}};
///
/// let mut batch = RateLimiter::new(policy!(IntervalBucket::new(10, secs(1)).capacity(100)));
/// let start = Instant::from_secs(5);
/// assert!(batch.try_acquire_n(start, 100).is_ok());
/// assert_eq!(batch.available(start + millis(999)), 0);
/// assert_eq!(batch.available(start + millis(1_000)), 10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct IntervalBucket {
    interval: u64,
    /// Later than this the clock is taken to stand still, so that no sum overflows.
    horizon: u64,
    amount: u32,
    capacity: u32,
}

/// What an [`IntervalBucket`] remembers: when the next tokens fall, and how many are out. 16
/// bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct IntervalBucketState {
    next: u64,
    used: u32,
}

/// An interval bucket being configured; [`build`](Self::build) or [`policy!`](crate::policy)
/// checks it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct IntervalBucketConfig {
    amount: u32,
    interval: Duration,
    capacity: u32,
}

impl IntervalBucket {
    /// `amount` tokens at the end of each `interval`, and as many at once;
    /// [`capacity`](IntervalBucketConfig::capacity) sets another number.
    ///
    /// `amount` is 1 to `u32::MAX`; `interval` is 1 ns to [`MAX_WAIT`].
    pub const fn new(amount: u32, interval: Duration) -> IntervalBucketConfig {
        IntervalBucketConfig {
            amount,
            interval,
            capacity: amount,
        }
    }

    fn clamp(&self, now: Instant) -> u64 {
        now.as_nanos().min(self.horizon)
    }

    /// The state as it is at `now`: what is due has fallen, and one that lay too far ahead is
    /// mended.
    fn at(&self, state: IntervalBucketState, now: u64) -> IntervalBucketState {
        if now < state.next {
            let reach = now
                .saturating_add(self.interval)
                .saturating_add(CLOCK_LEAD.as_nanos());
            if state.next <= reach {
                return state;
            }
            return IntervalBucketState {
                next: now.wrapping_add(self.interval),
                used: self.capacity,
            };
        }
        if state.used <= self.amount {
            // One portion fills it, however many have fallen.
            return Self::FULL;
        }
        let ended = self.ended(state.next, now);
        match self.left(state.used, ended) {
            0 => Self::FULL,
            used => IntervalBucketState {
                next: state.next.wrapping_add(ended.wrapping_mul(self.interval)),
                used,
            },
        }
    }

    /// How many intervals have ended from `next` to `now`, which is not earlier.
    fn ended(&self, next: u64, now: u64) -> u64 {
        let since = now.wrapping_sub(next);
        if since < self.interval {
            return 1;
        }
        let whole = since.checked_div(self.interval).unwrap_or(0);
        whole.saturating_add(1)
    }

    /// What is still out of `used` after so many intervals.
    fn left(&self, used: u32, ended: u64) -> u32 {
        let back = ended.saturating_mul(u64::from(self.amount));
        // Zero, or at most `used`.
        u64::from(used).saturating_sub(back) as u32
    }

    /// When `tokens`, at least one, will have fallen.
    fn fallen_at(&self, state: IntervalBucketState, tokens: u32) -> u64 {
        let before = tokens
            .saturating_sub(1)
            .checked_div(self.amount)
            .unwrap_or(0);
        let wait = u64::from(before).wrapping_mul(self.interval);
        state.next.wrapping_add(wait)
    }
}

impl Policy for IntervalBucket {
    type State = IntervalBucketState;
    type Granted = Granted;

    const FULL: IntervalBucketState = IntervalBucketState { next: 0, used: 0 };

    fn decide(
        &self,
        state: &mut IntervalBucketState,
        now: Instant,
        cost: u32,
    ) -> Result<Granted, Denied> {
        let now = self.clamp(now);
        if cost == 0 {
            return Ok(Granted::nothing(now));
        }
        if cost > self.capacity {
            return Err(Denied::CostAboveCapacity {
                cost,
                capacity: self.capacity,
            });
        }
        *state = self.at(*state, now);
        if state.used == 0 {
            state.next = now.wrapping_add(self.interval);
        }
        let room = self.capacity.saturating_sub(state.used);
        if cost > room {
            let free_at = self.fallen_at(*state, cost.wrapping_sub(room));
            return Err(Denied::RateLimited {
                retry_after: Duration::from_nanos(free_at.wrapping_sub(now)),
            });
        }
        state.used = state.used.wrapping_add(cost);
        Ok(Granted {
            at: now,
            mark: state.next,
            part: state.used,
            cost,
        })
    }

    fn at_rest(&self, state: &IntervalBucketState, now: Instant) -> bool {
        self.at(*state, self.clamp(now)).used == 0
    }

    fn rests_in(&self, state: &IntervalBucketState, now: Instant) -> Duration {
        let now = self.clamp(now);
        let state = self.at(*state, now);
        if state.used == 0 {
            return Duration::ZERO;
        }
        let rests_at = self.fallen_at(state, state.used);
        Duration::from_nanos(rests_at.wrapping_sub(now))
    }

    fn mend(&self, state: &mut IntervalBucketState, now: Instant) {
        *state = self.at(*state, self.clamp(now));
    }

    fn available(&self, state: &IntervalBucketState, now: Instant) -> u32 {
        let used = self.at(*state, self.clamp(now)).used;
        self.capacity.saturating_sub(used)
    }

    fn capacity(&self) -> u32 {
        self.capacity
    }

    fn refund(&self, state: &mut IntervalBucketState, now: Instant, granted: &Granted) {
        let now = self.clamp(now);
        *state = self.at(*state, now);
        // What has fallen back since is no longer this grant's to give.
        let held = if now < granted.mark {
            granted.part
        } else {
            self.left(granted.part, self.ended(granted.mark, now))
        };
        state.used = state.used.saturating_sub(granted.cost.min(held));
        if state.used == 0 {
            *state = Self::FULL;
        }
    }

    fn reconfigure(&self, state: &mut IntervalBucketState, now: Instant, new: &Self) {
        *state = self.at(*state, self.clamp(now));
        if state.used == 0 {
            return;
        }
        // The interval that has begun ends when the new one would have, and if that has passed,
        // now: one portion falls, not one for each new interval that would have fitted.
        let began = state.next.saturating_sub(self.interval);
        let ends = began.min(new.horizon).saturating_add(new.interval);
        let now = new.clamp(now);
        state.next = ends.max(now);
        state.used = state.used.min(new.capacity);
        *state = new.at(*state, now);
    }

    fn standing(&self, state: &IntervalBucketState, now: Instant) -> Standing {
        let empty = IntervalBucketState {
            next: self.interval,
            used: self.capacity,
        };
        Standing {
            limit: self.capacity,
            window: Duration::from_nanos(self.fallen_at(empty, self.capacity)),
            remaining: self.available(state, now),
            full_in: self.rests_in(state, now),
        }
    }
}

impl IntervalBucketConfig {
    /// How many tokens the bucket holds, 1 to `u32::MAX`; filling it may take at most
    /// [`MAX_WAIT`].
    #[must_use]
    pub const fn capacity(mut self, tokens: u32) -> Self {
        self.capacity = tokens;
        self
    }

    /// Checks the whole and makes the policy.
    ///
    /// # Errors
    ///
    /// The first field that is out of range: `amount`, `interval (ns)` or `capacity`.
    pub const fn build(self) -> Result<IntervalBucket, ConfigError> {
        let interval = self.interval.as_nanos();
        let longest = MAX_WAIT.as_nanos();
        if let Err(error) = ConfigError::check("amount", self.amount as u64, 1, u32::MAX as u64) {
            return Err(error);
        }
        if let Err(error) = ConfigError::check("interval (ns)", interval, 1, longest) {
            return Err(error);
        }
        let most = quotient(longest as u128, interval as u128) * self.amount as u128;
        let most = if most > u32::MAX as u128 {
            u32::MAX as u64
        } else {
            most as u64
        };
        if let Err(error) = ConfigError::check("capacity", self.capacity as u64, 1, most) {
            return Err(error);
        }
        let intervals = quotient(self.capacity as u128 - 1, self.amount as u128) as u64 + 1;
        Ok(IntervalBucket {
            interval,
            // At most `MAX_WAIT` from the end, by the check of the capacity.
            horizon: u64::MAX - intervals * interval,
            amount: self.amount,
            capacity: self.capacity,
        })
    }
}
