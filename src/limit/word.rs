//! States that fit one word, so that one compare-and-swap can change them.

/// A state that fits one 64-bit word; a limiter that was never used is `0`.
///
/// `to_word` never returns `u64::MAX`; tables set that value aside to mark a place that is being
/// handed over.
pub trait Word: Copy {
    /// The state as a word.
    fn to_word(self) -> u64;
    /// The state of a word that `to_word` made.
    fn from_word(word: u64) -> Self;
}
