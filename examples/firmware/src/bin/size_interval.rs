//! A bucket that refills in portions, asked for one. It divides when several have fallen due.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use steadfast::limit::{IntervalBucket, RateLimiter};
use steadfast::{policy, shared::Shared, time::minutes};

static LOGIN: Shared<RateLimiter<IntervalBucket>> = Shared::new(RateLimiter::new(policy!(
    IntervalBucket::new(10, minutes(15)).capacity(50)
)));

steadfast_firmware::size_image!(|now| LOGIN.try_acquire(now).is_ok());
