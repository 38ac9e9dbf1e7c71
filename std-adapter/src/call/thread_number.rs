//! A number for each thread that no other has while it runs.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;

/// How many threads have one at a time: twice as many as there are processors, 4 to 64.
pub(super) fn places() -> u32 {
    static PLACES: OnceLock<u32> = OnceLock::new();
    *PLACES.get_or_init(|| {
        let processors = available_parallelism().map_or(1, usize::from);
        processors.saturating_mul(2).clamp(4, 64) as u32
    })
}

/// A bit for each number that is taken.
static TAKEN: AtomicU64 = AtomicU64::new(0);

/// It has none, and may ask.
const NONE: u32 = u32::MAX;
/// The thread is ending.
const ENDING: u32 = u32::MAX - 1;

thread_local! {
    // Constant and without a destructor: reading it is one load.
    static MINE: Cell<u32> = const { Cell::new(NONE) };
    // Given back when the thread ends.
    static HELD: Cell<Option<Held>> = const { Cell::new(None) };
}

struct Held(u32);

impl Drop for Held {
    fn drop(&mut self) {
        MINE.set(ENDING);
        // Whoever takes the number next sees all that was done under it.
        TAKEN.fetch_and(!(1 << self.0), Ordering::Release);
    }
}

/// The number of this thread, less than [`places`]; a greater one if it has none.
#[inline]
pub(super) fn mine() -> u32 {
    MINE.get()
}

/// Takes a number for this thread, the lowest that is free, unless it is ending or all are taken.
/// Apart from [`mine`], so that who has a number pays for no call. Where all are taken, that is a
/// load.
#[cold]
pub(super) fn ask() {
    let all = u64::MAX >> (u64::BITS - places());
    if MINE.get() != NONE || TAKEN.load(Ordering::Relaxed) == all {
        return;
    }
    let lowest = |taken: u64| taken | taken.wrapping_add(1);
    let before = TAKEN.fetch_update(Ordering::Acquire, Ordering::Relaxed, |taken| {
        (taken != all).then(|| lowest(taken))
    });
    let Ok(before) = before else { return };
    let held = Held(before.trailing_ones());
    let number = held.0;
    // If it cannot be held, since the thread is ending, it is given back at once.
    if HELD.try_with(|place| place.set(Some(held))).is_ok() {
        MINE.set(number);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::sync::{Barrier, Mutex};
    use std::thread;

    /// The numbers are the process's: held by the test that takes them.
    pub(in crate::call) static NUMBERS: Mutex<()> = Mutex::new(());

    /// Asks on so many threads at the same time; their numbers.
    fn at_once(threads: usize) -> Vec<u32> {
        let together = Barrier::new(threads);
        thread::scope(|scope| {
            let asking = || {
                ask();
                let mine = mine();
                together.wait();
                mine
            };
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(asking)).collect();
            let numbers = threads.into_iter().map(|thread| thread.join().unwrap());
            numbers.filter(|number| *number < places()).collect()
        })
    }

    #[test]
    fn no_two_threads_have_a_number_at_the_same_time_and_an_ended_one_gives_it_back() {
        let _numbers = NUMBERS.lock();
        // More at a time than there are numbers, several times over.
        for _ in 0..3 {
            let mut given = at_once(80);
            let count = given.len();
            given.sort_unstable();
            given.dedup();
            assert_eq!(given.len(), count, "each once");
            assert_eq!(count, places() as usize, "those that ended gave it back");
        }
    }
}
