//! One limiter that two threads ask at the same time.

use governor::clock::MonotonicClock;
use steadfast::time::millis;
use steadfast_std::{CoarseClock, SystemClock};

use crate::contenders::{
    Contender, governor, in_rounds, leaky_bucket, leased, leased_and_used_up, ratelimit, steadfast,
};
use crate::policies::{Policies, both, often_refilled};
use crate::table::Table;

pub fn on_one_limiter(table: &mut Table) {
    heading("AtomicRateLimiter<CompactBucket>, the system's monotonic clock");
    for given in both() {
        beside_all(table, &given, None, steadfast(&given, &SystemClock));
    }
    let given = often_refilled();
    let (ours, peer) = (steadfast(&given, &SystemClock), ratelimit(&given));
    beside(table, &given, "ratelimit", None, &ours, &peer);

    let [yes, no] = both();
    let coarse = CoarseClock::new(millis(1)).unwrap();
    heading("AtomicRateLimiter<CompactBucket>, CoarseClock of 1 ms");
    beside_all(table, &yes, None, steadfast(&yes, &coarse));

    heading("LeasedRateLimiter, the system's monotonic clock");
    beside_all(table, &yes, Some(0.12), leased(&yes, &SystemClock));
    // A no asks the centre, which is the word of an `AtomicRateLimiter`, and what else it needs
    // must not grow with the shards.
    for shards in [2, 64] {
        let ours = leased_and_used_up(shards, &SystemClock);
        let peer = governor(&no, &MonotonicClock);
        let name = format!("{shards} shards, governor");
        beside(table, &no, &name, None, &ours, &peer);
        let peer = steadfast(&no, &SystemClock);
        let name = format!("{shards} shards, our own word");
        beside(table, &no, &name, None, &ours, &peer);
        table.row(
            &format!("one thread, a no, {shards} shards, our own word"),
            None,
            false,
            in_rounds(ours),
            in_rounds(peer),
        );
    }
}

fn heading(what: &str) {
    Table::section(
        &format!("two threads, {what}"),
        "as the row names it, on the system's monotonic clock",
    );
}

fn beside_all(table: &mut Table, given: &Policies, aim: Option<f64>, ours: impl Contender) {
    let peer = governor(given, &MonotonicClock);
    beside(table, given, "governor", aim, &ours, &peer);
    let peer = ratelimit(given);
    beside(table, given, "ratelimit", None, &ours, &peer);
    let peer = leaky_bucket(given, true);
    beside(table, given, "leaky-bucket, fair", None, &ours, &peer);
}

fn beside(
    table: &mut Table,
    given: &Policies,
    name: &str,
    aim: Option<f64>,
    ours: &impl Contender,
    peer: &impl Contender,
) {
    table.row_of_two(
        &format!("{}, {name}", given.answer),
        aim,
        given.yes,
        [ours; 2].map(in_rounds),
        [peer; 2].map(in_rounds),
    );
}
