//! Thousands of random calls, dropped anywhere: each keeps its deadline, its policy and its budget, and
//! says once how it ended.

use std::cell::RefCell;

use proptest::prelude::*;
use steadfast::backoff::Backoff;
use steadfast::breaker::Breaker;
use steadfast::call::{Attempt, Call, CallError, Observe};
use steadfast::event::{CallEvent, CallOutcome, RetryEvent};
use steadfast::outcome::Outcome;
use steadfast::random::{Random, SplitMix32};
use steadfast::retry::{RetryBudget, RetryPolicy, StopReason};
use steadfast::shared::Shared;
use steadfast::time::{Clock, Duration, Instant, millis};

use crate::simulated::World;

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
    /// More than `within`, now and then.
    leaving: u64,
    tokens: u32,
    /// How many in a row open the breaker.
    failures: u32,
    each_attempt: bool,
    /// The later futures are dropped when they have been polled so often.
    dropped_after: Option<usize>,
    /// From when on that counts.
    counts_after: Option<u64>,
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
        (
            prop_oneof![3 => Just(None), 1 => (0_usize..12).prop_map(Some)],
            prop::option::of(0_u64..4_000),
        ),
        any::<u64>(),
        (turns(), prop_oneof![2 => Just(0), 1 => 0_u64..9_000]),
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
                (dropped_after, counts_after),
                seed,
                (turns, leaving),
            )| {
                Schedule {
                    attempts,
                    base,
                    attempt_timeout,
                    within,
                    leaving,
                    tokens,
                    failures,
                    each_attempt,
                    dropped_after,
                    counts_after,
                    seed,
                    turns,
                }
            },
        )
}

fn policy_of(schedule: &Schedule) -> RetryPolicy {
    RetryPolicy::new(
        Backoff::exponential(millis(schedule.base))
            .jitter(steadfast::backoff::Jitter::Full)
            .build()
            .unwrap(),
    )
    .attempts(schedule.attempts)
    .build()
    .unwrap()
}

/// Whatever the schedule, three calls one after the other through the same breaker and budget.
fn keeps_its_word(schedule: &Schedule) {
    let world = World::new();
    let policy = policy_of(schedule);
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
    let mut tokens = schedule.tokens;

    for call in 0..3 {
        let start = world.now();
        let deadline = start + (millis(schedule.within) - millis(schedule.leaving));
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
        let heard = Heard::default();
        let mut made = Call::told(operation, &world, || random.next_u32())
            .retry(&policy)
            .attempt_timeout(millis(schedule.attempt_timeout))
            .within(millis(schedule.within))
            .leaving(millis(schedule.leaving))
            .budget(&budget)
            .observed_by(&heard)
            .judged_by(|result| match result {
                Ok(outcome) | Err(outcome) => *outcome,
            });
        if let Some(counts_after) = schedule.counts_after {
            made = made.given_up_counts_after(millis(counts_after));
        }
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
        tokens = left(
            tokens,
            schedule.tokens,
            begun.len(),
            &heard.attempts.borrow(),
        );
        assert_eq!(budget.available(world.now()), tokens);
        if let Some(Err(error)) = &answer {
            assert_eq!(error.attempts() as usize, begun.len());
        }
        let ends = heard.ends.take();
        if most == 0 {
            assert_eq!(ends, [], "it has not begun");
        } else {
            let outcome = answer.as_ref().map_or_else(
                || CallOutcome::GivenUp(given_up(schedule, &world, start, &begun, &heard)),
                ended,
            );
            let end = (outcome, begun.len(), world.now().since(start));
            assert_eq!(ends, [end], "after {answer:?}");
        }
        world.pass_at_once(millis(300));
    }
}

/// What is left of the budget after a call that began so many attempts, of which these have ended.
/// Only a retry that began has cost something: five, and ten after a timeout.
fn left(mut tokens: u32, capacity: u32, begun: usize, ended: &[Outcome]) -> u32 {
    for attempt in 0..begun {
        let cost = match attempt.checked_sub(1).map(|before| ended[before]) {
            None => 0,
            Some(Outcome::TimedOut) => 10,
            Some(_) => 5,
        };
        tokens -= cost;
        if ended.get(attempt).is_some_and(Outcome::is_success) {
            let adds = if attempt == 0 { 1 } else { cost };
            tokens = (tokens + adds).min(capacity);
        }
    }
    tokens
}

/// How a call that has ended with this answer says that it ended.
fn ended(answer: &Result<Outcome, CallError<Outcome>>) -> CallOutcome {
    let (outcome, stopped) = match *answer {
        Ok(outcome) => (outcome, StopReason::Succeeded),
        Err(CallError::Failed {
            outcome, stopped, ..
        }) => (outcome, stopped),
        Err(CallError::TimedOut { stopped, .. }) => (Outcome::TimedOut, stopped),
        Err(CallError::DeadlineExceeded { .. }) => return CallOutcome::DeadlineExceeded,
        Err(CallError::Rejected { rejected, .. }) => return CallOutcome::Rejected(rejected),
        Err(_) => unreachable!("an error of a later version"),
    };
    CallOutcome::Attempted { outcome, stopped }
}

/// What it counts as that a call is given up now, which has begun these attempts.
fn given_up(
    schedule: &Schedule,
    world: &World,
    start: Instant,
    begun: &[(Instant, Attempt)],
    heard: &Heard,
) -> Outcome {
    let told = heard.attempts.borrow();
    let under_way = begun.get(told.len()).map(|(at, _)| *at);
    let is_throttled = |outcome: &Outcome| matches!(outcome, Outcome::Throttled { .. });
    let since = if schedule.each_attempt {
        under_way
    } else {
        // Until it may come back it waits for the sake of the other side, which is well.
        match told.iter().rposition(is_throttled) {
            Some(throttled) => begun.get(throttled + 1).map(|(at, _)| *at),
            None => Some(start),
        }
    };
    match (schedule.counts_after, since) {
        (Some(after), Some(since)) if world.now().since(since) >= millis(after) => {
            Outcome::TimedOut
        }
        _ => Outcome::Cancelled,
    }
}

/// What is told of one call; and the server's delay is never undercut.
#[derive(Default)]
struct Heard {
    earliest: RefCell<Instant>,
    attempts: RefCell<Vec<Outcome>>,
    ends: RefCell<Vec<(CallOutcome, usize, Duration)>>,
}

impl Observe for Heard {
    fn attempted(&self, event: &RetryEvent<'_>) {
        let asked = event.outcome.retry_after().unwrap_or_default();
        let earliest = self.earliest.replace(event.at + asked);
        assert!(event.at >= earliest, "sooner than the server asked for");
        if let Some(delay) = event.delay() {
            assert!(delay >= asked);
        }
        self.attempts.borrow_mut().push(event.outcome);
    }

    fn ended(&self, event: &CallEvent<'_>) {
        let end = (event.outcome, event.attempts as usize, event.took);
        self.ends.borrow_mut().push(end);
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
