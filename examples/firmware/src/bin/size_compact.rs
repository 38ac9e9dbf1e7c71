//! A token bucket in one word, asked for one.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use steadfast::limit::{CompactBucket, RateLimiter, TokenBucket};
use steadfast::{policy, shared::Shared};

static RADIO: Shared<RateLimiter<CompactBucket>> = Shared::new(RateLimiter::new(policy!(
    TokenBucket::per_second(5).burst(10).compact()
)));

steadfast_firmware::size_image!(|now| RADIO.try_acquire(now).is_ok());
