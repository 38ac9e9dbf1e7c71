//! A token bucket that is reconfigured and asked for one. What was used is carried over in tokens.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::limit::{RateLimiter, TokenBucket};
use steadfast::policy;
use steadfast::shared::{Live, Shared};

const FIVE: TokenBucket = policy!(TokenBucket::per_second(5).burst(10));
static UPLINK: Shared<Live<TokenBucket>> = Shared::live(RateLimiter::new(FIVE));

steadfast_firmware::size_image!(|now| {
    UPLINK.reconfigure(now, black_box(FIVE));
    UPLINK.try_acquire(now).is_ok()
});
