//! How a whole call ended: told once, whichever way it was.

use std::cell::{Cell, RefCell};
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};

use steadfast::breaker::Breaker;
use steadfast::call::{Attempt, Call, CallError, Observe};
use steadfast::event::{CallEvent, CallOutcome};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::retry::{RetryBudget, StopReason};
use steadfast::shared::Shared;
use steadfast::time::{Clock, Instant, millis, secs};

use crate::simulated::{STEADY, World, no_chance};
use crate::{Lines, Scripted, give_up_after};

/// How calls ended, after how many attempts and how many milliseconds.
#[derive(Default)]
struct Ends(RefCell<Vec<(&'static str, u32, u64)>>);

impl Observe for Ends {
    fn ended(&self, event: &CallEvent<'_>) {
        let took = event.took.as_nanos() / 1_000_000;
        let end = (event.outcome.label(), event.attempts, took);
        self.0.borrow_mut().push(end);
    }
}

impl Ends {
    /// The ends since this was last asked.
    fn take(&self) -> Vec<(&'static str, u32, u64)> {
        self.0.take()
    }
}

#[test]
fn a_call_that_ends_with_an_attempt_says_what_that_came_to() {
    let throttled = Outcome::Throttled { retry_after: None };
    for (judged, label, attempts, took) in [
        (Outcome::Success, "success", 1, 10),
        (Outcome::Ignored, "ignored", 1, 10),
        (Outcome::Failure, "failure", 1, 10),
        (Outcome::Exhausted, "failure", 1, 10),
        (
            Outcome::ThrottledBelow { retry_after: None },
            "throttled",
            1,
            10,
        ),
        (Outcome::Cancelled, "cancelled", 1, 10),
        (Outcome::Rejected, "rejected", 1, 10),
        // Waits of 100, 200, 400 and 800 ms.
        (Outcome::TRANSIENT, "failure", 5, 1_550),
        (throttled, "throttled", 5, 1_550),
        (Outcome::TimedOut, "timed_out", 5, 1_550),
    ] {
        // Whether it is an answer or an error: what it was judged to be counts.
        for answer in [Ok(503), Err("unwell")] {
            let world = World::new();
            let ends = Ends::default();
            let partner = Scripted::new(&world, vec![(millis(10), answer); 5]);
            let call = Call::new(|| partner.answer(), &world, no_chance)
                .retry(&STEADY)
                .judged_by(|_| judged)
                .observed_by(&ends);
            assert_eq!(world.run(call.call()).is_ok(), answer.is_ok());
            assert_eq!(ends.take(), [(label, attempts, took)]);
        }
    }
}

#[test]
fn a_call_whose_retry_the_budget_did_not_pay_says_so() {
    let world = World::new();
    let ends = Ends::default();
    let budget = Shared::budget(policy!(RetryBudget::tokens(10).cost(5)));
    for end in [("budget_spent", 3, 300), ("budget_spent", 1, 0)] {
        let call = Call::new(|| ready(Err::<(), _>("down")), &world, no_chance)
            .retry(&STEADY)
            .budget(&budget)
            .observed_by(&ends);
        assert!(world.run(call.call()).is_err());
        assert_eq!(ends.take(), [end]);
    }
}

#[test]
fn an_attempt_that_takes_too_long_ends_the_call_by_its_own_limit_or_by_that_of_the_whole() {
    for (within, label, took) in [
        (secs(60), "timed_out", 1_000),
        (millis(700), "deadline_exceeded", 700),
    ] {
        let world = World::new();
        let ends = Ends::default();
        let call = Call::new(pending::<Result<(), ()>>, &world, no_chance)
            .attempt_timeout(secs(1))
            .within(within)
            .observed_by(&ends);
        assert!(world.run(call.call()).is_err());
        assert_eq!(ends.take(), [(label, 1, took)]);
    }
}

#[test]
fn a_deadline_too_near_for_an_attempt_is_told_too() {
    let world = World::new();
    let ends = Ends::default();
    for (within, end) in [
        (millis(0), ("deadline_exceeded", 0, 0)),
        // After a wait until 100 ms there would be 20 left: nobody waits for that.
        (millis(120), ("failure", 1, 0)),
    ] {
        let call = || {
            Call::new(|| ready(Err::<(), _>("down")), &world, no_chance)
                .retry(&STEADY)
                .within(within)
                .at_least(millis(50))
                .observed_by(&ends)
        };
        assert!(world.run(call().call()).is_err());
        assert_eq!(ends.take(), [end]);
        let call = call().or_else_if_unwell(|| ());
        assert!(world.run(call.call()).is_ok());
        assert_eq!(ends.take(), [end]);
        let call = Call::blocking(|_| Err::<(), _>("down"), &world, no_chance)
            .retry(&STEADY)
            .within(within)
            .at_least(millis(50))
            .observed_by(&ends);
        assert!(call.call_blocking().is_err());
        assert_eq!(ends.take(), [end]);
    }
}

#[test]
fn a_deadline_that_passes_between_two_attempts_is_told_too() {
    let world = World::new();
    let ends = Ends::default();
    // The clock jumps during the wait.
    let jump = || world.pass_at_once(secs(1));
    let call = Call::new(|| ready(Err::<(), _>("down")), &world, no_chance)
        .retry(&STEADY)
        .within(millis(500))
        .notify(|_, _| jump())
        .observed_by(&ends);
    let error = world.run(call.call()).unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { attempts: 1 });
    assert_eq!(ends.take(), [("deadline_exceeded", 1, 1_100)]);
}

#[test]
fn a_call_that_the_breaker_refuses_ends_there_before_the_first_attempt_or_between_two() {
    let world = World::new();
    let ends = Ends::default();
    let breaker = Shared::breaker(policy!(Breaker::consecutive(9)));
    let hold = || {
        let _ = breaker.with_state(|breaker, state| breaker.force_open(state, world.now()));
    };
    // Somebody holds it open while this call waits for its second attempt.
    let call = Call::new(|| ready(Err::<(), _>("down")), &world, no_chance)
        .retry(&STEADY)
        .notify(|_, _| hold())
        .each_attempt_guarded_by(&breaker)
        .observed_by(&ends);
    let error = world.run(call.call()).unwrap_err();
    assert!(matches!(error, CallError::Rejected { attempts: 1, .. }));
    assert_eq!(ends.take(), [("rejected", 1, 100)]);
    for each in [false, true] {
        let up = || ready(Ok::<_, ()>(7));
        let call = Call::new(up, &world, no_chance).observed_by(&ends);
        let refused = if each {
            world.run(call.each_attempt_guarded_by(&breaker).call())
        } else {
            world.run(call.guarded_by(&breaker).call())
        };
        assert!(refused.is_err());
        assert_eq!(ends.take(), [("rejected", 0, 0)]);
    }
    let call = Call::blocking(|_| Ok::<_, ()>(7), &world, no_chance).guarded_by(&breaker);
    assert!(call.observed_by(&ends).call_blocking().is_err());
    assert_eq!(ends.take(), [("rejected", 0, 0)]);
}

#[test]
fn a_call_that_is_dropped_was_given_up_and_one_that_was_never_polled_has_not_begun() {
    let world = World::new();
    let ends = Ends::default();
    let hang = || {
        Call::new(pending::<Result<(), ()>>, &world, no_chance)
            .retry(&STEADY)
            .observed_by(&ends)
    };
    drop(hang().call());
    drop(hang().or_else(|| ()).call());
    assert_eq!(ends.take(), []);
    give_up_after(millis(70), &world, hang().call());
    assert_eq!(ends.take(), [("cancelled", 1, 70)]);
    give_up_after(millis(70), &world, hang().or_else(|| ()).call());
    assert_eq!(ends.take(), [("cancelled", 1, 70)]);
    // While it waits for its second attempt.
    let call = Call::new(|| ready(Err::<(), _>("down")), &world, no_chance)
        .retry(&STEADY)
        .observed_by(&ends);
    give_up_after(millis(30), &world, call.call());
    assert_eq!(ends.take(), [("cancelled", 1, 30)]);
}

#[test]
fn an_operation_that_panics_ends_its_call_once() {
    let world = World::new();
    let ends = Ends::default();
    let panics = || {
        world.pass_at_once(millis(5));
        assert!(world.now() < Instant::ZERO, "a bug in the operation");
        ready(Ok::<(), ()>(()))
    };
    let caught = catch_unwind(AssertUnwindSafe(|| {
        world.run(
            Call::new(panics, &world, no_chance)
                .observed_by(&ends)
                .call(),
        )
    }));
    assert!(caught.is_err());
    assert_eq!(ends.take(), [("cancelled", 1, 5)]);
    let panics = |_: Attempt| {
        assert!(world.now() < Instant::ZERO, "a bug in the operation");
        Ok::<(), ()>(())
    };
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let call = Call::blocking(panics, &world, no_chance);
        call.observed_by(&ends).call_blocking()
    }));
    assert!(caught.is_err());
    assert_eq!(ends.take(), [("cancelled", 1, 0)]);
}

/// Panics at the first end that it is told.
struct Fragile(Cell<u32>);

impl Observe for Fragile {
    fn ended(&self, _: &CallEvent<'_>) {
        self.0.set(self.0.get() + 1);
        assert!(self.0.get() > 1, "a bug in the observer");
    }
}

#[test]
fn an_observer_that_panics_is_not_told_again() {
    let world = World::new();
    let fragile = Fragile(Cell::new(0));
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let call = Call::new(|| ready(Ok::<_, ()>(7)), &world, no_chance);
        world.run(call.observed_by(&fragile).call())
    }));
    assert!(caught.is_err());
    assert_eq!(fragile.0.get(), 1);
}

#[test]
fn both_of_a_pair_hear_of_the_end_with_the_names_and_times_of_the_call() {
    struct Whole(RefCell<Vec<(String, CallOutcome, Instant)>>);
    impl Observe for Whole {
        fn ended(&self, event: &CallEvent<'_>) {
            let told = (event.operation.to_owned(), event.outcome, event.at);
            self.0.borrow_mut().push(told);
        }
    }
    let world = World::new();
    world.pass_at_once(secs(9));
    let (whole, lines) = (Whole(RefCell::default()), RefCell::default());
    let partner = Scripted::new(&world, vec![(millis(10), Err("down")), (millis(10), Ok(7))]);
    let call = Call::new(|| partner.answer(), &world, no_chance)
        .named("quote")
        .retry(&STEADY)
        .observed_by((&whole, Lines(&lines)));
    assert_eq!(world.run(call.call()), Ok(7));
    let outcome = CallOutcome::Attempted {
        outcome: Outcome::Success,
        stopped: StopReason::Succeeded,
    };
    let at = Instant::from_millis(9_120);
    assert_eq!(*whole.0.borrow(), [("quote".to_owned(), outcome, at)]);
    assert_eq!(
        *lines.borrow(),
        [
            "quote: attempt 1 of 5 transient, retry in 100ms",
            "quote: attempt 2 of 5 success, stop: it worked",
            "ended: quote: success in 120ms (attempts: 2; it worked)",
        ]
    );
}

#[test]
fn the_end_is_what_became_of_the_call_and_comes_before_what_was_served_instead() {
    let world = World::new();
    let lines = RefCell::default();
    let breaker = Shared::breaker(policy!(Breaker::consecutive(1).open_for(secs(30))));
    for _ in 0..2 {
        let call = Call::new(|| ready(Err::<u32, _>("down")), &world, no_chance)
            .named("quote")
            .guarded_by(&breaker)
            .observed_by(Lines(&lines))
            .or_else(|| 5);
        assert_eq!(world.run(call.call()).value, 5);
    }
    let rejected = breaker.try_enter(world.now()).unwrap_err();
    assert_eq!(
        *lines.borrow(),
        [
            "quote: attempt 1 of 1 transient, stop: attempt 1 was the last",
            "quote: failure",
            "quote: opened",
            "ended: quote: failure in 0s (attempts: 1; attempt 1 was the last)",
            "served: default",
            "quote: rejected",
            &format!("ended: quote: rejected in 0s (attempts: 0; {rejected})"),
            "served: default",
        ]
    );
}

/// Whoever is asked, and wherever it is dropped: nothing is left behind, and one end is told.
#[test]
fn a_call_that_is_dropped_after_any_poll_leaves_nothing_behind_and_has_ended_once() {
    const BREAKER: Breaker = policy!(Breaker::consecutive(1).open_for(secs(10)).close_after(1));
    for (each_attempt, is_probe) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut is_over = false;
        for polls in 0..20 {
            let world = World::new();
            let ends = Ends::default();
            let breaker = Shared::breaker(if is_probe {
                BREAKER
            } else {
                policy!(Breaker::consecutive(9))
            });
            if is_probe {
                let down = Call::new(|| ready(Err::<(), _>("down")), &world, no_chance);
                assert!(world.run(down.guarded_by(&breaker).call()).is_err());
                world.pass_at_once(secs(10));
            }
            let partner = Scripted::new(&world, vec![(millis(10), Err::<u32, _>("down")); 5]);
            let replica = Scripted::new(&world, vec![(millis(10), Ok::<_, &str>(7))]);
            let call = Call::new(|| partner.answer(), &world, no_chance)
                .retry(&STEADY)
                .attempt_timeout(millis(50))
                .observed_by(&ends);
            let answer = if each_attempt {
                let call = call.each_attempt_guarded_by(&breaker);
                let call = call.or_secondary(|| replica.answer()).or_else(|| 5);
                world.run_for(polls, call.call())
            } else {
                let call = call.guarded_by(&breaker);
                let call = call.or_secondary(|| replica.answer()).or_else(|| 5);
                world.run_for(polls, call.call())
            };
            assert_eq!(ends.take().len(), usize::from(polls > 0), "{polls} polls");
            assert_eq!(world.sleepers(), 0, "{polls} polls");
            assert_eq!(breaker.standing(world.now()).probes_out, 0, "{polls} polls");
            is_over = answer.is_some();
        }
        assert!(is_over, "the last ones were not dropped");
    }
}
