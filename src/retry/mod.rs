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
