//! A token bucket in a static, shared with interrupts, asked for one.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use steadfast::limit::{RateLimiter, TokenBucket};
use steadfast::{policy, shared::Shared};

static RADIO: Shared<RateLimiter<TokenBucket>> = Shared::new(RateLimiter::new(policy!(
    TokenBucket::per_second(5).burst(10)
)));

steadfast_firmware::size_image!(|now| RADIO.try_acquire(now).is_ok());
