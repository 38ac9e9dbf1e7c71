//! Where `now` comes from, when a caller would rather not pass it.

use super::{BlockingSleep, Duration, Instant};

/// Something that tells the time.
///
/// Machines want a clock that does not run backwards; what they do when one does is written at
/// [`crate::limit`]. A reading that has to be rounded is rounded down.
///
/// ```
/// use steadfast::time::{Clock, Instant, clock_fn};
///
/// let ticks_of_1_ms = || 42_u64;
/// let clock = clock_fn(|| Instant::from_millis(ticks_of_1_ms()));
/// assert_eq!(clock.now(), Instant::from_millis(42));
/// ```
pub trait Clock {
    /// The time now.
    fn now(&self) -> Instant;
}

impl<C: Clock + ?Sized> Clock for &C {
    #[inline]
    fn now(&self) -> Instant {
        (**self).now()
    }
}

/// A clock made of a closure, and if there is a second one, what waits by it; see [`clock_fn`].
#[derive(Clone, Copy, Debug)]
pub struct FnClock<F, S = ()> {
    read: F,
    sleep: S,
}

/// Makes a clock of a closure or function that returns an [`Instant`].
pub const fn clock_fn<F: Fn() -> Instant>(read: F) -> FnClock<F> {
    FnClock { read, sleep: () }
}

impl<F> FnClock<F> {
    /// The same clock, with a closure that returns when so much time has passed by it: all that a
    /// [blocking call](crate::call::Call::blocking) asks of time.
    ///
    /// ```
    /// use core::cell::Cell;
    /// use steadfast::call::Call;
    /// use steadfast::random::SplitMix32;
    /// use steadfast::retry::RetryPolicy;
    /// use steadfast::time::{Duration, Instant, clock_fn};
    ///
    /// let uptime = Cell::new(Instant::from_secs(1)); // a board's timer
    /// let delay = |duration: Duration| uptime.set(uptime.get() + duration);
    ///
    /// let time = clock_fn(|| uptime.get()).sleeping_by(delay);
    /// let mut random = SplitMix32::new(0x1a2b);
    /// let mut readings = [Err("no answer"), Ok(215)].into_iter();
    /// let decidegrees = Call::blocking(|_| readings.next().unwrap(), &time, &mut random)
    ///     .retry(&RetryPolicy::standard())
    ///     .call_blocking();
    /// assert_eq!(decidegrees, Ok(215));
    /// assert!(uptime.get() > Instant::from_secs(1), "it has waited");
    /// ```
    pub fn sleeping_by<S: Fn(Duration)>(self, sleep: S) -> FnClock<F, S> {
        let Self { read, .. } = self;
        FnClock { read, sleep }
    }
}

impl<F: Fn() -> Instant, S> Clock for FnClock<F, S> {
    #[inline]
    fn now(&self) -> Instant {
        (self.read)()
    }
}

impl<F, S: Fn(Duration)> BlockingSleep for FnClock<F, S> {
    fn sleep_blocking(&self, duration: Duration) {
        (self.sleep)(duration);
    }
}

/// A clock that stands still until it is told to move: for tests, and for firmware whose timer
/// interrupt is the only thing that knows the time.
///
/// It may be a `static` and be moved and read from anywhere. Where the target has 64-bit
/// atomics a reading is one relaxed load; elsewhere it takes a critical section.
///
/// ```
/// use steadfast::time::{Clock, Instant, ManualClock, millis};
///
/// static UPTIME: ManualClock = ManualClock::new(Instant::ZERO);
/// UPTIME.advance(millis(10)); // in the tick interrupt
/// assert_eq!(UPTIME.now(), Instant::from_millis(10));
/// ```
#[derive(Debug)]
pub struct ManualClock {
    #[cfg(target_has_atomic = "64")]
    now: portable_atomic::AtomicU64,
    #[cfg(not(target_has_atomic = "64"))]
    now: critical_section::Mutex<core::cell::Cell<u64>>,
}

#[cfg(target_has_atomic = "64")]
impl ManualClock {
    /// A clock that stands at `now`.
    pub const fn new(now: Instant) -> Self {
        Self {
            now: portable_atomic::AtomicU64::new(now.as_nanos()),
        }
    }

    /// Puts the clock at `now`, forwards or backwards.
    pub fn set(&self, now: Instant) {
        self.now
            .store(now.as_nanos(), portable_atomic::Ordering::Relaxed);
    }

    /// Moves the clock forward, at most to [`Instant::MAX`].
    pub fn advance(&self, by: Duration) {
        let order = portable_atomic::Ordering::Relaxed;
        // The closure always returns a value, so this never fails.
        let _ = self
            .now
            .fetch_update(order, order, |now| Some(now.saturating_add(by.as_nanos())));
    }
}

#[cfg(target_has_atomic = "64")]
impl Clock for ManualClock {
    #[inline]
    fn now(&self) -> Instant {
        Instant::from_nanos(self.now.load(portable_atomic::Ordering::Relaxed))
    }
}

#[cfg(not(target_has_atomic = "64"))]
impl ManualClock {
    /// A clock that stands at `now`.
    pub const fn new(now: Instant) -> Self {
        Self {
            now: critical_section::Mutex::new(core::cell::Cell::new(now.as_nanos())),
        }
    }

    /// Puts the clock at `now`, forwards or backwards.
    pub fn set(&self, now: Instant) {
        critical_section::with(|cs| self.now.borrow(cs).set(now.as_nanos()));
    }

    /// Moves the clock forward, at most to [`Instant::MAX`].
    pub fn advance(&self, by: Duration) {
        critical_section::with(|cs| {
            let now = self.now.borrow(cs);
            now.set(now.get().saturating_add(by.as_nanos()));
        });
    }
}

#[cfg(not(target_has_atomic = "64"))]
impl Clock for ManualClock {
    #[inline]
    fn now(&self) -> Instant {
        Instant::from_nanos(critical_section::with(|cs| self.now.borrow(cs).get()))
    }
}
