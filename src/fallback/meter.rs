//! How many answers were not what was asked for, and when that is worth a call.

use core::cell::Cell;
use core::fmt;

use crate::config::ConfigError;
use crate::shared::{Machine, Shared};
use crate::time::{Duration, Instant};
use crate::window::{Call, TimeWindow, Totals, Window};

/// Raises an alarm when too many of the latest answers are degraded, and clears it when few
/// enough are. It tells only these two edges.
///
/// The answers of the last while are counted in `B` slices of time: see [`TimeWindow`]. The alarm
/// is raised when there are [`min_answers`](FallbackMeterConfig::min_answers) or more, and
/// [`raised_at`](FallbackMeterConfig::raised_at) thousandths of them or more are degraded. It is
/// cleared when fewer than [`cleared_below`](FallbackMeterConfig::cleared_below) are, however few
/// answers there are; so also when there are none, which only [`check`](Self::check) can notice.
///
/// The state takes `12 * B + 32` bytes on a 64-bit machine, rounded up to eight. To record costs
/// what the window does, and two multiplications.
///
/// ```
/// use steadfast::fallback::{FallbackAlarm, FallbackMeter};
/// use steadfast::{policy, time::{Instant, minutes, secs}};
///
/// const METER: FallbackMeter<6> =
///     policy!(FallbackMeter::over(minutes(1)).raised_at(500).min_answers(4));
///
/// let mut state = FallbackMeter::QUIET;
/// let now = Instant::from_secs(60);
/// for is_degraded in [false, false, true] {
///     assert_eq!(METER.record(&mut state, now, is_degraded), None);
/// }
/// assert_eq!(METER.record(&mut state, now, true), Some(FallbackAlarm::Raised));
/// assert_eq!(METER.record(&mut state, now, true), None, "it is known");
/// // A minute without answers.
/// assert_eq!(METER.check(&mut state, now + secs(60)), Some(FallbackAlarm::Cleared));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct FallbackMeter<const B: usize> {
    window: TimeWindow<B>,
    raised_at: u32,
    cleared_below: u32,
    min_answers: u32,
}

/// The making of a [`FallbackMeter`].
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct FallbackMeterConfig<const B: usize> {
    window: Duration,
    raised_at: u32,
    cleared_below: Option<u32>,
    min_answers: u32,
}

/// What a [`FallbackMeter`] remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct FallbackMeterState<const B: usize> {
    answers: <TimeWindow<B> as Window>::State,
    is_raised: bool,
}

/// An edge of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub enum FallbackAlarm {
    /// From now on too many answers are degraded.
    Raised,
    /// From now on few enough are.
    Cleared,
}

impl FallbackAlarm {
    /// Every [`label`](Self::label) that there is.
    pub const LABELS: [&'static str; 2] = ["raised", "cleared"];

    /// One word for a counter's label, the same in every version; one of [`LABELS`](Self::LABELS).
    pub const fn label(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Cleared => "cleared",
        }
    }
}

impl fmt::Display for FallbackAlarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl<const B: usize> FallbackMeter<B> {
    /// No answers yet, and no alarm, whatever the policy.
    pub const QUIET: FallbackMeterState<B> = FallbackMeterState {
        answers: TimeWindow::EMPTY,
        is_raised: false,
    };

    /// Over the answers of the last `window`. Unless it is said otherwise, raised at half of 20 or
    /// more.
    pub const fn over(window: Duration) -> FallbackMeterConfig<B> {
        FallbackMeterConfig {
            window,
            raised_at: 500,
            cleared_below: None,
            min_answers: 20,
        }
    }

    /// Counts an answer, and says whether the alarm has changed by it. What a chain has said comes
    /// from [`Served::is_degraded`](super::Served::is_degraded), or, to count those without any
    /// answer as well, from
    /// [`FallbackEvent::is_degraded`](crate::event::FallbackEvent::is_degraded).
    pub fn record(
        &self,
        state: &mut FallbackMeterState<B>,
        now: Instant,
        is_degraded: bool,
    ) -> Option<FallbackAlarm> {
        let call = Call {
            failed: is_degraded,
            slow: false,
        };
        let totals = self.window.record(&mut state.answers, now, call);
        self.judge(state, totals)
    }

    /// Says whether the alarm has changed because time has passed.
    pub fn check(&self, state: &mut FallbackMeterState<B>, now: Instant) -> Option<FallbackAlarm> {
        self.window.mend(&mut state.answers, now);
        let totals = self.window.totals(&state.answers, now);
        self.judge(state, totals)
    }

    /// Is the alarm raised, as of the last `record` or `check`?
    pub const fn is_raised(&self, state: &FallbackMeterState<B>) -> bool {
        state.is_raised
    }

    /// How many answers there were (`calls`), and how many of them degraded (`failures`).
    pub fn totals(&self, state: &FallbackMeterState<B>, now: Instant) -> Totals {
        self.window.totals(&state.answers, now)
    }

    fn judge(&self, state: &mut FallbackMeterState<B>, totals: Totals) -> Option<FallbackAlarm> {
        if state.is_raised {
            if totals.failures_reach(self.cleared_below) {
                return None;
            }
            state.is_raised = false;
            Some(FallbackAlarm::Cleared)
        } else {
            if totals.calls < self.min_answers || !totals.failures_reach(self.raised_at) {
                return None;
            }
            state.is_raised = true;
            Some(FallbackAlarm::Raised)
        }
    }
}

impl<const B: usize> FallbackMeterConfig<B> {
    /// Raised when so many thousandths of the answers or more are degraded; 500 by default.
    #[must_use]
    pub const fn raised_at(mut self, permille: u32) -> Self {
        self.raised_at = permille;
        self
    }

    /// Cleared when fewer thousandths of the answers are degraded; by default what it is raised
    /// at. Less keeps an alarm from coming and going.
    #[must_use]
    pub const fn cleared_below(mut self, permille: u32) -> Self {
        self.cleared_below = Some(permille);
        self
    }

    /// Not raised by fewer answers than this; 20 by default.
    #[must_use]
    pub const fn min_answers(mut self, answers: u32) -> Self {
        self.min_answers = answers;
        self
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// If `raised_at` is not in `1..=1000`, `cleared_below` not in `1..=raised_at`, or
    /// `min_answers` is 0; or what [`TimeWindow`] says of the window.
    pub const fn build(self) -> Result<FallbackMeter<B>, ConfigError> {
        let raised_at = self.raised_at as u64;
        if let Err(error) = ConfigError::check("raised_at (permille)", raised_at, 1, 1_000) {
            return Err(error);
        }
        let cleared_below = match self.cleared_below {
            Some(permille) => permille,
            None => self.raised_at,
        };
        let field = "cleared_below (permille)";
        if let Err(error) = ConfigError::check(field, cleared_below as u64, 1, raised_at) {
            return Err(error);
        }
        let (answers, most) = (self.min_answers as u64, u32::MAX as u64);
        if let Err(error) = ConfigError::check("min_answers", answers, 1, most) {
            return Err(error);
        }
        match TimeWindow::new(self.window).build() {
            Ok(window) => Ok(FallbackMeter {
                window,
                raised_at: self.raised_at,
                cleared_below,
                min_answers: self.min_answers,
            }),
            Err(error) => Err(error),
        }
    }
}

impl<const B: usize> Machine for FallbackMeter<B> {
    type Policy = Self;
    type Cell = Cell<FallbackMeterState<B>>;
}

/// A meter in a `static`.
///
/// ```
/// use steadfast::fallback::FallbackMeter;
/// use steadfast::{policy, shared::Shared, time::{Instant, minutes}};
///
/// static METER: Shared<FallbackMeter<6>> =
///     Shared::fallback_meter(policy!(FallbackMeter::over(minutes(1))));
///
/// let now = Instant::from_secs(60);
/// if let Some(alarm) = METER.record(now, true) {
///     println!("fallbacks: {alarm}");
/// }
/// assert_eq!(METER.totals(now).failures, 1);
/// ```
impl<const B: usize> Shared<FallbackMeter<B>> {
    /// No answers yet, and no alarm.
    pub const fn fallback_meter(policy: FallbackMeter<B>) -> Self {
        Self::of(policy, FallbackMeter::QUIET)
    }

    /// Counts an answer; see [`FallbackMeter::record`].
    pub fn record(&self, now: Instant, is_degraded: bool) -> Option<FallbackAlarm> {
        self.update(|meter, state| meter.record(state, now, is_degraded))
    }

    /// Says whether the alarm has changed because time has passed.
    pub fn check(&self, now: Instant) -> Option<FallbackAlarm> {
        self.update(|meter, state| meter.check(state, now))
    }

    /// Is the alarm raised, as of the last `record` or `check`?
    pub fn is_raised(&self) -> bool {
        self.look().1.is_raised
    }

    /// How many answers there were (`calls`), and how many of them degraded (`failures`).
    pub fn totals(&self, now: Instant) -> Totals {
        let (meter, state) = self.look();
        meter.totals(&state, now)
    }
}
