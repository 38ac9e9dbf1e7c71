//! How long to wait before each of ten further attempts: 200 ms, doubled up to 10 s, with chance.

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder, ExponentialBuilder};
use retry_policies::policies::ExponentialBackoff as Policies;
use retry_policies::{Jitter, RetryDecision, RetryPolicy};
use steadfast::backoff::{Backoff, BackoffState};
use steadfast::random::{Random, SplitMix32};
use steadfast_std::ThreadRandom;
use tokio_retry2::strategy::{ExponentialBackoff, jitter_with_bounds};

use crate::table::{Aim, Table};

const TEN: usize = 10;
const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(10);

const OURS: Backoff = Backoff::standard();
pub const BACKON: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(FIRST)
    .with_max_delay(LONGEST)
    .with_max_times(TEN)
    .with_jitter();

const AIM: Aim = Aim::Figure(25.0);

/// A call is a sequence of ten, from its beginning. Unless the row says otherwise, the compiler knows
/// the policy, on both sides.
pub fn ten(table: &mut Table) {
    Table::section(
        "ten delays of Backoff::standard()",
        "as the row names it, of the same schedule",
    );
    let name = "by hand, SplitMix32; backon";
    table.row_of_long_calls(name, AIM, by_hand(), backon());
    let name = "delays(), seeded each time; backon";
    table.row_of_long_calls(name, AIM, seeded(), backon());
    let name = "delays(), ThreadRandom; backon";
    table.row_of_long_calls(name, AIM, of_thread(), backon());
    let name = "the policy read from memory; backon";
    table.row_of_long_calls(name, AIM, from_memory(), backon_from_memory());
    let name = "delays(), seeded each time; tokio-retry2";
    table.row_of_long_calls(name, AIM, seeded(), tokio_retry2());
    let name = "delays(), seeded each time; retry-policies";
    table.row_of_long_calls(name, AIM, seeded(), retry_policies());
}

/// One generator for all sequences.
fn by_hand() -> impl FnMut(usize) -> usize {
    let mut random = SplitMix32::new(1);
    sequences(move || {
        let mut state = BackoffState::START;
        for _ in 0..TEN {
            black_box(OURS.next_delay(&mut state, &mut random));
        }
        TEN
    })
}

/// Likewise, with a policy that was read from a file, say.
fn from_memory() -> impl FnMut(usize) -> usize {
    let mut random = SplitMix32::new(1);
    sequences(move || {
        let mut state = BackoffState::START;
        let policy = black_box(&OURS);
        for _ in 0..TEN {
            black_box(policy.next_delay(&mut state, &mut random));
        }
        TEN
    })
}

/// A generator for each sequence, seeded by another, as backon does it.
fn seeded() -> impl FnMut(usize) -> usize {
    let mut random = SplitMix32::new(1);
    sequences(move || drawn(OURS.delays(random.fork()).take(TEN)))
}

/// The thread's generator, looked up for each number.
fn of_thread() -> impl FnMut(usize) -> usize {
    assert_ne!(ThreadRandom.next_u32(), ThreadRandom.next_u32());
    sequences(|| drawn(OURS.delays(ThreadRandom).take(TEN)))
}

fn backon() -> impl FnMut(usize) -> usize {
    sequences(|| drawn(BACKON.build()))
}

fn backon_from_memory() -> impl FnMut(usize) -> usize {
    sequences(|| drawn(black_box(&BACKON).build()))
}

fn tokio_retry2() -> impl FnMut(usize) -> usize {
    sequences(|| {
        // Base times factor is the first delay.
        let delays = ExponentialBackoff::from_millis(2)
            .factor(100)
            .max_delay(LONGEST);
        drawn(delays.map(jitter_with_bounds(0.0, 1.0)).take(TEN))
    })
}

fn retry_policies() -> impl FnMut(usize) -> usize {
    let policy = Policies::builder()
        .retry_bounds(FIRST, LONGEST)
        .jitter(Jitter::Full)
        .build_with_max_retries(TEN as u32);
    sequences(move || {
        (0..TEN as u32)
            .filter(|past| {
                let decision = policy.should_retry(SystemTime::UNIX_EPOCH, *past);
                matches!(black_box(decision), RetryDecision::Retry { .. })
            })
            .count()
    })
}

/// Makes sequences, and counts those that had ten delays.
fn sequences(mut make: impl FnMut() -> usize) -> impl FnMut(usize) -> usize {
    move |calls| (0..calls).filter(|_| make() == TEN).count()
}

/// Hands out each delay, as to a timer, and says how many there were.
fn drawn<D>(delays: impl Iterator<Item = D>) -> usize {
    delays.map(black_box).count()
}
