//! A sliding window kept as a log of eight, asked for one.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use steadfast::limit::{RateLimiter, SlidingWindowLog};
use steadfast::{policy, shared::Shared, time::minutes};

static LOGIN: Shared<RateLimiter<SlidingWindowLog<8>>> = Shared::new(RateLimiter::new(policy!(
    SlidingWindowLog::new(8, minutes(15))
)));

steadfast_firmware::size_image!(|now| LOGIN.try_acquire(now).is_ok());
