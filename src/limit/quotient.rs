//! Division without a panic, for building policies from values known only at run time.

/// `total / each`, rounded down; zero if `each` is zero.
///
/// No policy divides by zero, but the compiler cannot see that, and a plain division would keep
/// its panic in the image.
pub(super) const fn quotient(total: u128, each: u128) -> u128 {
    match total.checked_div(each) {
        Some(quotient) => quotient,
        None => 0,
    }
}
