//! A length of time in whole nanoseconds.

use core::fmt;
use core::ops::{Add, Sub};

/// A length of time: whole nanoseconds in a `u64`, so from 0 to about 584 years.
///
/// Arithmetic saturates at both ends. Eight bytes.
///
/// ```
/// use steadfast::time::{Duration, millis, secs};
///
/// assert_eq!(secs(2) + millis(500), Duration::from_millis(2_500));
/// assert_eq!(millis(1) - secs(1), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest that can be told: `u64::MAX` nanoseconds, about 584 years.
    pub const MAX: Self = Self(u64::MAX);

    /// `count` nanoseconds.
    pub const fn from_nanos(count: u64) -> Self {
        Self(count)
    }

    /// `count` microseconds, saturating.
    pub const fn from_micros(count: u64) -> Self {
        Self(count.saturating_mul(1_000))
    }

    /// `count` milliseconds, saturating.
    pub const fn from_millis(count: u64) -> Self {
        Self(count.saturating_mul(1_000_000))
    }

    /// `count` seconds, saturating.
    pub const fn from_secs(count: u64) -> Self {
        Self(count.saturating_mul(1_000_000_000))
    }

    /// A standard-library duration, saturating at [`Duration::MAX`].
    pub const fn from_core(duration: core::time::Duration) -> Self {
        Self(
            duration
                .as_secs()
                .saturating_mul(1_000_000_000)
                .saturating_add(duration.subsec_nanos() as u64),
        )
    }

    /// The same length as the standard library's type; exact.
    pub const fn to_core(self) -> core::time::Duration {
        core::time::Duration::from_nanos(self.0)
    }

    /// Whole nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds, rounded up: what a delay that must not be early takes.
    ///
    /// Costs one 64-bit division.
    pub const fn as_millis_ceil(self) -> u64 {
        self.0.div_ceil(1_000_000)
    }

    /// Whole seconds, rounded up: what a header that must not be early carries.
    ///
    /// Costs one 64-bit division.
    pub const fn as_secs_ceil(self) -> u64 {
        self.0.div_ceil(1_000_000_000)
    }

    /// The sum, at most [`Duration::MAX`].
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, at least [`Duration::ZERO`].
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `count` times this long, at most [`Duration::MAX`].
    #[must_use]
    pub const fn saturating_mul(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }
}

impl Add for Duration {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.saturating_add(other)
    }
}

impl Sub for Duration {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}

impl From<Duration> for core::time::Duration {
    fn from(duration: Duration) -> Self {
        duration.to_core()
    }
}

/// A duration of another type is longer than 584 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct TooLong(pub core::time::Duration);

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = Duration::MAX.to_core().as_secs();
        write!(f, "duration = {}s, allowed 0..={most}s", self.0.as_secs())
    }
}

impl core::error::Error for TooLong {}

impl TryFrom<core::time::Duration> for Duration {
    type Error = TooLong;

    fn try_from(duration: core::time::Duration) -> Result<Self, TooLong> {
        let short = Self::from_core(duration);
        if short.to_core() == duration {
            Ok(short)
        } else {
            Err(TooLong(duration))
        }
    }
}

/// How a duration is told: exact, in the largest unit that leaves a whole number before the
/// point.
pub(crate) struct Told {
    pub(crate) whole: u64,
    /// What stands behind the point: digits, without zeros at the end.
    digits: [u8; 9],
    pub(crate) unit: &'static str,
}

impl Told {
    /// What stands behind the point; empty if nothing does.
    pub(crate) const fn fraction(&self) -> &str {
        let mut digits = self.digits.as_slice();
        while let [before @ .., b'0'] = digits {
            digits = before;
        }
        match core::str::from_utf8(digits) {
            Ok(digits) => digits,
            Err(_) => "",
        }
    }
}

impl Duration {
    pub(crate) const fn told(self) -> Told {
        // The fraction is always told in billionths of the unit, nine digits.
        let (whole, billionths, unit) = match self.0 {
            0 => (0, 0, "s"),
            nanos @ 1..1_000 => (nanos, 0, "ns"),
            nanos @ 1_000..1_000_000 => (nanos / 1_000, nanos % 1_000 * 1_000_000, "us"),
            nanos @ 1_000_000..1_000_000_000 => {
                (nanos / 1_000_000, nanos % 1_000_000 * 1_000, "ms")
            }
            nanos => (nanos / 1_000_000_000, nanos % 1_000_000_000, "s"),
        };
        // By hand, since a width that is not constant keeps a panic reachable.
        let mut digits = [b'0'; 9];
        let mut rest = billionths;
        let mut places: &mut [u8] = &mut digits;
        while let [before @ .., digit] = places
            && rest > 0
        {
            *digit = b'0'.wrapping_add((rest % 10) as u8);
            rest /= 10;
            places = before;
        }
        Told {
            whole,
            digits,
            unit,
        }
    }
}

impl fmt::Debug for Duration {
    /// As [`Display`](fmt::Display) does, as the standard library's: whoever prints an answer reads
    /// how old it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Duration {
    /// Exact, in the largest unit that leaves a whole number before the point: `90s`, `1.5s`,
    /// `548.913689ms`, `7ns`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = self.told();
        write!(f, "{}", told.whole)?;
        let fraction = told.fraction();
        if !fraction.is_empty() {
            write!(f, ".{fraction}")?;
        }
        f.write_str(told.unit)
    }
}

/// `count` nanoseconds.
pub const fn nanos(count: u64) -> Duration {
    Duration::from_nanos(count)
}

/// `count` microseconds, saturating.
pub const fn micros(count: u64) -> Duration {
    Duration::from_micros(count)
}

/// `count` milliseconds, saturating.
pub const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// `count` seconds, saturating.
pub const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// `count` minutes of 60 seconds, saturating.
pub const fn minutes(count: u64) -> Duration {
    secs(60).saturating_mul(count)
}

/// `count` hours of 3,600 seconds, saturating.
pub const fn hours(count: u64) -> Duration {
    secs(3_600).saturating_mul(count)
}

/// `count` days of 86,400 seconds, saturating.
pub const fn days(count: u64) -> Duration {
    secs(86_400).saturating_mul(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn a_duration_is_told_exactly_in_its_largest_unit() {
        for (nanos, text) in [
            (0, "0s"),
            (7, "7ns"),
            (1_000, "1us"),
            (1_234, "1.234us"),
            (548_913_689, "548.913689ms"),
            (1_000_001, "1.000001ms"),
            (1_500_000_000, "1.5s"),
            (1_000_000_001, "1.000000001s"),
            (90_000_000_000, "90s"),
            (u64::MAX, "18446744073.709551615s"),
        ] {
            assert_eq!(Duration::from_nanos(nanos).to_string(), text);
        }
    }

    #[test]
    fn what_is_too_long_is_told() {
        let long = core::time::Duration::from_secs(u64::MAX);
        let error = Duration::try_from(long).unwrap_err();
        assert_eq!(
            error.to_string(),
            "duration = 18446744073709551615s, allowed 0..=18446744073s"
        );
        let most = Duration::MAX.to_core();
        assert_eq!(Duration::try_from(most), Ok(Duration::MAX));
        assert!(Duration::try_from(most + core::time::Duration::from_nanos(1)).is_err());
    }
}
