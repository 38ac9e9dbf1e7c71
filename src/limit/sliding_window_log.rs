//! The sliding window kept as a log: exact, at the price of a timestamp for each token.

use super::{CLOCK_LEAD, Denied, Granted, MAX_WAIT, Policy, Standing};
use crate::config::ConfigError;
use crate::time::{Duration, Instant};

/// At most `limit` in every stretch of `period`, wherever it begins.
///
/// Each token comes back exactly `period` after it was taken. There is no edge at which twice the
/// limit passes, as with a [`FixedWindow`](super::FixedWindow), and no burst on top of the rate,
/// as with a [`TokenBucket`](super::TokenBucket). The price is the state: eight bytes for each of
/// the `N` tokens that it can remember, so `limit` is at most `N`.
///
/// The policy is 24 bytes, the state `8 N + 8`. A call of cost one is O(1), of cost `n` O(n);
/// a refund, what is available, and the first call after a clock has jumped far back are O(N).
/// None divides.
///
/// ```
/// use steadfast::{limit::{RateLimiter, SlidingWindowLog}, policy, time::{Instant, secs}};
///
/// let mut search = RateLimiter::new(policy!(SlidingWindowLog::<3>::new(3, secs(60))));
/// assert!(search.try_acquire_n(Instant::from_secs(50), 2).is_ok());
/// assert!(search.try_acquire(Instant::from_secs(70)).is_ok());
/// let denied = search.try_acquire(Instant::from_secs(80)).unwrap_err();
/// assert_eq!(denied.retry_after(), Some(secs(30)), "when the first two come back");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct SlidingWindowLog<const N: usize> {
    period: u64,
    /// Later than this the clock is taken to stand still, so that no sum overflows.
    horizon: u64,
    limit: u32,
}

/// What a [`SlidingWindowLog`] remembers: when each of the last `N` tokens comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct SlidingWindowLogState<const N: usize> {
    /// A ring in the order of the calls, and so of the times; zero where there was none.
    back_at: [u64; N],
    /// Where the next one goes.
    next: usize,
}

/// A sliding log being configured; [`build`](Self::build) or [`policy!`](crate::policy) checks it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct SlidingWindowLogConfig<const N: usize> {
    limit: u32,
    period: Duration,
}

impl<const N: usize> SlidingWindowLog<N> {
    /// At most `limit` in every stretch of `period`.
    ///
    /// `limit` is 1 to `N`; `period` is 1 ns to [`MAX_WAIT`].
    pub const fn new(limit: u32, period: Duration) -> SlidingWindowLogConfig<N> {
        SlidingWindowLogConfig { limit, period }
    }

    fn clamp(&self, now: Instant) -> u64 {
        now.as_nanos().min(self.horizon)
    }

    /// A log that lies too far ahead to be true becomes "empty at `now`".
    fn mend_at(&self, state: &mut SlidingWindowLogState<N>, now: u64) {
        let reach = now
            .saturating_add(self.period)
            .saturating_add(CLOCK_LEAD.as_nanos());
        // The times rise, so the last one tells.
        if state.nth_last(1) > reach {
            *state = SlidingWindowLogState::EMPTY;
            state.push(now.wrapping_add(self.period), self.limit);
        }
    }

    /// When there is room for `cost` more: of the last `limit` tokens all but `limit - cost` must
    /// be back.
    fn free_at(&self, state: &SlidingWindowLogState<N>, cost: u32) -> u64 {
        state.nth_last(self.limit.saturating_sub(cost).saturating_add(1))
    }
}

impl<const N: usize> SlidingWindowLogState<N> {
    const EMPTY: Self = Self {
        back_at: [0; N],
        next: 0,
    };

    /// The `n`-th last time, counted from 1; zero if there were not so many.
    fn nth_last(&self, n: u32) -> u64 {
        let n = n as usize;
        if n > N {
            return 0;
        }
        let at = if self.next >= n {
            self.next.wrapping_sub(n)
        } else {
            self.next.wrapping_add(N).wrapping_sub(n)
        };
        self.back_at.get(at).copied().unwrap_or(0)
    }

    /// All times from the oldest to the newest; zeros are places that were never used.
    fn oldest_first(&self) -> impl Iterator<Item = u64> {
        (1..=N).rev().map(|n| self.nth_last(n as u32))
    }

    fn push(&mut self, back_at: u64, count: u32) {
        for _ in 0..count {
            if let Some(place) = self.back_at.get_mut(self.next) {
                *place = back_at;
            }
            self.next = self.next.wrapping_add(1);
            if self.next >= N {
                self.next = 0;
            }
        }
    }
}

impl<const N: usize> Policy for SlidingWindowLog<N> {
    type State = SlidingWindowLogState<N>;
    type Granted = Granted;

    const FULL: SlidingWindowLogState<N> = SlidingWindowLogState::EMPTY;

    fn decide(
        &self,
        state: &mut SlidingWindowLogState<N>,
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
        self.mend_at(state, now);
        let free_at = self.free_at(state, cost);
        if free_at > now {
            return Err(Denied::RateLimited {
                retry_after: Duration::from_nanos(free_at.wrapping_sub(now)),
            });
        }
        // A reader whose clock lags does not bring its token back before earlier ones.
        let back_at = now.wrapping_add(self.period).max(state.nth_last(1));
        state.push(back_at, cost);
        Ok(Granted {
            at: now,
            mark: back_at,
            part: 0,
            cost,
        })
    }

    fn at_rest(&self, state: &SlidingWindowLogState<N>, now: Instant) -> bool {
        state.nth_last(1) <= self.clamp(now)
    }

    fn rests_in(&self, state: &SlidingWindowLogState<N>, now: Instant) -> Duration {
        let now = self.clamp(now);
        let mut state = *state;
        self.mend_at(&mut state, now);
        Duration::from_nanos(state.nth_last(1).saturating_sub(now))
    }

    fn mend(&self, state: &mut SlidingWindowLogState<N>, now: Instant) {
        self.mend_at(state, self.clamp(now));
    }

    fn available(&self, state: &SlidingWindowLogState<N>, now: Instant) -> u32 {
        let now = self.clamp(now);
        let mut state = *state;
        self.mend_at(&mut state, now);
        let out = (1..=self.limit)
            .take_while(|&n| state.nth_last(n) > now)
            .count();
        self.limit.saturating_sub(out as u32)
    }

    fn capacity(&self) -> u32 {
        self.limit
    }

    fn refund(&self, state: &mut SlidingWindowLogState<N>, now: Instant, granted: &Granted) {
        let now = self.clamp(now);
        self.mend_at(state, now);
        // A token that has come back by itself is no longer this grant's to give.
        if granted.mark <= now {
            return;
        }
        let mut left = granted.cost;
        let mut kept = SlidingWindowLogState::EMPTY;
        for there in state.oldest_first() {
            if there == granted.mark && left > 0 {
                left = left.wrapping_sub(1);
            } else if there > now {
                kept.push(there, 1);
            }
        }
        *state = kept;
    }

    fn reconfigure(&self, state: &mut SlidingWindowLogState<N>, now: Instant, new: &Self) {
        let now = self.clamp(now);
        self.mend_at(state, now);
        let mut kept = SlidingWindowLogState::EMPTY;
        for there in state.oldest_first() {
            if there > now {
                // It comes back by the new period, counted from when it was taken.
                let taken = there.saturating_sub(self.period);
                kept.push(taken.min(new.horizon).saturating_add(new.period), 1);
            }
        }
        *state = kept;
    }

    fn standing(&self, state: &SlidingWindowLogState<N>, now: Instant) -> Standing {
        Standing {
            limit: self.limit,
            window: Duration::from_nanos(self.period),
            remaining: self.available(state, now),
            full_in: self.rests_in(state, now),
        }
    }
}

impl<const N: usize> SlidingWindowLogConfig<N> {
    /// Checks the whole and makes the policy.
    ///
    /// # Errors
    ///
    /// The first field that is out of range: `limit` or `period (ns)`.
    pub const fn build(self) -> Result<SlidingWindowLog<N>, ConfigError> {
        let period = self.period.as_nanos();
        let most = if N > u32::MAX as usize {
            u32::MAX as u64
        } else {
            N as u64
        };
        if let Err(error) = ConfigError::check("limit", self.limit as u64, 1, most) {
            return Err(error);
        }
        if let Err(error) = ConfigError::check("period (ns)", period, 1, MAX_WAIT.as_nanos()) {
            return Err(error);
        }
        Ok(SlidingWindowLog {
            period,
            horizon: u64::MAX - period,
            limit: self.limit,
        })
    }
}
