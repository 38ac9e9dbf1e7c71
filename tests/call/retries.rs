//! What is tried again, how often, and what comes back when it is not.

use std::cell::{Cell, RefCell};
use std::future::ready;

use steadfast::breaker::Breaker;
use steadfast::call::{Attempt, Call, CallError};
use steadfast::http::may_repeat;
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::retry::{RetryBudget, StopReason};
use steadfast::shared::Shared;
use steadfast::time::{Clock, Instant, millis, secs};

use crate::simulated::{STEADY, World, no_chance};
use crate::{Lines, Scripted, give_up_after};

#[test]
fn it_is_tried_until_it_works_with_the_delays_of_the_policy() {
    let world = World::new();
    let partner = Scripted::new(
        &world,
        vec![
            (millis(10), Err("refused")),
            (millis(10), Err("refused")),
            (millis(10), Ok(7)),
        ],
    );
    let answer = world.run(
        Call::new(|| partner.answer(), &world, no_chance)
            .retry(&STEADY)
            .call(),
    );
    assert_eq!(answer, Ok(7));
    assert_eq!(partner.begun(), [0, 110, 320]);
}

#[test]
fn the_last_error_comes_back_with_the_number_of_attempts_and_why_it_was_the_last() {
    let world = World::new();
    let script = (1..=5).map(|number| (millis(10), Err::<(), _>(number)));
    let partner = Scripted::new(&world, script.collect());
    let answer = world.run(
        Call::new(|| partner.answer(), &world, no_chance)
            .retry(&STEADY)
            .call(),
    );
    let error = answer.unwrap_err();
    assert_eq!(
        error,
        CallError::Failed {
            error: 5,
            attempts: 5,
            stopped: StopReason::AttemptsSpent { attempts: 5 },
            outcome: Outcome::TRANSIENT,
        }
    );
    assert_eq!(error.to_string(), "5 (attempts: 5; attempt 5 was the last)");
    assert_eq!((error.status(), error.outcome()), (502, Outcome::Exhausted));
    assert_eq!(partner.begun().len(), 5);
}

#[test]
fn an_answer_that_is_worth_another_try_comes_back_as_it_is_when_there_is_none() {
    let world = World::new();
    let partner = Scripted::new(&world, vec![(millis(1), Ok::<_, ()>(503)); 5]);
    let answer = world.run(
        Call::new(|| partner.answer(), &world, no_chance)
            .retry(&STEADY)
            .judged_by(|answer| match answer {
                Ok(503) => Outcome::TRANSIENT,
                other => Outcome::of(other),
            })
            .call(),
    );
    assert_eq!((answer, partner.begun().len()), (Ok(503), 5));
}

#[test]
fn what_may_not_be_repeated_is_tried_once() {
    let world = World::new();
    let partner = Scripted::new(&world, vec![(millis(1), Err::<(), _>("reset"))]);
    let answer = world.run(
        Call::new(|| partner.answer(), &world, no_chance)
            .retry(&STEADY)
            .not_repeatable()
            .call(),
    );
    assert!(matches!(
        answer,
        Err(CallError::Failed {
            attempts: 1,
            stopped: StopReason::NotRepeatable,
            ..
        })
    ));
}

#[test]
fn whether_it_may_be_repeated_can_depend_on_the_request() {
    for (method, key, attempts) in [
        ("GET", None, 5),
        ("POST", None, 1),
        ("POST", Some("8e03978e"), 5),
    ] {
        let world = World::new();
        let call = Call::new(|| ready(Err::<(), _>("reset")), &world, no_chance)
            .retry(&STEADY)
            .repeatable_if(may_repeat(method, key.is_some()));
        assert_eq!(world.run(call.call()).unwrap_err().attempts(), attempts);
    }
}

#[test]
fn one_no_to_repeating_is_enough() {
    for (first, then) in [(false, true), (true, false)] {
        let world = World::new();
        let call = Call::new(|| ready(Err::<(), _>("reset")), &world, no_chance)
            .retry(&STEADY)
            .repeatable_if(first)
            .repeatable_if(then);
        assert_eq!(world.run(call.call()).unwrap_err().attempts(), 1);
    }
}

#[test]
fn a_layer_above_does_not_repeat_what_a_layer_below_has_repeated() {
    let world = World::new();
    let made = Cell::new(0);
    let below = || {
        let operation = || {
            made.set(made.get() + 1);
            async { Err::<(), _>("down") }
        };
        Call::new(operation, &world, no_chance)
            .retry(&STEADY)
            .call()
    };
    let answer = world.run(
        Call::new(below, &world, no_chance)
            .retry(&STEADY)
            .judged_by(CallError::outcome_of)
            .call(),
    );
    assert!(matches!(
        answer,
        Err(CallError::Failed {
            attempts: 1,
            stopped: StopReason::RetriedBelow,
            ..
        })
    ));
    assert_eq!(made.get(), 5, "five, and not five times five");
}

#[test]
fn a_budget_that_all_calls_share_ends_the_retries_of_each() {
    let world = World::new();
    let budget = Shared::budget(policy!(RetryBudget::tokens(10).cost(5)));
    let mut attempts = Vec::new();
    for _ in 0..4 {
        let partner = Scripted::new(&world, vec![(millis(1), Err::<(), _>("down")); 5]);
        let answer = world.run(
            Call::new(|| partner.answer(), &world, no_chance)
                .retry(&STEADY)
                .budget(&budget)
                .call(),
        );
        attempts.push(answer.unwrap_err().attempts());
    }
    assert_eq!(attempts, [3, 1, 1, 1]);
}

/// A partner hangs, a thousand calls wait for their retries, and the breaker opens: what they took for
/// retries that are refused would be missing when it is well again.
#[test]
fn a_retry_that_is_not_made_costs_the_budget_nothing() {
    let world = World::new();
    let budget = Shared::budget(RetryBudget::standard());
    let breaker = Shared::breaker(policy!(Breaker::consecutive(9)));
    let left = || budget.available(world.now());
    let taken = Cell::new(0);
    let down = || ready(Err::<(), _>("down"));
    let call = || {
        let call = Call::new(down, &world, no_chance).retry(&STEADY);
        let call = call.budget(&budget).each_attempt_guarded_by(&breaker);
        call.notify(|_, _| taken.set(500 - left()))
    };
    // Whoever waits has left.
    give_up_after(millis(50), &world, call().call());
    assert_eq!((taken.take(), left()), (5, 500));
    // The timer was late, and the deadline has passed.
    let late = call()
        .within(millis(150))
        .notify(|_, _| world.pass_at_once(millis(100)));
    let ended = world.run(late.call());
    assert!(matches!(
        ended,
        Err(CallError::DeadlineExceeded { attempts: 1 })
    ));
    assert_eq!(left(), 500);
    // The breaker has opened.
    let refused = call().notify(|_, _| {
        taken.set(500 - left());
        let _ = breaker.with_state(|breaker, state| breaker.force_open(state, world.now()));
    });
    let ended = world.run(refused.call());
    assert!(matches!(
        ended,
        Err(CallError::Rejected { attempts: 1, .. })
    ));
    assert_eq!((taken.take(), left()), (5, 500));
}

/// Where the panic comes from whoever is told, the retry has not begun; where it comes from the
/// operation, it has.
#[test]
fn of_a_panic_only_a_retry_that_has_begun_is_paid_for() {
    for (panics_in_attempt, left) in [(None, 500), (Some(1), 500), (Some(2), 495)] {
        let world = World::new();
        let budget = Shared::budget(RetryBudget::standard());
        let breaker = Shared::breaker(policy!(Breaker::consecutive(9)));
        let call = Call::blocking(
            |attempt| {
                assert_ne!(Some(attempt.number), panics_in_attempt);
                Err::<(), _>("down")
            },
            &world,
            no_chance,
        )
        .retry(&STEADY)
        .budget(&budget)
        .each_attempt_guarded_by(&breaker)
        .notify(|_, _| assert!(panics_in_attempt.is_some()));
        let call = std::panic::AssertUnwindSafe(|| call.call_blocking());
        assert!(std::panic::catch_unwind(call).is_err());
        assert_eq!(budget.available(world.now()), left, "{panics_in_attempt:?}");
    }
}

#[test]
fn a_blocking_call_follows_the_same_rules() {
    let world = World::new();
    let mut answers = [
        (millis(10), Err("refused")),
        (millis(1_500), Err("socket timeout")),
        (millis(10), Ok(7)),
    ]
    .into_iter();
    let told = RefCell::new(Vec::new());
    let observer = Lines(&told);
    let answer = Call::blocking(
        |attempt: Attempt| {
            assert_eq!(attempt.deadline.remaining(world.now()), secs(1));
            let (takes, answer) = answers.next().unwrap();
            world.pass_at_once(takes);
            answer
        },
        &world,
        no_chance,
    )
    .retry(&STEADY)
    .attempt_timeout(secs(1))
    .observed_by(observer)
    .call_blocking();
    assert_eq!(answer, Ok(7));
    assert_eq!(world.now(), Instant::from_millis(1_820));
    assert_eq!(
        *told.borrow(),
        [
            "call: attempt 1 of 5 transient, retry in 100ms",
            "call: attempt 2 of 5 timed_out, retry in 200ms",
            "call: attempt 3 of 5 success, stop: it worked",
            "ended: call: success in 1.82s (attempts: 3; it worked)",
        ]
    );
}
