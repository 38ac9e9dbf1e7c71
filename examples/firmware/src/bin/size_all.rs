//! One of each machine in one image, each asked for one.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::limit::{CompactBucket, FixedWindow, KeyedPolicy, Places, RateLimiter, TokenBucket};
use steadfast::time::minutes;
use steadfast::{policy, shared::Shared};

static RADIO: Shared<RateLimiter<TokenBucket>> = Shared::new(RateLimiter::new(policy!(
    TokenBucket::per_second(5).burst(10)
)));
static MODEM: Shared<RateLimiter<CompactBucket>> = Shared::new(RateLimiter::new(policy!(
    TokenBucket::per_second(5).burst(10).compact()
)));
static LOGIN: Shared<RateLimiter<FixedWindow>> =
    Shared::new(RateLimiter::new(policy!(FixedWindow::new(10, minutes(15)))));
const PER_NODE: KeyedPolicy<TokenBucket> =
    KeyedPolicy::new(policy!(TokenBucket::per_second(2).burst(4)));
static NODES: Shared<Places<u16, TokenBucket, 16>> = Shared::places();

steadfast_firmware::size_image!(|now| {
    RADIO.try_acquire(now).is_ok()
        & MODEM.try_acquire(now).is_ok()
        & LOGIN.try_acquire(now).is_ok()
        & NODES.try_acquire(&PER_NODE, black_box(1), now).is_ok()
});
