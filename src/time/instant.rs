//! A point in time, as nanoseconds since a start that the clock chose.

use core::ops::{Add, Sub};

use super::Duration;

/// A point in time: nanoseconds since the start of its clock, in a `u64`.
///
/// What the start is, the clock decides (boot, the first reading, 1970). Instants of different
/// clocks must not be mixed. Arithmetic saturates at both ends. Eight bytes.
///
/// ```
/// use steadfast::time::{Instant, secs};
///
/// let start = Instant::from_nanos(0);
/// let later = start + secs(3);
/// assert_eq!(later.since(start), secs(3));
/// assert_eq!(start.since(later), secs(0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The start of the clock.
    pub const ZERO: Self = Self(0);
    /// The last instant that can be told, about 584 years after the start.
    pub const MAX: Self = Self(u64::MAX);

    /// `count` nanoseconds after the start.
    pub const fn from_nanos(count: u64) -> Self {
        Self(count)
    }

    /// `count` milliseconds after the start, saturating.
    pub const fn from_millis(count: u64) -> Self {
        Self(Duration::from_millis(count).as_nanos())
    }

    /// `count` seconds after the start, saturating.
    pub const fn from_secs(count: u64) -> Self {
        Self(Duration::from_secs(count).as_nanos())
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero if it is not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// This much later, at most [`Instant::MAX`].
    #[must_use]
    pub const fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_nanos()))
    }

    /// This much later, or `None` past [`Instant::MAX`].
    pub(crate) const fn checked_add(self, duration: Duration) -> Option<Self> {
        match self.0.checked_add(duration.as_nanos()) {
            Some(count) => Some(Self(count)),
            None => None,
        }
    }

    /// This much earlier, at least [`Instant::ZERO`].
    #[must_use]
    pub const fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_nanos()))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        self.saturating_add(duration)
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        self.saturating_sub(duration)
    }
}
