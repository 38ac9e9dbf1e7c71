//! Callers who wait for a limiter: in thousands of random schedules, and one by one where a schedule
//! rarely comes. One part of it a file.

mod schedules;
mod time;
mod turns;
mod world;

use steadfast::limit::TokenBucket;
use steadfast::policy;

const BUCKET: TokenBucket = policy!(TokenBucket::per_second(10).burst(4));
const PLACES: usize = 6;
