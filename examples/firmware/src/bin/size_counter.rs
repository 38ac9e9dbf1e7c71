//! A sliding window kept as two counters, asked for one. Only the wait after a no takes a
//! division, and nobody asks for it here.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use steadfast::limit::{RateLimiter, SlidingWindowCounter};
use steadfast::{policy, shared::Shared, time::minutes};

static LOGIN: Shared<RateLimiter<SlidingWindowCounter>> = Shared::new(RateLimiter::new(policy!(
    SlidingWindowCounter::new(10, minutes(15))
)));

steadfast_firmware::size_image!(|now| LOGIN.try_acquire(now).is_ok());
