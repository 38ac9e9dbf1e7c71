//! The last so many calls, two bits each.

use super::{Call, Steady, Totals, Window};
use crate::config::ConfigError;
use crate::time::Instant;

/// Looks back on the last `calls` calls, of which there may be up to `32 * W`.
///
/// A ring of bits: each call pushes out the one that came so many calls before. The policy is 4
/// bytes, the state `8 * W + 16`. O(1), without a division.
///
/// ```
/// use steadfast::{policy, window::CountWindow};
///
/// const LAST_100: CountWindow<4> = policy!(CountWindow::new(100));
/// assert_eq!(LAST_100.calls(), 100);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct CountWindow<const W: usize> {
    calls: u32,
}

/// A count window being configured; [`build`](Self::build) or [`policy!`](crate::policy) checks
/// it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct CountWindowConfig<const W: usize> {
    calls: u32,
}

/// What a [`CountWindow`] remembers: `8 * W + 16` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct CountWindowState<const W: usize> {
    failed: [u32; W],
    slow: [u32; W],
    /// Where the next call goes.
    next: u32,
    totals: Totals,
}

/// The most words of bits, for 1,048,576 calls.
const MOST_WORDS: u64 = 1 << 15;

impl<const W: usize> CountWindow<W> {
    /// The last `calls` calls, 1 to `32 * W`; `W` is 1 to 32,768.
    pub const fn new(calls: u32) -> CountWindowConfig<W> {
        CountWindowConfig { calls }
    }

    /// How many calls it looks back on.
    pub const fn calls(&self) -> u32 {
        self.calls
    }
}

impl<const W: usize> CountWindowConfig<W> {
    /// Checks it and makes the policy.
    ///
    /// # Errors
    ///
    /// The first that is out of range: `words` or `calls`.
    pub const fn build(self) -> Result<CountWindow<W>, ConfigError> {
        let words = W as u64;
        if let Err(error) = ConfigError::check("words", words, 1, MOST_WORDS) {
            return Err(error);
        }
        if let Err(error) = ConfigError::check("calls", self.calls as u64, 1, words * 32) {
            return Err(error);
        }
        Ok(CountWindow { calls: self.calls })
    }
}

/// Puts `value` at bit `at` and returns what was there.
#[inline]
fn exchange<const W: usize>(bits: &mut [u32; W], at: u32, value: bool) -> bool {
    let Some(word) = bits.get_mut((at >> 5) as usize) else {
        return false;
    };
    let bit = 1 << (at & 31);
    let there = *word & bit != 0;
    if there != value {
        *word ^= bit;
    }
    there
}

/// Clears these bits of a word; how many there were.
fn cleared<const W: usize>(words: &mut [u32; W], word: usize, bits: u32) -> u32 {
    let Some(word) = words.get_mut(word) else {
        return 0;
    };
    let there = (*word & bits).count_ones();
    *word &= !bits;
    there
}

impl<const W: usize> Window for CountWindow<W> {
    type State = CountWindowState<W>;

    const EMPTY: CountWindowState<W> = CountWindowState {
        failed: [0; W],
        slow: [0; W],
        next: 0,
        totals: Totals::NONE,
    };

    #[inline]
    fn record(&self, state: &mut CountWindowState<W>, _now: Instant, call: Call) -> Totals {
        let pushed_out = Totals {
            calls: u32::from(state.totals.calls >= self.calls),
            failures: exchange(&mut state.failed, state.next, call.failed).into(),
            slow: exchange(&mut state.slow, state.next, call.slow).into(),
        };
        // One like it went: the totals stay.
        if pushed_out != Totals::NONE.with(call) {
            state.totals = state.totals.without(pushed_out).with(call);
        }
        state.next = state.next.wrapping_add(1);
        if state.next >= self.calls {
            state.next = 0;
        }
        state.totals
    }

    /// It is full of good calls: one comes and one goes. Where in the ring does not matter, since
    /// all bits are the same.
    #[inline]
    fn good_call_changes_nothing(&self, state: &CountWindowState<W>) -> bool {
        let Totals {
            calls,
            failures,
            slow,
        } = state.totals;
        calls >= self.calls && failures == 0 && slow == 0
    }

    /// While a failure or a slow call is in it. Else each is recorded, so that the window soon is
    /// full of good calls, and one more changes nothing.
    #[inline]
    fn steady(&self, state: &CountWindowState<W>) -> Steady {
        if state.totals.failures == 0 && state.totals.slow == 0 {
            return Steady::NEVER;
        }
        Steady::ALWAYS
    }

    /// O(1) a word of bits.
    fn add(&self, state: &mut CountWindowState<W>, calls: u32) -> Totals {
        let mut left = calls.min(self.calls);
        while left > 0 {
            let (word, bit) = ((state.next >> 5) as usize, state.next & 31);
            let to_end = self.calls.saturating_sub(state.next);
            let run = left.min(to_end).min(32_u32.wrapping_sub(bit)).max(1);
            let bits = u32::MAX.checked_shr(32_u32.wrapping_sub(run)).unwrap_or(0) << bit;
            let full = state.totals.calls.saturating_add(run);
            let pushed_out = Totals {
                calls: full.saturating_sub(self.calls),
                failures: cleared(&mut state.failed, word, bits),
                slow: cleared(&mut state.slow, word, bits),
            };
            state.totals = state.totals.with_good(run).without(pushed_out);
            state.next = state.next.wrapping_add(run);
            if state.next >= self.calls {
                state.next = 0;
            }
            left = left.wrapping_sub(run);
        }
        state.totals
    }

    fn latest(&self, state: &CountWindowState<W>) -> Totals {
        state.totals
    }

    fn totals(&self, state: &CountWindowState<W>, _now: Instant) -> Totals {
        state.totals
    }
}
