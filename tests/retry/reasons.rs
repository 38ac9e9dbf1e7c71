//! Why a session ends: each reason, which is weighed before which, and how it reads in a log.

use std::cell::Cell;

use steadfast::deadline::Deadline;
use steadfast::event::RetryEvent;
use steadfast::outcome::Outcome;
use steadfast::retry::{
    Budget, BudgetSpent, RetryBudget, RetryPolicy, Step, StopReason, Withdrawn,
};
use steadfast::shared::Shared;
use steadfast::time::{Instant, days, millis, nanos, secs};

use crate::{NOW, STEADY, steady, step, stops};

#[test]
fn each_outcome_is_retried_or_ends_it() {
    let policy = steady(4);
    for (outcome, end) in [
        (Outcome::TRANSIENT, None),
        (Outcome::TimedOut, None),
        (Outcome::Throttled { retry_after: None }, None),
        (Outcome::Success, Some(("succeeded", "it worked"))),
        (
            Outcome::Failure,
            Some(("not_retryable", "another attempt would not help")),
        ),
        (
            Outcome::Ignored,
            Some(("not_retryable", "another attempt would not help")),
        ),
        (
            Outcome::Exhausted,
            Some(("retried_below", "a layer below says not to retry it")),
        ),
        (
            Outcome::ThrottledBelow { retry_after: None },
            Some(("retried_below", "a layer below says not to retry it")),
        ),
        (Outcome::Cancelled, Some(("cancelled", "the caller left"))),
        (Outcome::Rejected, Some(("rejected", "it was never sent"))),
    ] {
        let mut retry = policy.start(NOW);
        let said = step(&mut retry, &policy, NOW, outcome);
        let Some((label, text)) = end else {
            assert_eq!(said, Step::RetryAt(NOW + secs(1)), "{outcome:?}");
            assert_eq!(said.delay(NOW), Some(secs(1)));
            assert_eq!(
                said.to_string(),
                "retry at 1000001s after the clock's start"
            );
            assert_eq!((retry.attempt(), retry.has_stopped()), (2, false));
            continue;
        };
        stops(said, label, text);
        assert_eq!((retry.attempt(), retry.has_stopped()), (1, true));
        // What comes late or twice changes nothing.
        let before = retry;
        let late = step(&mut retry, &policy, NOW + secs(9), Outcome::TRANSIENT);
        stops(late, "already_stopped", "the session had stopped before");
        assert_eq!(retry, before);
    }
}

#[test]
fn the_attempts_are_counted_with_the_first() {
    let policy = steady(3);
    let mut retry = policy.start(NOW);
    for attempt in 1..3 {
        assert_eq!(retry.attempt(), attempt);
        let said = step(&mut retry, &policy, NOW, Outcome::TRANSIENT);
        assert_eq!(said, Step::RetryAt(NOW + secs(1)));
    }
    let said = step(&mut retry, &policy, NOW, Outcome::TRANSIENT);
    stops(said, "attempts_spent", "attempt 3 was the last");

    let never = RetryPolicy::never();
    let said = step(&mut never.start(NOW), &never, NOW, Outcome::TRANSIENT);
    stops(said, "attempts_spent", "attempt 1 was the last");
}

#[test]
fn what_may_do_harm_is_done_once() {
    let policy = steady(4);
    let mut retry = policy.start(NOW).not_repeatable();
    let throttled = Outcome::Throttled {
        retry_after: Some(secs(1)),
    };
    let said = step(&mut retry, &policy, NOW, throttled);
    stops(said, "not_repeatable", "doing it twice may do harm");
    let mut retry = policy.start(NOW).not_repeatable();
    let said = step(&mut retry, &policy, NOW, Outcome::Ignored);
    assert_eq!(said, Step::Stop(StopReason::NotRetryable));
    // It may have been done, and the answer was one that nobody can read.
    let mut retry = policy.start(NOW).not_repeatable();
    let said = step(&mut retry, &policy, NOW, Outcome::Failure);
    assert_eq!(said, Step::Stop(StopReason::NotRepeatable));
}

/// What a retry took goes back once: not when it is given up, and again for an outcome that is late.
#[test]
fn a_session_that_has_stopped_pays_nothing_back() {
    let budget = Shared::budget(RetryBudget::standard());
    let policy = steady(4);
    let retried = || {
        let mut retry = policy.start(NOW);
        let said = retry.step(&policy, NOW, Outcome::TRANSIENT, &budget, &mut || 0);
        assert_eq!(said, Step::RetryAt(NOW + secs(1)));
        retry
    };
    let probe = StopReason::Probe;
    // The retries of others, which have failed.
    for _ in 0..3 {
        let _ = retried();
    }
    for cancels in [true, false] {
        let mut retry = retried();
        assert_eq!(budget.available(NOW), 480);
        if cancels {
            retry.cancel(NOW, &budget);
        } else {
            let said = retry.stop(NOW, Outcome::Success, &budget, probe);
            assert_eq!(said, Step::Stop(probe));
        }
        assert_eq!(budget.available(NOW), 485);
        retry.cancel(NOW, &budget);
        let said = retry.stop(NOW, Outcome::Success, &budget, probe);
        assert_eq!(said, Step::Stop(StopReason::AlreadyStopped));
        let said = retry.step(&policy, NOW, Outcome::Success, &budget, &mut || 0);
        assert_eq!(said, Step::Stop(StopReason::AlreadyStopped));
        assert_eq!(budget.available(NOW), 485);
    }
}

/// A budget that counts what it is asked for, and says no.
#[derive(Default)]
struct Stingy(Cell<u32>);

impl Budget for Stingy {
    fn began(&self, _: Instant) {}

    fn succeeded(&self, _: Instant, _: Option<Withdrawn>) {}

    fn failed(&self, _: Instant) {}

    fn withdraw(&self, _: Instant, _: Outcome) -> Result<Withdrawn, BudgetSpent> {
        self.0.set(self.0.get() + 1);
        Err(BudgetSpent { left: 3, needed: 5 })
    }

    fn refund(&self, _: Instant, _: Withdrawn) {}
}

/// Everything says no; one after the other is mended, and the next one answers.
#[test]
fn the_order_in_which_reasons_are_weighed() {
    let asked = |wait| Outcome::Transient {
        retry_after: Some(wait),
    };
    let strict = |attempts, elapsed| {
        RetryPolicy::new(STEADY)
            .attempts(attempts)
            .max_elapsed(elapsed)
            .build()
            .unwrap()
    };
    let near = Deadline::after(NOW, millis(1));
    for (policy, deadline, repeatable, outcome, label) in [
        (
            strict(1, nanos(1)),
            near,
            false,
            Outcome::Ignored,
            "not_retryable",
        ),
        (
            strict(1, nanos(1)),
            near,
            false,
            asked(days(1)),
            "not_repeatable",
        ),
        (
            strict(1, nanos(1)),
            near,
            true,
            asked(days(1)),
            "attempts_spent",
        ),
        (
            strict(2, nanos(1)),
            near,
            true,
            asked(days(1)),
            "server_delay_too_long",
        ),
        (
            strict(2, nanos(1)),
            near,
            true,
            asked(secs(1)),
            "elapsed_spent",
        ),
        (
            strict(2, secs(2)),
            near,
            true,
            asked(secs(1)),
            "deadline_too_near",
        ),
        (
            strict(2, secs(2)),
            Deadline::NEVER,
            true,
            asked(secs(1)),
            "budget_spent",
        ),
    ] {
        let budget = Stingy::default();
        let mut retry = policy.start(NOW).until(deadline);
        if !repeatable {
            retry = retry.not_repeatable();
        }
        let said = retry.step(&policy, NOW, outcome, &budget, &mut || 0);
        assert_eq!(said.label(), label);
        // Only the last takes something, so only then it is asked.
        assert_eq!(budget.0.get(), u32::from(label == "budget_spent"));
        if label == "budget_spent" {
            stops(said, label, "retry budget spent: 3 left, 5 needed");
        }
    }
}

#[test]
fn events_read_as_a_line_of_a_log() {
    let mut event = RetryEvent {
        operation: "quote",
        attempt: 2,
        max_attempts: 4,
        outcome: Outcome::TimedOut,
        step: Step::RetryAt(NOW + millis(180)),
        took: millis(40),
        at: NOW,
    };
    assert_eq!(
        event.to_string(),
        "quote: attempt 2 of 4 timed_out, retry in 180ms"
    );
    assert_eq!(event.delay(), Some(millis(180)));
    event.step = Step::Stop(StopReason::AttemptsSpent { attempts: 4 });
    event.attempt = 4;
    assert_eq!(
        event.to_string(),
        "quote: attempt 4 of 4 timed_out, stop: attempt 4 was the last"
    );
    assert_eq!(event.delay(), None);
}
