//! How often, how long and after which delays something is tried again.

use super::Retry;
use crate::backoff::{Backoff, Jitter};
use crate::config::ConfigError;
use crate::policy;
use crate::time::{Duration, Instant, MAX_WAIT, millis, secs};

/// A retry policy: delays, attempts, and how long it may all take.
///
/// [`start`](Self::start) begins a session, one for each call; the policy itself never changes and
/// is shared by all. 72 bytes.
///
/// ```
/// use steadfast::backoff::{Backoff, Jitter};
/// use steadfast::retry::RetryPolicy;
/// use steadfast::{policy, time::{millis, secs}};
///
/// const BACKOFF: Backoff =
///     policy!(Backoff::exponential(millis(100)).cap(secs(5)).jitter(Jitter::Full));
/// const QUOTES: RetryPolicy =
///     policy!(RetryPolicy::new(BACKOFF).attempts(3).max_elapsed(secs(30)));
/// assert_eq!(QUOTES.attempts(), 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct RetryPolicy {
    backoff: Backoff,
    /// [`Duration::MAX`] is no limit.
    max_elapsed: Duration,
    max_server_delay: Duration,
    attempts: u32,
}

/// A retry policy being configured; [`build`](Self::build) or [`policy!`](crate::policy) checks it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct RetryPolicyConfig {
    backoff: Backoff,
    attempts: u32,
    max_elapsed: Option<Duration>,
    max_server_delay: Duration,
}

impl RetryPolicy {
    /// Four attempts with these delays, no limit of time, and a minute at most for the server to ask
    /// for.
    pub const fn new(backoff: Backoff) -> RetryPolicyConfig {
        RetryPolicyConfig {
            backoff,
            attempts: STANDARD.attempts,
            max_elapsed: None,
            max_server_delay: STANDARD.max_server_delay,
        }
    }

    /// One attempt, and so no retry.
    pub const fn never() -> Self {
        Self {
            attempts: 1,
            ..STANDARD
        }
    }

    /// Four attempts in all; 200 ms, twice as long each time, at most 10 s, full jitter.
    ///
    /// A common choice. The longest that it waits by itself is 200 + 400 + 800 ms.
    pub const fn standard() -> Self {
        STANDARD
    }

    /// Five attempts with the standard delays, for a service of one's own nearby: 3 to 5 retries are
    /// common there.
    pub const fn internal() -> Self {
        Self {
            attempts: 5,
            ..STANDARD
        }
    }

    /// Four attempts with the standard delays, for somebody else's service: 2 to 3 retries are
    /// common there.
    pub const fn external() -> Self {
        Self {
            attempts: 4,
            ..STANDARD
        }
    }

    /// Three attempts with the standard delays, where a person waits: 1 to 2 retries are common
    /// there.
    ///
    /// The server may ask for 3 s at most, not for a minute: two such waits are 6 s, and 10 s is about
    /// as long as somebody keeps their mind on what they have asked for (Nielsen, "Usability
    /// Engineering", 1993, chapter 5). If it asks for more, there is no further attempt:
    /// [`StopReason::ServerDelayTooLong`](super::StopReason::ServerDelayTooLong) says how much, and
    /// [`CallError::retry_after`](crate::call::CallError::retry_after) hands it on.
    pub const fn user_facing() -> Self {
        Self {
            attempts: 3,
            max_server_delay: secs(3),
            ..STANDARD
        }
    }

    /// Nine attempts with the standard delays, for work that nobody waits for: 5 to 10 retries are
    /// common there.
    ///
    /// The longest that it waits by itself is 32.6 s.
    pub const fn background() -> Self {
        Self {
            attempts: 9,
            ..STANDARD
        }
    }

    /// Five attempts; 500 ms, twice as long each time, at most 8 s, full jitter.
    ///
    /// A common choice where a late answer is better than none. The longest that it waits by itself
    /// is 7.5 s.
    pub const fn patient() -> Self {
        const BACKOFF: Backoff = policy!(
            Backoff::exponential(millis(500))
                .cap(secs(8))
                .jitter(Jitter::Full)
        );
        Self {
            backoff: BACKOFF,
            attempts: 5,
            ..STANDARD
        }
    }

    /// Begins a session: the first attempt is under way from `now` on.
    pub const fn start(&self, now: Instant) -> Retry {
        Retry::new(now)
    }

    /// The delays.
    pub const fn backoff(&self) -> &Backoff {
        &self.backoff
    }

    /// How many attempts there may be, the first included.
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How long after the start the last attempt may begin, if that is limited.
    pub const fn max_elapsed(&self) -> Option<Duration> {
        match self.max_elapsed {
            Duration::MAX => None,
            limit => Some(limit),
        }
    }

    /// The longest wait that a server may ask for.
    pub const fn max_server_delay(&self) -> Duration {
        self.max_server_delay
    }

    /// As [`max_elapsed`](Self::max_elapsed); [`Duration::MAX`] without a limit.
    pub(super) const fn elapsed_limit(&self) -> Duration {
        self.max_elapsed
    }
}

const STANDARD: RetryPolicy = RetryPolicy {
    backoff: Backoff::standard(),
    attempts: 4,
    max_elapsed: Duration::MAX,
    max_server_delay: secs(60),
};

impl RetryPolicyConfig {
    /// How many attempts there may be, the first included: 1 to `u32::MAX`, 4 unless set. 1 is no
    /// retry.
    #[must_use]
    pub const fn attempts(mut self, count: u32) -> Self {
        self.attempts = count;
        self
    }

    /// How long after the start the last attempt may begin: 1 ns to [`MAX_WAIT`], no limit unless
    /// set.
    ///
    /// It counts the attempts as well as the waits between them.
    #[must_use]
    pub const fn max_elapsed(mut self, limit: Duration) -> Self {
        self.max_elapsed = Some(limit);
        self
    }

    /// The longest wait that a server may ask for: 1 ns to [`MAX_WAIT`], 60 s unless set. If it asks
    /// for more, there is no further attempt.
    #[must_use]
    pub const fn max_server_delay(mut self, longest: Duration) -> Self {
        self.max_server_delay = longest;
        self
    }

    /// Checks the whole and makes the policy.
    ///
    /// # Errors
    ///
    /// The first field that is out of range: `attempts`, `max_elapsed (ns)` or
    /// `max_server_delay (ns)`.
    pub const fn build(self) -> Result<RetryPolicy, ConfigError> {
        let longest = MAX_WAIT.as_nanos();
        if let Err(error) = ConfigError::check("attempts", self.attempts as u64, 1, u32::MAX as u64)
        {
            return Err(error);
        }
        let max_elapsed = match self.max_elapsed {
            Some(limit) => {
                let nanos = limit.as_nanos();
                if let Err(error) = ConfigError::check("max_elapsed (ns)", nanos, 1, longest) {
                    return Err(error);
                }
                limit
            }
            None => Duration::MAX,
        };
        let asked = self.max_server_delay.as_nanos();
        if let Err(error) = ConfigError::check("max_server_delay (ns)", asked, 1, longest) {
            return Err(error);
        }
        Ok(RetryPolicy {
            backoff: self.backoff,
            attempts: self.attempts,
            max_elapsed,
            max_server_delay: self.max_server_delay,
        })
    }
}
