//! tokio's clock and timer.

use std::sync::OnceLock;

use steadfast::time::{Clock, Duration, Instant, Sleep};
use tokio::time::Instant as TokioInstant;

/// tokio's clock and timer, which a test can pause and advance.
///
/// tokio's timer has a resolution of a millisecond and rounds up.
///
/// The clocks of runtimes that are not paused agree. A paused one goes its own way, so its instants
/// compare only with others of the same runtime: a breaker that one test has opened should not be
/// asked by another.
///
/// # Panics
///
/// To [`sleep`](Sleep::sleep) outside of a runtime, or in one that was built without `enable_time`,
/// panics, as [`tokio::time::sleep`] does. To read the clock never does; outside it is the one of
/// runtimes that are not paused.
#[derive(Clone, Copy, Debug)]
pub struct TokioTime {
    /// A moment, as tokio tells it and as this clock does.
    start: TokioInstant,
    reads: Instant,
}

impl TokioTime {
    /// Starts at zero, now. All its clones agree.
    pub fn new() -> Self {
        Self {
            start: TokioInstant::now(),
            reads: Instant::ZERO,
        }
    }

    /// The one clock of the process, for what lives as long: wherever it is asked for, its
    /// instants can be compared, except between runtimes that are paused. It starts at 100 years.
    pub fn of_process() -> Self {
        static START: OnceLock<TokioInstant> = OnceLock::new();
        Self {
            start: *START.get_or_init(TokioInstant::now),
            // Not zero, since the clock of a paused runtime, that was advanced, may have been the
            // first to be asked, and all others are behind it then.
            reads: Instant::from_secs(100 * 365 * 86_400),
        }
    }
}

impl Default for TokioTime {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioTime {
    fn now(&self) -> Instant {
        let now = TokioInstant::now();
        match now.checked_duration_since(self.start) {
            Some(since) => self.reads + Duration::from_core(since),
            None => self.reads - Duration::from_core(self.start.duration_since(now)),
        }
    }
}

impl Sleep for TokioTime {
    type Future = tokio::time::Sleep;

    fn sleep(&self, duration: Duration) -> tokio::time::Sleep {
        tokio::time::sleep(duration.to_core())
    }
}
