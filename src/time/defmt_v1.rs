//! How defmt 1 logs a time: as a person reads it, and as `Display` tells it.

use super::{Duration, Instant};

impl defmt::Format for Duration {
    /// As [`Display`](core::fmt::Display) does: `90s`, `1.5s`, `548.913689ms`, `7ns`.
    ///
    /// Takes a few 64-bit divisions on the device.
    #[expect(
        clippy::match_same_arms,
        reason = "the texts, which differ, are hidden in the macro"
    )]
    fn format(&self, f: defmt::Formatter<'_>) {
        let told = self.told();
        defmt::write!(f, "{=u64}", told.whole);
        let fraction = told.fraction();
        if !fraction.is_empty() {
            defmt::write!(f, ".");
            // Digit by digit: a text would be put in quotes wherever a value is logged for
            // debugging, and the number of digits is not constant.
            for digit in fraction.bytes() {
                defmt::write!(f, "{=u8}", digit.wrapping_sub(b'0'));
            }
        }
        match told.unit {
            "ns" => defmt::write!(f, "ns"),
            "us" => defmt::write!(f, "us"),
            "ms" => defmt::write!(f, "ms"),
            _ => defmt::write!(f, "s"),
        }
    }
}

impl defmt::Format for Instant {
    /// How long after the start of its clock it is: `1.5s`.
    fn format(&self, f: defmt::Formatter<'_>) {
        self.since(Self::ZERO).format(f);
    }
}
