//! Whose quotas hold, what they do on trial, and how they stand beside other limits.

use steadfast::event::LimitOutcome;
use steadfast::limit::{Denied, Named, TokenBucket};
use steadfast::policy;
use steadfast::time::{Clock, Instant, ManualClock, secs};
use steadfast_std::{KeyedLimiter, LiveGranted, LiveLimiter, Quotas};

use crate::bucket;

#[test]
fn on_trial_it_denies_nobody_and_says_what_it_would_have_done() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let each = policy!(TokenBucket::per_minute(1));
    let trial = LiveLimiter::with_clock(Quotas::new(each).on_trial(true), 8, &clock).unwrap();
    let first = trial.check("alice", 1);
    assert_eq!(first.on_trial, None);
    assert_eq!(first.event("trial", 1).outcome, LimitOutcome::Granted);

    let second = trial.check("alice", 1);
    let granted: LiveGranted<_> = second.decision.unwrap();
    assert!(
        granted.taken().is_none(),
        "what would have been denied takes nothing"
    );
    let would = Denied::RateLimited {
        retry_after: secs(60),
    };
    assert_eq!(second.on_trial, Some(would));
    assert_eq!(
        second.event("trial", 1).outcome,
        LimitOutcome::WouldDeny(would)
    );
    trial.refund("alice", &granted);
    assert_eq!(trial.standing("alice").remaining, 0);

    // Enforced from now on, with what was used.
    trial.reconfigure(each);
    assert_eq!(trial.try_acquire("alice").unwrap_err(), would);
}

#[test]
fn of_two_quotas_for_one_key_the_last_counts() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let quotas = Quotas::new(bucket(1))
        .own("partner", bucket(5))
        .own("other", bucket(2))
        .own("partner", bucket(7));
    let live = LiveLimiter::with_clock(quotas, 8, &clock).unwrap();
    assert_eq!(live.standing("partner").limit, 7);
    assert_eq!(live.standing("other").limit, 2);
    assert_eq!(live.standing("nobody").limit, 1);
}

#[test]
fn bad_numbers_of_places_are_named() {
    let error = LiveLimiter::new(bucket(1), 0).unwrap_err();
    assert_eq!(error.to_string(), "places = 0, allowed 1..=4294967296");
}

/// Limits in several stores, each with its name: none keeps what a later one refused.
#[test]
fn a_key_stands_beside_other_limits_and_peeks_take_nothing() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let users = LiveLimiter::with_clock(bucket(3), 64, &clock).unwrap();
    let keys: KeyedLimiter<str, _, _> = KeyedLimiter::with_clock(bucket(2), 64, &clock).unwrap();
    assert!(keys.peek("k", 2).is_ok() && users.peek("alice", 3).is_ok());
    assert!(keys.peek("k", 3).is_err() && users.peek("alice", 4).is_err());
    assert_eq!((keys.active(), users.active()), (0, 0));

    let limits = Named::new("user", users.of("alice")).and("key", keys.of("k"));
    let now = clock.now();
    assert!(limits.try_acquire_n(now, 2).is_ok());
    let denied = limits.try_acquire(now).unwrap_err();
    assert_eq!(denied.limit, "key");
    assert_eq!(users.standing("alice").remaining, 1, "given back");
    assert_eq!(keys.peek("k", 1), Err(denied.denied));
    let trial = LiveLimiter::with_clock(Quotas::new(bucket(1)).on_trial(true), 8, &clock).unwrap();
    assert!(trial.peek("alice", 2).is_ok(), "on trial it denies nobody");
}
