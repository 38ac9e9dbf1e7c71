//! What a call is to what is behind it: made, timed and told of, whatever its parts are.

use super::observe::Observe;
use super::operation::{Attempt, Operation};
use super::{Call, CallError};
use crate::breaker::CircuitBreaker;
use crate::deadline::Deadline;
use crate::event::FallbackEvent;
use crate::outcome::Outcome;
use crate::time::{Clock, Duration, Instant};

/// A [`Call`] whose parts fit together, awaited or blocking. Nothing else is one.
pub trait AnyCall {
    /// What it comes to, if it works.
    type Value;
    /// The operation's own error.
    type Error;
    /// Its clock.
    type Time: Clock;

    #[doc(hidden)]
    fn time(&self) -> &Self::Time;

    /// One attempt of somebody else that begins now, and how long it may take; none if the deadline
    /// has passed.
    #[doc(hidden)]
    fn attempt_elsewhere(&self, deadline: Deadline) -> Option<(Attempt, Duration)>;

    /// Tells the observer where the answer came from; the event is given its name and the time.
    #[doc(hidden)]
    fn tell(&self, event: impl FnOnce(&str, Instant) -> FallbackEvent<'_>);
}

/// A [`Call`] that can block: its operation is a [`BlockingOperation`](super::BlockingOperation),
/// its time a [`BlockingSleep`](crate::time::BlockingSleep). Nothing else is one.
pub trait BlockingCall: AnyCall {
    #[doc(hidden)]
    fn run_blocking(&mut self, has_secondary: bool) -> Finished<Self::Value, Self::Error>;
}

impl<Op, T, R, J, G, B, O> AnyCall for Call<Op, T, R, J, G, B, O>
where
    Op: Operation,
    T: Clock,
    G: CircuitBreaker,
    O: Observe,
{
    type Value = Op::Value;
    type Error = Op::Error;
    type Time = T;

    fn time(&self) -> &T {
        &self.time
    }

    fn attempt_elsewhere(&self, deadline: Deadline) -> Option<(Attempt, Duration)> {
        let now = self.time.now();
        (!deadline.has_passed(now)).then(|| self.plan.attempt_elsewhere(now, deadline))
    }

    fn tell(&self, event: impl FnOnce(&str, Instant) -> FallbackEvent<'_>) {
        if O::LISTENS {
            let name = self.plan.name_beside(&self.breaker);
            self.observer.served(&event(name, self.time.now()));
        }
    }
}

/// What a call came to, and what that was judged to be.
#[derive(Debug)]
pub struct Finished<V, E> {
    pub(super) result: Result<V, CallError<E>>,
    pub(super) outcome: Outcome,
    /// When the whole must be over, as far as the clock has gone back since it began.
    pub(super) deadline: Deadline,
    /// Somebody else may do it: it may be done twice, or nothing was sent.
    pub(super) may_be_done_elsewhere: bool,
}
