//! Calling out on tokio's paused clock: the sentence, its limits, targets, the cache, and who is
//! told. One part of it a file.

#[cfg(any(feature = "metrics", feature = "tracing"))]
mod bad_minute;
mod cache;
#[cfg(feature = "tower")]
mod client;
#[cfg(feature = "metrics")]
mod counted;
mod half_a_minute;
mod sentence;
mod targets;
#[cfg(feature = "tracing")]
mod traced;

use steadfast::backoff::Backoff;
use steadfast::breaker::Breaker;
use steadfast::policy;
use steadfast::retry::{RetryBudget, RetryPolicy};
use steadfast::time::{Clock, Instant, millis, secs};
use steadfast_std::{Target, TokioTime};

/// 100, 200, 400 ms.
const STEADY: RetryPolicy =
    policy!(RetryPolicy::new(policy!(Backoff::exponential(millis(100)))).attempts(4));

/// Opens at the second failure, for a second.
const BREAKER: Breaker = policy!(Breaker::consecutive(2).open_for(secs(1)).close_after(1));

fn now() -> Instant {
    TokioTime::of_process().now()
}

fn target() -> Target {
    Target::new("partner", BREAKER, RetryBudget::standard())
}
