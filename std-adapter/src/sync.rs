//! The primitives that threads meet at: the standard library's, or loom's when it explores every
//! order in which threads can run.

use std::ops::Deref;
use std::sync::Arc;

#[cfg(steadfast_loom)]
pub(crate) use loom::{
    sync::{Mutex, atomic::AtomicU64, atomic::Ordering},
    thread::yield_now,
};
#[cfg(not(steadfast_loom))]
pub(crate) use std::{
    sync::{Mutex, atomic::AtomicU64, atomic::Ordering},
    thread::yield_now,
};

/// A value that is replaced as a whole, and read without a lock.
#[derive(Debug)]
pub(crate) struct Published<T> {
    #[cfg(not(steadfast_loom))]
    there: arc_swap::ArcSwap<T>,
    #[cfg(steadfast_loom)]
    there: Mutex<Arc<T>>,
}

#[cfg(not(steadfast_loom))]
impl<T> Published<T> {
    pub fn new(value: T) -> Self {
        Self {
            there: arc_swap::ArcSwap::from_pointee(value),
        }
    }

    pub fn load(&self) -> impl Deref<Target = Arc<T>> {
        self.there.load()
    }

    pub fn store(&self, value: Arc<T>) {
        self.there.store(value);
    }
}

/// Loom does not see into the real one.
#[cfg(steadfast_loom)]
impl<T> Published<T> {
    pub fn new(value: T) -> Self {
        Self {
            there: Mutex::new(Arc::new(value)),
        }
    }

    pub fn load(&self) -> impl Deref<Target = Arc<T>> {
        Box::new(Arc::clone(&self.there.lock().unwrap()))
    }

    pub fn store(&self, value: Arc<T>) {
        *self.there.lock().unwrap() = value;
    }
}
