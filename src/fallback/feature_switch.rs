//! A function that can be switched off by hand.

use core::cell::Cell;
use core::fmt;

use critical_section::Mutex;
use portable_atomic::AtomicBool;
use portable_atomic::Ordering::{Acquire, Release};

use crate::time::Instant;

/// Whether something that can be done without is done: recommendations, search filters, a report.
///
/// While it is on, asking is one load. Who switches takes a critical section, and says who it was
/// and why, since the next one to look will want to know.
///
/// ```
/// use steadfast::fallback::{FeatureSwitch, SwitchedOff, primary};
/// use steadfast::time::Instant;
///
/// static RECOMMENDATIONS: FeatureSwitch = FeatureSwitch::new();
///
/// fn fetch() -> Result<u32, SwitchedOff> { Ok(3) }
/// let shown = || primary(RECOMMENDATIONS.check().and_then(|()| fetch())).or_default(|| 0);
///
/// assert_eq!(shown().value, 3);
/// RECOMMENDATIONS.turn_off("night shift", "their database is full", Instant::from_secs(60));
/// assert_eq!(shown().value, 0);
/// assert_eq!(
///     RECOMMENDATIONS.check().unwrap_err().to_string(),
///     "switched off by night shift: their database is full"
/// );
/// ```
#[derive(Debug)]
pub struct FeatureSwitch {
    is_on: AtomicBool,
    last: Mutex<Cell<Option<Switched>>>,
}

/// The last turn of a [`FeatureSwitch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Switched {
    /// On or off.
    pub on: bool,
    /// By whom.
    pub by: &'static str,
    /// What for.
    pub why: &'static str,
    /// Since when.
    pub since: Instant,
}

/// It was not done because it is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct SwitchedOff {
    /// By whom, why and since when; `None` if it has been off from the start.
    pub last: Option<Switched>,
}

impl fmt::Display for SwitchedOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            Some(Switched { by, why, .. }) => write!(f, "switched off by {by}: {why}"),
            None => f.write_str("switched off from the start"),
        }
    }
}

impl core::error::Error for SwitchedOff {}

impl FeatureSwitch {
    /// On.
    pub const fn new() -> Self {
        Self::starting(true)
    }

    /// Off, until somebody turns it on.
    pub const fn off() -> Self {
        Self::starting(false)
    }

    const fn starting(on: bool) -> Self {
        Self {
            is_on: AtomicBool::new(on),
            last: Mutex::new(Cell::new(None)),
        }
    }

    /// Is it on?
    #[inline]
    pub fn is_on(&self) -> bool {
        self.is_on.load(Acquire)
    }

    /// Nothing if it is on, so that a call can go on with `?` or `and_then`.
    ///
    /// # Errors
    ///
    /// [`SwitchedOff`] if it is off.
    #[inline]
    pub fn check(&self) -> Result<(), SwitchedOff> {
        if self.is_on() {
            return Ok(());
        }
        // Turned on between the two looks, it is on.
        match self.last() {
            Some(Switched { on: true, .. }) => Ok(()),
            last => Err(SwitchedOff { last }),
        }
    }

    /// Turns it on; changes who, why and when even if it is on.
    pub fn turn_on(&self, by: &'static str, why: &'static str, now: Instant) {
        self.turn(true, by, why, now);
    }

    /// Turns it off; changes who, why and when even if it is off.
    pub fn turn_off(&self, by: &'static str, why: &'static str, now: Instant) {
        self.turn(false, by, why, now);
    }

    /// The last turn; `None` if it is as it was made.
    pub fn last(&self) -> Option<Switched> {
        critical_section::with(|cs| self.last.borrow(cs).get())
    }

    fn turn(&self, on: bool, by: &'static str, why: &'static str, since: Instant) {
        critical_section::with(|cs| {
            self.last
                .borrow(cs)
                .set(Some(Switched { on, by, why, since }));
            self.is_on.store(on, Release);
        });
    }
}

impl Default for FeatureSwitch {
    fn default() -> Self {
        Self::new()
    }
}
