//! One limiter, with the time passed in and with a clock.

use std::hint::black_box;
use std::sync::atomic::AtomicU64;

use governor::RateLimiter as Governor;
use governor::clock::{Clock as PeerClock, MonotonicClock, QuantaClock};
use steadfast::limit::{AtomicRateLimiter, Clocked, RateLimiter};
use steadfast::time::{Instant, millis};
use steadfast_std::{CoarseClock, SystemClock};

use crate::floor;
use crate::policies::both;
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
        "governor, direct",
    );
    beside_governor(table, "on the same clock", Some(0.95), &MonotonicClock);
    beside_governor(table, "on the TSC", None, &QuantaClock::default());
}

pub fn with_a_coarse_clock(table: &mut Table) {
    Table::section(
        "Clocked<AtomicRateLimiter<CompactBucket>> on a CoarseClock of 1 ms",
        "governor, direct, on the system's monotonic clock",
    );
    let clock = CoarseClock::new(millis(1)).unwrap();
    let [yes, _] = both();
    let limiter = AtomicRateLimiter::new(yes.ours.compact().build().unwrap());
    let ours = Clocked::new(limiter, clock);
    let governor = Governor::direct_with_clock(yes.governor, MonotonicClock);
    table.row(
        yes.answer,
        Some(0.4),
        yes.yes,
        again_and_again(|| black_box(&ours).try_acquire().is_ok()),
        again_and_again(|| black_box(&governor).check().is_ok()),
    );
}

fn beside_governor<C: PeerClock + Clone>(table: &mut Table, on: &str, aim: Option<f64>, clock: &C) {
    for given in both() {
        let ours = Clocked::new(
            AtomicRateLimiter::new(given.ours.compact().build().unwrap()),
            SystemClock,
        );
        let governor = Governor::direct_with_clock(given.governor, clock.clone());
        assert!(ours.try_acquire().is_ok() && governor.check().is_ok());
        table.row(
            &format!("{}, governor {on}", given.answer),
            aim.filter(|_| given.yes),
            given.yes,
            again_and_again(|| black_box(&ours).try_acquire().is_ok()),
            again_and_again(|| black_box(&governor).check().is_ok()),
        );
    }
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

fn again_and_again(mut ask: impl FnMut() -> bool) -> impl FnMut(usize) -> usize {
    move |calls| (0..calls).filter(|_| ask()).count()
}
