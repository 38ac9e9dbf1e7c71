//! Rate limiting: how much may pass, and when to come back.
//!
//! An algorithm is a [`Policy`]: a pure function of policy, state, time and cost. Whatever holds
//! the state is generic over it.
//!
//! | algorithm | what it promises |
//! |---|---|
//! | [`TokenBucket`] (also as [`Gcra`] and [`LeakyMeter`]) | a burst, then a steady rate; exact for ever |
//! | [`CompactBucket`] | the same bucket in one word, for lock-free limiters and large tables |
//! | [`FixedWindow`] | so many in each window, from the first hit or aligned to the clock |
//! | [`SlidingWindowLog`] | so many in every stretch of time, exactly; a timestamp a token |
//! | [`SlidingWindowCounter`] | nearly that, in two counters |
//! | [`IntervalBucket`] | a bucket that refills in portions |
//! | [`LeakyBucket`] | evenly spaced departures, with a bounded queue |
//! | [`AllOf`] | two limits that must both say yes |
//! | [`ServerHold`] | for a client: what the server's answers ask for |
//! | [`Shadow`] | a limit on trial, which denies nobody |
//! | [`AnyPolicy`] | one of these, chosen at run time |
//!
//! | holder | where |
//! |---|---|
//! | [`RateLimiter`] | one limiter, `&mut self` |
//! | [`Keyed`] | a limiter a key, in a fixed number of places |
//! | [`AtomicRateLimiter`] | one limiter, lock-free, `&self` |
//! | [`Shared`](crate::shared::Shared) | any of them behind a critical section, `&self`; as [`Live`](crate::shared::Live) it can be reconfigured |
//! | [`Clocked`] | a shared limiter with its clock, so that nobody passes the time |
//! | [`Named`], [`Layered`] | limits that lie in different places, all of which must say yes; a no names its limit |
//! | [`Queued`] | a shared limiter with a queue in front of it, for async callers who wait |
//!
//! # What holds for all of them
//!
//! - A limiter starts full, unless it is made by [`RateLimiter::starting_with`]. Cost `0` takes nothing and is always granted.
//! - A denied call takes nothing.
//! - A refund gives back what its grant still holds back. In the buckets, one that comes after
//!   other refunds may give back more, by at most what those did ([`Policy::refund`]).
//! - Over any length of time, what passes equals the policy's definition in rational numbers. No
//!   remainder is lost and no rate is rounded, however often the limiter is asked.
//! - [`Denied::RateLimited`] carries the exact wait.
//!
//! # Costs that are known only afterwards
//!
//! The bytes of an answer, the tokens of a language model: ask for one before the work (is there
//! anything left?), and [`charge`](RateLimiter::charge) the rest after it. A token bucket may then
//! be below empty, as far as [`debt_up_to`](TokenBucketConfig::debt_up_to) says, and whoever comes
//! later waits. If there is a good estimate, take that before the work, and afterwards charge what
//! it was too little.
//!
//! # When time misbehaves
//!
//! Let T be the policy's longest wait. A state up to T + 2^32 ns (about 4.3 s) ahead of `now` is
//! believed and left alone, since another core's clock may lead a little. One further ahead
//! becomes "empty at `now`". So nobody waits longer than T + 4.3 s after a clock has jumped back,
//! and what is admitted over any history is at most the burst plus the rate times the forward
//! movement seen. (An aligned window turns with the clock, so each far jump back may let one more
//! window's limit pass when the clock next reaches an edge.)
//!
//! In the last T before [`Instant::MAX`](crate::time::Instant::MAX), 584 years after the clock's
//! start, time stands still for a limiter.

mod all_of;
mod any_policy;
#[cfg(target_has_atomic = "64")]
mod atomic;
mod by_reference;
mod clocked;
mod compact_bucket;
mod decision;
mod fixed_window;
mod interval_bucket;
mod keyed;
mod layered;
mod limiter;
mod line;
pub mod placement;
mod policy;
mod queued;
mod quotient;
mod server_hold;
mod shadow;
mod sliding_window_counter;
mod sliding_window_log;
mod span;
mod token_bucket;
mod word;

pub use all_of::AllOf;
pub use any_policy::{AnyGranted, AnyPolicy, AnyState};
#[cfg(target_has_atomic = "64")]
pub use atomic::AtomicRateLimiter;
pub use by_reference::{Limiter, Reconfigure};
pub use clocked::Clocked;
pub use compact_bucket::{CompactBucket, CompactBucketConfig, CompactBucketState};
pub use decision::{Denied, Granted, Standing};
pub use fixed_window::{FixedWindow, FixedWindowConfig, FixedWindowState};
pub use interval_bucket::{IntervalBucket, IntervalBucketConfig, IntervalBucketState};
pub use keyed::{Keyed, KeyedPolicy, Places, WhenFull};
pub use layered::{DeniedBy, Layer, Layered, Named};
pub use limiter::RateLimiter;
pub use line::wait_in_line;
pub use policy::{Policy, Reserve};
pub use queued::{AcquireError, QueueFull, Queued, StaticWaitQueue, Ticket, WaitQueue};
pub use server_hold::{ServerHold, ServerHoldConfig, ServerHoldState};
pub use shadow::{Shadow, Shadowed};
pub use sliding_window_counter::{
    SlidingWindowCounter, SlidingWindowCounterConfig, SlidingWindowCounterState,
};
pub use sliding_window_log::{SlidingWindowLog, SlidingWindowLogConfig, SlidingWindowLogState};
pub use token_bucket::{
    Gcra, LeakyBucket, LeakyMeter, TokenBucket, TokenBucketConfig, TokenBucketState,
};
pub use word::Word;

pub use crate::time::{CLOCK_LEAD, MAX_WAIT};
