//! Rate limiting and resilience as small state machines that make the same decision everywhere:
//! on a Cortex-M0 without an allocator, in WebAssembly, and on a server.
//!
//! ```
//! use steadfast::{limit::{RateLimiter, TokenBucket}, policy, time::Instant};
//!
//! let mut radio = RateLimiter::new(policy!(TokenBucket::per_second(5).burst(10)));
//! assert!(radio.try_acquire(Instant::from_secs(1)).is_ok());
//! ```
//!
//! ```
//! use steadfast::{breaker::Breaker, outcome::Outcome, shared::Shared, time::Instant};
//!
//! static SENSORS: Shared<Breaker> = Shared::breaker(Breaker::sensitive());
//!
//! let now = Instant::from_secs(1);
//! let permit = SENSORS.try_enter(now)?;
//! SENSORS.record(now, permit, Outcome::TimedOut);
//! # Ok::<(), steadfast::breaker::Rejected>(())
//! ```
//!
//! # The house
//!
//! This crate is the two inner rings. The outer one, `steadfast-std`, brings what needs an
//! operating system.
//!
//! 1. **Machines**: pure functions of policy, state and `now`. They never read a clock, sleep,
//!    lock, log or allocate; they use no floats and cannot panic.
//!
//!    | room | what it decides |
//!    |---|---|
//!    | [`limit`] | how much may pass, and when to come back |
//!    | [`backoff`] | how long to wait before trying again |
//!    | [`retry`] | whether to try again at all: attempts, time, budgets |
//!    | [`breaker`] | whether to call somebody who has not answered lately |
//!    | [`deadline`] | how much time is left, for this attempt and for those who help |
//!    | [`fallback`] | what to answer instead, and how old it is |
//!    | [`window`] | how many of the latest calls failed |
//!    | [`fault`] | what to break on purpose |
//!
//!    They speak of [`time`], of the [`outcome`] of a call, and of chance ([`random`]), all of
//!    which are handed in; [`http`] writes and reads HTTP's words; [`event`] is what happened, for
//!    dashboards.
//! 2. **Sharing**: the same machines by `&self`. [`shared::Shared`] by a critical section, for
//!    firmware; [`limit::AtomicRateLimiter`] without a lock where there are 64-bit atomics, and
//!    [`breaker::FastBreaker`] with one load while all is well; [`limit::Clocked`] with a clock of
//!    its own; [`limit::Named`] several of them at once. [`call`] drives them around one operation,
//!    async on any executor, or blocking.
//!
//! # Features
//!
//! - `fugit-v0_6` (default): conversions to and from fugit 0.6's durations and monotonic instants.
//! - `embassy-time-v0_5`: `time::EmbassyTime`, a clock and a timer for embassy's executor, and
//!   conversions to and from embassy-time 0.5's durations and instants.
//! - `defmt-v1`: every value, of the policies, their states and answers, of time, events, errors
//!   and HTTP, is a `defmt::Format` of defmt 1.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod backoff;
pub mod breaker;
pub mod call;
mod config;
pub mod deadline;
pub mod event;
pub mod fallback;
pub mod fault;
pub mod http;
pub mod limit;
pub mod outcome;
pub mod random;
pub mod retry;
pub mod shared;
pub mod time;
pub mod window;

pub use config::ConfigError;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
