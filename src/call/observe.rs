//! Who is told what became of a call.

use crate::event::{BreakerEvent, CallEvent, FallbackEvent, RetryEvent};

/// Is told of each attempt, of what the breaker did, and how the whole ended, as it happens; a pair
/// tells both.
///
/// It is called between the attempts, on the call's own task: keep it short, and do not block. Where
/// a call is dropped, [`guarded`](Self::guarded) and [`ended`](Self::ended) are called from that drop,
/// also while a panic unwinds: so they must not panic.
///
/// ```
/// use steadfast::call::Observe;
/// use steadfast::event::{BreakerEvent, CallEvent, FallbackEvent, RetryEvent};
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
///
///     fn ended(&self, event: &CallEvent<'_>) {
///         println!("{event}");
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not told of calls",
    note = "a closure is shown the attempts by `notify`; whoever hears of the breaker and of the \
            whole call implements `Observe`"
)]
pub trait Observe {
    /// Does it want to know? Only for [`()`](unit) it is no: then no event is made and no clock is
    /// read for one.
    const LISTENS: bool = true;

    /// An attempt is over: its outcome, and whether and when there is another. One that is dropped
    /// with its call is not told here.
    fn attempted(&self, event: &RetryEvent<'_>) {
        let _ = event;
    }

    /// The breaker refused a call, heard of a result, or changed. A result of an earlier generation
    /// is told as well, and changes nothing.
    fn guarded(&self, event: &BreakerEvent<'_>) {
        let _ = event;
    }

    /// There was an answer, and where it came from, or none at all: for a call with something behind
    /// it, as by [`Call::or_else`](super::Call::or_else), and after [`ended`](Self::ended). Not of a no
    /// that is handed on, behind which nobody looks, nor if it is dropped while a secondary is asked.
    fn served(&self, event: &FallbackEvent<'_>) {
        let _ = event;
    }

    /// The call has ended: how, after how many attempts, and how long it took in all.
    ///
    /// Once for each call that was begun: also where time ran out before or between attempts, where
    /// the breaker said no, and where the call was dropped. One whose future was never polled has not
    /// begun. What is behind a call does not change how the call itself ended:
    /// [`served`](Self::served) tells what the caller got instead.
    fn ended(&self, event: &CallEvent<'_>) {
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

    fn ended(&self, event: &CallEvent<'_>) {
        (**self).ended(event);
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

    fn ended(&self, event: &CallEvent<'_>) {
        self.0.ended(event);
        self.1.ended(event);
    }
}
