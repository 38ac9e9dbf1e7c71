//! JavaScript's time, milliseconds in a double, as an [`Instant`].

use steadfast::time::Instant;

const NANOS_PER_MILLI: u128 = 1_000_000;

/// The whole nanoseconds in `millis`, exactly: a reading rounds down, and no bit of the double is
/// lost in a floating-point product.
///
/// `None` if it is no number, negative, infinite or past the last nanosecond of 64 bits, which is
/// 18,446,744,073,709.551615 ms.
pub fn instant(millis: f64) -> Option<Instant> {
    let bits = millis.to_bits();
    let exponent = (bits >> 52) & 0x7ff;
    let fraction = bits & ((1 << 52) - 1);
    let negative = bits >> 63 == 1 && bits << 1 != 0;
    if negative || exponent == 0x7ff {
        return None;
    }
    // Below 2^-1022 there is no such bit, and of either number nothing is left.
    let mantissa = u128::from(fraction | 1 << 52);
    // Where the point is not within the bits of the number or before them, it is 2^52 or more.
    let down = 1_075_u64.checked_sub(exponent)? as u32;
    let nanos = mantissa.wrapping_mul(NANOS_PER_MILLI);
    let nanos = nanos.checked_shr(down).unwrap_or(0);
    u64::try_from(nanos).ok().map(Instant::from_nanos)
}
