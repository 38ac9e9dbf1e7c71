//! A clock that somebody else reads for everyone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};

use steadfast::ConfigError;
use steadfast::time::{Clock, Duration, Instant};

use super::SystemClock;

/// The system's clock, read by a thread of its own once a tick; everyone else loads the last
/// reading, which is one relaxed load.
///
/// A reading is up to a tick old, and older when the machine is too busy to run the thread, but
/// never ahead of the [`SystemClock`] and never backwards. So a limiter on it admits nothing too
/// early: tokens come back up to a tick late.
///
/// Clones share the thread; it ends with the last of them.
///
/// ```
/// use steadfast::time::{Clock, millis};
/// use steadfast_std::{CoarseClock, SystemClock};
///
/// let clock = CoarseClock::new(millis(1)).unwrap();
/// assert!(clock.now() <= SystemClock.now());
/// ```
#[derive(Clone, Debug)]
pub struct CoarseClock(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    now: Arc<AtomicU64>,
    /// Nothing is ever sent: the thread ends when this end is dropped.
    _alive: SyncSender<()>,
}

impl CoarseClock {
    /// The shortest tick: 100 us. A thread that woke more often would cost more than it saves.
    pub const MIN_TICK: Duration = Duration::from_micros(100);
    /// The longest tick: a second.
    pub const MAX_TICK: Duration = Duration::from_secs(1);

    /// Starts a clock that is read once each `tick`.
    ///
    /// # Errors
    ///
    /// If `tick` is not in [`MIN_TICK`](Self::MIN_TICK) to [`MAX_TICK`](Self::MAX_TICK).
    ///
    /// # Panics
    ///
    /// If the operating system has no thread left, as [`std::thread::spawn`].
    pub fn new(tick: Duration) -> Result<Self, ConfigError> {
        if tick < Self::MIN_TICK || tick > Self::MAX_TICK {
            return Err(ConfigError::new(
                "tick (ns)",
                tick.as_nanos(),
                Self::MIN_TICK.as_nanos(),
                Self::MAX_TICK.as_nanos(),
            ));
        }
        let now = Arc::new(AtomicU64::new(SystemClock.now().as_nanos()));
        let (alive, ended) = sync_channel(0);
        let shown = Arc::clone(&now);
        std::thread::spawn(move || {
            while ended.recv_timeout(tick.to_core()) == Err(RecvTimeoutError::Timeout) {
                shown.store(SystemClock.now().as_nanos(), Ordering::Relaxed);
            }
        });
        Ok(Self(Arc::new(Shared { now, _alive: alive })))
    }
}

impl Clock for CoarseClock {
    #[inline]
    fn now(&self) -> Instant {
        Instant::from_nanos(self.0.now.load(Ordering::Relaxed))
    }
}
