//! What to measure against.
//!
//! The shortest rate limiters that one can write by hand: GCRA on one `u64` of nanoseconds. They
//! check nothing, cannot say how long to wait, and overflow after 584 years. And a yardstick for
//! a lookup: one read of memory.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One token every `step`, and `slack` more than that at once.
#[derive(Clone, Copy)]
pub struct Gcra {
    pub step: u64,
    pub slack: u64,
}

impl Gcra {
    #[inline]
    fn decide(self, arrival: u64, now: u64) -> Option<u64> {
        let from = arrival.max(now);
        (from - now <= self.slack).then(|| from + self.step)
    }
}

/// For one owner.
pub struct Owned {
    pub gcra: Gcra,
    pub arrival: u64,
}

impl Owned {
    #[inline]
    pub fn try_acquire(&mut self, now: u64) -> bool {
        match self.gcra.decide(self.arrival, now) {
            Some(next) => {
                self.arrival = next;
                true
            }
            None => false,
        }
    }
}

/// For many threads: one compare-and-swap.
pub struct Atomic {
    pub gcra: Gcra,
    pub arrival: AtomicU64,
}

impl Atomic {
    #[inline]
    pub fn try_acquire(&self, now: u64) -> bool {
        let mut seen = self.arrival.load(Relaxed);
        while let Some(next) = self.gcra.decide(seen, now) {
            match self
                .arrival
                .compare_exchange_weak(seen, next, Relaxed, Relaxed)
            {
                Ok(_) => return true,
                Err(there) => seen = there,
            }
        }
        false
    }
}

/// A walk through memory that no cache foresees: each line says which one is next.
pub struct Walk {
    next: Vec<Line>,
    at: usize,
}

#[derive(Clone)]
#[repr(align(64))]
struct Line(usize);

impl Walk {
    pub fn new(bytes: usize, mut random: impl FnMut(usize) -> usize) -> Self {
        let mut next: Vec<Line> = (0..bytes / size_of::<Line>()).map(Line).collect();
        // Sattolo's shuffle: all lines in one circle.
        for last in (1..next.len()).rev() {
            next.swap(last, random(last));
        }
        Self { next, at: 0 }
    }

    #[inline]
    pub fn step(&mut self) {
        self.at = self.next[self.at].0;
    }
}
