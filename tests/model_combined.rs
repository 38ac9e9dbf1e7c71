//! Limits made of limits against models made of models, over made-up histories: two that must
//! both say yes, three of them, and limits on trial.
//!
//! How to run many: see `model/schedule.rs`.

mod model;

use model::agree::agree_from;
use model::all_of::AllOf as Both;
use model::bucket::Bucket;
use model::intervals::Intervals;
use model::policies::{
    fixed_windows, interval_buckets, sliding_counters, sliding_logs, token_buckets,
};
use model::schedule::{Steps, play, steps};
use model::shadow::Shadow as Trial;
use model::sliding_counter::SlidingCounter;
use model::sliding_log::SlidingLog;
use model::window::FixedWindow as Window;
use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::limit::{AllOf, Shadow};

/// Each time up to three policies, a start and a history.
fn inputs<S: Strategy>(policies: S) -> impl Strategy<Value = (Vec<S::Value>, u64, Steps)> {
    let start = (any::<u64>(), 0_u32..64).prop_map(|(start, by)| start >> by);
    (vec(policies, 1..4), start, steps())
}

#[test]
fn a_bucket_and_a_window() {
    let both = (token_buckets(), fixed_windows())
        .prop_map(|((bucket, level), (window, count))| (AllOf(bucket, window), (level, count)));
    play(
        "all of a bucket and a window",
        inputs(both),
        |(policies, start, steps)| {
            let model = |(level, count)| Both(Bucket::new(level), Window::new(count));
            agree_from(&policies, model, start, &steps)
        },
    );
}

#[test]
fn portions_and_sliding_windows() {
    let all = (interval_buckets(), sliding_logs::<8>(), sliding_counters()).prop_map(
        |((portions, level), (log, tokens), (counter, counts))| {
            let policy = AllOf(portions, AllOf(log, counter));
            (policy, (level, (tokens, counts)))
        },
    );
    play("all of three", inputs(all), |(policies, start, steps)| {
        let model = |(level, (tokens, counts))| {
            let sliding = Both(SlidingLog::new(tokens), SlidingCounter::new(counts));
            Both(Intervals::new(level), sliding)
        };
        agree_from(&policies, model, start, &steps)
    });
}

#[test]
fn on_trial() {
    let trial = token_buckets().prop_map(|(bucket, level)| (Shadow(bucket), level));
    play(
        "shadow of a bucket",
        inputs(trial),
        |(policies, start, steps)| {
            let model = |level| Trial(Bucket::new(level));
            agree_from(&policies, model, start, &steps)
        },
    );
}

/// A limit in force beside one on trial: the one on trial denies nobody, and is charged only for
/// what passed.
#[test]
fn one_in_force_and_one_on_trial() {
    let both =
        (fixed_windows(), sliding_counters()).prop_map(|((window, count), (counter, counts))| {
            (AllOf(window, Shadow(counter)), (count, counts))
        });
    play(
        "all of a window and a shadow",
        inputs(both),
        |(policies, start, steps)| {
            let model =
                |(count, counts)| Both(Window::new(count), Trial(SlidingCounter::new(counts)));
            agree_from(&policies, model, start, &steps)
        },
    );
}
