//! A circuit breaker that is closed: a permit, and the record of a call that worked.

use std::hint::black_box;
use std::time::Duration;

use failsafe::CircuitBreaker as _;
use failsafe::failure_policy::{consecutive_failures, success_rate_over_time_window};
use recloser::Recloser;
use steadfast::breaker::{Breaker, BreakerState, CircuitBreaker, FastBreaker, Rate, Trip};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::retry::RetryBudget;
use steadfast::shared::Shared;
use steadfast::time::{Clock, Instant, secs};
use steadfast::window::{CountWindow, TimeWindow};
use steadfast_std::{SystemClock, Target};

use crate::contenders::{Contender, alone, apart, contender, contender_in_time, in_rounds};
use crate::table::{Aim, Table};

/// Half of the last hundred calls.
const OVER_CALLS: Breaker<Rate<CountWindow<4>>> = policy!(Breaker::rate_over_calls::<4>(100));
/// Half of the calls of the last ten seconds.
const OVER_TIME: Breaker<Rate<TimeWindow<10>>> = policy!(Breaker::rate_over_time::<10>(secs(10)));

/// What the peer is told of the same.
const CALLS: usize = 100;
const WINDOW: Duration = Duration::from_secs(10);
const HALF: f64 = 0.5;
const OPEN_FOR: Duration = Duration::from_secs(30);

const CONSECUTIVE: Aim = Aim::Figure(1.5);
const WITH_RATES: Aim = Aim::Figure(3.0);
const TWICE: Aim = Aim::Ratio(1.2);

pub fn closed(table: &mut Table) {
    let row = Breaker::standard();
    Table::section(
        "a closed breaker, 5 failures in a row, no clock is read",
        PEER,
    );
    let name = "FastBreaker, recloser";
    beside(table, name, CONSECUTIVE, fast(row), recloser());
    let name = "FastBreaker, failsafe";
    beside(table, name, CONSECUTIVE, fast(row), failsafe());
    let name = "Target, recloser";
    beside(table, name, CONSECUTIVE, target(row), recloser());
    let name = "Target, and its guard; recloser";
    beside(table, name, CONSECUTIVE, entered(row), recloser());
    let name = "Breaker, one owner, time passed in; failsafe";
    owned(table, name, CONSECUTIVE, row, failsafe());
    let name = "Shared<Breaker>, time passed in; failsafe";
    beside(table, name, Aim::None, shared(row), failsafe());

    Table::section("the same, half of the last 100 calls, time passed in", PEER);
    let name = "FastBreaker, recloser";
    beside(table, name, WITH_RATES, fast(OVER_CALLS), recloser());
    let name = "Target, recloser";
    beside(table, name, WITH_RATES, target(OVER_CALLS), recloser());
    let name = "Breaker, one owner; recloser";
    owned(table, name, WITH_RATES, OVER_CALLS, recloser());

    Table::section("the same, half of the calls of the last 10 s", PEER);
    let name = "Target, time passed in; recloser";
    beside(table, name, WITH_RATES, target(OVER_TIME), recloser());
    let name = "Breaker, one owner, time passed in; recloser";
    owned(table, name, WITH_RATES, OVER_TIME, recloser());
    let (name, peer) = ("Target, system's clock; failsafe", failsafe_over_time());
    beside(table, name, Aim::None, clocked(OVER_TIME), peer);
}

pub fn on_two_threads(table: &mut Table) {
    let row = Breaker::standard();
    let (fast, target) = (fast(row), target(row));
    Table::section(
        "two threads on one closed breaker, 5 failures in a row",
        PEER,
    );
    two(table, "FastBreaker, recloser", &fast, &recloser());
    two(table, "FastBreaker, failsafe", &fast, &failsafe());
    beside_one(table, "FastBreaker", &fast);
    // Two processors may be two halves of one, which would show here as well.
    let (name, both) = ("FastBreaker, two with a breaker each", [&fast; 2]);
    table.row_of_two_short_calls(name, TWICE, both.map(in_rounds), apart(&fast));
    two(table, "Target, recloser", &target, &recloser());
    beside_one(table, "Target", &target);

    let target = self::target(OVER_CALLS);
    Table::section("the same, half of the last 100 calls, time passed in", PEER);
    two(table, "Target, recloser", &target, &recloser());
    beside_one(table, "Target", &target);

    let target = self::target(OVER_TIME);
    Table::section("the same, half of the calls of the last 10 s", PEER);
    two(table, "Target, recloser", &target, &recloser());
    let (name, both) = ("Target, one thread of our own", [&target; 2]);
    table.row_of_two(name, TWICE, true, both.map(in_rounds), alone(&target));
    // Each failure takes the lock, and takes over what both have counted.
    let target = one_in_a_hundred_fails(OVER_TIME);
    let (name, both) = ("1 % fail: Target, one thread of our own", [&target; 2]);
    table.row_of_two(name, Aim::None, true, both.map(in_rounds), alone(&target));
}

const PEER: &str = "as the row names it";

fn beside(table: &mut Table, name: &str, aim: Aim, ours: impl Contender, peer: impl Contender) {
    table.row(name, aim, true, in_rounds(ours), in_rounds(peer));
}

fn two(table: &mut Table, name: &str, ours: &impl Contender, peer: &impl Contender) {
    let (ours, peer) = ([ours; 2].map(in_rounds), [peer; 2].map(in_rounds));
    table.row_of_two(name, Aim::None, true, ours, peer);
}

fn beside_one(table: &mut Table, name: &str, both: &impl Contender) {
    let what = format!("{name}, one thread of our own");
    table.row_of_two_short_calls(&what, TWICE, [both; 2].map(in_rounds), alone(both));
}

/// Has one owner, who passes the time.
fn owned<T: Trip>(
    table: &mut Table,
    name: &str,
    aim: Aim,
    policy: Breaker<T>,
    peer: impl Contender,
) {
    let mut state = BreakerState::CLOSED;
    let mut now = 0;
    let ours = |calls| {
        let mut yeses = 0;
        for _ in 0..calls {
            now += 5;
            let (state, now) = (black_box(&mut state), Instant::from_nanos(now));
            yeses += usize::from(policy.try_enter(state, now).is_ok_and(|permit| {
                let changed = policy.record(state, now, permit, Outcome::Success);
                changed.is_none()
            }));
        }
        yeses
    };
    table.row(name, aim, true, ours, in_rounds(peer));
}

/// A call that works; whether it passed and nothing opened.
#[inline]
fn works(breaker: &impl CircuitBreaker, now: impl Fn() -> Instant) -> bool {
    breaker
        .try_enter(&now)
        .is_ok_and(|permit| breaker.record(&now, permit, Outcome::Success).is_none())
}

fn fast<T: Trip + Sync>(policy: Breaker<T>) -> impl Contender
where
    T::Counts: Send,
{
    let make = move || FastBreaker::new(policy);
    contender_in_time(make, |breaker, now| works(breaker, || now))
}

fn target<T: Trip + Sync>(policy: Breaker<T>) -> impl Contender
where
    T::Counts: Send,
{
    let make = move || Target::new("bench", policy, RetryBudget::standard());
    contender_in_time(make, |breaker, now| works(breaker, || now))
}

fn one_in_a_hundred_fails<T: Trip + Sync>(policy: Breaker<T>) -> impl Contender
where
    T::Counts: Send,
{
    let make = move || Target::new("bench", policy, RetryBudget::standard());
    contender_in_time(make, |breaker, now| {
        // The time moves on by five nanoseconds a call.
        let fails = now.as_nanos() % 500 == 250;
        let outcome = [Outcome::Success, Outcome::TRANSIENT][usize::from(fails)];
        breaker
            .try_enter(|| now)
            .is_ok_and(|permit| breaker.record(|| now, permit, outcome).is_none())
    })
}

/// Reads the system's clock, where it reads any.
fn clocked<T: Trip + Sync>(policy: Breaker<T>) -> impl Contender
where
    T::Counts: Send,
{
    let make = move || Target::new("bench", policy, RetryBudget::standard());
    contender(make, |breaker| works(breaker, || SystemClock.now()))
}

/// With the guard that gives a call up when it is dropped.
fn entered<T: Trip + Sync>(policy: Breaker<T>) -> impl Contender
where
    T::Counts: Send,
{
    let make = move || Target::new("bench", policy, RetryBudget::standard());
    contender_in_time(make, |breaker, now| {
        breaker
            .enter(|| now)
            .is_ok_and(|call| call.record(|| now, Outcome::Success).is_none())
    })
}

fn shared<T: Trip + Sync>(policy: Breaker<T>) -> impl Contender
where
    T::Counts: Send,
{
    let make = move || Shared::breaker(policy);
    contender_in_time(make, |breaker, now| works(breaker, || now))
}

/// Judges by rates over a number of calls, and has no other rule. Reads no clock while it is
/// closed.
fn recloser() -> impl Contender {
    let make = || {
        Recloser::custom()
            .closed_len(CALLS)
            .error_rate(HALF as f32)
            .open_wait(OPEN_FOR)
            .build()
    };
    contender(make, |breaker| breaker.call(|| Ok::<(), ()>(())).is_ok())
}

/// Reads no clock while it is closed.
fn failsafe() -> impl Contender {
    let make = || {
        let policy = consecutive_failures(5, failsafe::backoff::constant(OPEN_FOR));
        failsafe::Config::new().failure_policy(policy).build()
    };
    contender(make, |breaker| breaker.call(|| Ok::<(), ()>(())).is_ok())
}

fn failsafe_over_time() -> impl Contender {
    let make = || {
        let open = failsafe::backoff::constant(OPEN_FOR);
        let policy = success_rate_over_time_window(HALF, 10, WINDOW, open);
        failsafe::Config::new().failure_policy(policy).build()
    };
    contender(make, |breaker| breaker.call(|| Ok::<(), ()>(())).is_ok())
}
