//! Retries: policies, sessions, budgets, deadlines, and their words in HTTP.

use core::hint::black_box;

use steadfast::backoff::Backoff;
use steadfast::deadline::Deadline;
use steadfast::event::RetryEvent;
use steadfast::http::{RemainingTime, RetriedBelow, http_outcome, is_idempotent, may_repeat};
use steadfast::outcome::Outcome;
use steadfast::random::SplitMix32;
use steadfast::retry::{
    Budget, NoBudget, RetryBudget, RetryBudgetState, RetryPolicy, Step, StopReason,
};
use steadfast::shared::Shared;

use super::http::write;
use super::{cost, now, wait, words};

static PURSE: Shared<RetryBudget> = Shared::budget(RetryBudget::standard());
static SHARE: Shared<RetryBudget> = Shared::budget(RetryBudget::one_in_five());

pub(super) fn all() {
    let policy = RetryPolicy::new(black_box(Backoff::standard()))
        .attempts(cost())
        .max_elapsed(wait())
        .max_server_delay(wait());
    match policy.build() {
        Ok(policy) => session(policy, &NoBudget),
        Err(error) => words(error),
    }
    for policy in [
        RetryPolicy::never(),
        RetryPolicy::standard(),
        RetryPolicy::internal(),
        RetryPolicy::external(),
        RetryPolicy::user_facing(),
        RetryPolicy::background(),
        RetryPolicy::patient(),
    ] {
        session(policy, black_box(&PURSE));
    }
    session(RetryPolicy::standard(), black_box(&SHARE));

    let tokens = RetryBudget::tokens(cost())
        .cost(cost())
        .timeout_cost(cost())
        .first_success_adds(cost());
    budget(tokens.build());
    budget(
        RetryBudget::ratio(cost(), wait())
            .min_retries_per_second(cost())
            .build(),
    );
    budget(RetryBudget::throttle(cost(), cost()).build());
    black_box(PURSE.available(now()));
    deadlines();
    headers();
}

/// An outcome that the compiler cannot know.
pub(super) fn outcome() -> Outcome {
    black_box(Outcome::Transient {
        retry_after: black_box(Some(wait())),
    })
}

fn session(policy: RetryPolicy, budget: &impl Budget) {
    let policy = black_box(policy);
    let mut random = black_box(SplitMix32::new(1));
    let mut retry = policy.start(now()).until(Deadline::at(now()));
    if black_box(true) {
        retry = retry.not_repeatable();
    }
    let mut retry = black_box(retry);
    let step = retry.step(&policy, now(), outcome(), budget, &mut random);
    words(step);
    if let Step::Stop(reason) = step {
        words(reason);
        black_box(matches!(reason, StopReason::Cancelled));
    }
    black_box((step.label(), step.delay(now())));
    black_box((retry.attempt(), retry.has_stopped()));
    black_box((retry.elapsed(now()), retry.deadline()));
    retry.cancel(now(), budget);
    black_box((policy.attempts(), policy.backoff().cap()));
    black_box((policy.max_elapsed(), policy.max_server_delay()));
    let event = RetryEvent {
        operation: black_box("call"),
        attempt: retry.attempt(),
        max_attempts: policy.attempts(),
        outcome: outcome(),
        step,
        took: wait(),
        at: now(),
    };
    words(event);
    black_box(event.delay());
}

fn budget(budget: Result<RetryBudget, steadfast::ConfigError>) {
    let budget = match budget {
        Ok(budget) => black_box(budget),
        Err(error) => return words(error),
    };
    let mut state = black_box(RetryBudgetState::FULL);
    budget.began(&mut state, now());
    budget.failed(&mut state);
    match budget.withdraw(&mut state, now(), outcome()) {
        Ok(unused) if black_box(true) => budget.refund(&mut state, unused),
        Ok(withdrawn) => budget.succeeded(&mut state, Some(withdrawn)),
        Err(spent) => words(spent),
    }
    black_box(budget.available(&state, now()));
}

fn deadlines() {
    let deadline = black_box(Deadline::after(now(), wait()));
    words(deadline);
    let inner = deadline.nested(black_box(Deadline::NEVER));
    black_box((inner.remaining(now()), inner.has_passed(now())));
    black_box((
        inner.limit(now(), wait()),
        inner.is_never(),
        inner.instant(),
    ));
}

fn headers() {
    if let Some(left) = RemainingTime::until(Deadline::at(now()), now()) {
        write(|buffer| left.write_grpc(buffer));
        write(|buffer| left.write_millis(buffer));
        black_box((left.duration(), left.deadline(now())));
    }
    let text = black_box("1500000u");
    black_box(RemainingTime::parse_grpc(text));
    black_box(RemainingTime::parse_millis(text));
    write(|buffer| RemainingTime::new(wait()).write_grpc(buffer));
    if let Some(below) = RetriedBelow::parse(text).or(RetriedBelow::new(cost())) {
        write(|buffer| below.write(buffer));
        black_box((below.attempts(), below.outcome(outcome())));
    }
    let outcome = http_outcome(black_box(503), black_box(Some(wait())));
    black_box((
        outcome.is_retryable(),
        outcome.is_failure(),
        outcome.label(),
    ));
    black_box(Outcome::of(&black_box(Ok::<u32, u32>(1))));
    black_box((is_idempotent(text), may_repeat(text, black_box(true))));
}
