//! Every history of a few steps in worlds of a few tokens and a few nanoseconds, at the start of
//! time, in the middle, and at its end, against the models.
//!
//! Five steps each; `STEADFAST_DEPTH=6` takes one more, and about ten times as long (use
//! `--release`).

mod model;

use model::agree::Pair;
use model::bucket::{self, Bucket};
use model::intervals::{self, Intervals};
use model::leaky_queue::{self, LeakyQueue};
use model::sliding_counter::{self, SlidingCounter};
use model::sliding_log::{self, SlidingLog};
use model::window::{self, FixedWindow as Window};
use model::worlds::{ALL_CAN, FAR, Step, everywhere, from, with_clock};
use steadfast::limit::{
    AllOf, CompactBucket, FixedWindow, IntervalBucket, LeakyBucket, Policy, Shadow,
    SlidingWindowCounter, SlidingWindowLog, TokenBucket,
};
use steadfast::time::{Instant, nanos};

/// Counts, periods and bursts of the small worlds.
fn tiny() -> impl Iterator<Item = (u32, u64, u32)> {
    (1..=3).flat_map(|count| {
        (1..=3).flat_map(move |period| (1..=2).map(move |burst| (count, period, burst)))
    })
}

#[test]
fn token_bucket() {
    let steps = with_clock(&ALL_CAN);
    let count: u64 = tiny()
        .map(|(count, period, burst)| {
            let config = TokenBucket::new(count, nanos(period)).burst(burst);
            let rule = bucket::Rule::tokens(count, period, burst);
            everywhere(
                &Pair::new(config.build().unwrap(), Bucket::new(rule)),
                &steps,
            )
        })
        .sum();
    println!("token bucket: {count} steps agreed");
}

#[test]
fn token_bucket_with_reservations() {
    let steps = with_clock(&[
        Step::Take(1),
        Step::Reserve(1),
        Step::Reserve(2),
        Step::RefundFirst,
        Step::CancelLast,
    ]);
    let mut agreed = 0;
    for (count, period, burst) in tiny() {
        let config = TokenBucket::new(count, nanos(period)).burst(burst);
        let policy = config.reserve_ahead(nanos(3)).build().unwrap();
        let rule = bucket::Rule::tokens(count, period, burst).ahead(3);
        agreed += everywhere(&Pair::new(policy, Bucket::new(rule)), &steps);
    }
    println!("token bucket with reservations: {agreed} steps agreed");
}

#[test]
fn token_bucket_with_debts() {
    let steps = with_clock(&[
        Step::Take(1),
        Step::Charge(1),
        Step::Charge(3),
        Step::Reserve(1),
        Step::RefundLast,
    ]);
    let mut agreed = 0;
    for (count, period, burst) in tiny() {
        let config = TokenBucket::new(count, nanos(period)).burst(burst);
        let policy = config.debt_up_to(nanos(4)).build().unwrap();
        let rule = bucket::Rule::tokens(count, period, burst).ahead(4);
        agreed += everywhere(&Pair::new(policy, Bucket::new(rule)), &steps);
    }
    println!("token bucket with debts: {agreed} steps agreed");
}

#[test]
fn compact_bucket() {
    let steps = with_clock(&ALL_CAN);
    let mut agreed = 0;
    for (count, period, burst) in tiny() {
        let config = TokenBucket::new(count, nanos(period)).burst(burst);
        let rule = bucket::Rule::tokens(count, period, burst);
        let pair = Pair::new(config.compact().build().unwrap(), Bucket::new(rule));
        agreed += from(&pair, 0, &steps) + from(&pair, FAR, &steps);
    }
    println!("compact bucket: {agreed} steps agreed");
}

#[test]
fn fixed_window() {
    let steps = with_clock(&ALL_CAN);
    let mut agreed = 0;
    for limit in 1..=2 {
        for period in 1..=3 {
            for phase in [None, Some(0), Some(period - 1)] {
                let config = FixedWindow::new(limit, nanos(period));
                let config = match phase {
                    None => config,
                    Some(phase) => config.phase(nanos(phase)),
                };
                let model = Window::new(window::Rule::new(limit, period, phase));
                agreed += everywhere(&Pair::new(config.build().unwrap(), model), &steps);
            }
        }
    }
    println!("fixed window: {agreed} steps agreed");
}

#[test]
fn sliding_window_log() {
    let steps = with_clock(
        &[Step::Take(3)]
            .into_iter()
            .chain(ALL_CAN)
            .collect::<Vec<_>>(),
    );
    let mut agreed = 0;
    for limit in 1..=3 {
        for period in 1..=3 {
            let model = SlidingLog::new(sliding_log::Rule::new(limit, period, 3));
            let policy = SlidingWindowLog::<3>::new(limit, nanos(period))
                .build()
                .unwrap();
            agreed += everywhere(&Pair::new(policy, model), &steps);
        }
    }
    println!("sliding window log: {agreed} steps agreed");
}

#[test]
fn sliding_window_counter() {
    let steps = with_clock(&ALL_CAN);
    let mut agreed = 0;
    for limit in 1..=3 {
        for period in 1..=4 {
            let model = SlidingCounter::new(sliding_counter::Rule::new(limit, period));
            let policy = SlidingWindowCounter::new(limit, nanos(period))
                .build()
                .unwrap();
            agreed += everywhere(&Pair::new(policy, model), &steps);
        }
    }
    println!("sliding window counter: {agreed} steps agreed");
}

#[test]
fn interval_bucket() {
    let steps = with_clock(&ALL_CAN);
    let mut agreed = 0;
    for (amount, interval, capacity) in tiny() {
        let config = IntervalBucket::new(amount, nanos(interval)).capacity(capacity);
        let model = Intervals::new(intervals::Rule::new(amount, interval, capacity));
        agreed += everywhere(&Pair::new(config.build().unwrap(), model), &steps);
    }
    println!("interval bucket: {agreed} steps agreed");
}

#[test]
fn leaky_bucket() {
    let steps = with_clock(&[
        Step::Take(1),
        Step::Reserve(1),
        Step::Charge(2),
        Step::RefundFirst,
        Step::RefundLast,
        Step::CancelLast,
    ]);
    let mut agreed = 0;
    for interval in 1..=3 {
        for queue in 0..=2 {
            let policy = LeakyBucket::spacing(nanos(interval), queue)
                .build()
                .unwrap();
            let model = LeakyQueue::new(leaky_queue::Rule::new(interval, queue));
            agreed += everywhere(&Pair::new(policy, model), &steps);
        }
    }
    println!("leaky bucket: {agreed} steps agreed");
}

/// Two limits, and the same two on trial.
#[test]
fn all_of_and_shadow() {
    let steps = with_clock(&ALL_CAN);
    let mut agreed = 0;
    for (limit, period, burst) in tiny() {
        let bucket = TokenBucket::new(1, nanos(1)).burst(burst).build().unwrap();
        let window = FixedWindow::new(limit, nanos(period)).build().unwrap();
        let model = model::all_of::AllOf(
            Bucket::new(bucket::Rule::tokens(1, 1, burst)),
            Window::new(window::Rule::new(limit, period, None)),
        );
        let both = AllOf(bucket, window);
        agreed += everywhere(&Pair::new(both, model.clone()), &steps);
        agreed += everywhere(
            &Pair::new(Shadow(both), model::shadow::Shadow(model)),
            &steps,
        );
    }
    println!("all of two, and on trial: {agreed} steps agreed");
}

/// Two words of 2^64 are set aside. A state that would be one of them is at most two portions of
/// a nanosecond late, and only just where the word wraps.
#[test]
fn a_compact_bucket_is_at_most_two_portions_late_where_its_word_wraps() {
    let mut late = 0;
    for (count, period, burst) in tiny() {
        let config = TokenBucket::new(count, nanos(period)).burst(burst);
        let (wide, compact) = (config.build().unwrap(), config.compact().build().unwrap());
        // 2^64 portions; for whole nanoseconds that is the end of time.
        let wraps = compact.memory().as_nanos().saturating_mul(2);
        for now in wraps - 12..=wraps.saturating_add(4) {
            let now = Instant::from_nanos(now);
            let (mut state, mut word) = (TokenBucket::FULL, CompactBucket::FULL);
            assert!(wide.decide(&mut state, now, burst).is_ok());
            assert!(compact.decide(&mut word, now, burst).is_ok());
            let (exact, said) = (wide.rests_in(&state, now), compact.rests_in(&word, now));
            assert!(said >= exact && said <= exact + nanos(2));
            late += u64::from(said > exact);
        }
    }
    assert!(
        late > 0,
        "no word was set aside: this test looks in the wrong place"
    );
}
