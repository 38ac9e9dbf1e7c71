//! Waiting for time to pass, on any executor.

use core::future::Future;

use super::Duration;

/// Something that can wait: a timer of the executor at hand.
///
/// The future is an associated type, so it is `Send` where the timer's is (tokio) and need not be
/// where it is not (embassy). It may end late but not early, measured by the [`Clock`](super::Clock)
/// beside it; dropping it must be safe at any time.
pub trait Sleep {
    /// What is awaited.
    type Future: Future<Output = ()>;

    /// Waits for at least `duration`. May be called with any duration, zero included.
    fn sleep(&self, duration: Duration) -> Self::Future;
}

impl<S: Sleep + ?Sized> Sleep for &S {
    type Future = S::Future;

    fn sleep(&self, duration: Duration) -> S::Future {
        (**self).sleep(duration)
    }
}

/// Something that can wait where nothing else goes on meanwhile: a thread that sleeps, a device's
/// busy loop or its wait for an interrupt.
pub trait BlockingSleep {
    /// Returns after at least `duration`, measured by the [`Clock`](super::Clock) beside it.
    fn sleep_blocking(&self, duration: Duration);
}

impl<S: BlockingSleep + ?Sized> BlockingSleep for &S {
    fn sleep_blocking(&self, duration: Duration) {
        (**self).sleep_blocking(duration);
    }
}
