//! Good calls of one thread, counted by plain loads and stores.

#[cfg(steadfast_loom)]
use loom::sync::atomic::AtomicU64;
#[cfg(not(steadfast_loom))]
use portable_atomic::AtomicU64;
use portable_atomic::Ordering::Relaxed;

/// The good calls of one thread. Only that thread may [`count`](Self::count) here: two at once would
/// lose calls. 128 bytes, so that no two share a cache line, or a pair of lines that are fetched
/// together.
///
/// A call is counted for a generation. Those of another are not taken, so a call that began before
/// the breaker opened counts nothing, however late its count is seen. What was taken of a generation
/// is forgotten when another has been taken: go through them in one direction.
///
/// For a thread that takes over another's stripe, the last count of the one must come before the
/// first of the other, as by a release and an acquire.
#[derive(Debug)]
#[repr(align(128))]
pub struct Stripe {
    /// The generation in the upper half, the calls in the lower.
    counted: AtomicU64,
    /// What `counted` was when it was last taken.
    taken: AtomicU64,
}

/// So many at most are not taken yet. Who makes the next takes the lock and with it takes over all,
/// so that no count wraps, and a window of calls that is full of good ones comes to rest. Many, since
/// threads that count as fast as each other come to the lock at the same time.
const MOST: u64 = 65_535;

const CALLS: u64 = u32::MAX as u64;

impl Stripe {
    /// Nothing counted.
    #[cfg(not(steadfast_loom))]
    pub const fn new() -> Self {
        Self {
            counted: AtomicU64::new(0),
            taken: AtomicU64::new(0),
        }
    }

    /// Nothing counted. Loom's words cannot be constants.
    #[cfg(steadfast_loom)]
    pub fn new() -> Self {
        Self {
            counted: AtomicU64::new(0),
            taken: AtomicU64::new(0),
        }
    }

    /// Counts a good call of this generation. `false` if it has to be recorded under the lock: it is
    /// the first of its generation, or 65,535 are not taken yet.
    #[inline]
    pub fn count(&self, generation: u32) -> bool {
        let (counted, taken) = (self.counted.load(Relaxed), self.taken.load(Relaxed));
        // Of one generation, if they are so near each other. Branches, not a choice of values: what
        // is stored then waits for nothing but what is loaded. A lower half that turns over carries
        // into the generation, which then says that of this one there are none: so do its zeros.
        if counted >> 32 == u64::from(generation) && counted.wrapping_sub(taken) < MOST {
            self.counted.store(counted.wrapping_add(1), Relaxed);
            return true;
        }
        self.count_rarely(counted, taken, generation)
    }

    /// At the beginning of a generation, and where the lower half turns over.
    #[cold]
    fn count_rarely(&self, counted: u64, taken: u64, generation: u32) -> bool {
        let counted = of(counted, generation);
        let calls = counted.wrapping_sub(taken) & CALLS;
        if taken >> 32 != u64::from(generation) || calls >= MOST {
            return false;
        }
        self.counted.store(counted.wrapping_add(1), Relaxed);
        true
    }

    /// How many of this generation were counted since they were last taken. Under the breaker's
    /// lock; from then on calls of this generation are counted.
    #[inline]
    pub fn take(&self, generation: u32) -> u32 {
        let counted = of(self.counted.load(Relaxed), generation);
        let taken = self.taken.load(Relaxed);
        if counted != taken {
            self.taken.store(counted, Relaxed);
        }
        (counted.wrapping_sub(of(taken, generation)) & CALLS) as u32
    }
}

impl Default for Stripe {
    fn default() -> Self {
        Self::new()
    }
}

/// The word, if it is of this generation; else that of none counted.
const fn of(word: u64, generation: u32) -> u64 {
    if word >> 32 == generation as u64 {
        word
    } else {
        (generation as u64) << 32
    }
}

#[cfg(all(test, not(steadfast_loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_taken_once() {
        let stripe = Stripe::new();
        assert!(stripe.count(0) && stripe.count(0));
        assert_eq!((stripe.take(0), stripe.take(0)), (2, 0));
        assert!(stripe.count(0));
        assert_eq!(stripe.take(0), 1);
    }

    #[test]
    fn another_generation_begins_at_none() {
        let stripe = Stripe::new();
        assert!(stripe.count(0));
        // Nobody has taken anything of it yet: it is recorded under the lock, which does.
        assert!(!stripe.count(3));
        assert_eq!(stripe.take(3), 0);
        assert!(stripe.count(3) && stripe.count(3));
        // A call of an earlier one that comes late.
        assert!(!stripe.count(2));
        assert_eq!((stripe.take(3), stripe.take(4)), (2, 0));
    }

    #[test]
    fn a_count_that_was_stored_too_late_is_not_taken() {
        let stripe = Stripe::new();
        assert!(stripe.count(0));
        assert_eq!(stripe.take(1), 0);
        // Between its look at the generation and its count the breaker opened.
        stripe.counted.store(2, Relaxed);
        assert_eq!((stripe.take(1), stripe.take(2)), (0, 0));
    }

    #[test]
    fn many_are_not_counted_before_they_are_taken() {
        let stripe = Stripe::new();
        for generation in [0, 1] {
            stripe.take(generation);
            let counted = (0..100_000).filter(|_| stripe.count(generation)).count();
            assert_eq!((counted, stripe.take(generation)), (65_535, 65_535));
            assert!(stripe.count(generation));
        }
    }

    /// 2^32 in one generation.
    #[test]
    fn a_count_turns_over() {
        for before in 0..4 {
            for after in 0..4 {
                let stripe = Stripe::new();
                stripe.counted.store(of(0, 9) | (CALLS - before), Relaxed);
                stripe.take(9);
                assert!((0..before + after).all(|_| stripe.count(9)));
                assert_eq!(u64::from(stripe.take(9)), before + after);
                assert!(stripe.count(9));
                assert_eq!(stripe.take(9), 1);
            }
        }
    }
}
