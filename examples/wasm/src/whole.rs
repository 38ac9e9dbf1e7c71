//! JavaScript's numbers as counts.

/// `number` as a count; `None` if it is negative, has a fraction, is no number or needs more than
/// 32 bits.
pub fn count(number: f64) -> Option<u32> {
    // The cast saturates, and makes 0 of what is no number.
    #[allow(clippy::cast_sign_loss)]
    let count = number as u32;
    // Exact: both are whole numbers of 32 bits, or they differ.
    #[allow(clippy::float_cmp)]
    (f64::from(count) == number).then_some(count)
}
