//! The leaky bucket against a list of departures, over made-up histories.
//!
//! How to run many: see `model/schedule.rs`.

mod model;

use model::agree::agree_from;
use model::leaky_queue::LeakyQueue;
use model::policies::leaky_buckets;
use model::schedule::{play, steps};
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn decides_as_a_list_of_departures() {
    let inputs = (vec(leaky_buckets(), 1..4), any::<u64>(), 0_u32..64, steps());
    play("leaky bucket", inputs, |(policies, start, by, steps)| {
        agree_from(&policies, LeakyQueue::new, start >> by, &steps)
    });
}
