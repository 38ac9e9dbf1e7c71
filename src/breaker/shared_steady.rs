//! When good calls may be counted without the lock, for all threads to read.

#[cfg(steadfast_loom)]
use loom::sync::atomic::AtomicU64;
#[cfg(not(steadfast_loom))]
use portable_atomic::AtomicU64;
use portable_atomic::Ordering::Relaxed;

use crate::time::Instant;
use crate::window::Steady;

/// A [`Steady`] that is set under the breaker's lock and read without it, for a
/// [`GoodCalls`](super::GoodCalls). 16 bytes.
///
/// Two words, each read by itself. What is read of two settings may begin with one and end with the
/// other: then a call between them is counted in the slice of the later one, as if its clock lagged.
/// A word of [`Steady::NEVER`] lets none through, whatever the other says.
#[derive(Debug)]
pub struct SharedSteady {
    from: AtomicU64,
    before: AtomicU64,
}

impl SharedSteady {
    /// Never.
    #[cfg(not(steadfast_loom))]
    pub const fn new() -> Self {
        Self {
            from: AtomicU64::new(u64::MAX),
            before: AtomicU64::new(0),
        }
    }

    /// Never. Loom's words cannot be constants.
    #[cfg(steadfast_loom)]
    pub fn new() -> Self {
        Self {
            from: AtomicU64::new(u64::MAX),
            before: AtomicU64::new(0),
        }
    }

    /// As it was last set.
    #[inline]
    pub fn get(&self) -> Steady {
        Steady {
            from: Instant::from_nanos(self.from.load(Relaxed)),
            before: Instant::from_nanos(self.before.load(Relaxed)),
        }
    }

    /// Sets it; writes nothing if it is so already.
    #[inline]
    pub fn set(&self, steady: Steady) {
        if self.get() == steady {
            return;
        }
        self.from.store(steady.from.as_nanos(), Relaxed);
        self.before.store(steady.before.as_nanos(), Relaxed);
    }
}

impl Default for SharedSteady {
    fn default() -> Self {
        Self::new()
    }
}
