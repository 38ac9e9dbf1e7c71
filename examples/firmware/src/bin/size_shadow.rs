//! A token bucket on trial, asked for one.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use steadfast::limit::{RateLimiter, Shadow, TokenBucket};
use steadfast::{policy, shared::Shared};

static TRIAL: Shared<RateLimiter<Shadow<TokenBucket>>> = Shared::new(RateLimiter::new(Shadow(
    policy!(TokenBucket::per_second(3)),
)));

steadfast_firmware::size_image!(|now| TRIAL.try_acquire(now).is_ok_and(|said| said.would_pass()));
