//! Chance on a server: a generator a thread, seeded by the operating system.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};

use steadfast::random::{Random, SplitMix32};

thread_local! {
    static MINE: RefCell<SplitMix32> = {
        RefCell::new(seeded())
    };
}

fn seeded() -> SplitMix32 {
    SplitMix32::new(drawn_seed())
}

/// A seed that no other process has, nor any other call of this, but by chance: one in 2^64.
pub(crate) fn drawn_seed() -> u64 {
    // The standard library's keys for hash maps: of the operating system, for a thread's first, and
    // another for each on that thread. Children that a process has forked begin with what it had,
    // but for their number.
    RandomState::new().hash_one(std::process::id())
}

/// Draws from this thread's own generator, for jitter. Each thread and each start of a program has
/// one of 2^63 generators, by chance: that two have the same one is possible, and not likely. Not
/// for secrets. A process that forks after a thread has drawn shares that thread's generator with its
/// children.
///
/// Takes no memory itself; a thread's generator is 16 bytes. A number takes no lock and, but for a
/// thread's first, no system call. It works to the end of a thread: in a destructor that outlives the
/// thread's generator, each number comes from a new one.
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
        MINE.try_with(|mine| mine.borrow_mut().next_u32())
            .unwrap_or_else(|_| seeded().next_u32())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};

    /// Thread-locals go one after the other, and some draw when they do.
    #[test]
    fn numbers_come_until_a_thread_has_ended() {
        struct AtTheEnd(Sender<[u32; 2]>);
        impl Drop for AtTheEnd {
            fn drop(&mut self) {
                let _ = self.0.send([(); 2].map(|()| ThreadRandom.next_u32()));
            }
        }
        thread_local! {
            static LAST: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
        }
        let (tell, told) = channel();
        let thread = std::thread::spawn(move || {
            LAST.set(Some(AtTheEnd(tell)));
            ThreadRandom.next_u32()
        });
        assert!(thread.join().is_ok());
        let [one, other] = told.recv().expect("two numbers");
        assert_ne!(one, other);
    }
}
