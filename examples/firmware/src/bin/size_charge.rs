//! A token bucket that may owe: asked for one, and charged what is known only afterwards.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::limit::{RateLimiter, TokenBucket};
use steadfast::{policy, shared::Shared, time::secs};

static UPLINK: Shared<RateLimiter<TokenBucket>> = Shared::new(RateLimiter::new(policy!(
    TokenBucket::per_second(1_000)
        .burst(5_000)
        .debt_up_to(secs(60))
)));

steadfast_firmware::size_image!(|now| {
    UPLINK.try_acquire(now).is_ok() && UPLINK.charge(now, black_box(1)) == 0
});
