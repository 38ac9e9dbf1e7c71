//! The standard library's lock around a machine.

use std::sync::{Mutex, PoisonError};

use steadfast::breaker::Locked;

/// A value behind a mutex of its own, so that two machines never wait for each other.
///
/// A panic while it is locked leaves the value as it was at that moment, and the lock goes on
/// working. The machines do not panic; a closure that changes one by hand may, and what it has
/// changed by then stays changed.
#[derive(Debug)]
pub struct MutexLocked<S>(Mutex<S>);

impl<S> MutexLocked<S> {
    /// Puts it there.
    pub const fn new(value: S) -> Self {
        Self(Mutex::new(value))
    }
}

impl<S> Locked<S> for MutexLocked<S> {
    #[inline]
    fn with<R>(&self, work: impl FnOnce(&mut S) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
