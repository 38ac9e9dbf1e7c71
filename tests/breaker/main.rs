//! What a user of a breaker relies on, one by one. One part of it a file.

#[path = "../breaker_calls/mod.rs"]
mod breaker_calls;
mod by_hand;
mod probes;
mod rates;
mod row;
mod time;

use steadfast::breaker::Breaker;

const STANDARD: Breaker = Breaker::standard();
