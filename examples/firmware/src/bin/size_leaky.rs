//! A leaky bucket, asked when the next may go.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use steadfast::limit::{LeakyBucket, RateLimiter};
use steadfast::time::{millis, secs};
use steadfast::{policy, shared::Shared};

static LINE: Shared<RateLimiter<LeakyBucket>> = Shared::new(RateLimiter::new(policy!(
    LeakyBucket::spacing(millis(50), 4)
)));

steadfast_firmware::size_image!(|now| LINE.reserve(now, 1, secs(1)));
