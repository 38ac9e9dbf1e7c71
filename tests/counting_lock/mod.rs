//! A lock for one thread that counts how often it was taken.

use std::cell::{Cell, RefCell};

use steadfast::breaker::Locked;

/// A lock that counts how often it was taken.
pub struct Counting<S> {
    value: RefCell<S>,
    taken: Cell<u32>,
}

impl<S> Counting<S> {
    pub fn new(value: S) -> Self {
        Self {
            value: RefCell::new(value),
            taken: Cell::new(0),
        }
    }

    pub fn taken(&self) -> u32 {
        self.taken.get()
    }
}

impl<S> Locked<S> for &Counting<S> {
    fn with<R>(&self, work: impl FnOnce(&mut S) -> R) -> R {
        self.taken.set(self.taken.get() + 1);
        work(&mut self.value.borrow_mut())
    }
}
