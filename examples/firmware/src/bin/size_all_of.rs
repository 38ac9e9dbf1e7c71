//! Two limits in one state that must both say yes, asked for one.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use steadfast::limit::{AllOf, FixedWindow, RateLimiter, TokenBucket};
use steadfast::time::minutes;
use steadfast::{policy, shared::Shared};

static SMS: Shared<RateLimiter<AllOf<TokenBucket, FixedWindow>>> =
    Shared::new(RateLimiter::new(AllOf(
        policy!(TokenBucket::per_second(1)),
        policy!(FixedWindow::new(20, minutes(60))),
    )));

steadfast_firmware::size_image!(|now| SMS.try_acquire(now).is_ok());
