//! How long is waited before a retry: as the server asks, or as the policy draws.

use std::cell::Cell;

use steadfast::backoff::{Backoff, Jitter};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::random::{Random, SplitMix32};
use steadfast::retry::{NoBudget, RetryPolicy, Step};
use steadfast::time::{Duration, days, millis, minutes, nanos, secs};

use crate::{NOW, STEADY, step, stops};

#[test]
fn the_servers_delay_wins_and_gets_no_jitter() {
    let policy = RetryPolicy::standard();
    for (asked, waits) in [
        (millis(1), millis(1)),
        (secs(7), secs(7)),
        (secs(60), secs(60)),
        // As if it were absent. The jitter below is one half.
        (Duration::ZERO, millis(100)),
    ] {
        for outcome in [
            Outcome::Transient {
                retry_after: Some(asked),
            },
            Outcome::Throttled {
                retry_after: Some(asked),
            },
        ] {
            let mut retry = policy.start(NOW);
            let said = retry.step(&policy, NOW, outcome, &NoBudget, &mut || 1 << 31);
            assert_eq!(said, Step::RetryAt(NOW + waits));
            // The next one is as long as if the server had said nothing.
            let next = retry.step(&policy, NOW, Outcome::TRANSIENT, &NoBudget, &mut || 1 << 31);
            assert_eq!(next, Step::RetryAt(NOW + millis(200)));
        }
    }
}

#[test]
fn a_server_that_asks_for_ten_million_seconds_is_not_waited_for() {
    let policy = RetryPolicy::standard();
    let long = |asked| Outcome::Throttled {
        retry_after: Some(asked),
    };
    let said = step(&mut policy.start(NOW), &policy, NOW, long(secs(10_000_000)));
    stops(
        said,
        "server_delay_too_long",
        "the server asks for 10000000s, allowed up to 60s",
    );
    for asked in [secs(60) + nanos(1), Duration::MAX] {
        let said = step(&mut policy.start(NOW), &policy, NOW, long(asked));
        assert_eq!(said.label(), "server_delay_too_long");
    }
    let patient = RetryPolicy::new(STEADY)
        .max_server_delay(days(200))
        .build()
        .unwrap();
    let said = step(
        &mut patient.start(NOW),
        &patient,
        NOW,
        long(secs(10_000_000)),
    );
    assert_eq!(said, Step::RetryAt(NOW + secs(10_000_000)));
}

#[test]
fn sessions_of_one_policy_do_not_draw_the_same_delays() {
    let policy = RetryPolicy::background();
    let mut random = SplitMix32::new(1);
    let mut delays = || {
        let mut retry = policy.start(NOW);
        (1..policy.attempts())
            .map(|_| {
                let outcome = Outcome::TRANSIENT;
                let said = retry.step(&policy, NOW, outcome, &NoBudget, &mut random);
                said.delay(NOW).unwrap()
            })
            .collect::<Vec<_>>()
    };
    assert_ne!(delays(), delays());
}

/// `Random` is taken by reference, so that it goes on from session to session.
#[test]
fn a_session_draws_once_a_retry_and_not_more() {
    let drawn = Cell::new(0);
    let mut random = || {
        drawn.set(drawn.get() + 1);
        7
    };
    assert_eq!(random.next_u32(), 7);
    drawn.set(0);
    let backoff = policy!(
        Backoff::exponential(millis(100))
            .cap(minutes(1))
            .jitter(Jitter::Full)
    );
    let policy = RetryPolicy::new(backoff).attempts(3).build().unwrap();
    let mut retry = policy.start(NOW);
    for count in [1, 2, 2] {
        let _ = retry.step(&policy, NOW, Outcome::TRANSIENT, &NoBudget, &mut random);
        assert_eq!(drawn.get(), count);
    }
}
