//! Delays as an iterator, for loops that hold their generator themselves.

use core::iter::FusedIterator;

use super::{Backoff, BackoffState};
use crate::random::Random;
use crate::time::Duration;

/// The delays of a [`Backoff`], one after the other, without an end; made by
/// [`Backoff::delays`].
///
/// It is not `Clone`, since a copy would draw the same "random" delays.
///
/// ```
/// use steadfast::{backoff::Backoff, random::SplitMix32};
///
/// let seed = 0x1a2b;
/// for delay in Backoff::standard().delays(SplitMix32::new(seed)).take(3) {
///     assert!(delay < Backoff::standard().cap());
/// }
/// ```
#[derive(Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Delays<R> {
    policy: Backoff,
    state: BackoffState,
    random: R,
}

impl<R: Random> Delays<R> {
    pub(super) const fn new(policy: Backoff, random: R) -> Self {
        Self {
            policy,
            state: BackoffState::START,
            random,
        }
    }
}

impl<R: Random> Iterator for Delays<R> {
    type Item = Duration;

    #[inline]
    fn next(&mut self) -> Option<Duration> {
        Some(self.policy.next_delay(&mut self.state, &mut self.random))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

impl<R: Random> FusedIterator for Delays<R> {}
