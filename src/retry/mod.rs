//! Trying again: how often, when, and when not.
//!
//! | what | for |
//! |---|---|
//! | [`RetryPolicy`] | attempts, delays and limits of time; one for many calls |
//! | [`Retry`] | the session of one call: told what came of each attempt, it answers with a [`Step`] |
//! | [`RetryBudget`] | what all calls to one target may retry together, hedges included |
//!
//! One decision weighs the outcome, the attempts, the time that has passed, the deadline, the budget
//! and what the server asks for. What comes of a call is an [`Outcome`](crate::outcome::Outcome),
//! which a breaker reads as well; [`http_outcome`](crate::http::http_outcome) makes one of an answer
//! of HTTP.
//!
//! # What holds
//!
//! - No attempt begins at or after the deadline, nor later than the elapsed limit after the start.
//!   Where the next one would, the session stops at once instead of sleeping first.
//! - The elapsed limit counts the attempts as well as the waits.
//! - A retry is never earlier than the server has asked for.
//! - A retry that is not made takes nothing from the budget.
//! - What may do harm if it is done twice is done once.
//!
//! # At once, or later
//!
//! Never at once after a 5xx: the server is there and cannot, and would have one call more. At once
//! is for a connection that broke, which is made anew. A policy does not tell the two apart: both are
//! [`Outcome::Transient`](crate::outcome::Outcome::Transient). So
//! [`Backoff::immediate`](crate::backoff::Backoff::immediate), and a table that begins at zero, retry
//! a 503 at once too, unless it has a `Retry-After`. Reconnect inside the operation instead, once, and
//! leave the policy its delays.
//!
//! # Beside a breaker
//!
//! The budget bounds what all retry; a breaker ends the calls themselves. Neither takes the place of
//! the other: retries of calls that run side by side are made before the breaker has heard of them.
//! In [`Call`](crate::call::Call):
//!
//! - A call that the breaker refuses has no attempt, and the budget does not hear of it.
//! - Around the call ([`guarded_by`](crate::call::Call::guarded_by)) the breaker hears one verdict,
//!   after the retries. Its probe is one attempt: it pays for no retry, and
//!   [`StopReason::Probe`] says why there was none.
//! - Around each attempt
//!   ([`each_attempt_guarded_by`](crate::call::Call::each_attempt_guarded_by)) the attempt that opens
//!   it is the last and withdraws nothing: [`StopReason::BreakerOpened`]. That holds for a probe that
//!   fails as well. A retry of another call that waits meanwhile has paid; if its wait ends while the
//!   breaker is open it is refused, and what it withdrew [goes back](Budget::refund).
//! - The budget hears what each attempt came to, also where the breaker has ended the retries.
//!
//! ```
//! use steadfast::breaker::Breaker;
//! use steadfast::call::Call;
//! use steadfast::retry::{RetryBudget, RetryPolicy};
//! use steadfast::shared::Shared;
//! # use steadfast::time::{BlockingSleep, Clock, Duration, Instant, ManualClock};
//! # use steadfast::time::secs;
//! # struct Timer(ManualClock);
//! # impl Clock for Timer {
//! #     fn now(&self) -> Instant {
//! #         self.0.now()
//! #     }
//! # }
//! # impl BlockingSleep for Timer {
//! #     fn sleep_blocking(&self, duration: Duration) {
//! #         self.0.advance(duration);
//! #     }
//! # }
//! # let timer = Timer(ManualClock::new(Instant::from_secs(1)));
//!
//! static BREAKER: Shared<Breaker> = Shared::breaker(Breaker::standard());
//! static BUDGET: Shared<RetryBudget> = Shared::budget(RetryBudget::standard());
//!
//! let ask = || {
//!     Call::blocking(|_| Err::<(), _>("connection refused"), &timer, || 0)
//!         .retry(&RetryPolicy::standard())
//!         .budget(&BUDGET)
//!         .guarded_by(&BREAKER)
//!         .call_blocking()
//!         .unwrap_err()
//! };
//! let left = || BUDGET.available(timer.now());
//!
//! // Five calls one after the other open it: 15 retries, of 5 tokens each.
//! for _ in 0..5 {
//!     assert_eq!(ask().attempts(), 4);
//! }
//! assert_eq!((ask().attempts(), left()), (0, 500 - 75));
//! // The probe.
//! timer.0.advance(secs(30));
//! assert_eq!((ask().attempts(), left()), (1, 500 - 75));
//! ```

mod budget;
mod policy;
mod session;
mod step;

pub use budget::{
    Budget, BudgetSpent, NoBudget, RatioBudgetConfig, RetryBudget, RetryBudgetState,
    ThrottleConfig, TokenBudgetConfig, Withdrawn,
};
pub use policy::{RetryPolicy, RetryPolicyConfig};
pub use session::Retry;
pub use step::{Step, StopReason};
