//! The interval bucket against a level and its boundaries, over made-up histories.
//!
//! How to run many: see `model/schedule.rs`.

mod model;

use model::agree::agree_from;
use model::intervals::Intervals;
use model::policies::interval_buckets;
use model::schedule::{play, steps};
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn decides_as_a_level_and_its_boundaries() {
    let inputs = (
        vec(interval_buckets(), 1..4),
        any::<u64>(),
        0_u32..64,
        steps(),
    );
    play("interval bucket", inputs, |(policies, start, by, steps)| {
        agree_from(&policies, Intervals::new, start >> by, &steps)
    });
}
