//! Durations as they are written in a file: `15m`, `1h30m`.

use std::fmt;

use steadfast::time::Duration;

/// The units, from large to small, and their nanoseconds.
const UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Why a text is not a duration. What it says includes what is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DurationError {
    /// Something other than whole numbers, each with one of the units.
    Malformed,
    /// Nothing at all.
    Empty,
    /// A minus in front.
    Negative,
    /// A point or a comma after the digits.
    Fraction,
    /// The last number has no unit.
    NoUnit,
    /// A unit comes twice, or after a smaller one.
    Order,
    /// No time at all.
    Zero,
    /// More than `u64::MAX` nanoseconds.
    TooLong,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "",
            Self::Empty => "it is empty; ",
            Self::Negative => "it is negative; ",
            Self::Fraction => "it has a fraction; ",
            Self::NoUnit => "its last number has no unit; ",
            Self::Order => "units go from large to small, each once, such as \"1h30m\"; ",
            Self::Zero => "it is zero, allowed from \"1ns\"; ",
            Self::TooLong => "it is longer than 584 years; ",
        })?;
        f.write_str(
            "a duration is a whole number and a unit: ns, us, ms, s, m, h or d, such as \"15m\"",
        )
    }
}

impl std::error::Error for DurationError {}

/// Reads numbers with units; exact.
pub(super) fn parse(text: &str) -> Result<Duration, DurationError> {
    if text.is_empty() {
        return Err(DurationError::Empty);
    }
    if text.starts_with('-') {
        return Err(DurationError::Negative);
    }
    let mut nanos = 0_u64;
    let mut units = &UNITS[..];
    let mut rest = text;
    while !rest.is_empty() {
        let digits = length(rest, |byte| byte.is_ascii_digit());
        let (number, after) = rest.split_at(digits);
        let (unit, after) = after.split_at(length(after, |byte| byte.is_ascii_alphabetic()));
        if number.is_empty() {
            return Err(DurationError::Malformed);
        }
        if unit.is_empty() {
            return Err(match after.as_bytes() {
                [] => DurationError::NoUnit,
                [b'.' | b',', b'0'..=b'9', ..] => DurationError::Fraction,
                _ => DurationError::Malformed,
            });
        }
        let is_it = |(name, _): &(&str, u64)| *name == unit;
        if !UNITS.iter().any(is_it) {
            return Err(DurationError::Malformed);
        }
        let at = units.iter().position(is_it).ok_or(DurationError::Order)?;
        let (_, each) = units[at];
        units = &units[at + 1..];
        nanos = number
            .parse::<u64>()
            .ok()
            .and_then(|count| count.checked_mul(each))
            .and_then(|more| nanos.checked_add(more))
            // Only too many digits: there is nothing else that they could be wrong about.
            .ok_or(DurationError::TooLong)?;
        rest = after;
    }
    if nanos == 0 {
        return Err(DurationError::Zero);
    }
    Ok(Duration::from_nanos(nanos))
}

/// How many bytes at the start are so.
fn length(text: &str, is_so: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|&byte| is_so(byte)).count()
}

/// The same as text: what [`parse`] reads as this duration.
pub(super) fn written(duration: Duration) -> String {
    let mut rest = duration.as_nanos();
    let mut text = String::new();
    for (unit, each) in UNITS {
        let count = rest / each;
        rest %= each;
        if count > 0 {
            text += &count.to_string();
            text += unit;
        }
    }
    if text.is_empty() {
        text += "0ns";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_duration_is_read_as_it_was_written(nanos in 1_u64.., scale in 0..7_usize) {
            let nanos = (nanos / UNITS[scale].1).max(1);
            let duration = Duration::from_nanos(nanos);
            prop_assert_eq!(parse(&written(duration)), Ok(duration));
        }

        /// Numbers of any size, against sums in 128 bits.
        #[test]
        fn a_sum_of_units_is_exact_or_too_long(
            parts in prop::collection::vec((0..UNITS.len(), any::<u64>(), 0..64_u32), 1..5),
        ) {
            let mut parts = parts;
            parts.sort_by_key(|&(unit, ..)| unit);
            parts.dedup_by_key(|&mut (unit, ..)| unit);
            let mut text = String::new();
            let mut sum = 0_u128;
            for &(unit, number, shift) in &parts {
                let number = number >> shift;
                text += &number.to_string();
                text += UNITS[unit].0;
                sum += u128::from(number) * u128::from(UNITS[unit].1);
            }
            let expected = match u64::try_from(sum) {
                Err(_) => Err(DurationError::TooLong),
                Ok(0) => Err(DurationError::Zero),
                Ok(nanos) => Ok(Duration::from_nanos(nanos)),
            };
            prop_assert_eq!(parse(&text), expected);
        }

        #[test]
        fn any_text_is_a_duration_or_an_error(text in "[0-9dhmsun.,\u{b5} -]{0,12}") {
            if let Ok(duration) = parse(&text) {
                prop_assert_eq!(parse(&written(duration)), Ok(duration));
            }
        }
    }
}
