//! One shard: the tokens of one lease, in one atomic word.

use steadfast::time::Instant;

use crate::sync::{AtomicU64, Ordering, yield_now};

/// What a shard's word says. Bits 0 to 31: how many tokens it holds. Bit 32: a lease is being
/// drawn, and nobody else draws one for this shard; it then holds no token, and what it held is
/// in the hands of who draws. Bits 33 to 63: the number of the lease, so that an older grant is
/// told from one of this lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said(u64);

impl Said {
    const DRAWING: u64 = 1 << 32;
    const ONE_LEASE: u64 = 1 << 33;

    const fn tokens(self) -> u32 {
        self.0 as u32
    }

    const fn is_drawing(self) -> bool {
        self.0 & Self::DRAWING != 0
    }

    /// No token is here, nor on its way.
    pub const fn is_empty(self) -> bool {
        self.tokens() == 0 && !self.is_drawing()
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
    /// How many tokens were here before this lease: the last ones to be taken, and never to go
    /// back to the centre, since it may have refilled them long ago.
    older: AtomicU64,
}

/// How often we yield to a thread that is drawing a lease. It needs a few atomic operations; but
/// one that cannot run while we do (of lower priority on the same core, or interrupted by the
/// signal handler that we are in) would never finish.
const MOST_YIELDS: u32 = 1_000;

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
            until: AtomicU64::new(0),
            // They were set aside and not drawn, so the centre has nothing to get back.
            older: AtomicU64::new(tokens.into()),
        }
    }

    /// How many tokens it holds.
    pub fn tokens(&self) -> u32 {
        Said(self.word.load(Ordering::Relaxed)).tokens()
    }

    /// Takes `cost`, at least one, if it holds so many.
    ///
    /// `until` and `older` belong to the lease that the word names. Acquire: they are at least
    /// those of the lease seen. Release: they are read before the swap, so if the swap succeeds no
    /// later lease has written them yet.
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
            let older = self.older.load(Ordering::Relaxed);
            // The tokens are in the lowest bits and suffice, so nothing is borrowed.
            let left = Said(seen.0.wrapping_sub(u64::from(cost)));
            match self.word.compare_exchange_weak(
                seen.0,
                left.0,
                Ordering::Release,
                Ordering::Acquire,
            ) {
                Ok(_) => {
                    let none_older = u64::from(left.tokens()) >= older;
                    return Ok(Taken {
                        lease: seen.lease(),
                        until: Instant::from_nanos(if none_older { until } else { 0 }),
                    });
                }
                Err(there) => seen = Said(there),
            }
        }
        Err(seen)
    }

    /// [`take`](Self::take), by someone whom the centre has denied: a lease that is being drawn is
    /// waited for, since its tokens have left the centre and are not here yet.
    pub fn take_after_a_no(&self, cost: u32) -> Result<Taken, Said> {
        for _ in 0..MOST_YIELDS {
            match self.take_or_say(cost) {
                // A few atomic operations away from done, unless that thread was put to sleep.
                Err(said) if said.is_drawing() => yield_now(),
                answer => return answer,
            }
        }
        self.take_or_say(cost)
    }

    /// Fills it up to `batch` tokens, if it holds less than `cost` and `draw` gets from the centre
    /// what it lacks.
    ///
    /// The shard is marked before anything is drawn, and what it held is then in our hands. So
    /// whatever one lease has taken from the centre, no other lease of this shard is under way: on
    /// the way, in our hands and here together there are never more than `batch`.
    pub fn fill(&self, batch: u32, cost: u32, until: Instant, draw: impl FnOnce(u32) -> bool) {
        let seen = Said(self.word.load(Ordering::Relaxed));
        if seen.tokens() >= cost.min(batch) || seen.is_drawing() {
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
        // Not negative: it holds less than the batch.
        let filled = if draw(batch.saturating_sub(seen.tokens())) {
            self.until.store(until.as_nanos(), Ordering::Relaxed);
            self.older.store(seen.tokens().into(), Ordering::Relaxed);
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
        let shard = Shard::holding(0);
        shard
            .word
            .store(last.0 & !u64::from(u32::MAX), Ordering::Relaxed);
        shard.fill(3, 1, Instant::ZERO, |_| true);
        let taken = shard.take(1).expect("three were put in");
        assert_eq!((taken.lease, shard.tokens()), (0, 2));
    }

    #[test]
    fn a_draw_that_fails_leaves_the_lease_as_it_was() {
        let shard = Shard::holding(3);
        let taken = shard.take(1).expect("it holds three");
        shard.fill(3, 3, Instant::ZERO, |_| false);
        assert_eq!(shard.tokens(), 2);
        assert!(shard.put_back(1, taken.lease, 3));
        assert_eq!(shard.tokens(), 3);
    }

    #[test]
    fn a_shard_that_holds_the_cost_is_not_filled() {
        let shard = Shard::holding(1);
        shard.fill(2, 1, Instant::ZERO, |_| unreachable!("it holds one"));
        assert_eq!(shard.tokens(), 1);
    }

    /// Or a shard and what is on its way to it would be more than the batch.
    #[test]
    fn what_a_shard_still_holds_is_not_drawn_again() {
        let shard = Shard::holding(2);
        shard.fill(5, 3, Instant::ZERO, |missing| {
            assert_eq!((missing, shard.tokens()), (3, 0));
            assert!(shard.take(1).is_none(), "it is in the hands of who draws");
            true
        });
        assert_eq!(shard.tokens(), 5);
        // A full one lacks nothing, whatever is asked.
        shard.fill(5, 6, Instant::ZERO, |_| unreachable!("it is full"));
    }

    /// The last two were here before the lease, so the centre does not lack them for it.
    #[test]
    fn only_what_was_drawn_for_a_lease_may_go_back_to_the_centre() {
        let until = Instant::from_secs(9);
        let shard = Shard::holding(2);
        shard.fill(5, 3, until, |_| true);
        let mut untils = [1, 1, 2, 1].map(|cost| shard.take(cost).expect("it holds five").until);
        assert_eq!(untils, [until, until, Instant::ZERO, Instant::ZERO]);
        shard.fill(5, 1, until, |_| true);
        untils = [4, 1, 0, 0].map(|cost| shard.take(cost).expect("it holds five").until);
        assert_eq!(untils, [until; 4]);
    }

    #[test]
    fn nobody_draws_for_a_shard_that_is_being_drawn_for() {
        let shard = Shard::holding(0);
        shard.fill(2, 1, Instant::ZERO, |_| {
            shard.fill(2, 1, Instant::ZERO, |_| unreachable!("it is marked"));
            assert!(shard.take(1).is_none());
            true
        });
        assert_eq!(shard.tokens(), 2);
    }

    /// As a signal handler would that interrupts the thread which draws.
    #[test]
    fn a_lease_that_does_not_arrive_is_not_waited_for_for_ever() {
        let shard = Shard::holding(0);
        shard.fill(2, 1, Instant::ZERO, |_| {
            let said = shard.take_after_a_no(1).expect_err("nothing is here yet");
            assert!(!said.is_empty(), "and something is on its way");
            true
        });
        assert!(shard.take_after_a_no(2).is_ok());
        assert!(shard.take_after_a_no(1).is_err_and(Said::is_empty));
    }
}
