//! A token bucket in a static, asked for any cost and for the wait after a no.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::limit::{RateLimiter, TokenBucket};
use steadfast::{policy, shared::Shared};

static RADIO: Shared<RateLimiter<TokenBucket>> = Shared::new(RateLimiter::new(policy!(
    TokenBucket::per_second(5).burst(10)
)));

steadfast_firmware::size_image!(|now| RADIO.try_acquire_n(now, black_box(1)));
