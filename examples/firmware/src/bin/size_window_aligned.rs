//! A fixed window that follows the clock, asked for one. It divides once when a window turns.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use steadfast::limit::{FixedWindow, RateLimiter};
use steadfast::{policy, shared::Shared, time::minutes};

static LOGIN: Shared<RateLimiter<FixedWindow>> = Shared::new(RateLimiter::new(policy!(
    FixedWindow::new(10, minutes(15)).aligned()
)));

steadfast_firmware::size_image!(|now| LOGIN.try_acquire(now).is_ok());
