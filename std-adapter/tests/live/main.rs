//! Limiters whose quotas differ by key and change while they run: against plain limiters, in a full
//! table, and while threads ask. One part of it a file.

mod full_table;
mod model;
mod quotas;
mod threads;

use steadfast::limit::TokenBucket;

fn bucket(burst: u32) -> TokenBucket {
    TokenBucket::per_second(1).burst(burst).build().unwrap()
}
