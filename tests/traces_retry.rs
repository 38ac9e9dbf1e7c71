//! The histories that peers test their retry budgets and `Retry-After` with, and what comes of them
//! here.
//!
//! - AWS's standard retry mode, version 2.0: the cases of smithy-kotlin, which smithy-rs and
//!   smithy-swift share, and two more of smithy-rs. The delays there are with a jitter of exactly
//!   one; here without jitter, since a jitter stays below one.
//! - Retry throttling of gRPC (A6), by its text.
//! - `Retry-After` of hyperium's `headers` and of failsafe-go.
//!
//! Overruled here:
//!
//! - A quota of 0 is no capacity that a budget can have (`capacity = 0, allowed 1..=4294967295`): it
//!   could never say yes. That row begins with a budget that was used up.
//! - A timeout costs 10 unless set, and no cost may be more than the capacity, or no such retry could
//!   ever be; the rows with less than that set it.
//! - In smithy-rs one counter goes through the calls after a forgotten permit (23 attempts); here each
//!   call has a session of its own, and they are counted together.
//! - A date that is past is a wait of 0 in `headers`, and absent here, so the delay is the policy's.
//! - failsafe-go reads seconds and no dates; here dates are read.

use steadfast::backoff::{Backoff, Jitter};
use steadfast::http::{RetryAfter, http_outcome};
use steadfast::outcome::Outcome;
use steadfast::retry::{
    Budget, BudgetSpent, NoBudget, Retry, RetryBudget, RetryPolicy, Step, StopReason,
};
use steadfast::shared::Shared;
use steadfast::time::{Duration, Instant, secs};

const START: Instant = Instant::from_secs(1_000);

fn policy(attempts: u32, cap: u64) -> RetryPolicy {
    let backoff = Backoff::exponential(secs(1))
        .cap(secs(cap))
        .jitter(Jitter::None)
        .build()
        .unwrap();
    RetryPolicy::new(backoff)
        .attempts(attempts)
        .build()
        .unwrap()
}

fn tokens(count: u32) -> Shared<RetryBudget> {
    let config = RetryBudget::tokens(count);
    let config = if count < 10 {
        config.timeout_cost(count)
    } else {
        config
    };
    Shared::budget(config.build().unwrap())
}

/// What a row expects after an answer: what is left, and the delay or the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Retry(u32, u64),
    Success(u32),
    MaxAttempts(u32),
    Quota(u32),
}

struct Session<'a> {
    policy: RetryPolicy,
    budget: &'a Shared<RetryBudget>,
    retry: Retry,
    now: Instant,
}

impl<'a> Session<'a> {
    fn new(policy: RetryPolicy, budget: &'a Shared<RetryBudget>) -> Self {
        Self {
            policy,
            budget,
            retry: policy.start(START),
            now: START,
        }
    }

    fn answer(&mut self, outcome: Outcome) -> Then {
        let mut never = || -> u32 { panic!("nothing is drawn without jitter") };
        let step = self
            .retry
            .step(&self.policy, self.now, outcome, self.budget, &mut never);
        let left = self.budget.available(self.now);
        match step {
            Step::RetryAt(at) => {
                let delay = at.since(self.now);
                self.now = at;
                assert_eq!(delay, secs(delay.as_secs_ceil()), "whole seconds");
                Then::Retry(left, delay.as_secs_ceil())
            }
            Step::Stop(StopReason::Succeeded) => Then::Success(left),
            Step::Stop(StopReason::AttemptsSpent { attempts }) => {
                assert_eq!(attempts, self.policy.attempts());
                Then::MaxAttempts(left)
            }
            Step::Stop(StopReason::BudgetSpent(BudgetSpent { left: told, needed })) => {
                assert_eq!((told, needed), (left, 5));
                Then::Quota(left)
            }
            Step::Stop(other) => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn plays(mut self, rows: &[(u16, Then)]) {
        for &(status, then) in rows {
            assert_eq!(self.answer(http_outcome(status, None)), then, "{status}");
        }
    }
}

#[test]
fn aws_eventually_succeeds() {
    Session::new(policy(3, 20), &tokens(500)).plays(&[
        (500, Then::Retry(495, 1)),
        (500, Then::Retry(490, 2)),
        (200, Then::Success(495)),
    ]);
}

#[test]
fn aws_fails_at_max_attempts() {
    Session::new(policy(3, 20), &tokens(500)).plays(&[
        (502, Then::Retry(495, 1)),
        (502, Then::Retry(490, 2)),
        (502, Then::MaxAttempts(490)),
    ]);
}

#[test]
fn aws_quota_is_reached_after_a_single_retry() {
    Session::new(policy(3, 20), &tokens(5))
        .plays(&[(500, Then::Retry(0, 1)), (502, Then::Quota(0))]);
}

#[test]
fn aws_no_retry_at_all_if_the_quota_is_zero() {
    let none = RetryBudget::tokens(0).build().unwrap_err();
    assert_eq!(none.to_string(), "capacity = 0, allowed 1..=4294967295");

    let budget = tokens(500);
    for _ in 0..100 {
        assert!(budget.withdraw(START, Outcome::TRANSIENT).is_ok());
    }
    Session::new(policy(3, 20), &budget).plays(&[(500, Then::Quota(0))]);
}

#[test]
fn aws_timing() {
    Session::new(policy(5, 20), &tokens(500)).plays(&[
        (500, Then::Retry(495, 1)),
        (500, Then::Retry(490, 2)),
        (500, Then::Retry(485, 4)),
        (500, Then::Retry(480, 8)),
        (500, Then::MaxAttempts(480)),
    ]);
}

#[test]
fn aws_max_backoff() {
    Session::new(policy(5, 3), &tokens(500)).plays(&[
        (500, Then::Retry(495, 1)),
        (500, Then::Retry(490, 2)),
        (500, Then::Retry(485, 3)),
        (500, Then::Retry(480, 3)),
        (500, Then::MaxAttempts(480)),
    ]);
}

#[test]
fn smithy_a_costly_transient_error_and_a_delay_of_the_servers() {
    let budget = RetryBudget::tokens(100).cost(10).build().unwrap();
    let budget = Shared::budget(budget);
    let mut session = Session::new(policy(4, 20), &budget);
    assert_eq!(session.answer(Outcome::TRANSIENT), Then::Retry(90, 1));
    // Its own delay would be two seconds; the server's wins.
    let delayed = Outcome::Transient {
        retry_after: Some(secs(1)),
    };
    assert_eq!(session.answer(delayed), Then::Retry(80, 1));
    assert_eq!(session.answer(Outcome::Success), Then::Success(90));
}

#[test]
fn smithy_forgotten_permits_come_back_with_calls_that_work_at_first() {
    let budget = RetryBudget::tokens(20).cost(10).build().unwrap();
    let budget = Shared::budget(budget);
    let mut session = Session::new(policy(4, 20), &budget);
    assert_eq!(session.answer(Outcome::TRANSIENT), Then::Retry(10, 1));
    assert_eq!(session.answer(Outcome::TRANSIENT), Then::Retry(0, 2));
    // Whoever waited for it is gone, and with it what it took.
    let mut attempts = session.retry.attempt();
    for call in 1..=20 {
        let mut session = Session::new(policy(4, 20), &budget);
        assert_eq!(session.answer(Outcome::Success), Then::Success(call));
        attempts += session.retry.attempt();
    }
    assert_eq!(attempts, 23);
    let mut session = Session::new(policy(4, 20), &budget);
    assert_eq!(session.answer(Outcome::Success), Then::Success(20), "full");
}

#[test]
fn smithy_an_answer_that_is_only_not_ready_yet() {
    let budget = tokens(5);
    let mut session = Session::new(policy(3, 20), &budget);
    // 200, "Running": judged as worth another look.
    assert_eq!(session.answer(Outcome::TRANSIENT), Then::Retry(0, 1));
    assert_eq!(session.answer(Outcome::Success), Then::Success(5));
}

#[test]
fn aws_a_timeout_costs_twice_as_much() {
    let budget = tokens(500);
    let mut session = Session::new(policy(3, 20), &budget);
    assert_eq!(session.answer(Outcome::TimedOut), Then::Retry(490, 1));
    assert_eq!(session.answer(Outcome::TRANSIENT), Then::Retry(485, 2));
    // The last one only.
    assert_eq!(session.answer(Outcome::Success), Then::Success(490));
}

/// A6: "maxTokens: 10, tokenRatio: 0.1" begins with 10; a failure takes 1, a success gives 0.1, and
/// at 5 or less nothing is retried.
#[test]
fn grpc_throttles_at_half() {
    let budget = Shared::budget(RetryBudget::throttle(10, 100).build().unwrap());
    let policy = policy(2, 20);
    let call = |outcome| {
        let mut retry = policy.start(START);
        retry.step(&policy, START, outcome, &budget, &mut || 0)
    };
    for left in [9_000, 8_000, 7_000, 6_000] {
        let step = call(Outcome::TRANSIENT);
        assert_eq!(step.label(), "retry");
        assert_eq!(budget.available(START), left);
    }
    for left in [5_000, 4_000, 3_000, 2_000, 1_000, 0, 0] {
        let spent = StopReason::BudgetSpent(BudgetSpent {
            left,
            needed: 5_001,
        });
        assert_eq!(call(Outcome::TRANSIENT), Step::Stop(spent));
        assert_eq!(budget.available(START), left);
    }
    // What is not worth a retry takes nothing.
    assert_eq!(call(Outcome::Ignored), Step::Stop(StopReason::NotRetryable));
    // 60 successes are 6.0, which one more failure makes 5.0; 11 more make it 6.1, and then 5.1.
    for _ in 0..60 {
        assert_eq!(call(Outcome::Success).label(), "succeeded");
    }
    assert_eq!(call(Outcome::TimedOut).label(), "budget_spent");
    for _ in 0..11 {
        assert_eq!(call(Outcome::Success).label(), "succeeded");
    }
    assert_eq!(call(Outcome::TimedOut).label(), "retry");
    assert_eq!(budget.available(START), 5_100);
}

const NOVEMBER_1994: Instant = Instant::from_secs(784_111_777);

#[test]
fn retry_after_as_seconds_and_as_dates() {
    let wait = |value: &str| RetryAfter::parse(value, NOVEMBER_1994 - secs(100));
    assert_eq!(wait("1234"), Some(secs(1_234)));
    for date in [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ] {
        assert_eq!(wait(date), Some(secs(100)), "{date}");
        assert_eq!(RetryAfter::parse(date, NOVEMBER_1994 + secs(1)), None);
    }
    for absent in ["-1", "1.5", "", "0", "soon"] {
        assert_eq!(wait(absent), None, "{absent}");
    }
}

/// What cannot be read counts as absent all the way: the delay is the policy's own.
#[test]
fn without_a_readable_retry_after_the_delay_is_the_policys() {
    let policy = policy(3, 20);
    for (value, delay) in [
        ("1234", Duration::ZERO),
        ("30", secs(30)),
        ("-1", secs(1)),
        ("1.5", secs(1)),
        ("", secs(1)),
        ("0", secs(1)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", secs(1)),
    ] {
        let wait = RetryAfter::parse(value, NOVEMBER_1994 + secs(1));
        let mut retry = policy.start(START);
        let outcome = http_outcome(503, wait);
        let step = retry.step(&policy, START, outcome, &NoBudget, &mut || 0);
        if delay == Duration::ZERO {
            assert_eq!(step.label(), "server_delay_too_long");
        } else {
            assert_eq!(step, Step::RetryAt(START + delay), "{value}");
        }
    }
}
