//! What is said about a policy that cannot be: which field, its value, what is allowed.

use core::fmt;

use crate::time::Duration;

/// A field of a policy is outside what is allowed.
///
/// ```
/// use steadfast::limit::TokenBucket;
///
/// let error = TokenBucket::per_second(0).build().unwrap_err();
/// assert_eq!(error.to_string(), "count = 0, allowed 1..=4294967295");
/// ```
///
/// A time is shown as [`Duration`] shows it, exact to the nanosecond however long it is:
/// [`MAX_WAIT`](crate::time::MAX_WAIT), 2^62 ns, is `4611686018.427387904s`.
///
/// ```
/// use steadfast::breaker::Breaker;
/// use steadfast::time::{nanos, secs};
///
/// let shrinks = Breaker::consecutive(5).open_for(secs(2)).growing_to(secs(2) - nanos(1));
/// let error = shrinks.build().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "growing_to = 1.999999999s, allowed 2s..=4611686018.427387904s"
/// );
/// assert_eq!((error.field, error.value), ("growing_to (ns)", 1_999_999_999));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[non_exhaustive]
pub struct ConfigError {
    /// Which field, with its unit if it has one: a time ends in [`NANOS`](Self::NANOS).
    pub field: &'static str,
    /// What it was set to; nanoseconds if the field is a time.
    pub value: u64,
    /// The least it may be, in the same unit.
    pub min: u64,
    /// The most it may be, in the same unit.
    pub max: u64,
}

impl ConfigError {
    /// How the name of a field ends whose numbers are nanoseconds: `cap (ns)`. The message leaves
    /// it out and shows the numbers as durations.
    pub const NANOS: &'static str = " (ns)";

    /// `field` was `value`, and `min..=max` is allowed.
    pub const fn new(field: &'static str, value: u64, min: u64, max: u64) -> Self {
        Self {
            field,
            value,
            min,
            max,
        }
    }

    /// `Ok` if `value` lies in `min..=max`.
    pub(crate) const fn check(
        field: &'static str,
        value: u64,
        min: u64,
        max: u64,
    ) -> Result<(), Self> {
        if value < min || value > max {
            Err(Self::new(field, value, min, max))
        } else {
            Ok(())
        }
    }

    /// The message as text that a `const` panic can print; used by [`policy!`](crate::policy).
    #[doc(hidden)]
    pub const fn message(&self) -> Message {
        let mut message = Message {
            bytes: [b' '; Message::CAPACITY],
            len: 0,
        };
        let (name, is_time) = self.name();
        message.text(name);
        message.text(" = ");
        message.number(self.value, is_time);
        message.text(", allowed ");
        message.number(self.min, is_time);
        message.text("..=");
        message.number(self.max, is_time);
        message
    }

    /// The field as the message calls it, and whether its numbers are nanoseconds.
    const fn name(&self) -> (&'static str, bool) {
        let mut rest = self.field.as_bytes();
        let mut mark = Self::NANOS.as_bytes();
        while let [before @ .., last] = mark {
            match rest {
                [more @ .., same] if *same == *last => rest = more,
                _ => return (self.field, false),
            }
            mark = before;
        }
        match self.field.split_at_checked(rest.len()) {
            Some((name, _)) => (name, true),
            None => (self.field, false),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let &Self {
            value, min, max, ..
        } = self;
        let (name, is_time) = self.name();
        if is_time {
            let [value, min, max] = [value, min, max].map(Duration::from_nanos);
            write!(f, "{name} = {value}, allowed {min}..={max}")
        } else {
            write!(f, "{name} = {value}, allowed {min}..={max}")
        }
    }
}

impl core::error::Error for ConfigError {}

/// Text assembled at compile time.
#[doc(hidden)]
#[derive(Debug)]
pub struct Message {
    bytes: [u8; Self::CAPACITY],
    len: usize,
}

impl Message {
    /// Room for a field's name and three times of 22 characters; what does not fit is cut off.
    const CAPACITY: usize = 128;

    const fn text(&mut self, text: &str) {
        let text = text.as_bytes();
        let mut i = 0;
        while i < text.len() && self.len < Self::CAPACITY {
            self.bytes[self.len] = text[i];
            self.len += 1;
            i += 1;
        }
    }

    const fn number(&mut self, number: u64, is_time: bool) {
        if is_time {
            let told = Duration::from_nanos(number).told();
            self.digits(told.whole);
            let fraction = told.fraction();
            if !fraction.is_empty() {
                self.text(".");
                self.text(fraction);
            }
            self.text(told.unit);
        } else {
            self.digits(number);
        }
    }

    const fn digits(&mut self, mut number: u64) {
        let mut digits = [0_u8; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        while at < digits.len() && self.len < Self::CAPACITY {
            self.bytes[self.len] = digits[at];
            self.len += 1;
            at += 1;
        }
    }

    #[doc(hidden)]
    pub const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "a policy's field is out of range",
        }
    }
}

/// Builds a policy at compile time: a bad constant does not compile, and nothing is left that
/// could panic at run time.
///
/// Takes any policy's configuration, all of it constant:
///
/// ```
/// use steadfast::{limit::{FixedWindow, TokenBucket}, policy, time::minutes};
///
/// const RADIO: TokenBucket = policy!(TokenBucket::per_second(5).burst(10));
/// const LOGIN: FixedWindow = policy!(FixedWindow::new(10, minutes(15)));
/// ```
///
/// A rate of nothing is refused while compiling, with the field, its value and what is allowed:
///
/// ```compile_fail
/// use steadfast::{limit::TokenBucket, policy};
///
/// const NEVER: TokenBucket = policy!(TokenBucket::per_second(0));
/// // error[E0080]: evaluation panicked: count = 0, allowed 1..=4294967295
/// ```
///
/// So is a cap below the first delay:
///
/// ```compile_fail
/// use steadfast::{backoff::Backoff, policy, time::secs};
///
/// const CAPPED: Backoff = policy!(Backoff::exponential(secs(20)).cap(secs(10)));
/// // error[E0080]: evaluation panicked: cap = 10s, allowed 20s..=4611686018.427387904s
/// ```
///
/// For values known only at run time call `build()`, which returns a `Result`.
#[macro_export]
macro_rules! policy {
    ($config:expr) => {
        const {
            match $config.build() {
                Ok(policy) => policy,
                Err(error) => panic!("{}", error.message().as_str()),
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::ToString;

    const SEC: u64 = 1_000_000_000;

    #[test]
    fn a_time_is_told_as_a_duration_and_any_other_number_as_it_is() {
        for (field, value, min, max, text) in [
            (
                "count",
                0,
                1,
                u64::MAX,
                "count = 0, allowed 1..=18446744073709551615",
            ),
            (
                "cap (ns)",
                10 * SEC,
                20 * SEC,
                1 << 62,
                "cap = 10s, allowed 20s..=4611686018.427387904s",
            ),
            (
                "cap (ns)",
                2 * SEC - 1,
                2 * SEC,
                2 * SEC,
                "cap = 1.999999999s, allowed 2s..=2s",
            ),
            (
                "cap (ns)",
                (1 << 62) + 1,
                0,
                1 << 62,
                "cap = 4611686018.427387905s, allowed 0s..=4611686018.427387904s",
            ),
            (
                "tick (ns)",
                u64::MAX,
                1,
                99_999,
                "tick = 18446744073.709551615s, allowed 1ns..=99.999us",
            ),
            (
                "a b (ns)",
                1,
                1_500_000,
                7,
                "a b = 1ns, allowed 1.5ms..=7ns",
            ),
            ("\u{b5} (ns)", 1, 2, 3, "\u{b5} = 1ns, allowed 2ns..=3ns"),
            // Only at the end, only as a word of its own, and only whole.
            (
                "burst (in 1/count ns)",
                1,
                2,
                3,
                "burst (in 1/count ns) = 1, allowed 2..=3",
            ),
            (
                "cap (ns) of it",
                1,
                2,
                3,
                "cap (ns) of it = 1, allowed 2..=3",
            ),
            ("cap(ns)", 1, 2, 3, "cap(ns) = 1, allowed 2..=3"),
            ("(ns)", 1, 2, 3, "(ns) = 1, allowed 2..=3"),
            ("", 1, 2, 3, " = 1, allowed 2..=3"),
            (" (ns)", 1, 2, 3, " = 1ns, allowed 2ns..=3ns"),
        ] {
            let error = ConfigError::new(field, value, min, max);
            assert_eq!(error.to_string(), text);
            assert_eq!(error.message().as_str(), text);
        }
    }

    /// On both sides of every unit, of every digit behind the point, and of every power of two.
    #[test]
    fn while_compiling_the_text_is_that_of_run_time() {
        let tens = (0..20).map(|power| 10_u64.pow(power));
        let twos = (0..64).map(|power| 1 << power);
        let mut numbers: std::vec::Vec<u64> = tens
            .chain(twos)
            .flat_map(|power| [power - 1, power, power.saturating_add(1), power / 8 * 9])
            .chain([u64::MAX - 1, u64::MAX])
            .collect();
        numbers.extend((0..10).map(|digit| SEC + 10_u64.pow(digit)));
        for (at, &value) in numbers.iter().enumerate() {
            let min = numbers[at * 7 % numbers.len()];
            let max = numbers[at * 13 % numbers.len()];
            let of = |field| ConfigError::new(field, value, min, max);
            let plain = of("count");
            assert_eq!(plain.message().as_str(), plain.to_string());
            assert_eq!(
                plain.to_string(),
                format!("count = {value}, allowed {min}..={max}")
            );
            let time = of("window (ns)");
            assert_eq!(time.message().as_str(), time.to_string());
            let [value, min, max] = [value, min, max].map(Duration::from_nanos);
            assert_eq!(
                time.to_string(),
                format!("window = {value}, allowed {min}..={max}")
            );
        }
    }
}
