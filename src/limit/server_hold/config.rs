//! How a server hold is configured, and what is allowed.

use super::ServerHold;
use crate::config::ConfigError;
use crate::limit::MAX_WAIT;
use crate::time::Duration;

/// How many statuses [`ServerHoldConfig::also`] can name.
pub(super) const MOST_ALSO: usize = 4;

/// The making of a [`ServerHold`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct ServerHoldConfig {
    max_hold: Duration,
    spread: bool,
    also: [u16; MOST_ALSO],
    /// How many were named, be there room or not.
    named: u8,
}

impl ServerHold {
    /// Holds of up to `max_hold`.
    pub const fn new(max_hold: Duration) -> ServerHoldConfig {
        ServerHoldConfig {
            max_hold,
            spread: false,
            also: [0; MOST_ALSO],
            named: 0,
        }
    }
}

impl ServerHoldConfig {
    /// Obeys the headers that say what is left, too: `RateLimit`, or `X-RateLimit-Remaining` and
    /// `-Reset`.
    #[must_use]
    pub const fn spread(mut self) -> Self {
        self.spread = true;
        self
    }

    /// Holds after this status, too, as after a 403: for its `Retry-After`, or until the reset if
    /// nothing is left. For servers that refuse by 420, say. Up to four statuses.
    ///
    /// ```
    /// use steadfast::{limit::ServerHold, policy, time::hours};
    ///
    /// const HOLD: ServerHold = policy!(ServerHold::new(hours(6)).also(420).also(413));
    /// assert!(HOLD.listens_to(420) && !HOLD.listens_to(404));
    /// ```
    #[must_use]
    pub const fn also(mut self, status: u16) -> Self {
        if (self.named as usize) < MOST_ALSO {
            self.also[self.named as usize] = status;
        }
        self.named = self.named.saturating_add(1);
        self
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// If `max_hold` is nothing, or more than [`MAX_WAIT`]; if more than four further statuses are
    /// named, or one that is not in `100..=999`.
    pub const fn build(self) -> Result<ServerHold, ConfigError> {
        let max_hold = self.max_hold.as_nanos();
        if let Err(error) = ConfigError::check("max_hold (ns)", max_hold, 1, MAX_WAIT.as_nanos()) {
            return Err(error);
        }
        let named = self.named as usize;
        if let Err(error) = ConfigError::check("statuses", named as u64, 0, MOST_ALSO as u64) {
            return Err(error);
        }
        let mut at = 0;
        while at < named && at < MOST_ALSO {
            if let Err(error) = ConfigError::check("status", self.also[at] as u64, 100, 999) {
                return Err(error);
            }
            at = at.wrapping_add(1);
        }
        Ok(ServerHold {
            max_hold: self.max_hold,
            spread: self.spread,
            also: self.also,
        })
    }
}
