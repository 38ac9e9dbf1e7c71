//! One shard: the tokens of one lease, in one atomic word.

#[cfg(steadfast_loom)]
use loom::sync::atomic::fence;
#[cfg(not(steadfast_loom))]
use std::sync::atomic::fence;

use steadfast::time::Instant;

use crate::sync::{AtomicU64, Ordering, yield_now};

/// What a shard's word says. Bits 0 to 31: how many tokens it holds. Bit 32: a lease is being
/// drawn, and nobody else draws one for this shard; it then holds no token. Bits 33 to 63: the
/// number of the lease, so that an older grant is told from one of this lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Said(u64);

impl Said {
    const DRAWING: u64 = 1 << 32;
    const ONE_LEASE: u64 = 1 << 33;

    const fn tokens(self) -> u32 {
        self.0 as u32
    }

    const fn is_drawing(self) -> bool {
        self.0 & Self::DRAWING != 0
    }

    const fn lease(self) -> u32 {
        (self.0 >> 33) as u32
    }

    /// The next lease, not drawn yet.
    const fn next(self) -> Self {
        Self((self.0 & !(Self::ONE_LEASE - 1)).wrapping_add(Self::ONE_LEASE))
    }
}

/// A shard. It has 128 bytes for itself, two cache lines, since processors fetch them in pairs.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Shard {
    word: AtomicU64,
    /// Until when tokens of this lease may go back to the centre, in nanoseconds.
    until: AtomicU64,
}

/// Tokens that were taken from a shard: of which lease.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub lease: u32,
    pub until: Instant,
}

impl Shard {
    /// A shard that holds its first lease.
    pub fn holding(tokens: u32) -> Self {
        Self {
            word: AtomicU64::new(tokens.into()),
            // It was set aside and not drawn, so the centre has nothing to get back.
            until: AtomicU64::new(0),
        }
    }

    /// How many tokens it holds.
    pub fn tokens(&self) -> u32 {
        Said(self.word.load(Ordering::Relaxed)).tokens()
    }

    /// Takes `cost`, at least one, if it holds so many.
    ///
    /// `until` belongs to the lease that the word names. Acquire: it is at least that of the lease
    /// seen. Release: it is read before the swap, so if the swap succeeds no later lease has
    /// written it yet. Too early an `until` would only give less back.
    #[inline]
    pub fn take(&self, cost: u32) -> Option<Taken> {
        self.take_or_say(cost).ok()
    }

    /// [`take`](Self::take), or what the word said when it did not hold so many.
    #[inline]
    fn take_or_say(&self, cost: u32) -> Result<Taken, Said> {
        let mut seen = Said(self.word.load(Ordering::Acquire));
        while seen.tokens() >= cost {
            let until = self.until.load(Ordering::Relaxed);
            // The tokens are in the lowest bits and suffice, so nothing is borrowed.
            let left = seen.0.wrapping_sub(u64::from(cost));
            match self.word.compare_exchange_weak(
                seen.0,
                left,
                Ordering::Release,
                Ordering::Acquire,
            ) {
                Ok(_) => {
                    return Ok(Taken {
                        lease: seen.lease(),
                        until: Instant::from_nanos(until),
                    });
                }
                Err(there) => seen = Said(there),
            }
        }
        Err(seen)
    }

    /// [`take`](Self::take), by someone whom the centre has denied: a lease that is being drawn is
    /// waited for, since its tokens have left the centre and are not here yet.
    pub fn take_after_a_no(&self, cost: u32) -> Option<Taken> {
        loop {
            match self.take_or_say(cost) {
                Ok(taken) => return Some(taken),
                // A few atomic operations away from done, unless that thread was put to sleep.
                Err(said) if said.is_drawing() => yield_now(),
                Err(_) => return None,
            }
        }
    }

    /// Puts `batch` tokens in, if it is empty and `draw` gets them from the centre.
    ///
    /// The shard is marked before anything is drawn, so whatever one lease has taken from the
    /// centre, no other lease of this shard is under way: on the way and here together there are
    /// never more than `batch`.
    pub fn fill(&self, batch: u32, until: Instant, draw: impl FnOnce() -> bool) {
        let seen = Said(self.word.load(Ordering::Relaxed));
        if seen.tokens() > 0 || seen.is_drawing() {
            return;
        }
        let next = seen.next();
        let mark = next.0 | Said::DRAWING;
        // Acquire: those who took from the last lease have read its `until`.
        let marked = self
            .word
            .compare_exchange(seen.0, mark, Ordering::Acquire, Ordering::Relaxed);
        if marked.is_err() {
            return;
        }
        // Whoever sees in the centre what is drawn now, sees here that it is on its way: with the
        // fence in `after_a_no`.
        fence(Ordering::Release);
        let filled = if draw() {
            self.until.store(until.as_nanos(), Ordering::Relaxed);
            next.0 | u64::from(batch)
        } else {
            seen.0
        };
        // Nobody changes a marked word, so a store is enough.
        self.word.store(filled, Ordering::Release);
    }

    /// Puts `cost` tokens of `lease` back, if there has been no other lease since. Never more than
    /// `batch` in all.
    pub fn put_back(&self, cost: u32, lease: u32, batch: u32) -> bool {
        let mut seen = Said(self.word.load(Ordering::Relaxed));
        while seen.lease() == lease
            && !seen.is_drawing()
            && batch.saturating_sub(seen.tokens()) >= cost
        {
            let more = seen.0.wrapping_add(u64::from(cost));
            // Release as in `take`: this word may be the one that the next lease marks.
            match self.word.compare_exchange_weak(
                seen.0,
                more,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(there) => seen = Said(there),
            }
        }
        false
    }
}

/// What the centre said happened before what the shards say from here on; see [`Shard::fill`].
pub(super) fn after_a_no() {
    fence(Ordering::Acquire);
}

#[cfg(all(test, not(steadfast_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_shard_takes_what_the_documentation_says() {
        assert_eq!(size_of::<Shard>(), 128);
        assert_eq!(align_of::<Shard>(), 128);
    }

    #[test]
    fn the_number_of_a_lease_wraps_and_leaves_the_tokens_alone() {
        let last = Said(!Said::DRAWING);
        assert_eq!(last.next(), Said(0));
        let shard = Shard {
            word: AtomicU64::new(last.0 & !u64::from(u32::MAX)),
            until: AtomicU64::new(0),
        };
        shard.fill(3, Instant::ZERO, || true);
        let taken = shard.take(1).expect("three were put in");
        assert_eq!((taken.lease, shard.tokens()), (0, 2));
    }

    #[test]
    fn a_draw_that_fails_leaves_the_lease_as_it_was() {
        let shard = Shard::holding(1);
        let taken = shard.take(1).expect("it holds one");
        shard.fill(1, Instant::ZERO, || false);
        assert_eq!(shard.tokens(), 0);
        assert!(shard.put_back(1, taken.lease, 1));
        assert_eq!(shard.tokens(), 1);
    }

    #[test]
    fn a_shard_that_holds_a_token_is_not_filled() {
        let shard = Shard::holding(1);
        shard.fill(2, Instant::ZERO, || unreachable!("it is not empty"));
        assert_eq!(shard.tokens(), 1);
    }

    #[test]
    fn nobody_draws_for_a_shard_that_is_being_drawn_for() {
        let shard = Shard::holding(0);
        shard.fill(2, Instant::ZERO, || {
            shard.fill(2, Instant::ZERO, || unreachable!("it is marked"));
            assert!(shard.take(1).is_none());
            true
        });
        assert_eq!(shard.tokens(), 2);
    }
}
