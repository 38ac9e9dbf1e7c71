//! How a breaker is configured, and what is allowed.

use super::Breaker;
use super::open_time::OpenTime;
use super::trip::{Consecutive, Rate};
use crate::config::ConfigError;
use crate::time::{Duration, MAX_WAIT, secs};
use crate::window::{CountWindow, TimeWindow};

/// A breaker being configured; [`build`](Self::build) or [`policy!`](crate::policy) checks it.
///
/// Unless it is said otherwise: open for 30 s, one probe at a time, closed after 3 successes, and a
/// probe's lease of 60 s.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct BreakerConfig<R, const PROBES: usize = 1> {
    rule: R,
    open_for: Duration,
    cap: Option<Duration>,
    jitter_percent: u32,
    close_after: u32,
    lease: Duration,
}

/// A rate over the last so many calls, being configured.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct OverCalls<const W: usize> {
    calls: u32,
    rate: RateConfig,
}

/// A rate over the last so many seconds, being configured.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct OverTime<const B: usize> {
    window: Duration,
    rate: RateConfig,
}

#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
struct RateConfig {
    min_calls: Option<u32>,
    failures_percent: u32,
    slow_percent: u32,
    longer_than: Option<Duration>,
}

/// The least number of calls, unless another is set.
const MIN_CALLS: u32 = 10;

impl RateConfig {
    const STANDARD: Self = Self {
        min_calls: None,
        failures_percent: 50,
        slow_percent: 100,
        longer_than: None,
    };

    /// The rule, where up to `room` calls are in the window.
    const fn build<W: Copy>(self, window: W, room: u32) -> Result<Rate<W>, ConfigError> {
        let min_calls = match self.min_calls {
            Some(calls) => calls,
            None if room < MIN_CALLS => room,
            None => MIN_CALLS,
        };
        if let Err(error) = ConfigError::check("min_calls", min_calls as u64, 1, room as u64) {
            return Err(error);
        }
        let percent = self.failures_percent as u64;
        if let Err(error) = ConfigError::check("failures_percent", percent, 1, 100) {
            return Err(error);
        }
        let percent = self.slow_percent as u64;
        if let Err(error) = ConfigError::check("slow_percent", percent, 1, 100) {
            return Err(error);
        }
        let longer_than = match self.longer_than {
            Some(duration) => {
                let (nanos, most) = (duration.as_nanos(), MAX_WAIT.as_nanos());
                if let Err(error) = ConfigError::check("longer_than (ns)", nanos, 0, most) {
                    return Err(error);
                }
                duration
            }
            None => Duration::MAX,
        };
        Ok(Rate {
            window,
            min_calls,
            // Up to 100 each.
            failures_permille: self.failures_percent * 10,
            slow_permille: self.slow_percent * 10,
            longer_than,
        })
    }
}

impl Breaker {
    /// Opens after `failures` failures in a row, 1 to `u32::MAX`.
    ///
    /// ```
    /// use steadfast::{breaker::Breaker, policy, time::{minutes, secs}};
    ///
    /// const SHIPPING: Breaker = policy!(
    ///     Breaker::consecutive(5)
    ///         .open_for(secs(30))
    ///         .growing_to(minutes(5))
    ///         .close_after(3)
    /// );
    /// ```
    pub const fn consecutive(failures: u32) -> BreakerConfig<Consecutive> {
        BreakerConfig::of(Consecutive { failures })
    }

    /// Opens by the share of failed, or slow, calls among the last `calls`, 1 to `32 * W`; see
    /// [`CountWindow`].
    ///
    /// Unless it is said otherwise: at half of them failed, from 10 calls on (or from `calls` on, if
    /// that is less).
    ///
    /// ```
    /// use steadfast::breaker::{Breaker, Rate};
    /// use steadfast::{policy, time::secs, window::CountWindow};
    ///
    /// const SEARCH: Breaker<Rate<CountWindow<4>>, 2> = policy!(
    ///     Breaker::rate_over_calls::<4>(100)
    ///         .failures_percent(50)
    ///         .slow_percent(80, secs(2))
    ///         .min_calls(20)
    ///         .probes::<2>()
    /// );
    /// ```
    pub const fn rate_over_calls<const W: usize>(calls: u32) -> BreakerConfig<OverCalls<W>> {
        BreakerConfig::of(OverCalls {
            calls,
            rate: RateConfig::STANDARD,
        })
    }

    /// Opens by the share of failed, or slow, calls of the last `window`, in `B` slices; see
    /// [`TimeWindow`].
    ///
    /// Unless it is said otherwise: at half of them failed, from 10 calls on.
    ///
    /// ```
    /// use steadfast::breaker::{Breaker, Rate};
    /// use steadfast::{policy, time::secs, window::TimeWindow};
    ///
    /// const QUOTES: Breaker<Rate<TimeWindow<10>>> =
    ///     policy!(Breaker::rate_over_time::<10>(secs(10)).failures_percent(50).min_calls(20));
    /// ```
    pub const fn rate_over_time<const B: usize>(window: Duration) -> BreakerConfig<OverTime<B>> {
        BreakerConfig::of(OverTime {
            window,
            rate: RateConfig::STANDARD,
        })
    }
}

impl<R: Copy> BreakerConfig<R> {
    const fn of(rule: R) -> Self {
        Self {
            rule,
            open_for: secs(30),
            cap: None,
            jitter_percent: 0,
            close_after: 3,
            lease: secs(60),
        }
    }
}

impl<R: Copy, const PROBES: usize> BreakerConfig<R, PROBES> {
    /// How long it stays open, 1 ns to [`MAX_WAIT`].
    #[must_use]
    pub const fn open_for(mut self, duration: Duration) -> Self {
        self.open_for = duration;
        self
    }

    /// Doubles the open time each time it reopens without having closed, up to `cap`, which is the
    /// open time to [`MAX_WAIT`].
    #[must_use]
    pub const fn growing_to(mut self, cap: Duration) -> Self {
        self.cap = Some(cap);
        self
    }

    /// Adds up to so many percent to each open time by chance, 0 to 100, so that those whom one
    /// outage has opened do not all come back at once. Chance never shortens it, and is added to
    /// the cap as well.
    ///
    /// Drawn from the state's seed ([`BreakerState::seeded`](super::BreakerState::seeded)) and its
    /// generation.
    #[must_use]
    pub const fn open_jitter_percent(mut self, percent: u32) -> Self {
        self.jitter_percent = percent;
        self
    }

    /// How many probes must work before it closes, 1 to `u32::MAX`.
    #[must_use]
    pub const fn close_after(mut self, successes: u32) -> Self {
        self.close_after = successes;
        self
    }

    /// How many probes may be out at a time, 1 to 1,024. Each takes 16 bytes of the state.
    #[must_use]
    pub const fn probes<const N: usize>(self) -> BreakerConfig<R, N> {
        BreakerConfig {
            rule: self.rule,
            open_for: self.open_for,
            cap: self.cap,
            jitter_percent: self.jitter_percent,
            close_after: self.close_after,
            lease: self.lease,
        }
    }

    /// After how long a probe that has not come back is written off, 1 ns to [`MAX_WAIT`]. Let it be
    /// longer than any call may take.
    #[must_use]
    pub const fn probe_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Checks all but the rule.
    const fn with_rule<T: Copy>(self, rule: T) -> Result<Breaker<T, PROBES>, ConfigError> {
        let most = MAX_WAIT.as_nanos();
        let open_for = self.open_for.as_nanos();
        if let Err(error) = ConfigError::check("open_for (ns)", open_for, 1, most) {
            return Err(error);
        }
        let cap = match self.cap {
            Some(cap) => cap,
            None => self.open_for,
        };
        if let Err(error) = ConfigError::check("growing_to (ns)", cap.as_nanos(), open_for, most) {
            return Err(error);
        }
        let percent = self.jitter_percent as u64;
        if let Err(error) = ConfigError::check("open_jitter_percent", percent, 0, 100) {
            return Err(error);
        }
        // Just below 2^32 at most.
        let reach = (percent * u32::MAX as u64 / 100) as u32;
        let close_after = self.close_after as u64;
        if let Err(error) = ConfigError::check("close_after", close_after, 1, u32::MAX as u64) {
            return Err(error);
        }
        if let Err(error) = ConfigError::check("probes", PROBES as u64, 1, 1024) {
            return Err(error);
        }
        let lease = self.lease.as_nanos();
        if let Err(error) = ConfigError::check("probe_lease (ns)", lease, 1, most) {
            return Err(error);
        }
        Ok(Breaker {
            rule,
            open_time: OpenTime {
                base: self.open_for,
                cap,
                reach,
            },
            close_after: self.close_after,
            lease: self.lease,
        })
    }
}

impl<const PROBES: usize> BreakerConfig<Consecutive, PROBES> {
    /// Checks the whole and makes the policy.
    ///
    /// # Errors
    ///
    /// The first field that is out of range: `failures`, `open_for (ns)`, `growing_to (ns)`,
    /// `open_jitter_percent`, `close_after`, `probes` or `probe_lease (ns)`.
    pub const fn build(self) -> Result<Breaker<Consecutive, PROBES>, ConfigError> {
        let failures = self.rule.failures as u64;
        match ConfigError::check("failures", failures, 1, u32::MAX as u64) {
            Ok(()) => self.with_rule(self.rule),
            Err(error) => Err(error),
        }
    }
}

/// What both rates can be told.
macro_rules! rate_setters {
    () => {
        /// Opens when so many percent of the calls failed, or more: 1 to 100.
        #[must_use]
        pub const fn failures_percent(mut self, percent: u32) -> Self {
            self.rule.rate.failures_percent = percent;
            self
        }

        /// Opens, too, when so many percent of the calls, or more, took longer than that: 1 to 100,
        /// and up to [`MAX_WAIT`]. A probe that takes longer reopens.
        #[must_use]
        pub const fn slow_percent(mut self, percent: u32, longer_than: Duration) -> Self {
            self.rule.rate.slow_percent = percent;
            self.rule.rate.longer_than = Some(longer_than);
            self
        }

        /// Judges from so many calls in the window on, that one included: at least 1, and no more
        /// than fit into it.
        #[must_use]
        pub const fn min_calls(mut self, calls: u32) -> Self {
            self.rule.rate.min_calls = Some(calls);
            self
        }
    };
}

impl<const W: usize, const PROBES: usize> BreakerConfig<OverCalls<W>, PROBES> {
    rate_setters!();

    /// Checks the whole and makes the policy.
    ///
    /// # Errors
    ///
    /// The first field that is out of range: `calls`, `min_calls`, `failures_percent`,
    /// `slow_percent`, `longer_than (ns)`, and those that every breaker has.
    pub const fn build(self) -> Result<Breaker<Rate<CountWindow<W>>, PROBES>, ConfigError> {
        let window = match CountWindow::new(self.rule.calls).build() {
            Ok(window) => window,
            Err(error) => return Err(error),
        };
        match self.rule.rate.build(window, self.rule.calls) {
            Ok(rule) => self.with_rule(rule),
            Err(error) => Err(error),
        }
    }
}

impl<const B: usize, const PROBES: usize> BreakerConfig<OverTime<B>, PROBES> {
    rate_setters!();

    /// Checks the whole and makes the policy.
    ///
    /// # Errors
    ///
    /// The first field that is out of range: `slices`, `window (ns)`, `min_calls`,
    /// `failures_percent`, `slow_percent`, `longer_than (ns)`, and those that every breaker has.
    pub const fn build(self) -> Result<Breaker<Rate<TimeWindow<B>>, PROBES>, ConfigError> {
        let window = match TimeWindow::new(self.rule.window).build() {
            Ok(window) => window,
            Err(error) => return Err(error),
        };
        match self.rule.rate.build(window, u32::MAX) {
            Ok(rule) => self.with_rule(rule),
            Err(error) => Err(error),
        }
    }
}
