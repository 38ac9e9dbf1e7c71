//! One limit that many threads ask: never more than the policy, no token lost, no call that
//! allocates. One part of it a file.

mod config;
#[path = "../counting/mod.rs"]
mod counting;
mod leases;
mod refunds;
mod threads;

use counting::Counting;
use steadfast::limit::TokenBucket;
use steadfast::time::{Clock, Instant, ManualClock};
use steadfast_std::LeasedRateLimiter;

#[global_allocator]
static HEAP: Counting = Counting;

const START: Instant = Instant::from_secs(1_000);

fn limiter(shards: u32, batch: u32, clock: &ManualClock) -> LeasedRateLimiter<&ManualClock> {
    let bucket = TokenBucket::per_second(1_000).burst(640);
    LeasedRateLimiter::with_shards(bucket, shards, batch, clock).unwrap()
}

/// How many ones are granted until the first no.
fn until_a_no<C: Clock>(limiter: &LeasedRateLimiter<C>) -> u64 {
    let mut granted = 0;
    while limiter.try_acquire().is_ok() {
        granted += 1;
    }
    granted
}
