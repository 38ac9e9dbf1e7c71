//! One limiter, with the time passed in and with a clock.

use std::hint::black_box;
use std::sync::atomic::AtomicU64;

use governor::clock::{MonotonicClock, QuantaClock};
use steadfast::limit::{AtomicRateLimiter, RateLimiter};
use steadfast::time::{Instant, millis};
use steadfast_std::{CoarseClock, SystemClock};

use crate::contenders::{Contender, governor, in_rounds, leaky_bucket, ratelimit, steadfast};
use crate::floor;
use crate::policies::{Policies, both, often_refilled};
use crate::table::Table;

/// The limiters live in memory, as a caller's do, and the compiler does not see what is in them.
pub fn time_passed_in(table: &mut Table) {
    Table::section("one limiter, time passed in", "the shortest GCRA by hand");
    for given in both() {
        let (yes, answer, gcra) = (given.yes, given.answer, given.by_hand);
        let aim = yes.then_some(2.0);

        let mut ours = RateLimiter::new(given.ours.build().unwrap());
        let mut floor = floor::Owned { gcra, arrival: 0 };
        assert!(ours.try_acquire(Instant::ZERO).is_ok() && floor.try_acquire(0));
        table.row(
            &format!("{answer}, RateLimiter<TokenBucket>"),
            aim,
            yes,
            as_time_goes_by(|now| black_box(&mut ours).try_acquire(now).is_ok()),
            as_time_goes_by(|now| black_box(&mut floor).try_acquire(now.as_nanos())),
        );

        let mut ours = RateLimiter::new(given.ours.compact().build().unwrap());
        let mut floor = floor::Owned { gcra, arrival: 0 };
        assert!(ours.try_acquire(Instant::ZERO).is_ok() && floor.try_acquire(0));
        table.row(
            &format!("{answer}, RateLimiter<CompactBucket>"),
            aim,
            yes,
            as_time_goes_by(|now| black_box(&mut ours).try_acquire(now).is_ok()),
            as_time_goes_by(|now| black_box(&mut floor).try_acquire(now.as_nanos())),
        );

        let ours = AtomicRateLimiter::new(given.ours.compact().build().unwrap());
        let floor = floor::Atomic {
            gcra,
            arrival: AtomicU64::new(0),
        };
        assert!(ours.try_acquire(Instant::ZERO).is_ok() && floor.try_acquire(0));
        table.row(
            &format!("{answer}, AtomicRateLimiter<CompactBucket>"),
            aim,
            yes,
            as_time_goes_by(|now| black_box(&ours).try_acquire(now).is_ok()),
            as_time_goes_by(|now| black_box(&floor).try_acquire(now.as_nanos())),
        );
    }
}

pub fn with_a_clock(table: &mut Table) {
    Table::section(
        "Clocked<AtomicRateLimiter<CompactBucket>> on the system's monotonic clock",
        "as the row names it",
    );
    for given in both() {
        let ours = steadfast(&given, &SystemClock);
        let peer = governor(&given, &MonotonicClock);
        let aim = given.yes.then_some(0.95);
        beside(table, &given, "governor", aim, &ours, &peer);
        let tsc = QuantaClock::default();
        let peer = governor(&given, &tsc);
        beside(table, &given, "governor on the TSC", None, &ours, &peer);
        let peer = ratelimit(&given);
        beside(table, &given, "ratelimit", None, &ours, &peer);
        let peer = leaky_bucket(&given, true);
        beside(table, &given, "leaky-bucket, fair", None, &ours, &peer);
        let peer = leaky_bucket(&given, false);
        beside(table, &given, "leaky-bucket, unfair", None, &ours, &peer);
    }
    let given = often_refilled();
    let (ours, peer) = (steadfast(&given, &SystemClock), ratelimit(&given));
    beside(table, &given, "ratelimit", None, &ours, &peer);
}

pub fn with_a_coarse_clock(table: &mut Table) {
    Table::section(
        "Clocked<AtomicRateLimiter<CompactBucket>> on a CoarseClock of 1 ms",
        "as the row names it, on the system's monotonic clock",
    );
    let [yes, _] = both();
    let clock = CoarseClock::new(millis(1)).unwrap();
    let ours = steadfast(&yes, &clock);
    let peer = governor(&yes, &MonotonicClock);
    beside(table, &yes, "governor", Some(0.4), &ours, &peer);
    let peer = ratelimit(&yes);
    beside(table, &yes, "ratelimit", None, &ours, &peer);
}

fn beside(
    table: &mut Table,
    given: &Policies,
    name: &str,
    aim: Option<f64>,
    ours: impl Contender,
    peer: impl Contender,
) {
    table.row(
        &format!("{}, {name}", given.answer),
        aim,
        given.yes,
        in_rounds(ours),
        in_rounds(peer),
    );
}

/// Calls `ask` five nanoseconds apart.
fn as_time_goes_by(mut ask: impl FnMut(Instant) -> bool) -> impl FnMut(usize) -> usize {
    let mut now = 0;
    move |calls| {
        let mut yeses = 0;
        for _ in 0..calls {
            now += 5;
            yeses += usize::from(ask(Instant::from_nanos(now)));
        }
        yeses
    }
}
