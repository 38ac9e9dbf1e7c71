//! A policy of the host's numbers.

use steadfast::ConfigError;
use steadfast::limit::{AnyPolicy, FixedWindow, IntervalBucket, SlidingWindowCounter, TokenBucket};
use steadfast::time::Duration;

use crate::exchange::{BAD_CALL, Status, say_bad_field};
use crate::whole;

/// `algorithm` 0 is a token bucket, 1 a fixed window from the first hit, 2 one aligned to the
/// clock, 3 a sliding window in two counters, 4 a bucket that refills by the interval.
///
/// Only the buckets have a `burst`; for the others it is not looked at.
pub fn build(algorithm: u32, count: f64, period: u64, burst: f64) -> Result<AnyPolicy, Status> {
    let (counted, deep) = match algorithm {
        0 => ("count", "burst"),
        4 => ("amount", "capacity"),
        _ => ("limit", ""),
    };
    let count = whole_or(count, counted)?;
    let period = Duration::from_nanos(period);
    let policy = match algorithm {
        0 => {
            let burst = whole_or(burst, deep)?;
            (TokenBucket::new(count, period).burst(burst).build()).map(AnyPolicy::from)
        }
        1 => FixedWindow::new(count, period).build().map(AnyPolicy::from),
        2 => (FixedWindow::new(count, period).aligned().build()).map(AnyPolicy::from),
        3 => (SlidingWindowCounter::new(count, period).build()).map(AnyPolicy::from),
        4 => {
            let capacity = whole_or(burst, deep)?;
            (IntervalBucket::new(count, period)
                .capacity(capacity)
                .build())
            .map(AnyPolicy::from)
        }
        _ => return Err(BAD_CALL),
    };
    policy.map_err(|error| say_bad_field(&error))
}

/// A count, or what is said of a number that is none. What that number was, the host knows.
fn whole_or(number: f64, field: &'static str) -> Result<u32, Status> {
    whole::count(number)
        .ok_or_else(|| say_bad_field(&ConfigError::new(field, 0, 1, u32::MAX.into())))
}
