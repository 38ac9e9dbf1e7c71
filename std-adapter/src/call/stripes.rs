//! Good calls counted by the thread that made them, so that threads do not wait for each other.

use std::sync::OnceLock;

use steadfast::breaker::{GoodCalls, SharedSteady, Stripe};
use steadfast::time::Instant;
use steadfast::window::Steady;

use super::thread_number;

/// A place for each of some threads, as many as there are [numbers](thread_number::places); others
/// take the breaker's lock until one of those ends. 128 bytes each, and 128 more, from when they are
/// first of use: never, where no rates are judged.
#[derive(Debug)]
pub(super) struct ThreadStripes(OnceLock<Box<Counts>>);

/// Read by every call, so on cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
struct Counts {
    steady: SharedSteady,
    stripes: Box<[Stripe]>,
}

impl ThreadStripes {
    /// Nothing counted, and nothing allocated.
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }
}

impl Counts {
    fn new() -> Self {
        Self {
            steady: SharedSteady::new(),
            stripes: (0..thread_number::places())
                .map(|_| Stripe::new())
                .collect(),
        }
    }
}

impl GoodCalls for ThreadStripes {
    #[inline]
    fn set_steady(&self, steady: Steady) {
        if steady != Steady::NEVER {
            self.0
                .get_or_init(|| Box::new(Counts::new()))
                .steady
                .set(steady);
        } else if let Some(counts) = self.0.get() {
            counts.steady.set(steady);
        }
    }

    #[inline]
    fn count(&self, generation: u32, now: Instant) -> bool {
        let Some(counts) = self.0.get() else {
            return false;
        };
        let Some(stripe) = counts.stripes.get(thread_number::mine() as usize) else {
            // This one is recorded under the lock; perhaps the next need not be.
            thread_number::ask();
            return false;
        };
        counts.steady.get().holds(now) && stripe.count(generation)
    }

    #[inline]
    fn take(&self, generation: u32) -> u32 {
        let Some(counts) = self.0.get() else { return 0 };
        let taken = counts.stripes.iter().map(|stripe| stripe.take(generation));
        taken.fold(0, u32::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::sync::{Arc, Barrier};
    use std::thread;

    use super::thread_number::tests::NUMBERS;

    const NOW: Instant = Instant::from_secs(100);

    fn steady() -> ThreadStripes {
        let stripes = ThreadStripes::new();
        stripes.set_steady(Steady::ALWAYS);
        stripes
    }

    /// Calls while its thread ends.
    struct OnEnd(Arc<ThreadStripes>);

    impl Drop for OnEnd {
        fn drop(&mut self) {
            for _ in 0..3 {
                self.0.count(0, NOW);
            }
        }
    }

    #[test]
    fn a_place_is_free_again_when_its_thread_has_ended() {
        let _numbers = NUMBERS.lock();
        let stripes = steady();
        let places = thread_number::places() as usize;
        let (taken, free) = (Barrier::new(places + 1), Barrier::new(2));
        thread::scope(|scope| {
            let early: Vec<_> = (0..places)
                .map(|_| {
                    scope.spawn(|| {
                        stripes.count(0, NOW);
                        taken.wait();
                        taken.wait();
                    })
                })
                .collect();
            let late = scope.spawn(|| {
                taken.wait();
                assert!((0..3).all(|_| !stripes.count(0, NOW)), "all are taken");
                taken.wait();
                free.wait();
                (0..100).filter(|_| stripes.count(0, NOW)).count()
            });
            for thread in early {
                thread.join().unwrap();
            }
            free.wait();
            assert_eq!(late.join().unwrap(), 99, "all but the one that asks");
        });
    }

    #[test]
    fn calls_while_a_thread_ends_leak_no_place() {
        let _numbers = NUMBERS.lock();
        thread_local! {
            static EARLY: RefCell<Option<OnEnd>> = const { RefCell::new(None) };
            static LATE: RefCell<Option<OnEnd>> = const { RefCell::new(None) };
        }
        let stripes = Arc::new(steady());
        for asks in [true, false].repeat(if cfg!(miri) { 5 } else { 100 }) {
            let stripes = Arc::clone(&stripes);
            let ends = move || {
                EARLY.set(Some(OnEnd(Arc::clone(&stripes))));
                assert!(!asks || !stripes.count(0, NOW), "it asks");
                LATE.set(Some(OnEnd(stripes)));
            };
            thread::spawn(ends).join().unwrap();
        }
        let counts = || (0..2).filter(|_| stripes.count(0, NOW)).count();
        thread::scope(|scope| {
            let last = scope.spawn(counts).join().unwrap();
            assert_eq!(last, 1, "no number has leaked");
        });
    }
}
