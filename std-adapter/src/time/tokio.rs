//! tokio's clock and timer.

use std::sync::OnceLock;

use steadfast::time::{Clock, Duration, Instant, Sleep};
use tokio::time::Instant as TokioInstant;

/// tokio's clock and timer, which a test can pause and advance.
///
/// Make it inside the runtime. tokio's timer has a resolution of a millisecond and rounds up.
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
    /// instants can be compared.
    pub fn of_process() -> Self {
        static START: OnceLock<TokioInstant> = OnceLock::new();
        Self {
            start: *START.get_or_init(TokioInstant::now),
            // Not zero, since the clock of another runtime may have been paused a little earlier.
            reads: Instant::from_secs(86_400),
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
