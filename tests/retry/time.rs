//! How long a session may go on, by its policy and by its deadline, and on clocks that jump.

use steadfast::backoff::Backoff;
use steadfast::deadline::Deadline;
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::retry::{RetryPolicy, Step};
use steadfast::time::{Duration, Instant, days, nanos, secs};

use crate::{NOW, STEADY, steady, step, stops};

#[test]
fn the_elapsed_limit_counts_the_calls_and_not_only_the_waits() {
    let policy = RetryPolicy::new(STEADY)
        .attempts(100)
        .max_elapsed(secs(30))
        .build()
        .unwrap();
    assert_eq!(policy.max_elapsed(), Some(secs(30)));
    let mut retry = policy.start(NOW);
    // Each call takes nine seconds, and each wait one.
    let mut now = NOW + secs(9);
    for _ in 0..2 {
        let said = step(&mut retry, &policy, now, Outcome::TimedOut);
        assert_eq!(said, Step::RetryAt(now + secs(1)));
        now = now + secs(10);
    }
    // The third retry would begin exactly at the limit, which is allowed.
    let mut copy = retry;
    let said = step(&mut copy, &policy, now, Outcome::TimedOut);
    assert_eq!(said, Step::RetryAt(NOW + secs(30)));
    let said = step(&mut retry, &policy, now + nanos(1), Outcome::TimedOut);
    stops(
        said,
        "elapsed_spent",
        "a retry 30.000000001s after the start, allowed up to 30s",
    );
}

#[test]
fn no_retry_begins_at_or_after_the_deadline() {
    let policy = steady(4);
    let deadline = Deadline::after(NOW, secs(1));
    let mut retry = policy.start(NOW).until(deadline);
    assert_eq!(retry.deadline(), deadline);
    let said = step(&mut retry, &policy, NOW, Outcome::TRANSIENT);
    stops(said, "deadline_too_near", "a retry in 1s, deadline in 1s");
    let later = Deadline::at(deadline.instant() + nanos(1));
    let mut retry = policy.start(NOW).until(later);
    let said = step(&mut retry, &policy, NOW, Outcome::TRANSIENT);
    assert_eq!(said, Step::RetryAt(NOW + secs(1)));

    // The answer came after the deadline.
    let immediate = policy!(Backoff::immediate());
    let policy = RetryPolicy::new(immediate).build().unwrap();
    let mut retry = policy.start(NOW).until(deadline);
    let said = step(&mut retry, &policy, NOW + secs(2), Outcome::TRANSIENT);
    stops(said, "deadline_too_near", "a retry in 0s, deadline in 0s");
}

/// The sum of the last instants and a delay would be cut short, and so earlier than the server asks.
#[test]
fn at_the_end_of_time_there_is_no_retry_rather_than_an_early_one() {
    let policy = steady(4);
    let asked = Outcome::Throttled {
        retry_after: Some(secs(5)),
    };
    for (left, outcome, retried) in [
        (secs(1), Outcome::TRANSIENT, false),
        (secs(1) + nanos(1), Outcome::TRANSIENT, true),
        (secs(5), asked, false),
        (secs(5) + nanos(1), asked, true),
        (Duration::ZERO, asked, false),
    ] {
        let now = Instant::MAX - left;
        let said = step(&mut policy.start(now), &policy, now, outcome);
        if retried {
            assert_eq!(said, Step::RetryAt(Instant::MAX - nanos(1)));
        } else {
            assert_eq!(said.label(), "deadline_too_near");
        }
    }
}

#[test]
fn a_clock_that_jumps_gives_no_time_and_never_waits_for_ever() {
    let policy = RetryPolicy::new(STEADY)
        .attempts(1_000)
        .max_elapsed(secs(30))
        .build()
        .unwrap();
    let deadline = Deadline::after(NOW, secs(60));

    // A day back after ten seconds: of the elapsed limit, what passed while it jumped is not seen.
    let mut retry = policy.start(NOW).until(deadline);
    let mut now = NOW + secs(10);
    assert!(
        step(&mut retry, &policy, now, Outcome::TRANSIENT)
            .delay(now)
            .is_some()
    );
    now = now - days(1);
    let mut retries = 0;
    while let Step::RetryAt(at) = step(&mut retry, &policy, now, Outcome::TRANSIENT) {
        assert_eq!(at, now + secs(1));
        (now, retries) = (at, retries + 1);
    }
    assert_eq!(retries, 20);
    assert_eq!(retry.elapsed(now), secs(30));

    // The deadline has moved back as far.
    assert_eq!(retry.deadline(), Deadline::at(deadline.instant() - days(1)));
    let patient = steady(1_000);
    let mut retry = patient.start(NOW).until(deadline);
    let mut now = NOW - days(1);
    let mut retries = 0;
    while let Step::RetryAt(at) = step(&mut retry, &patient, now, Outcome::TRANSIENT) {
        (now, retries) = (at, retries + 1);
    }
    assert_eq!(retries, 59);

    // A day forward is time that has passed, as far as anyone can tell.
    let mut retry = policy.start(NOW);
    let said = step(&mut retry, &policy, NOW + days(1), Outcome::TRANSIENT);
    assert_eq!(said.label(), "elapsed_spent");
    let mut retry = patient.start(NOW).until(deadline);
    let said = step(&mut retry, &patient, NOW + days(1), Outcome::TRANSIENT);
    assert_eq!(said.label(), "deadline_too_near");

    // A session that was begun on a clock that was ahead.
    let mut retry = policy.start(NOW + days(1));
    let said = step(&mut retry, &policy, NOW, Outcome::TRANSIENT);
    assert_eq!(said, Step::RetryAt(NOW + secs(1)));
    assert_eq!(retry.elapsed(NOW), Duration::ZERO);
}
