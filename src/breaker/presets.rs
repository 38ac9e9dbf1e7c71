//! Breakers for those who have no numbers of their own yet.

use super::Breaker;
use super::open_time::OpenTime;
use super::trip::Consecutive;
use crate::time::{Duration, minutes, secs};

/// How many calls a second go to the service. More calls fail by chance where there are more of
/// them, and a threshold is reached sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub enum Traffic {
    /// Below 10 a second. Common thresholds are 3 to 5 failures; this one is 4.
    Low,
    /// 10 to 100 a second. Common thresholds are 5 to 10 failures; this one is 8.
    Medium,
    /// Above 100 a second. Common thresholds are 10 to 20 failures; this one is 15.
    High,
}

/// How long the service takes to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub enum Recovery {
    /// A process that restarts. Common open times are 10 to 30 s; this one is 15 s.
    Quick,
    /// Common open times are 30 to 60 s; this one is 30 s.
    Normal,
    /// A database that fails over. Common open times are 2 to 5 minutes; this one is 3.
    Slow,
}

/// How much a call that fails costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub enum Stakes {
    /// A failed call is no great matter: closed after 1 to 2 successes; here after 1.
    Low,
    /// Closed after 3 to 5 successes; here after 3.
    Normal,
    /// Payments: closed after 5 to 10 successes; here after 5.
    High,
}

impl Breaker {
    const fn preset(failures: u32, open_for: Duration, close_after: u32) -> Self {
        Self {
            rule: Consecutive { failures },
            open_time: OpenTime::fixed(open_for),
            close_after,
            lease: secs(60),
        }
    }

    /// 5 failures in a row, open for 30 s, closed after 3 successes: a common choice.
    pub const fn standard() -> Self {
        Self::preset(5, secs(30), 3)
    }

    /// 3 failures in a row, open for 15 s, closed after the first success: for calls that are rare,
    /// and cheap to lose.
    pub const fn sensitive() -> Self {
        Self::preset(3, secs(15), 1)
    }

    /// A first guess from what is known of the service. Correct it by what production shows: a
    /// threshold that is too low trips on chance, one that is too high protects too late.
    ///
    /// ```
    /// use steadfast::breaker::{Breaker, Recovery, Stakes, Traffic};
    ///
    /// const ORDERS_DB: Breaker = Breaker::advised(Traffic::Medium, Recovery::Slow, Stakes::High);
    /// assert_eq!(ORDERS_DB.rule().failures(), 8);
    /// ```
    pub const fn advised(traffic: Traffic, recovery: Recovery, stakes: Stakes) -> Self {
        let failures = match traffic {
            Traffic::Low => 4,
            Traffic::Medium => 8,
            Traffic::High => 15,
        };
        let open_for = match recovery {
            Recovery::Quick => secs(15),
            Recovery::Normal => secs(30),
            Recovery::Slow => minutes(3),
        };
        let close_after = match stakes {
            Stakes::Low => 1,
            Stakes::Normal => 3,
            Stakes::High => 5,
        };
        Self::preset(failures, open_for, close_after)
    }
}
