//! What the client of a server hears when a call that its request needed came to nothing.

use steadfast::breaker::{Breaker, BreakerState, Rejected};
use steadfast::call::{CallError, TimedOut};
use steadfast::event::{CallEvent, CallOutcome};
use steadfast::http::{RetriedBelow, RetryAfter, Unavailable};
use steadfast::outcome::Outcome;
use steadfast::retry::{BudgetSpent, StopReason};
use steadfast::time::{Duration, Instant, days, millis, nanos, secs};

fn failed(attempts: u32, stopped: StopReason, outcome: Outcome) -> CallError<&'static str> {
    CallError::Failed {
        error: "whatever it said",
        attempts,
        stopped,
        outcome,
    }
}

fn rejected(attempts: u32, rejected: Rejected) -> CallError<&'static str> {
    CallError::Rejected { rejected, attempts }
}

/// Status, seconds of `Retry-After`, number of `retried-below`.
fn told(error: &CallError<&str>) -> (u16, Option<u64>, Option<u32>) {
    let answer = Unavailable::new(error);
    assert_eq!(answer.status(), error.status());
    let mut buffer = [0; Unavailable::MAX_BODY_LEN];
    let body = answer.write_body(&mut buffer).unwrap();
    let word = match answer.status() {
        502 => "service_failed",
        503 => "service_unavailable",
        504 => "timed_out",
        other => panic!("{other}"),
    };
    assert!(
        body.starts_with(&format!(r#"{{"error":"{word}","#)),
        "{body}"
    );
    (
        answer.status(),
        answer.retry_after().map(RetryAfter::secs),
        answer.retried_below().map(RetriedBelow::attempts),
    )
}

#[test]
fn what_is_throttled_is_a_503_that_hands_on_the_wait() {
    let spent = |attempts| StopReason::AttemptsSpent { attempts };
    let throttled = |retry_after| Outcome::Throttled { retry_after };
    let asked = throttled(Some(millis(6_001)));
    assert_eq!(told(&failed(1, spent(1), asked)), (503, Some(7), None));
    assert_eq!(told(&failed(3, spent(3), asked)), (503, Some(7), Some(3)));
    // It did not say for how long.
    let unsaid = throttled(None);
    assert_eq!(told(&failed(1, spent(1), unsaid)), (503, Some(30), None));
    // A layer below has tried again in vain.
    let below = RetriedBelow::new(4).unwrap();
    let stopped = StopReason::RetriedBelow;
    assert_eq!(
        told(&failed(1, stopped, below.outcome(asked))),
        (503, Some(7), Some(1))
    );
    assert_eq!(
        told(&failed(2, stopped, below.outcome(unsaid))),
        (503, Some(30), Some(2))
    );
    // Something on this side said no: it was never sent.
    assert_eq!(
        told(&failed(1, StopReason::Rejected, Outcome::Rejected)),
        (503, Some(30), None)
    );
}

#[test]
fn what_failed_is_a_502_and_hands_on_the_wait_if_there_is_one() {
    let spent = StopReason::AttemptsSpent { attempts: 1 };
    let asked = Outcome::Transient {
        retry_after: Some(secs(9)),
    };
    assert_eq!(told(&failed(1, spent, asked)), (502, Some(9), None));
    let unsaid = Outcome::TRANSIENT;
    assert_eq!(told(&failed(1, spent, unsaid)), (502, None, None));
    let not_retried = StopReason::NotRetryable;
    for outcome in [Outcome::Failure, Outcome::Ignored] {
        assert_eq!(told(&failed(1, not_retried, outcome)), (502, None, None));
    }
}

#[test]
fn a_wait_that_was_too_long_here_is_handed_on_up_to_a_day() {
    assert_eq!(Unavailable::LONGEST_WAIT, days(1));
    for (asked, told_on, says) in [
        (secs(4), Some(4), "in 4 seconds.\""),
        (days(1), Some(86_400), "in 86400 seconds.\""),
        (
            days(1) + nanos(1),
            Some(86_400),
            "in 86400 seconds at the earliest.\"",
        ),
        (
            Duration::MAX,
            Some(86_400),
            "in 86400 seconds at the earliest.\"",
        ),
    ] {
        let stopped = StopReason::ServerDelayTooLong {
            asked,
            allowed: secs(3),
        };
        let outcome = Outcome::Transient {
            retry_after: Some(asked),
        };
        assert_eq!(told(&failed(1, stopped, outcome)), (502, told_on, None));
        let outcome = Outcome::Throttled {
            retry_after: Some(asked),
        };
        let error = failed(1, stopped, outcome);
        assert_eq!(told(&error), (503, told_on, None));
        assert_eq!(error.retry_after(), Some(asked.min(days(1))));
        let mut buffer = [0; Unavailable::MAX_BODY_LEN];
        let body = Unavailable::new(&error).write_body(&mut buffer).unwrap();
        assert!(body.contains(says), "{body}");
    }
}

#[test]
fn every_breaker_that_says_no_is_a_503_with_a_wait() {
    let open = Rejected::Open {
        retry_after: millis(12_001),
    };
    assert_eq!(told(&rejected(0, open)), (503, Some(13), None));
    let probes = Rejected::ProbesOut {
        retry_after: secs(60),
    };
    assert_eq!(told(&rejected(0, probes)), (503, Some(1), None));

    let breaker = Breaker::standard();
    let mut state = BreakerState::CLOSED;
    let now = Instant::from_secs(100);
    let _ = breaker.force_open(&mut state, now);
    let held = breaker.try_enter(&mut state, now).unwrap_err();
    assert_eq!((held, held.retry_after()), (Rejected::ForcedOpen, None));
    // As long as the same breaker is open by itself.
    let mut state = BreakerState::CLOSED;
    for _ in 0..5 {
        let permit = breaker.try_enter(&mut state, now).unwrap();
        let _ = breaker.record(&mut state, now, permit, Outcome::TRANSIENT);
    }
    let opened = breaker.try_enter(&mut state, now).unwrap_err();
    assert_eq!(told(&rejected(0, held)), told(&rejected(0, opened)));
    assert_eq!(told(&rejected(2, held)), (503, Some(30), Some(2)));
}

#[test]
fn more_than_one_attempt_is_told_whatever_the_end() {
    let after = TimedOut { limit: secs(1) };
    let stopped = StopReason::AttemptsSpent { attempts: 4 };
    let timed_out = |attempts| CallError::TimedOut {
        after,
        attempts,
        stopped,
    };
    assert_eq!(told(&timed_out(1)), (504, None, None));
    assert_eq!(told(&timed_out(4)), (504, None, Some(4)));
    let late = |attempts| CallError::DeadlineExceeded { attempts };
    assert_eq!(told(&late(0)), (504, None, None));
    assert_eq!(told(&late(1)), (504, None, None));
    assert_eq!(told(&late(2)), (504, None, Some(2)));
    let spent = StopReason::BudgetSpent(BudgetSpent { left: 0, needed: 5 });
    let down = |attempts| failed(attempts, spent, Outcome::TRANSIENT);
    assert_eq!(told(&down(1)), (502, None, Some(1)));
    assert_eq!(told(&down(u32::MAX)), (502, None, Some(u32::MAX)));
}

const SPENT: StopReason = StopReason::BudgetSpent(BudgetSpent { left: 0, needed: 5 });

/// Why a single attempt was the last, and whether nobody above is to make it again.
const ONCE: [(StopReason, bool); 8] = [
    (StopReason::NotRepeatable, true),
    (SPENT, true),
    (StopReason::RetriedBelow, true),
    (StopReason::AttemptsSpent { attempts: 1 }, false),
    (StopReason::NotRetryable, false),
    (StopReason::BreakerOpened, false),
    (StopReason::Probe, false),
    (
        StopReason::ElapsedSpent {
            elapsed: secs(2),
            allowed: secs(1),
        },
        false,
    ),
];

#[test]
fn one_attempt_that_is_not_to_be_made_again_says_so() {
    for (stopped, is_told) in ONCE {
        let mark = is_told.then_some(1);
        let error = failed(1, stopped, Outcome::TRANSIENT);
        assert_eq!(told(&error), (502, None, mark), "{stopped:?}");
        // A layer above in the same program hears the same.
        assert_eq!(error.outcome() == Outcome::Exhausted, is_told);
        let throttled = Outcome::Throttled {
            retry_after: Some(secs(9)),
        };
        let error = failed(1, stopped, throttled);
        assert_eq!(told(&error), (503, Some(9), mark), "{stopped:?}");
        let retry_after = Some(secs(9));
        let below = Outcome::ThrottledBelow { retry_after };
        assert_eq!(error.outcome() == below, is_told);
        let late: CallError<&str> = CallError::TimedOut {
            after: TimedOut { limit: secs(1) },
            attempts: 1,
            stopped,
        };
        assert_eq!(told(&late), (504, None, mark), "{stopped:?}");
    }
}

#[test]
fn an_answer_that_is_handed_on_as_it_came_is_marked_like_an_error() {
    let marked = |attempts, outcome| {
        RetriedBelow::of_ended(&CallEvent {
            operation: "quote",
            outcome,
            attempts,
            took: secs(1),
            at: Instant::from_secs(60),
        })
        .map(RetriedBelow::attempts)
    };
    for (stopped, is_told) in ONCE {
        let ended = |outcome| CallOutcome::Attempted { outcome, stopped };
        let mark = is_told.then_some(1);
        assert_eq!(marked(1, ended(Outcome::TRANSIENT)), mark, "{stopped:?}");
        assert_eq!(marked(4, ended(Outcome::TRANSIENT)), Some(4));
        assert_eq!(marked(4, ended(Outcome::Success)), None);
    }
    assert_eq!(marked(1, CallOutcome::DeadlineExceeded), None);
    assert_eq!(marked(3, CallOutcome::DeadlineExceeded), Some(3));
    let rejected = CallOutcome::Rejected(Rejected::ForcedOpen);
    assert_eq!((marked(0, rejected), marked(2, rejected)), (None, Some(2)));
}

#[test]
fn a_layer_in_the_middle_hands_on_that_it_was_retried_below() {
    let below = RetriedBelow::new(4).unwrap().outcome(Outcome::TRANSIENT);
    let middle = failed(1, StopReason::RetriedBelow, below);
    assert_eq!(told(&middle), (502, None, Some(1)));
    // The first attempt here was another failure.
    let middle = failed(3, StopReason::RetriedBelow, below);
    assert_eq!(told(&middle), (502, None, Some(3)));
}
