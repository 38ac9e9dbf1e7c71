//! The sliding windows against their definitions, over made-up histories: the log against a list
//! of tokens, the counter against two counts and a rational share.
//!
//! How to run many: see `model/schedule.rs`.

mod model;

use model::agree::agree_from;
use model::policies::{sliding_counters, sliding_logs};
use model::schedule::{play, play_one_in, steps};
use model::sliding_counter::SlidingCounter;
use model::sliding_log::SlidingLog;
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn the_counter_decides_as_two_counts_and_a_share() {
    let inputs = (
        vec(sliding_counters(), 1..4),
        any::<u64>(),
        0_u32..64,
        steps(),
    );
    play(
        "sliding window counter",
        inputs,
        |(policies, start, by, steps)| {
            agree_from(&policies, SlidingCounter::new, start >> by, &steps)
        },
    );
}

/// One of four sizes, each with a quarter of the schedules.
fn the_log_of<const N: usize>() {
    let inputs = (
        vec(sliding_logs::<N>(), 1..4),
        any::<u64>(),
        0_u32..64,
        steps(),
    );
    let name = format!("sliding window log of {N}");
    play_one_in(4, &name, inputs, |(policies, start, by, steps)| {
        agree_from(&policies, SlidingLog::new, start >> by, &steps)
    });
}

#[test]
fn the_log_decides_as_a_list_of_tokens() {
    the_log_of::<1>();
    the_log_of::<3>();
    the_log_of::<8>();
    the_log_of::<40>();
}
