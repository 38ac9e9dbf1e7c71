//! One of each machine in one image, each asked for one.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::limit::{
    AllOf, CompactBucket, FixedWindow, IntervalBucket, KeyedPolicy, LeakyBucket, Places,
    RateLimiter, Shadow, SlidingWindowCounter, SlidingWindowLog, TokenBucket,
};
use steadfast::time::{millis, minutes, secs};
use steadfast::{policy, shared::Shared};

static RADIO: Shared<RateLimiter<TokenBucket>> = Shared::new(RateLimiter::new(policy!(
    TokenBucket::per_second(5).burst(10)
)));
static MODEM: Shared<RateLimiter<CompactBucket>> = Shared::new(RateLimiter::new(policy!(
    TokenBucket::per_second(5).burst(10).compact()
)));
static LOGIN: Shared<RateLimiter<FixedWindow>> =
    Shared::new(RateLimiter::new(policy!(FixedWindow::new(10, minutes(15)))));
static SEARCH: Shared<RateLimiter<SlidingWindowLog<8>>> = Shared::new(RateLimiter::new(policy!(
    SlidingWindowLog::new(8, secs(60))
)));
static UPLOAD: Shared<RateLimiter<SlidingWindowCounter>> = Shared::new(RateLimiter::new(policy!(
    SlidingWindowCounter::new(50, secs(60))
)));
static BATCH: Shared<RateLimiter<IntervalBucket>> = Shared::new(RateLimiter::new(policy!(
    IntervalBucket::new(10, secs(1)).capacity(100)
)));
static BEACON: Shared<RateLimiter<LeakyBucket>> = Shared::new(RateLimiter::new(policy!(
    LeakyBucket::spacing(millis(50), 2)
)));
static SMS: Shared<RateLimiter<AllOf<TokenBucket, FixedWindow>>> =
    Shared::new(RateLimiter::new(AllOf(
        policy!(TokenBucket::per_second(1)),
        policy!(FixedWindow::new(20, minutes(60))),
    )));
static TRIAL: Shared<RateLimiter<Shadow<TokenBucket>>> = Shared::new(RateLimiter::new(Shadow(
    policy!(TokenBucket::per_second(3)),
)));
const PER_NODE: KeyedPolicy<TokenBucket> =
    KeyedPolicy::new(policy!(TokenBucket::per_second(2).burst(4)));
static NODES: Shared<Places<u16, TokenBucket, 16>> = Shared::places();

steadfast_firmware::size_image!(|now| {
    RADIO.try_acquire(now).is_ok()
        & MODEM.try_acquire(now).is_ok()
        & LOGIN.try_acquire(now).is_ok()
        & SEARCH.try_acquire(now).is_ok()
        & UPLOAD.try_acquire(now).is_ok()
        & BATCH.try_acquire(now).is_ok()
        & BEACON.reserve(now, 1, secs(1)).is_ok()
        & SMS.try_acquire(now).is_ok()
        & TRIAL.try_acquire(now).is_ok_and(|said| said.would_pass())
        & NODES.try_acquire(&PER_NODE, black_box(1), now).is_ok()
});
