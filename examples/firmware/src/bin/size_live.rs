//! A token bucket that can be reconfigured while it is in use, asked for one.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use steadfast::limit::{RateLimiter, TokenBucket};
use steadfast::policy;
use steadfast::shared::{Live, Shared};

static UPLINK: Shared<Live<TokenBucket>> = Shared::live(RateLimiter::new(policy!(
    TokenBucket::per_second(5).burst(10)
)));

steadfast_firmware::size_image!(|now| UPLINK.try_acquire(now).is_ok());
