//! A number for each thread that no other has while it runs.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many threads can have one at a time.
pub(super) const MOST: u32 = u64::BITS;

/// A bit for each number that is taken.
static TAKEN: AtomicU64 = AtomicU64::new(0);

const UNASKED: u32 = u32::MAX;
/// There was none left, or the thread is ending.
const NONE: u32 = u32::MAX - 1;

thread_local! {
    // Constant and without a destructor: reading it is one load.
    static MINE: Cell<u32> = const { Cell::new(UNASKED) };
    // Given back when the thread ends.
    static HELD: Cell<Option<Held>> = const { Cell::new(None) };
}

struct Held(u32);

impl Drop for Held {
    fn drop(&mut self) {
        MINE.set(NONE);
        // Whoever takes the number next sees all that was done under it.
        TAKEN.fetch_and(!(1 << self.0), Ordering::Release);
    }
}

/// The number of this thread, below [`MOST`]; a greater one if it has none.
#[inline]
pub(super) fn mine() -> u32 {
    MINE.get()
}

/// Takes a number for this thread, the lowest that is free, unless it has asked before or all are
/// taken. Apart from [`mine`], so that who has a number pays for no call.
#[cold]
pub(super) fn ask() {
    if MINE.get() != UNASKED {
        return;
    }
    let lowest = |taken: u64| taken | taken.wrapping_add(1);
    let before = TAKEN.fetch_update(Ordering::Acquire, Ordering::Relaxed, |taken| {
        (taken != u64::MAX).then(|| lowest(taken))
    });
    let number = before.map_or(NONE, |taken| {
        let held = Held(taken.trailing_ones());
        let number = held.0;
        // If it cannot be held, since the thread is ending, it is given back at once.
        match HELD.try_with(|place| place.set(Some(held))) {
            Ok(()) => number,
            Err(_) => NONE,
        }
    });
    MINE.set(number);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::thread;

    /// In one test, since the numbers are the process's.
    #[test]
    fn no_two_threads_have_a_number_at_the_same_time_and_an_ended_one_gives_it_back() {
        // More at a time than there are numbers, several times over.
        for _ in 0..3 {
            let together = Barrier::new(80);
            let numbers = thread::scope(|threads| {
                let ask = || {
                    ask();
                    let mine = mine();
                    together.wait();
                    mine
                };
                let threads: Vec<_> = (0..80).map(|_| threads.spawn(ask)).collect();
                let numbers = threads.into_iter().map(|thread| thread.join().unwrap());
                numbers.collect::<Vec<_>>()
            });
            let mut given: Vec<_> = numbers.into_iter().filter(|n| *n < MOST).collect();
            let count = given.len();
            given.sort_unstable();
            given.dedup();
            assert_eq!(given.len(), count, "each once");
            // Other tests of this process may have threads of their own.
            assert!(count > 32, "{count}");
        }
    }
}
