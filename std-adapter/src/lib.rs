//! `steadfast` on a server: everything that needs an operating system, and no algorithm. What is
//! decided is decided in the core crate.
//!
//! ```
//! use steadfast::{limit::TokenBucket, policy};
//! use steadfast_std::KeyedLimiter;
//!
//! // 100 a minute for each user, in at most 100,000 places.
//! let limiter = KeyedLimiter::new(policy!(TokenBucket::per_minute(100)), 100_000).unwrap();
//! assert!(limiter.try_acquire("alice").is_ok());
//! ```
//!
//! - [`SystemClock`]: the operating system's monotonic clock.
//! - [`KeyedLimiter`]: a limiter a key, for millions of keys, in memory that never grows.
//! - [`RateLimitLayer`]: a tower layer that answers 429 and puts the headers on every response
//!   (feature `tower`, default; feature `axum` reads axum's peer address).

// Allowed in one file, `prefetch`, for one instruction.
#![deny(unsafe_code)]

mod clock;
mod keyed;
mod prefetch;
mod sync;
#[cfg(feature = "tower")]
pub mod tower;

pub use clock::SystemClock;
pub use keyed::{Checked, KeyedLimiter, LockedCell, StateCell, Stored, WordCell};
#[cfg(feature = "tower")]
pub use tower::RateLimitLayer;
