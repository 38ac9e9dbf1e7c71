//! Chance on a server: a generator a thread, seeded by the operating system.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};

use steadfast::random::{Random, SplitMix32};

thread_local! {
    static MINE: RefCell<SplitMix32> = {
        // The standard library seeds its hash maps from the operating system, and no two alike.
        let seed = RandomState::new().hash_one(std::thread::current().id());
        RefCell::new(SplitMix32::new(seed))
    };
}

/// Draws from this thread's own generator, for jitter: no two threads and no two starts of a
/// program have the same sequence. Not for secrets.
///
/// Takes no memory itself; a thread's generator is 16 bytes. A number takes no lock and no system
/// call.
///
/// ```
/// use steadfast::random::Random;
/// use steadfast_std::ThreadRandom;
///
/// assert_ne!(
///     [ThreadRandom.next_u32(), ThreadRandom.next_u32()],
///     [ThreadRandom.next_u32(), ThreadRandom.next_u32()],
/// );
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ThreadRandom;

impl Random for ThreadRandom {
    #[inline]
    fn next_u32(&mut self) -> u32 {
        MINE.with_borrow_mut(Random::next_u32)
    }
}
