//! Calls on a made-up clock: what is retried, cut short, refused and told.

mod simulated;

use std::cell::{Cell, RefCell};

use proptest::prelude::*;
use simulated::World;
use steadfast::backoff::Backoff;
use steadfast::breaker::{Breaker, Phase};
use steadfast::call::{Attempt, Call, CallError, Observe, TimedOut};
use steadfast::deadline::Deadline;
use steadfast::event::{BreakerEvent, FallbackEvent, RetryEvent};
use steadfast::fallback::{LastGood, Source};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::random::SplitMix32;
use steadfast::retry::{RetryBudget, RetryPolicy, StopReason};
use steadfast::shared::Shared;
use steadfast::time::{Clock, Duration, Instant, hours, millis, secs};

/// 100, 200, 400 ms, and so on; five attempts.
const STEADY: RetryPolicy =
    policy!(RetryPolicy::new(policy!(Backoff::exponential(millis(100)))).attempts(5));

fn no_chance() -> u32 {
    unreachable!("a schedule without jitter draws nothing")
}

/// An operation that takes a time and then answers, one script entry an attempt.
struct Scripted<'a, V, E> {
    world: &'a World,
    script: RefCell<std::vec::IntoIter<(Duration, Result<V, E>)>>,
    begun: RefCell<Vec<Instant>>,
}

impl<'a, V, E> Scripted<'a, V, E> {
    fn new(world: &'a World, script: Vec<(Duration, Result<V, E>)>) -> Self {
        Self {
            world,
            script: RefCell::new(script.into_iter()),
            begun: RefCell::new(Vec::new()),
        }
    }

    async fn answer(&self) -> Result<V, E> {
        self.begun.borrow_mut().push(self.world.now());
        let (takes, answer) = self.script.borrow_mut().next().expect("the script is over");
        self.world.pass(takes).await;
        answer
    }

    /// When each attempt began, in milliseconds.
    fn begun(&self) -> Vec<u64> {
        let begun = self.begun.borrow();
        begun.iter().map(|at| at.as_nanos() / 1_000_000).collect()
    }
}

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
        ]
    );
}

/// Writes every event down.
struct Lines<'a>(&'a RefCell<Vec<String>>);

impl Observe for Lines<'_> {
    fn attempted(&self, event: &RetryEvent<'_>) {
        self.0.borrow_mut().push(event.to_string());
    }

    fn guarded(&self, event: &BreakerEvent<'_>) {
        let line = format!("{}: {}", event.breaker, event.outcome.label());
        self.0.borrow_mut().push(line);
    }

    fn served(&self, event: &FallbackEvent<'_>) {
        self.0
            .borrow_mut()
            .push(format!("served: {}", event.label()));
    }
}

#[test]
fn a_good_answer_is_kept_and_serves_when_the_other_side_is_down() {
    let world = World::new();
    let mut last = LastGood::standard();
    for (answer, value, source, age) in [
        (Err("down"), 0, Source::Default, 0),
        (Ok(7), 7, Source::Primary, 0),
        (Err("down"), 7, Source::Stale, 60),
    ] {
        let partner = Scripted::new(&world, vec![(millis(0), answer)]);
        let served = world.run(
            Call::new(|| partner.answer(), &world, no_chance)
                .or_stale(&mut last)
                .or_else(|| 0)
                .call(),
        );
        assert_eq!(
            (served.value, served.source, served.age),
            (value, source, secs(age))
        );
        world.pass_at_once(secs(60));
    }
}

#[test]
fn an_answer_that_is_no_success_is_not_kept_and_does_not_look_like_one() {
    let world = World::new();
    let mut last = LastGood::standard();
    let judge = |answer: &Result<u16, &str>| match answer {
        Ok(200) => Outcome::Success,
        Ok(404) => Outcome::Ignored,
        _ => Outcome::TRANSIENT,
    };
    let mut ask = |answer| {
        let partner = Scripted::new(&world, vec![(millis(0), answer)]);
        world.run(
            Call::new(|| partner.answer(), &world, no_chance)
                .judged_by(judge)
                .or_stale(&mut last)
                .call(),
        )
    };
    let of = |served: Result<steadfast::fallback::Served<u16>, CallError<&'static str>>| {
        served.map(|served| (served.value, served.source))
    };
    // Nothing is kept yet: the answer itself is better than nothing.
    assert_eq!(of(ask(Ok(503))), Ok((503, Source::Primary)));
    assert!(ask(Err("reset")).is_err());
    assert_eq!(of(ask(Ok(200))), Ok((200, Source::Primary)));
    assert_eq!(of(ask(Ok(503))), Ok((200, Source::Stale)));
    assert_eq!(of(ask(Err("reset"))), Ok((200, Source::Stale)));
    // A no that is meant comes through.
    assert_eq!(of(ask(Ok(404))), Ok((404, Source::Primary)));
}

#[test]
fn a_no_of_the_business_comes_through_a_default_only_if_asked_for() {
    let world = World::new();
    let told = RefCell::new(Vec::new());
    let call = |answer: Result<u32, &'static str>| {
        Call::new(move || core::future::ready(answer), &world, no_chance)
            .observed_by(Lines(&told))
            .judged_by(|answer| match answer {
                Err("no such order") => Outcome::Ignored,
                other => Outcome::of(other),
            })
    };
    let served = world.run(call(Err("down")).or_else_if_unwell(|| 5).call());
    assert_eq!(served.unwrap().source, Source::Default);
    let served = world.run(call(Err("no such order")).or_else_if_unwell(|| 5).call());
    assert_eq!(served.unwrap_err().into_error(), Some("no such order"));
    let served = world.run(call(Err("no such order")).or_else(|| 5).call());
    assert_eq!(served.source, Source::Default);
    assert_eq!(
        *told.borrow(),
        [
            "call: attempt 1 of 1 transient, stop: attempt 1 was the last",
            "served: default",
            "call: attempt 1 of 1 ignored, stop: another attempt would not help",
            "call: attempt 1 of 1 ignored, stop: another attempt would not help",
            "served: default",
        ]
    );
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

/// What a random operation does in one attempt.
#[derive(Clone, Copy, Debug)]
struct Turn {
    takes: u64,
    outcome: Outcome,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let after = prop_oneof![Just(None), (0_u64..5_000).prop_map(|ms| Some(millis(ms)))];
    let outcome = prop_oneof![
        2 => Just(Outcome::Success),
        6 => after.clone().prop_map(|retry_after| Outcome::Transient { retry_after }),
        2 => after.prop_map(|retry_after| Outcome::Throttled { retry_after }),
        1 => Just(Outcome::Failure),
        1 => Just(Outcome::Ignored),
    ];
    let turn = (0_u64..3_000, outcome).prop_map(|(takes, outcome)| Turn { takes, outcome });
    prop::collection::vec(turn, 12)
}

#[derive(Clone, Debug)]
struct Schedule {
    attempts: u32,
    base: u64,
    attempt_timeout: u64,
    within: u64,
    tokens: u32,
    /// How many in a row open the breaker.
    failures: u32,
    each_attempt: bool,
    /// The later futures are dropped when they have been polled so often.
    dropped_after: Option<usize>,
    seed: u64,
    turns: Vec<Turn>,
}

fn schedules() -> impl Strategy<Value = Schedule> {
    (
        1_u32..8,
        1_u64..500,
        1_u64..4_000,
        1_u64..12_000,
        10_u32..60,
        1_u32..4,
        any::<bool>(),
        prop_oneof![3 => Just(None), 1 => (0_usize..12).prop_map(Some)],
        any::<u64>(),
        turns(),
    )
        .prop_map(
            |(
                attempts,
                base,
                attempt_timeout,
                within,
                tokens,
                failures,
                each_attempt,
                dropped_after,
                seed,
                turns,
            )| {
                Schedule {
                    attempts,
                    base,
                    attempt_timeout,
                    within,
                    tokens,
                    failures,
                    each_attempt,
                    dropped_after,
                    seed,
                    turns,
                }
            },
        )
}

/// Whatever the schedule, three calls one after the other through the same breaker and budget.
fn keeps_its_word(schedule: &Schedule) {
    let world = World::new();
    let policy = RetryPolicy::new(
        Backoff::exponential(millis(schedule.base))
            .jitter(steadfast::backoff::Jitter::Full)
            .build()
            .unwrap(),
    )
    .attempts(schedule.attempts)
    .build()
    .unwrap();
    let budget = Shared::budget(
        RetryBudget::tokens(schedule.tokens)
            .cost(5)
            .build()
            .unwrap(),
    );
    let breaker = Shared::breaker(
        // Open for less than what lies between two calls: so the next one is a probe.
        Breaker::consecutive(schedule.failures)
            .open_for(millis(200))
            .close_after(1)
            .build()
            .unwrap(),
    );
    let mut random = SplitMix32::new(schedule.seed);
    let turns = RefCell::new(schedule.turns.iter().cycle());
    let (mut retries, mut first_try_successes) = (0_u32, 0_u32);

    for call in 0..3 {
        let deadline = world.now() + millis(schedule.within);
        let begun = RefCell::new(Vec::new());
        let operation = |attempt: Attempt| {
            begun.borrow_mut().push((world.now(), attempt));
            let turn = *turns.borrow_mut().next().unwrap();
            let takes = world.pass(millis(turn.takes));
            async move {
                takes.await;
                if turn.outcome.is_success() {
                    Ok(turn.outcome)
                } else {
                    Err(turn.outcome)
                }
            }
        };
        let earliest = Cell::new(Instant::ZERO);
        let check = Undercut(&earliest);
        let made = Call::told(operation, &world, || {
            use steadfast::random::Random;
            random.next_u32()
        })
        .retry(&policy)
        .attempt_timeout(millis(schedule.attempt_timeout))
        .within(millis(schedule.within))
        .budget(&budget)
        .observed_by(check)
        .judged_by(|result| match result {
            Ok(outcome) | Err(outcome) => *outcome,
        });
        // Not the first, which may open the breaker: the next is then its probe.
        let most = match schedule.dropped_after {
            Some(polls) if call > 0 => polls,
            _ => usize::MAX,
        };
        let answer = if schedule.each_attempt {
            world.run_for(most, made.each_attempt_guarded_by(&breaker).call())
        } else {
            world.run_for(most, made.guarded_by(&breaker).call())
        };
        let begun = begun.into_inner();

        assert!(world.now() <= deadline, "it went on past its deadline");
        assert!(begun.len() <= schedule.attempts as usize);
        for (at, attempt) in &begun {
            assert!(*at < deadline, "an attempt began at its deadline");
            assert!(attempt.deadline.instant() <= deadline);
            let longest = *at + millis(schedule.attempt_timeout);
            assert!(attempt.deadline.instant() <= longest);
        }
        assert_eq!(world.sleepers(), 0, "a timer outlived its call");
        assert_eq!(
            breaker.standing(world.now()).probes_out,
            0,
            "a probe is still out"
        );
        retries += u32::try_from(begun.len().saturating_sub(1)).unwrap();
        if begun.len() == 1 && matches!(answer, Some(Ok(_))) {
            first_try_successes += 1;
        }
        if let Some(Err(error)) = &answer {
            assert_eq!(error.attempts() as usize, begun.len());
        }
        world.pass_at_once(millis(300));
    }
    // Five a retry; a success after a retry gives back at most that, and one at once gives one.
    let paid_back = schedule.tokens + first_try_successes + 5 * 3;
    assert!(
        retries * 5 <= paid_back,
        "{retries} retries from {} tokens",
        schedule.tokens
    );
}

/// The server's delay is never undercut.
struct Undercut<'a>(&'a Cell<Instant>);

impl Observe for Undercut<'_> {
    fn attempted(&self, event: &RetryEvent<'_>) {
        assert!(event.at >= self.0.get(), "sooner than the server asked for");
        let asked = event.outcome.retry_after().unwrap_or_default();
        self.0.set(event.at + asked);
        if let Some(delay) = event.delay() {
            assert!(delay >= asked);
        }
    }
}

#[test]
fn a_random_call_keeps_its_deadline_its_policy_and_its_budget_wherever_it_is_dropped() {
    let cases = std::env::var("STEADFAST_SCHEDULES").map_or(2_000, |many| many.parse().unwrap());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&schedules(), |schedule| {
            keeps_its_word(&schedule);
            Ok(())
        })
        .unwrap();
    println!("{cases} schedules");
}
