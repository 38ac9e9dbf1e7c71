//! The one-word bucket against the same model as the two-word one, and against that one itself.
//!
//! A word may be forgotten once nobody has asked for `CompactBucket::memory`, so the clocks here
//! stay within a quarter of that, anywhere in 64 bits and across the place where the word wraps.
//!
//! How to run many: see `model/schedule.rs`.

mod model;

use model::Model;
use model::agree::{Pair, agree};
use model::bucket::{Bucket, Rule};
use model::policies::{coarse_compact_buckets, exact_compact_buckets};
use model::schedule::{Clock, play, steps};
use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::limit::CompactBucket;

/// A clock within the memory of all these policies: from the start, up to the end, or in between.
///
/// Not quite up to the end, since there is no instant to name for a wait that ends beyond it.
fn clock(policies: &[(CompactBucket, Rule)], start: u64) -> Clock {
    let smallest =
        |of: fn(&(CompactBucket, Rule)) -> u64| policies.iter().map(of).min().unwrap_or(0);
    // Less a million, so that it does not end where the word of another policy wraps: two words
    // in 2^64 are set aside, and a state that would be one of them is up to two units late.
    let range = smallest(|(policy, _)| policy.memory().as_nanos()) / 4 - 1_000_000;
    let last =
        smallest(|(policy, rule)| Bucket::new(*rule).horizon() - 3 - 2 * policy.tick().as_nanos());
    let wraps = policies[0].0.memory().as_nanos().saturating_mul(2);
    let first = match start % 4 {
        0 => 0,
        1 => u64::MAX,
        // Around the instant where the word of the first policy wraps to zero.
        2 => wraps.saturating_sub(range / 2),
        _ => start,
    }
    .min(last - range);
    Clock::new(first, first + range)
}

#[test]
fn decides_to_the_nanosecond_as_the_definition_where_the_tick_is_one() {
    let inputs = (vec(exact_compact_buckets(), 1..4), any::<u64>(), steps());
    play(
        "compact bucket, exact tick",
        inputs,
        |(policies, start, steps)| {
            let (policy, rule) = policies[0];
            let clock = clock(&policies, start);
            // The same model as the two-word bucket's, so the two decide alike.
            agree(
                Pair::new(policy, Bucket::new(rule)),
                clock,
                &steps,
                &policies,
            )?;
            let wide = Pair::new(*policy.token_bucket(), Bucket::new(rule));
            agree(wide, clock, &steps, &[])
        },
    );
}

#[test]
fn decides_as_the_definition_at_its_tick_where_that_is_coarser() {
    let inputs = (vec(coarse_compact_buckets(), 1..4), any::<u64>(), steps());
    play(
        "compact bucket, coarse tick",
        inputs,
        |(policies, start, steps)| {
            let (policy, rule) = policies[0];
            let clock = clock(&policies, start);
            agree(
                Pair::new(policy, Bucket::new(rule)),
                clock,
                &steps,
                &policies,
            )
        },
    );
}
