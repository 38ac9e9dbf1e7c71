//! Good calls counted by the thread that made them, so that threads do not wait for each other.

use std::sync::OnceLock;
use std::thread::available_parallelism;

use steadfast::breaker::{GoodCalls, SharedSteady, Stripe};
use steadfast::time::Instant;
use steadfast::window::Steady;

use super::thread_number;

/// A place for each of the first threads that ask, twice as many as there are processors, 4 to 64;
/// further threads take the breaker's lock. 128 bytes each, from when they are first of use: never,
/// where no rates are judged.
#[derive(Debug)]
pub(super) struct ThreadStripes(OnceLock<Box<Counts>>);

#[derive(Debug)]
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
        let processors = available_parallelism().map_or(1, usize::from);
        let places = processors
            .saturating_mul(2)
            .clamp(4, thread_number::MOST as usize);
        Self {
            steady: SharedSteady::new(),
            stripes: (0..places).map(|_| Stripe::new()).collect(),
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
            // This one is recorded under the lock.
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
