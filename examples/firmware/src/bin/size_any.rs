//! A limiter whose algorithm is chosen at run time: all of them, in one image.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::limit::{AnyPolicy, RateLimiter, TokenBucket};
use steadfast::{policy, shared::Shared};

static RADIO: Shared<RateLimiter<AnyPolicy>> = Shared::new(RateLimiter::new(
    AnyPolicy::TokenBucket(policy!(TokenBucket::per_second(5).burst(10))),
));

steadfast_firmware::size_image!(|now| black_box(&RADIO).try_acquire(now).is_ok());
