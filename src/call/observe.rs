//! Who is told what became of a call.

use crate::event::{BreakerEvent, FallbackEvent, RetryEvent};

/// Is told of each attempt and of what the breaker did, as it happens; a pair tells both.
///
/// It is called between the attempts, on the call's own task: keep it short, and do not block.
///
/// ```
/// use steadfast::{call::Observe, event::{BreakerEvent, FallbackEvent, RetryEvent}};
///
/// struct Log;
/// impl Observe for Log {
///     fn attempted(&self, event: &RetryEvent<'_>) {
///         println!("{event}");
///     }
///
///     fn guarded(&self, event: &BreakerEvent<'_>) {
///         println!("{} {}", event.breaker, event.outcome.label());
///     }
///
///     fn served(&self, event: &FallbackEvent<'_>) {
///         println!("{} {}", event.operation, event.label());
///     }
/// }
/// ```
pub trait Observe {
    /// Does it want to know? Only for [`()`](unit) it is no: then no event is made and no clock is
    /// read for one.
    const LISTENS: bool = true;

    /// An attempt is over: its outcome, and whether and when there is another.
    fn attempted(&self, event: &RetryEvent<'_>) {
        let _ = event;
    }

    /// The breaker refused a call, heard of a result, or changed. A result of an earlier generation
    /// is told as well, and changes nothing.
    fn guarded(&self, event: &BreakerEvent<'_>) {
        let _ = event;
    }

    /// There was an answer, and where it came from, or none at all.
    fn served(&self, event: &FallbackEvent<'_>) {
        let _ = event;
    }
}

/// Nobody.
impl Observe for () {
    const LISTENS: bool = false;
}

impl<O: Observe> Observe for &O {
    const LISTENS: bool = O::LISTENS;

    fn attempted(&self, event: &RetryEvent<'_>) {
        (**self).attempted(event);
    }

    fn guarded(&self, event: &BreakerEvent<'_>) {
        (**self).guarded(event);
    }

    fn served(&self, event: &FallbackEvent<'_>) {
        (**self).served(event);
    }
}

impl<A: Observe, B: Observe> Observe for (A, B) {
    const LISTENS: bool = A::LISTENS || B::LISTENS;

    fn attempted(&self, event: &RetryEvent<'_>) {
        self.0.attempted(event);
        self.1.attempted(event);
    }

    fn guarded(&self, event: &BreakerEvent<'_>) {
        self.0.guarded(event);
        self.1.guarded(event);
    }

    fn served(&self, event: &FallbackEvent<'_>) {
        self.0.served(event);
        self.1.served(event);
    }
}
