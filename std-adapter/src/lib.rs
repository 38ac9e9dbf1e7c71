//! `steadfast` on a server: everything that needs an operating system, and no algorithm. What is
//! decided is decided in the core crate.
//!
//! ```
//! use steadfast::{limit::TokenBucket, policy};
//! use steadfast_std::KeyedLimiter;
//!
//! // 100 a minute for each user, in 100,000 places.
//! let limiter = KeyedLimiter::new(policy!(TokenBucket::per_minute(100)), 100_000).unwrap();
//! assert!(limiter.try_acquire("alice").is_ok());
//! ```
//!
//! - [`SystemClock`], [`CoarseClock`], [`TokioTime`], [`ThreadTime`]: clocks, and timers to wait by.
//! - [`MutexWaitQueue`]: the queue of those who wait for a limiter
//!   ([`Queued`](steadfast::limit::Queued)), in async code or by [`block_on`].
//! - [`KeyedLimiter`]: a limiter a key, for millions of keys, in memory that never grows.
//! - [`LiveLimiter`]: the same with [`Quotas`] that differ by key and change while it runs.
//! - [`LeasedRateLimiter`]: one limit for the whole process, which many cores ask at once.
//! - [`RateLimitLayer`]: a tower layer that answers 429 and puts the headers on every response
//!   (feature `tower`, default; feature `axum` reads axum's peer address).
//! - [`Resilient`]: an async function is retried, guarded, cut short and backed by a fallback in one
//!   sentence (feature `tokio`); [`Target`] is what all its callers share, [`StaleCache`] the last
//!   good answers. More in [`call`].
//! - [`PaceLayer`], [`PacePerHostLayer`]: tower layers for a client, whose calls wait their turn and
//!   heed the server's `Retry-After` (feature `tower`).
//!
//! # Features
//!
//! - `tower` (default): layers for servers and clients, and [`call`]'s `response_outcome` and
//!   `unavailable`, over the types of `http` 1.
//! - `axum`: a client's address as axum 0.8 tells it; brings `tower`.
//! - `tokio`: [`Resilient`] and `call::told` on tokio's time, [`TokioTime`].
//! - `limits-file`: [`Limits`], from TOML or JSON.
//! - `metrics`, `tracing`: who watches limits and calls, for a recorder or subscriber of yours; bring
//!   `tower`.
//!
#![cfg_attr(not(feature = "limits-file"), doc = "[`Limits`]: crate#features")]
#![cfg_attr(not(feature = "tower"), doc = "[`PaceLayer`]: crate#features")]
#![cfg_attr(not(feature = "tower"), doc = "[`PacePerHostLayer`]: crate#features")]
#![cfg_attr(not(feature = "tower"), doc = "[`RateLimitLayer`]: crate#features")]
#![cfg_attr(not(feature = "tokio"), doc = "[`Resilient`]: crate#features")]
#![cfg_attr(not(feature = "tokio"), doc = "[`TokioTime`]: crate#features")]
// Allowed in one file, `prefetch`, for one instruction.
#![deny(unsafe_code)]

// Its statics cannot be made of loom's locks; what threads share in it is the core's.
#[cfg(not(steadfast_loom))]
pub mod call;
mod keyed;
mod leased;
#[cfg(feature = "limits-file")]
pub mod limits;
#[cfg(feature = "limits-file")]
pub mod limits_file;
#[cfg(feature = "tower")]
pub mod pace;
mod prefetch;
mod random;
#[cfg(feature = "tower")]
pub mod rate_limit;
mod sync;
mod time;
#[cfg(feature = "tower")]
mod unix_time;
mod wait_queue;

#[cfg(all(feature = "tokio", not(steadfast_loom)))]
pub use call::Resilient;
#[cfg(not(steadfast_loom))]
pub use call::{StaleCache, Target, Targets};
pub use keyed::{
    AnsweredBy, Checked, KeyedLimiter, LimiterByKey, LiveGranted, LiveLimiter, LockedCell,
    Occupancy, OfKey, Quotas, StateCell, Stored, WordCell,
};
pub use leased::{LeasedGrant, LeasedRateLimiter};
#[cfg(feature = "limits-file")]
pub use limits::Limits;
#[cfg(feature = "tower")]
pub use pace::{PaceLayer, PacePerHostLayer};
pub use random::ThreadRandom;
#[cfg(feature = "tower")]
pub use rate_limit::RateLimitLayer;
#[cfg(feature = "tokio")]
pub use time::TokioTime;
pub use time::{CoarseClock, SystemClock, ThreadSleep, ThreadTime, block_on};
pub use wait_queue::MutexWaitQueue;
