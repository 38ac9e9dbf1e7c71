//! Calls when the clock, the timer, the client or the layer below is at odds with them. Each test
//! guards what went wrong once.

mod simulated;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use simulated::{STEADY, World, no_chance};
use steadfast::breaker::{Breaker, Phase, Rejected};
use steadfast::call::{Attempt, Call, CallError, Observe};
use steadfast::event::RetryEvent;
use steadfast::fallback::{LastGood, Source};
use steadfast::http::{RemainingTime, RetriedBelow, RetryAfter, Unavailable, http_outcome};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::retry::{BudgetSpent, RetryBudget, StopReason};
use steadfast::shared::Shared;
use steadfast::time::{Clock, Duration, Instant, Sleep, days, millis, secs};

fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// A clock and a timer that do what a closure says.
struct Odd<S: Fn(Instant, Duration) -> Instant> {
    now: Cell<Instant>,
    asked: RefCell<Vec<Duration>>,
    after_sleep: S,
}

impl<S: Fn(Instant, Duration) -> Instant> Odd<S> {
    fn new(now: Instant, after_sleep: S) -> Self {
        Self {
            now: Cell::new(now),
            asked: RefCell::default(),
            after_sleep,
        }
    }
}

impl<S: Fn(Instant, Duration) -> Instant> Clock for Odd<S> {
    fn now(&self) -> Instant {
        self.now.get()
    }
}

impl<S: Fn(Instant, Duration) -> Instant> Sleep for Odd<S> {
    type Future = core::future::Ready<()>;

    fn sleep(&self, duration: Duration) -> Self::Future {
        self.asked.borrow_mut().push(duration);
        self.now.set((self.after_sleep)(self.now.get(), duration));
        core::future::ready(())
    }
}

/// The first sleep ends a day before it began.
fn back_a_day_once(start: Instant) -> impl Fn(Instant, Duration) -> Instant {
    move |now, wait| {
        if now == start {
            now - days(1)
        } else {
            now + wait
        }
    }
}

#[test]
fn a_client_in_a_hurry_does_not_open_the_breaker_of_a_service_that_is_well() {
    for (least, phase) in [(Duration::ZERO, Phase::Open), (millis(50), Phase::Closed)] {
        let world = World::new();
        let breaker = Shared::breaker(Breaker::standard());
        for _ in 0..5 {
            let left = RemainingTime::parse_grpc("1m").unwrap();
            let answers = || async {
                world.pass(millis(20)).await;
                Ok::<_, ()>(1)
            };
            let call = Call::new(answers, &world, no_chance)
                .guarded_by(&breaker)
                .at_least(least)
                .by(left.deadline(world.now()));
            assert!(world.run(call.call()).is_err());
        }
        assert_eq!(breaker.phase(world.now()), phase);
    }
}

#[test]
fn a_429_and_a_timer_that_ends_late_are_no_failure_of_the_other_side() {
    let time = Odd::new(Instant::ZERO, |now, wait| now + wait + secs(5));
    let breaker = Shared::breaker(policy!(Breaker::consecutive(1)));
    let operation = || core::future::ready(Err::<(), _>("429"));
    let call = Call::new(operation, &time, no_chance)
        .retry(&STEADY)
        .guarded_by(&breaker)
        .within(secs(3))
        .judged_by(|_| Outcome::Throttled {
            retry_after: Some(secs(1)),
        });
    let error = at_once(call.call()).unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { attempts: 1 });
    assert_eq!(breaker.phase(time.now()), Phase::Closed);
}

#[test]
fn a_clock_that_goes_back_during_a_wait_gives_the_next_attempt_no_more_time() {
    let start = Instant::ZERO + days(10);
    let time = Odd::new(start, back_a_day_once(start));
    let attempts = Cell::new(0);
    let operation = || {
        attempts.set(attempts.get() + 1);
        let is_first = attempts.get() == 1;
        async move {
            if is_first {
                Err::<(), _>("busy")
            } else {
                core::future::pending().await
            }
        }
    };
    let call = Call::new(operation, &time, no_chance).retry(&STEADY);
    assert!(at_once(call.within(secs(8)).call()).is_err());
    let asked = time.asked.borrow();
    assert!(asked.iter().all(|wait| *wait <= secs(8)), "{asked:?}");
}

#[test]
fn a_clock_that_goes_back_during_a_wait_gives_nobody_else_more_time() {
    let start = Instant::ZERO + days(10);
    let time = Odd::new(start, back_a_day_once(start));
    let down = || core::future::ready(Err::<(), _>("busy"));
    let hangs = core::future::pending::<Result<(), ()>>;
    let call = Call::new(down, &time, no_chance).retry(&STEADY);
    let call = call.within(secs(8)).or_secondary(hangs);
    assert!(at_once(call.call()).is_err());
    // 100 ms before the clock went back, and three waits after it.
    let asked = time.asked.borrow();
    assert_eq!(asked.last(), Some(&(secs(8) - millis(200 + 400 + 800))));
}

fn failed(attempts: u32, stopped: StopReason, outcome: Outcome) -> Outcome {
    let error = CallError::Failed {
        error: (),
        attempts,
        stopped,
        outcome,
    };
    error.outcome()
}

#[test]
fn what_a_layer_below_would_not_do_again_is_not_done_again_above() {
    let world = World::new();
    let charged = Cell::new(0);
    let charge = || {
        charged.set(charged.get() + 1);
        core::future::ready(Err::<(), _>("reset"))
    };
    let below = || {
        let call = Call::new(charge, &world, no_chance);
        call.retry(&STEADY).not_repeatable().call()
    };
    let above = Call::new(below, &world, no_chance).retry(&STEADY);
    assert!(
        world
            .run(above.judged_by(CallError::outcome_of).call())
            .is_err()
    );
    assert_eq!(charged.get(), 1);

    // However it ended: by the deadline of the layer below alone, as its breaker's last call or as its
    // probe.
    for reason in ["deadline", "opens", "probe"] {
        let world = World::new();
        let breaker = Shared::breaker(policy!(Breaker::consecutive(1).open_for(millis(1))));
        let charged = Cell::new(0);
        let charge = || {
            charged.set(charged.get() + 1);
            let hangs = reason == "deadline";
            let world = &world;
            async move {
                if hangs {
                    world.pass(days(1)).await;
                }
                Err::<(), _>("reset")
            }
        };
        if reason == "probe" {
            let call = Call::new(charge, &world, no_chance).guarded_by(&breaker);
            assert!(world.run(call.call()).is_err());
            charged.set(0);
            world.pass_at_once(millis(1));
        }
        let below = || {
            let call = Call::new(charge, &world, no_chance).retry(&STEADY);
            let call = call.not_repeatable().within(secs(1));
            async {
                if reason == "probe" {
                    call.guarded_by(&breaker).call().await
                } else {
                    call.each_attempt_guarded_by(&breaker).call().await
                }
            }
        };
        let above = Call::new(below, &world, no_chance)
            .retry(&STEADY)
            .judged_by(CallError::outcome_of);
        let error = world.run(above.call()).unwrap_err();
        assert_eq!((error.attempts(), charged.get()), (1, 1), "{reason}");
        let below = error.into_error().unwrap();
        let mark = RetriedBelow::of_call(&below).map(RetriedBelow::attempts);
        assert_eq!(mark, Some(1), "{reason}");
    }

    let spent = StopReason::BudgetSpent(BudgetSpent { left: 0, needed: 5 });
    assert_eq!(failed(1, spent, Outcome::TRANSIENT), Outcome::Exhausted);
    let throttled = Outcome::Throttled { retry_after: None };
    let attempts = StopReason::AttemptsSpent { attempts: 4 };
    let below = Outcome::ThrottledBelow { retry_after: None };
    assert_eq!(failed(4, attempts, throttled), below);
    assert_eq!(failed(1, StopReason::RetriedBelow, below), below);
    assert_eq!(failed(1, attempts, throttled), throttled);
    assert_eq!(failed(4, attempts, Outcome::Ignored), Outcome::Ignored);
    // It was never sent.
    let never = CallError::<()>::DeadlineExceeded { attempts: 0 };
    assert_eq!(never.outcome(), Outcome::Rejected);
}

#[test]
fn a_429_that_was_retried_below_still_has_a_fallback() {
    let world = World::new();
    let mut last = LastGood::standard();
    last.put(7, world.now());
    let below = RetriedBelow::new(3).unwrap();
    let operation = || core::future::ready(Err::<u32, _>(429_u16));
    let call = Call::new(operation, &world, no_chance)
        .retry(&STEADY)
        .judged_by(|answer| match answer {
            Err(status) => below.outcome(http_outcome(*status, None)),
            answer => Outcome::of(answer),
        })
        .or_stale(&mut last);
    let served = world.run(call.call()).unwrap();
    assert_eq!((served.value, served.source), (7, Source::Stale));
}

#[test]
fn a_bad_answer_that_is_better_than_none_says_what_was_missed() {
    let world = World::new();
    let mut last = LastGood::standard();
    let operation = || core::future::ready(Ok::<_, ()>(503));
    let call = Call::new(operation, &world, no_chance).judged_by(|_| Outcome::TRANSIENT);
    let served = world.run(call.or_stale(&mut last).call()).unwrap();
    assert!(served.missed.contains(Source::Primary), "{served:?}");
    assert!(served.missed.contains(Source::Stale), "{served:?}");
}

/// How each attempt ended and why there was no other.
struct Steps<'a>(&'a RefCell<Vec<&'static str>>);

impl Observe for Steps<'_> {
    fn attempted(&self, event: &RetryEvent<'_>) {
        self.0.borrow_mut().push(event.step.label());
    }
}

#[test]
fn the_attempt_that_opens_the_breaker_is_the_last_and_pays_for_no_retry() {
    let world = World::new();
    let breaker = Shared::breaker(policy!(Breaker::consecutive(2)));
    let budget = Shared::budget(RetryBudget::standard());
    let steps = RefCell::default();
    let operation = || core::future::ready(Err::<(), _>("disk full"));
    let call = Call::new(operation, &world, no_chance)
        .retry(&STEADY)
        .budget(&budget)
        .each_attempt_guarded_by(&breaker)
        .observed_by(Steps(&steps));
    let error = world.run(call.call()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "disk full (attempts: 2; the breaker has opened)"
    );
    assert_eq!(*steps.borrow(), ["retry", "breaker_opened"]);
    assert_eq!(world.now(), Instant::from_millis(100), "it waited once");
    assert_eq!(budget.available(world.now()), 495);
}

#[test]
fn a_probe_is_one_attempt() {
    let world = World::new();
    let breaker = Shared::breaker(policy!(Breaker::consecutive(1).open_for(secs(30))));
    let operation = || core::future::ready(Err::<(), _>("down"));
    let make = || Call::new(operation, &world, no_chance).guarded_by(&breaker);
    assert!(world.run(make().call()).is_err());
    world.pass_at_once(secs(30));
    let error = world.run(make().retry(&STEADY).call()).unwrap_err();
    assert_eq!(error.attempts(), 1);
    let says = "down (attempts: 1; it was a probe, which is one attempt)";
    assert_eq!(error.to_string(), says);
    assert_eq!(breaker.phase(world.now()), Phase::Open);
}

#[test]
fn an_upstream_does_not_send_our_clients_away_for_centuries() {
    let asked = Duration::from_secs(99_999_999_999_999);
    let error = CallError::Failed {
        error: "503",
        attempts: 1,
        stopped: StopReason::ServerDelayTooLong {
            asked,
            allowed: secs(60),
        },
        outcome: Outcome::Transient {
            retry_after: Some(asked),
        },
    };
    let answer = Unavailable::new(&error);
    assert_eq!(answer.retry_after().map(RetryAfter::secs), Some(86_400));
    // Whatever the reason why there was no other attempt.
    let error = CallError::Failed {
        error: "503",
        attempts: 4,
        stopped: StopReason::AttemptsSpent { attempts: 4 },
        outcome: Outcome::Transient {
            retry_after: Some(asked),
        },
    };
    let answer = Unavailable::new(&error);
    assert_eq!(answer.retry_after().map(RetryAfter::secs), Some(86_400));
    // Nor for a minute, when a probe may be back in a moment.
    let rejected = Rejected::ProbesOut {
        retry_after: secs(60),
    };
    let error = CallError::<()>::Rejected {
        rejected,
        attempts: 0,
    };
    let after = Unavailable::new(&error).retry_after();
    assert_eq!(after.map(steadfast::http::RetryAfter::secs), Some(1));
}

#[test]
fn a_late_no_of_a_blocking_operation_is_still_a_no() {
    for (says, attempts) in [("out of stock", 1), ("socket timeout", 5)] {
        let world = World::new();
        let made = Cell::new(0);
        let operation = |_: Attempt| {
            made.set(made.get() + 1);
            world.pass_at_once(secs(2));
            Err::<(), _>(says)
        };
        let call = Call::blocking(operation, &world, no_chance)
            .retry(&STEADY)
            .attempt_timeout(secs(1))
            .judged_by(|answer| match answer {
                Err("out of stock") => Outcome::Ignored,
                answer => Outcome::of(answer),
            });
        let error = call.call_blocking().unwrap_err();
        assert_eq!((made.get(), error.attempts()), (attempts, attempts));
        assert_eq!(error.into_error().is_some(), attempts == 1);
    }
}
