//! How each kind of retry budget is configured, and what is allowed.

use super::retry_budget::{Kind, RetryBudget, UNITS};
use super::slices::SLICES;
use crate::config::ConfigError;
use crate::time::{Duration, days};

/// A budget of tokens being configured; [`build`](Self::build) or [`policy!`](crate::policy) checks
/// it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct TokenBudgetConfig {
    capacity: u32,
    cost: u32,
    timeout_cost: u32,
    first_success_adds: u32,
}

/// A budget that is a share of the calls being configured; [`build`](Self::build) or
/// [`policy!`](crate::policy) checks it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct RatioBudgetConfig {
    percent: u32,
    window: Duration,
    min_retries_per_second: u32,
}

/// A throttle being configured; [`build`](Self::build) or [`policy!`](crate::policy) checks it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct ThrottleConfig {
    max_tokens: u32,
    thousandths: u32,
}

impl RetryBudget {
    /// `capacity` tokens, of which each retry takes some; the standard costs unless set.
    pub const fn tokens(capacity: u32) -> TokenBudgetConfig {
        TokenBudgetConfig {
            capacity,
            cost: 5,
            timeout_cost: 10,
            first_success_adds: 1,
        }
    }

    /// Retries are at most `percent` of the calls within `window`, and ten a second on top;
    /// [`min_retries_per_second`](RatioBudgetConfig::min_retries_per_second) sets another floor.
    ///
    /// `percent` is 0 to 1,000; `window` is 10 ns to 24 hours.
    pub const fn ratio(percent: u32, window: Duration) -> RatioBudgetConfig {
        RatioBudgetConfig {
            percent,
            window,
            min_retries_per_second: 10,
        }
    }

    /// Up to `max_tokens`: a failure takes one, a success gives `thousandths` of one back, and
    /// there are retries only while there is more than half.
    ///
    /// `max_tokens` is 3 to 4,294,967 (with fewer, one failure leaves no more than half);
    /// `thousandths` is 1 to `1,000 * max_tokens`.
    pub const fn throttle(max_tokens: u32, thousandths: u32) -> ThrottleConfig {
        ThrottleConfig {
            max_tokens,
            thousandths,
        }
    }
}

impl TokenBudgetConfig {
    /// What a retry takes, but for one after a timeout: 1 to the capacity, 5 unless set.
    #[must_use]
    pub const fn cost(mut self, tokens: u32) -> Self {
        self.cost = tokens;
        self
    }

    /// What a retry after a timeout takes: 1 to the capacity, 10 unless set.
    #[must_use]
    pub const fn timeout_cost(mut self, tokens: u32) -> Self {
        self.timeout_cost = tokens;
        self
    }

    /// What a success gives back that needed no retry: 1 to the capacity, 1 unless set.
    #[must_use]
    pub const fn first_success_adds(mut self, tokens: u32) -> Self {
        self.first_success_adds = tokens;
        self
    }

    /// Checks the whole and makes the budget.
    ///
    /// # Errors
    ///
    /// The first field that is out of range: `capacity`, `cost`, `timeout_cost` or
    /// `first_success_adds`.
    pub const fn build(self) -> Result<RetryBudget, ConfigError> {
        let capacity = self.capacity as u64;
        if let Err(error) = ConfigError::check("capacity", capacity, 1, u32::MAX as u64) {
            return Err(error);
        }
        if let Err(error) = ConfigError::check("cost", self.cost as u64, 1, capacity) {
            return Err(error);
        }
        if let Err(error) =
            ConfigError::check("timeout_cost", self.timeout_cost as u64, 1, capacity)
        {
            return Err(error);
        }
        let adds = self.first_success_adds as u64;
        if let Err(error) = ConfigError::check("first_success_adds", adds, 1, capacity) {
            return Err(error);
        }
        Ok(RetryBudget::of(Kind::Tokens {
            capacity: self.capacity,
            cost: self.cost,
            timeout_cost: self.timeout_cost,
            first_success_adds: self.first_success_adds,
        }))
    }
}

impl RatioBudgetConfig {
    /// How many retries a second there may be beside the share, counted over the window: 10 unless
    /// set.
    ///
    /// Where there are few calls, a share of them is less than one retry, so without a floor there
    /// would be none. 0 is no floor. Another number must come to 1 retry a window at least, and to
    /// 2,147,483 at most.
    #[must_use]
    pub const fn min_retries_per_second(mut self, count: u32) -> Self {
        self.min_retries_per_second = count;
        self
    }

    /// Checks the whole and makes the budget.
    ///
    /// # Errors
    ///
    /// The first field that is out of range: `percent`, `window (ns)` or `min_retries_per_second`,
    /// which may be 0 only if `percent` is not.
    pub const fn build(self) -> Result<RetryBudget, ConfigError> {
        const SECOND: u128 = 1_000_000_000;
        let window = self.window.as_nanos();
        if let Err(error) = ConfigError::check("percent", self.percent as u64, 0, 1_000) {
            return Err(error);
        }
        if let Err(error) = ConfigError::check("window (ns)", window, SLICES, days(1).as_nanos()) {
            return Err(error);
        }
        let floor = self.min_retries_per_second;
        if floor > 0 || self.percent == 0 {
            let (Some(least), Some(most)) = (
                (SECOND + window as u128 - 1).checked_div(window as u128),
                (i32::MAX as u128 * SECOND / UNITS.unsigned_abs() as u128)
                    .checked_div(window as u128),
            ) else {
                // The window was checked above.
                return Err(ConfigError::new("window (ns)", window, SLICES, SLICES));
            };
            let most = if most > u32::MAX as u128 {
                u32::MAX as u64
            } else {
                most as u64
            };
            let name = "min_retries_per_second";
            if let Err(error) = ConfigError::check(name, floor as u64, least as u64, most) {
                return Err(error);
            }
        }
        Ok(RetryBudget::of(Kind::Ratio {
            // Both fit: at most 10,000, and `i32::MAX` by the check above.
            deposit: (self.percent * (UNITS.unsigned_abs() / 100)).cast_signed(),
            floor: (floor as u128 * window as u128 * UNITS.unsigned_abs() as u128 / SECOND) as i32,
            slice: Duration::from_nanos(window / SLICES),
        }))
    }
}

impl ThrottleConfig {
    /// Checks the whole and makes the budget.
    ///
    /// # Errors
    ///
    /// The first field that is out of range: `max_tokens` or `thousandths`.
    pub const fn build(self) -> Result<RetryBudget, ConfigError> {
        let most = u32::MAX / UNITS.unsigned_abs();
        let tokens = self.max_tokens;
        if let Err(error) = ConfigError::check("max_tokens", tokens as u64, 3, most as u64) {
            return Err(error);
        }
        let max = tokens * UNITS.unsigned_abs();
        let gives = self.thousandths as u64;
        if let Err(error) = ConfigError::check("thousandths", gives, 1, max as u64) {
            return Err(error);
        }
        Ok(RetryBudget::of(Kind::Throttle {
            max,
            success_adds: self.thousandths,
        }))
    }
}
