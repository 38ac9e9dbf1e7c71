//! tokio's clock and timer.

use steadfast::time::{Clock, Duration, Instant, Sleep};

/// tokio's clock and timer, which a test can pause and advance.
///
/// Instants count from the moment it was made, and all its clones agree. Make it inside the
/// runtime. tokio's timer has a resolution of a millisecond and rounds up.
#[derive(Clone, Copy, Debug)]
pub struct TokioTime {
    start: tokio::time::Instant,
}

impl TokioTime {
    /// Starts at zero, now.
    pub fn new() -> Self {
        Self {
            start: tokio::time::Instant::now(),
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
        Instant::ZERO + Duration::from_core(self.start.elapsed())
    }
}

impl Sleep for TokioTime {
    type Future = tokio::time::Sleep;

    fn sleep(&self, duration: Duration) -> tokio::time::Sleep {
        tokio::time::sleep(duration.to_core())
    }
}
