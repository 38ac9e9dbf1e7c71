//! Calling out: one operation, and around it what keeps a slow or broken other side from doing
//! harm.
//!
//! ```
//! # use core::{future::Future, pin::pin, task::{Context, Poll, Waker}};
//! use steadfast::breaker::Breaker;
//! use steadfast::call::Call;
//! use steadfast::random::SharedRandom;
//! use steadfast::retry::RetryPolicy;
//! use steadfast::shared::Shared;
//! use steadfast::time::{Clock, Duration, Instant, ManualClock, Sleep, secs};
//!
//! static MODEM: Shared<Breaker> = Shared::breaker(Breaker::standard());
//! static DICE: SharedRandom = SharedRandom::new(0);
//! // Once, when the device knows who it is: the same delays on all of them would not help.
//! DICE.seed(0x1a2b);
//!
//! /// A timer for the example: the clock jumps to the end of every sleep.
//! struct Timer(ManualClock);
//! # impl Clock for Timer {
//! #     fn now(&self) -> Instant {
//! #         self.0.now()
//! #     }
//! # }
//! # impl Sleep for Timer {
//! #     type Future = core::future::Ready<()>;
//! #     fn sleep(&self, duration: Duration) -> Self::Future {
//! #         self.0.advance(duration);
//! #         core::future::ready(())
//! #     }
//! # }
//! # fn block_on<F: Future>(future: F) -> F::Output {
//! #     match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
//! #         Poll::Ready(output) => output,
//! #         Poll::Pending => panic!("nothing to wait for"),
//! #     }
//! # }
//! let timer = Timer(ManualClock::new(Instant::from_secs(1)));
//! let mut lines = [Err("no carrier"), Err("no carrier"), Ok("connected")].into_iter();
//!
//! let dial = || core::future::ready(lines.next().unwrap_or(Err("no line")));
//! let dialled = block_on(
//!     Call::new(dial, &timer, &DICE)
//!         .retry(&RetryPolicy::standard())
//!         .guarded_by(&MODEM)
//!         .attempt_timeout(secs(5))
//!         .within(secs(30))
//!         .call(),
//! );
//! assert_eq!(dialled, Ok("connected"));
//! ```
//!
//! # What is around what
//!
//! From the outside in: one deadline over all, the breaker, the retries, a timeout for each
//! attempt, the operation. So a breaker hears one verdict a call, after its retries, and a call
//! that is its probe is not retried. [`each_attempt_guarded_by`](Call::each_attempt_guarded_by) puts
//! it inside the retries instead: it hears of each attempt, opens sooner, and then ends the retries
//! of calls that are under way. Where it judges slow calls it belongs there, since the waits between
//! the attempts of a whole call are not the other side's.
//!
//! # What is behind it
//!
//! If a call comes to nothing there may be an answer all the same: the last good one
//! ([`or_stale`](Call::or_stale)), somebody else's ([`or_secondary`](Call::or_secondary)), a safe one
//! ([`or_else`](Call::or_else), [`or_else_if_unwell`](Call::or_else_if_unwell)), asked for in this
//! order, awaited or blocking. The answer says which it is. Or it is done later. [`Backed`] has
//! examples. So that somebody else has time to answer, the call is over before the deadline of the
//! whole: [`leaving`](Call::leaving).
//!
//! # When a call is dropped
//!
//! At any point where it waits it can be dropped. Its attempt is dropped with it, its timer too,
//! and the breaker counts nothing and has its permit back. What it had withdrawn from a budget for
//! a retry that has not begun [goes back](crate::retry::Budget::refund); an attempt that has begun is
//! paid for. Who observes it hears that it was
//! [given up](crate::event::CallOutcome::GivenUp); while a secondary is asked the call itself has
//! ended, and that has been told.
//!
//! So if the other side hangs, and users leave before an attempt has timed out, the breaker hears of
//! nothing and stays closed. [`given_up_counts_after`](Call::given_up_counts_after) makes it count.
//!
//! An operation that panics unwinds through the call, which has then been dropped.

mod any_call;
mod asked;
mod backed;
mod error;
mod given_up;
mod judge;
mod leaving;
mod no_breaker;
mod observe;
mod operation;
mod or_else;
mod plan;
mod run;
mod secondary;
mod timeout;
mod under_way;

pub use any_call::{AnyCall, BlockingCall};
pub use backed::{Backed, NoMemory};
pub use error::CallError;
pub(crate) use error::{LONGEST_HANDED_ON, is_final};
pub use judge::{ByResult, Judge, Notified};
pub use no_breaker::NoBreaker;
pub use observe::Observe;
pub use operation::{AsyncOperation, Attempt, Blocking, BlockingOperation, Operation, Plain, Told};
pub use or_else::{OrElse, OrElseIfUnwell};
pub use secondary::{AsyncSecondary, BlockingSecondary, NoSecondary};
pub use timeout::{TimedOut, timeout};

use plan::Plan;

use crate::breaker::CircuitBreaker;
use crate::event::RetryEvent;
use crate::outcome::Outcome;
use crate::retry::{Budget, NoBudget};

/// A call that is being put together; [`call`](Self::call) makes it.
///
/// Nobody writes its type down: each method adds one thing, in any order, but that
/// [`judged_by`](Call::judged_by) comes before [`notify`](Self::notify) and what is behind the call
/// comes last. Of a number said twice the last one counts. The example is at [the module](self).
#[derive(Clone, Debug)]
#[must_use = "nothing is called before `call`"]
pub struct Call<Op, T, R, J = ByResult, G = NoBreaker, B = NoBudget, O = ()> {
    operation: Op,
    time: T,
    random: R,
    judge: J,
    breaker: G,
    budget: B,
    observer: O,
    plan: Plan,
}

impl<Op, T, R> Call<Op, T, R> {
    const fn of(operation: Op, time: T, random: R) -> Self {
        Self {
            operation,
            time,
            random,
            judge: ByResult,
            breaker: NoBreaker,
            budget: NoBudget,
            observer: (),
            plan: Plan::NEW,
        }
    }
}

impl<Op, T, R> Call<Plain<Op>, T, R> {
    /// One attempt of an async closure or function, without a limit, until something is added.
    ///
    /// `time` is a [`Clock`](crate::time::Clock) and a [`Sleep`](crate::time::Sleep) that agree;
    /// `random` is where the jitter comes from, so give it a seed of the device's own.
    pub const fn new(operation: Op, time: T, random: R) -> Self {
        Self::of(Plain(operation), time, random)
    }
}

impl<Op, T, R> Call<Told<Op>, T, R> {
    /// As [`new`](Call::new), for a closure that takes the [`Attempt`]: its number and its
    /// deadline.
    pub const fn told<F>(operation: Op, time: T, random: R) -> Self
    where
        Op: FnMut(Attempt) -> F,
    {
        Self::of(Told(operation), time, random)
    }
}

impl<Op, T, R> Call<Blocking<Op>, T, R> {
    /// A closure that blocks, and takes the [`Attempt`]; made by
    /// [`call_blocking`](Self::call_blocking).
    ///
    /// Nobody can cut it short from outside, so it is told when its time is over, to set a
    /// socket's timeout by. What it takes longer than that counts as timed out.
    ///
    /// `time` is a [`Clock`](crate::time::Clock) and a
    /// [`BlockingSleep`](crate::time::BlockingSleep) that agree, as [`clock_fn`](crate::time::clock_fn)
    /// and [`sleeping_by`](crate::time::FnClock::sleeping_by) make of two closures.
    pub const fn blocking<V, E>(operation: Op, time: T, random: R) -> Self
    where
        Op: FnMut(Attempt) -> Result<V, E>,
    {
        Self::of(Blocking(operation), time, random)
    }
}

impl<Op, T, R, J, G, B, O> Call<Op, T, R, J, G, B, O> {
    /// Shows each attempt and its error to a closure, for a log in one's own words. A call that the
    /// breaker refuses has no attempt: of that [`observed_by`](Self::observed_by) tells. The error is
    /// `None` if there was an answer, or none in time.
    ///
    /// ```
    /// # use steadfast::{call::Call, retry::RetryPolicy};
    /// # let (timer, random) = ((), ());
    /// # let fetch = || core::future::ready(Err::<(), _>("connection reset"));
    /// # let _ =
    /// Call::new(fetch, &timer, &random)
    ///     .retry(&RetryPolicy::standard())
    ///     .notify(|event, error| {
    ///         // quote: attempt 1 of 4 transient, retry in 87ms: Some("connection reset")
    ///         println!("{event}: {error:?}");
    ///     });
    /// ```
    pub fn notify<F>(self, notify: F) -> Call<Op, T, R, Notified<J, F>, G, B, O>
    where
        Op: Operation,
        F: Fn(&RetryEvent<'_>, Option<&Op::Error>),
    {
        Call {
            judge: Notified {
                judge: self.judge,
                notify,
            },
            operation: self.operation,
            time: self.time,
            random: self.random,
            breaker: self.breaker,
            budget: self.budget,
            observer: self.observer,
            plan: self.plan,
        }
    }

    /// Puts a circuit breaker around the call, retries included: five failures are five calls that
    /// failed with all their retries. See [what is around what](self#what-is-around-what).
    pub fn guarded_by<G2: CircuitBreaker>(self, breaker: G2) -> Call<Op, T, R, J, G2, B, O> {
        Call {
            breaker,
            operation: self.operation,
            time: self.time,
            random: self.random,
            judge: self.judge,
            budget: self.budget,
            observer: self.observer,
            plan: Plan {
                guards_each_attempt: false,
                ..self.plan
            },
        }
    }

    /// Puts a circuit breaker around each attempt.
    pub fn each_attempt_guarded_by<G2: CircuitBreaker>(
        self,
        breaker: G2,
    ) -> Call<Op, T, R, J, G2, B, O> {
        let mut call = self.guarded_by(breaker);
        call.plan.guards_each_attempt = true;
        call
    }

    /// Takes its retries from a budget that all calls to one target share.
    pub fn budget<B2: Budget>(self, budget: B2) -> Call<Op, T, R, J, G, B2, O> {
        Call {
            budget,
            operation: self.operation,
            time: self.time,
            random: self.random,
            judge: self.judge,
            breaker: self.breaker,
            observer: self.observer,
            plan: self.plan,
        }
    }
}

impl<Op, T, R, G, B, O> Call<Op, T, R, ByResult, G, B, O> {
    /// What a result means; by [`Outcome::of`] unless set: `Ok` is a success, and every `Err` is
    /// worth another try. An HTTP client that returns `Ok` for a 503 needs it. Once, and before
    /// [`notify`](Self::notify). A judge that several calls share is an
    /// `fn judge<T>(result: &Result<T, E>) -> Outcome`.
    ///
    /// ```
    /// # use steadfast::{call::Call, outcome::Outcome};
    /// # let (timer, random) = ((), ());
    /// # enum Refused { OutOfStock, NoConnection }
    /// # let reserve = || core::future::ready(Err::<u32, _>(Refused::OutOfStock));
    /// # let _ =
    /// Call::new(reserve, &timer, &random).judged_by(|result| match result {
    ///     Err(Refused::OutOfStock) => Outcome::Ignored,
    ///     other => Outcome::of(other),
    /// });
    /// ```
    pub fn judged_by<J>(self, judge: J) -> Call<Op, T, R, J, G, B, O>
    where
        Op: Operation,
        J: Fn(&Result<Op::Value, Op::Error>) -> Outcome,
    {
        Call {
            judge,
            operation: self.operation,
            time: self.time,
            random: self.random,
            breaker: self.breaker,
            budget: self.budget,
            observer: self.observer,
            plan: self.plan,
        }
    }
}

impl<Op, T, R, J, G, B> Call<Op, T, R, J, G, B> {
    /// Tells someone of each attempt, retry and rejection, and how the whole ended. Once; a pair
    /// `(a, b)` tells both.
    pub fn observed_by<O: Observe>(self, observer: O) -> Call<Op, T, R, J, G, B, O> {
        Call {
            observer,
            operation: self.operation,
            time: self.time,
            random: self.random,
            judge: self.judge,
            breaker: self.breaker,
            budget: self.budget,
            plan: self.plan,
        }
    }
}
