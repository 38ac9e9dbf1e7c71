//! The token bucket against a level of tokens in exact rationals, over made-up histories.
//!
//! How to run many: see `model/schedule.rs`.

mod model;

use model::agree::{Pair, agree};
use model::bucket::Bucket;
use model::policies::token_buckets;
use model::schedule::{Clock, play, steps};
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn decides_as_the_definition_in_rationals() {
    let inputs = (vec(token_buckets(), 1..4), any::<u64>(), 0_u32..64, steps());
    play("token bucket", inputs, |(policies, start, by, steps)| {
        let (policy, rule) = policies[0];
        let pair = Pair::new(policy, Bucket::new(rule));
        agree(pair, Clock::anywhere(start >> by), &steps, &policies)
    });
}
