//! Faults put in on purpose, to see whether retry, breaker and fallback do what they are there
//! for.
//!
//! A [`FaultPlan`] says how many calls fail, how, how late answers are, and how that changes with
//! time. By a generator with a fixed seed and a clock that is moved by hand, a run can be repeated
//! call by call.
//!
//! ```
//! use steadfast::fault::{Fault, FaultPlan, Faults};
//! use steadfast::{policy, random::SplitMix32, time::{Duration, Instant, millis, secs}};
//!
//! const SLOW: Faults =
//!     policy!(Faults::of().errors(50).latency(millis(20)).latency_up_to(millis(80)));
//! const DOWN: Faults = policy!(Faults::of().resets(900).hangs(100));
//! /// Well for ten seconds, then slow, down from 30 s to 60 s, and well again.
//! const PHASES: [(Duration, Faults); 3] =
//!     [(secs(10), SLOW), (secs(30), DOWN), (secs(60), Faults::NONE)];
//! const PLAN: FaultPlan = policy!(FaultPlan::phases(&PHASES));
//!
//! let mut random = SplitMix32::new(7);
//! assert_eq!(PLAN.draw(Instant::from_secs(9), &mut random).fault, Fault::None);
//! let drawn = PLAN.draw(Instant::from_secs(30), &mut random);
//! // A call waits for `delay`, and then it is refused, cut off, or goes on.
//! assert!(matches!(drawn.fault, Fault::Reset | Fault::Hang));
//! ```

use core::fmt;

use crate::config::ConfigError;
use crate::outcome::Outcome;
use crate::random::{Random, fraction_of};
use crate::time::{Duration, Instant, MAX_WAIT};

/// How many calls fail, how, and how late they are. 32 bytes.
///
/// Shares are in thousandths of the calls. What is left of a thousand is well, and late all the
/// same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Faults {
    errors: u32,
    resets: u32,
    hangs: u32,
    latency: Duration,
    up_to: Duration,
}

/// The making of [`Faults`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct FaultsConfig {
    faults: Faults,
    /// `up_to` is the fixed latency unless it is set.
    up_to: Option<Duration>,
}

impl Faults {
    /// All is well.
    pub const NONE: Self = Self {
        errors: 0,
        resets: 0,
        hangs: 0,
        latency: Duration::ZERO,
        up_to: Duration::ZERO,
    };

    /// Begins with none.
    pub const fn of() -> FaultsConfig {
        FaultsConfig {
            faults: Self::NONE,
            up_to: None,
        }
    }

    /// What happens to one call. Takes two numbers, whatever it says, so the same calls fail when
    /// only the latency is changed.
    pub fn draw(&self, random: &mut impl Random) -> Injected {
        let (which, how_late) = (random.next_u32(), random.next_u32());
        // 0 to 999, each as likely as any other but for one in four million.
        let which = fraction_of(1_000, which) as u32;
        // The three are at most a thousand.
        let (errors, resets) = (self.errors, self.errors.saturating_add(self.resets));
        let fault = if which < errors {
            Fault::Error
        } else if which < resets {
            Fault::Reset
        } else if which < resets.saturating_add(self.hangs) {
            Fault::Hang
        } else {
            Fault::None
        };
        let delay = if fault == Fault::Hang {
            Duration::MAX
        } else {
            // Both ends included. At most `MAX_WAIT` and one, so nothing saturates.
            let spread = (self.up_to - self.latency).as_nanos().saturating_add(1);
            self.latency + Duration::from_nanos(fraction_of(spread, how_late))
        };
        Injected { fault, delay }
    }
}

impl FaultsConfig {
    /// So many of a thousand calls are answered by an error.
    #[must_use]
    pub const fn errors(mut self, permille: u32) -> Self {
        self.faults.errors = permille;
        self
    }

    /// So many of a thousand calls lose their connection.
    #[must_use]
    pub const fn resets(mut self, permille: u32) -> Self {
        self.faults.resets = permille;
        self
    }

    /// So many of a thousand calls are never answered.
    #[must_use]
    pub const fn hangs(mut self, permille: u32) -> Self {
        self.faults.hangs = permille;
        self
    }

    /// How late an answer is at least, that of an error or a reset included.
    #[must_use]
    pub const fn latency(mut self, latency: Duration) -> Self {
        self.faults.latency = latency;
        self
    }

    /// How late an answer is at most: evenly spread from [`latency`](Self::latency) to this, in
    /// steps of the 2^32nd part. Without it all are late by the same.
    #[must_use]
    pub const fn latency_up_to(mut self, up_to: Duration) -> Self {
        self.up_to = Some(up_to);
        self
    }

    /// The faults.
    ///
    /// # Errors
    ///
    /// If errors, resets and hangs are more than a thousand together; if the latency is more than
    /// [`MAX_WAIT`], or what it goes up to more than that or less than the latency.
    pub const fn build(self) -> Result<Faults, ConfigError> {
        let mut faults = self.faults;
        let share = faults.errors as u64 + faults.resets as u64 + faults.hangs as u64;
        if let Err(error) = ConfigError::check("faults (permille)", share, 0, 1_000) {
            return Err(error);
        }
        let (least, longest) = (faults.latency.as_nanos(), MAX_WAIT.as_nanos());
        if let Err(error) = ConfigError::check("latency (ns)", least, 0, longest) {
            return Err(error);
        }
        faults.up_to = match self.up_to {
            Some(up_to) => up_to,
            None => faults.latency,
        };
        let up_to = faults.up_to.as_nanos();
        if let Err(error) = ConfigError::check("latency_up_to (ns)", up_to, least, longest) {
            return Err(error);
        }
        Ok(faults)
    }
}

/// Faults that change with time. 24 bytes on a 64-bit machine; the phases lie where they are
/// written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct FaultPlan<'a> {
    phases: &'a [(Duration, Faults)],
    start: Instant,
}

/// The making of a [`FaultPlan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct FaultPlanConfig<'a>(FaultPlan<'a>);

impl<'a> FaultPlan<'a> {
    /// No faults at all.
    pub const NONE: Self = Self {
        phases: &[],
        start: Instant::ZERO,
    };

    /// Faults in phases: how long after the start each begins, and what it has. It lasts until the
    /// next. Before the first there are none.
    pub const fn phases(phases: &'a [(Duration, Faults)]) -> FaultPlanConfig<'a> {
        FaultPlanConfig(Self {
            phases,
            start: Instant::ZERO,
        })
    }

    /// What is in force at `now`. O(phases).
    pub fn faults(&self, now: Instant) -> Faults {
        let begun = |&&(after, _): &&(Duration, Faults)| self.start + after <= now;
        let last = self.phases.iter().take_while(begun).last();
        last.map_or(Faults::NONE, |&(_, faults)| faults)
    }

    /// What happens to one call that begins at `now`. Takes two numbers, whatever it says.
    pub fn draw(&self, now: Instant, random: &mut impl Random) -> Injected {
        self.faults(now).draw(random)
    }

    /// When the faults change next; `None` if they stay.
    pub fn next_change(&self, now: Instant) -> Option<Instant> {
        let mut begins = self.phases.iter().map(|&(after, _)| self.start + after);
        begins.find(|&begin| begin > now)
    }
}

impl<'a> FaultPlanConfig<'a> {
    /// The instant from which the phases count; the start of the clock by default.
    #[must_use]
    pub const fn starting(mut self, start: Instant) -> Self {
        self.0.start = start;
        self
    }

    /// The plan.
    ///
    /// # Errors
    ///
    /// If a phase does not begin after the one before it, or begins later than [`MAX_WAIT`] after
    /// the start.
    pub const fn build(self) -> Result<FaultPlan<'a>, ConfigError> {
        let mut least = 0;
        let mut left = self.0.phases;
        while let [(after, _), rest @ ..] = left {
            let (after, longest) = (after.as_nanos(), MAX_WAIT.as_nanos());
            if let Err(error) = ConfigError::check("phase (ns)", after, least, longest) {
                return Err(error);
            }
            // Checked above: it is at most 2^62.
            least = after + 1;
            left = rest;
        }
        Ok(self.0)
    }
}

/// What to do to one call: wait for `delay`, and then what `fault` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Injected {
    /// What happens to it.
    pub fault: Fault,
    /// How late it happens; [`Duration::MAX`] for a hang, which never does.
    pub delay: Duration,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fault {
    /// Nothing: it goes on as it would.
    None,
    /// It is answered by an error: a 500, say.
    Error,
    /// The connection is lost; whether it was done is not known.
    Reset,
    /// It is never answered. The caller's own time limit has to end it.
    Hang,
}

impl Fault {
    /// How retry and breaker should come to see it; `None` if it goes on as it would.
    pub const fn outcome(self) -> Option<Outcome> {
        match self {
            Self::None => None,
            Self::Error | Self::Reset => Some(Outcome::TRANSIENT),
            Self::Hang => Some(Outcome::TimedOut),
        }
    }

    /// Every [`label`](Self::label) that there is.
    pub const LABELS: [&'static str; 4] = ["none", "error", "reset", "hang"];

    /// One word for a counter's label, the same in every version; one of [`LABELS`](Self::LABELS).
    pub const fn label(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Error => "error",
            Self::Reset => "reset",
            Self::Hang => "hang",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// So that a fault can be the error of the call that it befell.
impl core::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_in_the_list_once() {
        let faults = [Fault::None, Fault::Error, Fault::Reset, Fault::Hang];
        assert_eq!(faults.map(Fault::label), Fault::LABELS);
    }
}
