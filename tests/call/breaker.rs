//! What a breaker hears of a call, what it answers instead of one, and that no probe is lost.

use steadfast::breaker::{Breaker, Phase};
use steadfast::call::{Call, CallError};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::retry::StopReason;
use steadfast::shared::Shared;
use steadfast::time::{Clock, Instant, millis, secs};

use crate::Scripted;
use crate::simulated::{STEADY, World, no_chance};

#[test]
fn what_is_ignored_is_neither_retried_nor_held_against_the_other_side() {
    let world = World::new();
    let breaker = Shared::breaker(policy!(Breaker::consecutive(1)));
    let partner = Scripted::new(&world, vec![(millis(1), Err::<(), _>("out of stock"))]);
    let answer = world.run(
        Call::new(|| partner.answer(), &world, no_chance)
            .retry(&STEADY)
            .guarded_by(&breaker)
            .judged_by(|_| Outcome::Ignored)
            .call(),
    );
    assert_eq!(answer.unwrap_err().into_error(), Some("out of stock"));
    assert_eq!(breaker.phase(world.now()), Phase::Closed);
    assert_eq!(partner.begun(), [0]);
}

#[test]
fn a_breaker_around_the_call_hears_one_verdict_and_one_around_each_attempt_hears_all() {
    for (each, phase, attempts) in [(false, Phase::Closed, 5), (true, Phase::Open, 3)] {
        let world = World::new();
        let breaker = Shared::breaker(policy!(Breaker::consecutive(3)));
        let partner = Scripted::new(&world, vec![(millis(1), Err::<(), _>("down")); 5]);
        let call = Call::new(|| partner.answer(), &world, no_chance).retry(&STEADY);
        let answer = if each {
            world.run(call.each_attempt_guarded_by(&breaker).call())
        } else {
            world.run(call.guarded_by(&breaker).call())
        };
        assert_eq!(breaker.phase(world.now()), phase);
        let error = answer.unwrap_err();
        assert_eq!(error.attempts(), attempts);
        let reason = if each {
            StopReason::BreakerOpened
        } else {
            StopReason::AttemptsSpent { attempts }
        };
        assert!(
            matches!(error, CallError::Failed { error: "down", stopped, .. } if stopped == reason),
            "{error}"
        );
        assert_eq!(partner.begun().len(), attempts as usize);
    }
}

#[test]
fn an_open_breaker_answers_without_an_attempt_and_says_when_to_come_back() {
    let world = World::new();
    let breaker = Shared::breaker(policy!(Breaker::consecutive(1).open_for(secs(30))));
    let partner = Scripted::new(&world, vec![(millis(1), Err::<(), _>("down"))]);
    for attempts in [1, 0] {
        let answer = world.run(
            Call::new(|| partner.answer(), &world, no_chance)
                .guarded_by(&breaker)
                .call(),
        );
        assert_eq!(answer.unwrap_err().attempts(), attempts);
    }
    let answer = world.run(
        Call::new(|| partner.answer(), &world, no_chance)
            .guarded_by(&breaker)
            .call(),
    );
    let error = answer.unwrap_err();
    assert_eq!((error.status(), error.outcome()), (503, Outcome::Rejected));
    assert_eq!(error.retry_after(), Some(secs(30)));
    assert_eq!(
        error.to_string(),
        "the breaker is open: a probe may go in 30s"
    );
}

#[test]
fn an_operation_that_panics_frees_its_probe() {
    let world = World::new();
    let breaker = Shared::breaker(policy!(Breaker::consecutive(1).open_for(secs(1))));
    let down = || core::future::ready(Err::<(), _>("down"));
    let _ = world.run(
        Call::new(down, &world, no_chance)
            .guarded_by(&breaker)
            .call(),
    );
    world.pass_at_once(secs(1));
    let panics = || async {
        assert!(world.now() < Instant::ZERO, "a bug in the operation");
        Ok::<(), ()>(())
    };
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        world.run(
            Call::new(panics, &world, no_chance)
                .guarded_by(&breaker)
                .call(),
        )
    }));
    assert!(caught.is_err());
    let standing = breaker.standing(world.now());
    assert_eq!((standing.phase, standing.probes_out), (Phase::HalfOpen, 0));
}
