//! How long a call and each of its attempts may take, and what is made of a deadline.

use std::cell::RefCell;

use steadfast::breaker::Breaker;
use steadfast::call::{Attempt, Call, CallError, TimedOut};
use steadfast::deadline::Deadline;
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{Clock, Duration, Instant, hours, millis, secs};

use crate::Scripted;
use crate::simulated::{STEADY, World, no_chance};

#[test]
fn an_attempt_is_cut_short_and_tried_again() {
    let world = World::new();
    let partner = Scripted::new(
        &world,
        vec![(hours(1), Ok("late")), (millis(10), Ok("in time"))],
    );
    let answer = world.run(
        Call::new(|| partner.answer(), &world, no_chance)
            .retry(&STEADY)
            .attempt_timeout(secs(1))
            .call(),
    );
    assert_eq!(answer, Ok::<_, CallError<()>>("in time"));
    assert_eq!(partner.begun(), [0, 1_100]);
    assert_eq!(world.now(), Instant::from_millis(1_110));
    assert_eq!(world.sleepers(), 0, "the timers went with the attempts");
}

#[test]
fn the_deadline_cuts_the_attempt_that_it_falls_into() {
    let world = World::new();
    let partner = Scripted::new(&world, vec![(hours(1), Ok::<(), ()>(())); 3]);
    let answer = world.run(
        Call::new(|| partner.answer(), &world, no_chance)
            .retry(&STEADY)
            .attempt_timeout(secs(2))
            .within(secs(5))
            .call(),
    );
    // 0 to 2, 2.1 to 4.1, 4.3 to 5.
    assert_eq!(partner.begun(), [0, 2_100, 4_300]);
    assert_eq!(world.now(), Instant::from_secs(5));
    let error = answer.unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { attempts: 3 });
    assert_eq!((error.status(), error.outcome()), (504, Outcome::Exhausted));
}

#[test]
fn a_wait_that_ends_at_the_deadline_is_not_waited() {
    let world = World::new();
    let partner = Scripted::new(&world, vec![(millis(400), Err::<(), _>("busy")); 2]);
    let answer = world.run(
        Call::new(|| partner.answer(), &world, no_chance)
            .retry(&STEADY)
            .by(Deadline::at(Instant::from_millis(500)))
            .call(),
    );
    assert_eq!(world.now(), Instant::from_millis(400), "nobody slept");
    assert_eq!(
        answer.unwrap_err().to_string(),
        "busy (attempts: 1; a retry in 100ms, deadline in 100ms)"
    );
}

#[test]
fn a_deadline_that_has_passed_makes_no_attempt_and_asks_no_breaker() {
    let world = World::new();
    world.pass_at_once(secs(9));
    let breaker = Shared::breaker(policy!(Breaker::consecutive(1)));
    let partner = Scripted::new(&world, Vec::<(Duration, Result<(), ()>)>::new());
    let answer = world.run(
        Call::new(|| partner.answer(), &world, no_chance)
            .by(Deadline::at(Instant::from_secs(9)))
            .guarded_by(&breaker)
            .call(),
    );
    assert_eq!(answer, Err(CallError::DeadlineExceeded { attempts: 0 }));
}

#[test]
fn an_attempt_is_told_its_number_and_its_deadline() {
    let world = World::new();
    let told = RefCell::new(Vec::new());
    let operation = |attempt: Attempt| {
        told.borrow_mut().push(attempt);
        let takes = world.pass(secs(9));
        async move {
            takes.await;
            Ok::<(), ()>(())
        }
    };
    let answer = world.run(
        Call::told(operation, &world, no_chance)
            .retry(&STEADY)
            .attempt_timeout(secs(1))
            .within(millis(1_500))
            .call(),
    );
    assert_eq!(answer, Err(CallError::DeadlineExceeded { attempts: 2 }));
    let at = |number, millis| Attempt {
        number,
        deadline: Deadline::at(Instant::from_millis(millis)),
    };
    assert_eq!(*told.borrow(), [at(1, 1_000), at(2, 1_500)]);
}

#[test]
fn a_clock_that_jumps_a_day_while_it_waits_ends_the_call_at_its_deadline() {
    let world = World::new();
    let partner = Scripted::new(&world, vec![(millis(1), Err::<(), _>("down")); 2]);
    let operation = || {
        world.pass_at_once(hours(24));
        partner.answer()
    };
    let answer = world.run(
        Call::new(operation, &world, no_chance)
            .retry(&STEADY)
            .within(secs(8))
            .call(),
    );
    assert_eq!(answer.unwrap_err().attempts(), 1);
}

#[test]
fn a_timeout_of_zero_asks_once_and_does_not_wait() {
    let world = World::new();
    let ready = world.run(steadfast::call::timeout(&world, Duration::ZERO, async {
        7
    }));
    assert_eq!(ready, Ok(7));
    let late = world.run(steadfast::call::timeout(
        &world,
        Duration::ZERO,
        core::future::pending::<()>(),
    ));
    assert_eq!(
        late,
        Err(TimedOut {
            limit: Duration::ZERO
        })
    );
}
