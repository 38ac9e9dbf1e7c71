//! The fixed window: so many in each slot of time.

use super::{CLOCK_LEAD, Denied, Granted, MAX_WAIT, Policy, Standing};
use crate::config::ConfigError;
use crate::time::{Duration, Instant};

/// At most `limit` in each window of `period`.
///
/// A window starts with the first hit and lasts `period`; [`aligned`](FixedWindowConfig::aligned)
/// windows follow the clock instead. Either way a caller may spend one window's limit at its end
/// and the next one's at its start, so up to twice the limit passes in a moment; where that
/// matters take a [`TokenBucket`](super::TokenBucket).
///
/// The policy is 32 bytes, the state 16. A yes is a comparison and an addition, without a
/// division except when an aligned window turns. O(1).
///
/// ```
/// use steadfast::{limit::{FixedWindow, RateLimiter}, policy, time::{Instant, minutes}};
///
/// let mut login = RateLimiter::new(policy!(FixedWindow::new(10, minutes(15))));
/// let now = Instant::from_secs(100);
/// for _ in 0..10 {
///     assert!(login.try_acquire(now).is_ok());
/// }
/// assert_eq!(
///     login.try_acquire(now).unwrap_err().retry_after(),
///     Some(minutes(15)),
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct FixedWindow {
    period: u64,
    /// When aligned windows turn, as a time within the period.
    phase: u64,
    /// Later than this the clock is taken to stand still, so that no sum overflows.
    horizon: u64,
    limit: u32,
    aligned: bool,
}

/// What a [`FixedWindow`] remembers: when its window ends and what was used. 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct FixedWindowState {
    end: u64,
    used: u32,
}

/// A fixed window being configured; [`build`](Self::build) or [`policy!`](crate::policy) checks
/// it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct FixedWindowConfig {
    limit: u32,
    period: Duration,
    phase: Option<Duration>,
}

impl FixedWindow {
    /// At most `limit` in each window of `period`, starting with the first hit.
    ///
    /// `limit` is 1 to `u32::MAX`; `period` is 1 ns to [`MAX_WAIT`].
    pub const fn new(limit: u32, period: Duration) -> FixedWindowConfig {
        FixedWindowConfig {
            limit,
            period,
            phase: None,
        }
    }

    fn clamp(&self, now: Instant) -> u64 {
        now.as_nanos().min(self.horizon)
    }

    /// When the window that contains `now` ends, if it is opened at `now`.
    fn end_from(&self, now: u64) -> u64 {
        let end = now.wrapping_add(self.period);
        if !self.aligned {
            return end;
        }
        let into = now.checked_rem(self.period).unwrap_or(0);
        // `phase` and `into` are both below the period.
        let past = if into >= self.phase {
            into.wrapping_sub(self.phase)
        } else {
            into.wrapping_add(self.period).wrapping_sub(self.phase)
        };
        end.wrapping_sub(past)
    }

    fn mend_at(&self, state: &mut FixedWindowState, now: u64) {
        let reach = now
            .saturating_add(self.period)
            .saturating_add(CLOCK_LEAD.as_nanos());
        if state.end > reach {
            *state = FixedWindowState {
                end: self.end_from(now),
                used: self.limit,
            };
        }
    }

    fn granted(state: FixedWindowState, at: u64, cost: u32) -> Granted {
        Granted {
            at,
            mark: state.end,
            part: 0,
            cost,
        }
    }
}

impl Policy for FixedWindow {
    type State = FixedWindowState;
    type Granted = Granted;

    const FULL: FixedWindowState = FixedWindowState { end: 0, used: 0 };

    #[inline]
    fn decide(
        &self,
        state: &mut FixedWindowState,
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
        if now >= state.end {
            *state = FixedWindowState {
                end: self.end_from(now),
                used: cost,
            };
            return Ok(Self::granted(*state, now, cost));
        }
        self.mend_at(state, now);
        if cost > self.limit.saturating_sub(state.used) {
            return Err(Denied::RateLimited {
                retry_after: Duration::from_nanos(state.end.wrapping_sub(now)),
            });
        }
        state.used = state.used.wrapping_add(cost);
        Ok(Self::granted(*state, now, cost))
    }

    #[inline]
    fn at_rest(&self, state: &FixedWindowState, now: Instant) -> bool {
        self.clamp(now) >= state.end
    }

    fn rests_in(&self, state: &FixedWindowState, now: Instant) -> Duration {
        let now = self.clamp(now);
        let mut state = *state;
        self.mend_at(&mut state, now);
        Duration::from_nanos(state.end.saturating_sub(now))
    }

    fn mend(&self, state: &mut FixedWindowState, now: Instant) {
        self.mend_at(state, self.clamp(now));
    }

    fn available(&self, state: &FixedWindowState, now: Instant) -> u32 {
        let mut state = *state;
        self.mend(&mut state, now);
        if self.at_rest(&state, now) {
            self.limit
        } else {
            self.limit.saturating_sub(state.used)
        }
    }

    fn capacity(&self) -> u32 {
        self.limit
    }

    fn refund(&self, state: &mut FixedWindowState, now: Instant, granted: &Granted) {
        self.mend(state, now);
        // A window is known by its end, so a grant of an earlier one does not match.
        if granted.mark == state.end {
            state.used = state.used.saturating_sub(granted.cost);
        }
    }

    fn reconfigure(&self, state: &mut FixedWindowState, now: Instant, new: &Self) {
        self.mend(state, now);
        if self.at_rest(state, now) {
            *state = Self::FULL;
            return;
        }
        state.end = if new.aligned {
            new.end_from(new.clamp(now))
        } else {
            // The window keeps its start.
            state
                .end
                .saturating_sub(self.period)
                .saturating_add(new.period)
        };
        state.used = state.used.min(new.limit);
    }

    fn standing(&self, state: &FixedWindowState, now: Instant) -> Standing {
        Standing {
            limit: self.limit,
            window: Duration::from_nanos(self.period),
            remaining: self.available(state, now),
            full_in: self.rests_in(state, now),
        }
    }
}

impl FixedWindowConfig {
    /// Windows that follow the clock: the next one starts at each multiple of the period.
    #[must_use]
    pub const fn aligned(self) -> Self {
        self.phase(Duration::ZERO)
    }

    /// Windows that follow the clock and start `phase` after each multiple of the period: a day
    /// that starts at 05:00 of the clock has a phase of five hours. Below the period.
    #[must_use]
    pub const fn phase(mut self, phase: Duration) -> Self {
        self.phase = Some(phase);
        self
    }

    /// Checks the whole and makes the policy.
    ///
    /// # Errors
    ///
    /// The first field that is out of range: `limit`, `period (ns)` or `phase (ns)`.
    pub const fn build(self) -> Result<FixedWindow, ConfigError> {
        let period = self.period.as_nanos();
        if let Err(error) = ConfigError::check("limit", self.limit as u64, 1, u32::MAX as u64) {
            return Err(error);
        }
        if let Err(error) = ConfigError::check("period (ns)", period, 1, MAX_WAIT.as_nanos()) {
            return Err(error);
        }
        let (phase, aligned) = match self.phase {
            Some(phase) => (phase.as_nanos(), true),
            None => (0, false),
        };
        if let Err(error) = ConfigError::check("phase (ns)", phase, 0, period - 1) {
            return Err(error);
        }
        Ok(FixedWindow {
            period,
            phase,
            horizon: u64::MAX - period,
            limit: self.limit,
            aligned,
        })
    }
}
