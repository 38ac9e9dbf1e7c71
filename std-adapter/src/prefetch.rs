//! Asking for memory before it is needed: the only unsafe code here.
//!
//! A plain load would do as well, if reading the clock did not wait for all loads before it; for
//! a prefetch it does not wait. What that is worth shows in the row for a million keys of
//! `cargo run --release -p steadfast-bench -- keyed`: make the function below empty and run it
//! again.

#![allow(unsafe_code)]

/// Starts to fetch the cache line that `place` begins in, and does not wait for it.
#[inline]
pub(crate) fn prefetch<T>(place: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the instruction exists on every x86-64 (SSE); it is a hint, which neither reads
        // nor faults, and the pointer is a valid one besides.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(place).cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

#[cfg(test)]
mod tests {
    /// What Miri looks at.
    #[test]
    fn a_hint_changes_nothing() {
        let places = [1_u64, 2, 3];
        super::prefetch(&places);
        super::prefetch(&places[2]);
        assert_eq!(places, [1, 2, 3]);
    }
}
