//! The sliding window kept as two counters: nearly the log's behaviour in 16 bytes.

use super::quotient::quotient;
use super::{CLOCK_LEAD, Denied, Granted, MAX_WAIT, Policy, Standing};
use crate::config::ConfigError;
use crate::time::{Duration, Instant};

/// At most about `limit` in every stretch of `period`, in two counters.
///
/// Windows of `period` follow each other from the first hit on. What counts as used is the
/// current window's count and, of the window before, the share that still overlaps the last
/// `period`: 42 in the previous minute and 18 in the current one, 15 s in, count as
/// `42 * 45/60 + 18 = 49.5`. Source: Cloudflare, "How we built rate limiting capable of scaling
/// to millions of domains" (2017). It takes the previous window's hits to be spread evenly; where
/// they were not, a stretch of `period` can see more than `limit`, at most twice as many. The
/// share is compared as an exact fraction, without rounding.
///
/// The policy is 24 bytes, the state 16. A yes is two multiplications and a comparison, without a
/// division; a no divides once. O(1).
///
/// ```
/// use steadfast::{limit::{RateLimiter, SlidingWindowCounter}, policy, time::{Instant, secs}};
///
/// let mut search = RateLimiter::new(policy!(SlidingWindowCounter::new(50, secs(60))));
/// assert!(search.try_acquire_n(Instant::from_secs(0), 42).is_ok());
/// assert!(search.try_acquire_n(Instant::from_secs(60), 1).is_ok());
/// // Fifteen seconds later 42 * 45/60 = 31.5 of the first still count.
/// assert_eq!(search.available(Instant::from_secs(75)), 17);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct SlidingWindowCounter {
    period: u64,
    /// Later than this the clock is taken to stand still, so that no sum overflows.
    horizon: u64,
    limit: u32,
}

/// What a [`SlidingWindowCounter`] remembers: when its window ends and two counts. 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct SlidingWindowCounterState {
    end: u64,
    current: u32,
    previous: u32,
}

/// A sliding counter being configured; [`build`](Self::build) or [`policy!`](crate::policy)
/// checks it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct SlidingWindowCounterConfig {
    limit: u32,
    period: Duration,
}

impl SlidingWindowCounter {
    /// At most about `limit` in every stretch of `period`.
    ///
    /// `limit` is 1 to `u32::MAX`; `period` is 1 ns to half of [`MAX_WAIT`].
    pub const fn new(limit: u32, period: Duration) -> SlidingWindowCounterConfig {
        SlidingWindowCounterConfig { limit, period }
    }

    fn clamp(&self, now: Instant) -> u64 {
        now.as_nanos().min(self.horizon)
    }

    /// The state as it is at `now`: its window turned, and mended if it lay too far ahead.
    fn at(&self, state: SlidingWindowCounterState, now: u64) -> SlidingWindowCounterState {
        if now < state.end {
            let reach = now
                .saturating_add(self.period)
                .saturating_add(CLOCK_LEAD.as_nanos());
            if state.end <= reach {
                return state;
            }
            return SlidingWindowCounterState {
                end: now.wrapping_add(self.period),
                current: self.limit,
                previous: 0,
            };
        }
        if state.current > 0 && now.wrapping_sub(state.end) < self.period {
            return SlidingWindowCounterState {
                end: state.end.wrapping_add(self.period),
                current: 0,
                previous: state.current,
            };
        }
        Self::FULL
    }

    /// What of the window is still to come, at most all of it: a reader whose clock lags behind
    /// the window's start stands at its start.
    fn rest_of_window(&self, state: SlidingWindowCounterState, now: u64) -> u64 {
        state.end.saturating_sub(now).min(self.period)
    }

    /// The longest rest of a window in which the share of `count` hits still fits into `room`:
    /// `count * rest / period <= room`.
    fn rest_for(&self, count: u32, room: u32) -> u64 {
        if room >= count {
            return self.period;
        }
        // Below `period`, since `room < count`.
        quotient(
            u128::from(room) * u128::from(self.period),
            u128::from(count),
        ) as u64
    }
}

/// `long * count` as its upper and lower part, which compare like the number: a quarter of the
/// instructions of a 128-bit product on a 32-bit core. `long` is below 2^62.
#[inline]
fn product(long: u64, count: u32) -> (u64, u32) {
    let count = u64::from(count);
    let low = (long & 0xffff_ffff).wrapping_mul(count);
    let high = (long >> 32).wrapping_mul(count).wrapping_add(low >> 32);
    (high, low as u32)
}

impl Policy for SlidingWindowCounter {
    type State = SlidingWindowCounterState;
    type Granted = Granted;

    const FULL: SlidingWindowCounterState = SlidingWindowCounterState {
        end: 0,
        current: 0,
        previous: 0,
    };

    fn decide(
        &self,
        state: &mut SlidingWindowCounterState,
        now: Instant,
        cost: u32,
    ) -> Result<Granted, Denied> {
        let now = self.clamp(now);
        if cost == 0 {
            return Ok(Granted::nothing(now));
        }
        if cost > self.limit {
            return Err(Denied::CostAboveCapacity {
                cost,
                capacity: self.limit,
            });
        }
        *state = self.at(*state, now);
        if *state == Self::FULL {
            state.end = now.wrapping_add(self.period);
        }
        let unused = self.limit.saturating_sub(state.current);
        let free_at = if cost <= unused {
            let room = unused.wrapping_sub(cost);
            let overlap = product(self.rest_of_window(*state, now), state.previous);
            if overlap <= product(self.period, room) {
                state.current = state.current.wrapping_add(cost);
                return Ok(Granted {
                    at: now,
                    mark: state.end,
                    part: 0,
                    cost,
                });
            }
            // In this window, once enough of the previous one has slid out.
            state.end.wrapping_sub(self.rest_for(state.previous, room))
        } else {
            // In the next one, once enough of this one has.
            let room = self.limit.wrapping_sub(cost);
            let next_end = state.end.wrapping_add(self.period);
            next_end.wrapping_sub(self.rest_for(state.current, room))
        };
        Err(Denied::RateLimited {
            retry_after: Duration::from_nanos(free_at.wrapping_sub(now)),
        })
    }

    fn at_rest(&self, state: &SlidingWindowCounterState, now: Instant) -> bool {
        let state = self.at(*state, self.clamp(now));
        state.current == 0 && state.previous == 0
    }

    fn rests_in(&self, state: &SlidingWindowCounterState, now: Instant) -> Duration {
        let now = self.clamp(now);
        let state = self.at(*state, now);
        let rests_at = if state.current > 0 {
            state.end.wrapping_add(self.period)
        } else if state.previous > 0 {
            state.end
        } else {
            now
        };
        Duration::from_nanos(rests_at.saturating_sub(now))
    }

    fn mend(&self, state: &mut SlidingWindowCounterState, now: Instant) {
        *state = self.at(*state, self.clamp(now));
    }

    fn available(&self, state: &SlidingWindowCounterState, now: Instant) -> u32 {
        let now = self.clamp(now);
        let state = self.at(*state, now);
        let overlap = u128::from(state.previous) * u128::from(self.rest_of_window(state, now));
        let period = u128::from(self.period);
        // Rounded up: half a hit leaves no room for a whole one. At most `previous`.
        let counted = quotient(overlap.saturating_add(period.saturating_sub(1)), period) as u32;
        self.limit
            .saturating_sub(state.current)
            .saturating_sub(counted)
    }

    fn capacity(&self) -> u32 {
        self.limit
    }

    fn refund(&self, state: &mut SlidingWindowCounterState, now: Instant, granted: &Granted) {
        *state = self.at(*state, self.clamp(now));
        // A window is known by its end, so a grant of a still earlier one does not match.
        if granted.mark == state.end {
            state.current = state.current.saturating_sub(granted.cost);
        } else if granted.mark.saturating_add(self.period) == state.end {
            state.previous = state.previous.saturating_sub(granted.cost);
        }
        if state.current == 0 && state.previous == 0 {
            *state = Self::FULL;
        }
    }

    fn reconfigure(&self, state: &mut SlidingWindowCounterState, now: Instant, new: &Self) {
        if self == new {
            self.mend(state, now);
            return;
        }
        let used = self.limit.saturating_sub(self.available(state, now));
        *state = if used == 0 {
            Self::FULL
        } else {
            // What counts now counts as if it had come now.
            SlidingWindowCounterState {
                end: new.clamp(now).wrapping_add(new.period),
                current: used.min(new.limit),
                previous: 0,
            }
        };
    }

    fn standing(&self, state: &SlidingWindowCounterState, now: Instant) -> Standing {
        Standing {
            limit: self.limit,
            window: Duration::from_nanos(self.period),
            remaining: self.available(state, now),
            full_in: self.rests_in(state, now),
        }
    }
}

impl SlidingWindowCounterConfig {
    /// Checks the whole and makes the policy.
    ///
    /// # Errors
    ///
    /// The first field that is out of range: `limit` or `period (ns)`.
    pub const fn build(self) -> Result<SlidingWindowCounter, ConfigError> {
        let period = self.period.as_nanos();
        let longest = MAX_WAIT.as_nanos() / 2;
        if let Err(error) = ConfigError::check("limit", self.limit as u64, 1, u32::MAX as u64) {
            return Err(error);
        }
        if let Err(error) = ConfigError::check("period (ns)", period, 1, longest) {
            return Err(error);
        }
        Ok(SlidingWindowCounter {
            period,
            horizon: u64::MAX - 2 * period,
            limit: self.limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_product_in_two_parts_is_the_product(long in 0..1_u64 << 62, count in any::<u32>()) {
            let (high, low) = product(long, count);
            let whole = (u128::from(high) << 32) | u128::from(low);
            prop_assert_eq!(whole, u128::from(long) * u128::from(count));
        }
    }
}
