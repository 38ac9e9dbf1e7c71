//! Which answers hold a client back, and for how long.

use steadfast::http::ServerQuota;
use steadfast::limit::{Denied, Policy, RateLimiter, ServerHold};
use steadfast::policy;
use steadfast::time::{Duration, Instant, hours, minutes, nanos, secs};

use crate::{OBEDIENT, SPREADING, UNIX_NOW, left, retry_after};

const ALSO: ServerHold = policy!(ServerHold::new(minutes(1)).also(413).also(420));

#[test]
fn until_a_server_speaks_everything_passes() {
    let mut limiter = RateLimiter::new(SPREADING);
    for second in 0..100 {
        assert!(
            limiter
                .try_acquire_n(Instant::from_secs(second), u32::MAX)
                .is_ok()
        );
    }
    assert_eq!(limiter.available(Instant::ZERO), u32::MAX);
}

#[test]
fn which_answers_hold_and_for_how_long() {
    let now = Instant::from_secs(100);
    let both = left(0, 40).header("Retry-After", "3");
    let nothing = ServerQuota::new(UNIX_NOW);
    // As GitHub refuses: its primary limit, and its secondary one.
    let github = |remaining: &str| {
        ServerQuota::new(UNIX_NOW)
            .header("X-RateLimit-Limit", "5000")
            .header("X-RateLimit-Remaining", remaining)
            .header("X-RateLimit-Reset", "1700000040")
    };
    for (policy, status, quota, wait) in [
        (OBEDIENT, 429, retry_after("3"), 3),
        (OBEDIENT, 503, retry_after("3"), 3),
        (OBEDIENT, 529, retry_after("3"), 3),
        (OBEDIENT, 529, left(0, 40), 0),
        (OBEDIENT, 200, retry_after("3"), 0),
        (OBEDIENT, 202, retry_after("3"), 0),
        (OBEDIENT, 500, retry_after("3"), 0),
        (OBEDIENT, 413, retry_after("3"), 0),
        (OBEDIENT, 403, retry_after("3"), 3),
        (OBEDIENT, 403, github("0"), 40),
        (OBEDIENT, 403, github("4999"), 0),
        (OBEDIENT, 403, github("4999").header("Retry-After", "3"), 3),
        (OBEDIENT, 403, left(0, 40), 40),
        (OBEDIENT, 403, nothing, 0),
        (ALSO, 403, retry_after("3"), 3),
        (ALSO, 413, retry_after("3"), 3),
        (ALSO, 420, left(0, 40), 40),
        (ALSO, 420, left(1, 40), 0),
        (ALSO, 503, left(0, 40), 0),
        (ALSO, 500, retry_after("3"), 0),
        (ALSO, 0, retry_after("3"), 0),
        // Out of a cache.
        (OBEDIENT, 429, retry_after("3").header("Age", "1"), 2),
        (OBEDIENT, 503, retry_after("3").header("age", "3"), 0),
        (OBEDIENT, 429, left(0, 40).header("Age", "1"), 0),
        (SPREADING, 200, left(0, 40).header("Age", "1"), 0),
        (SPREADING, 200, left(0, 40).header("Age", "0"), 40),
        (OBEDIENT, 429, nothing, 0),
        (OBEDIENT, 503, nothing, 0),
        (OBEDIENT, 429, left(0, 40), 40),
        (OBEDIENT, 429, left(10, 40), 4),
        (OBEDIENT, 503, left(0, 40), 0),
        (OBEDIENT, 429, both, 3),
        (OBEDIENT, 200, left(0, 40), 0),
        (SPREADING, 200, left(0, 40), 40),
        (SPREADING, 503, left(0, 40), 40),
        (SPREADING, 200, both, 40),
        (SPREADING, 429, both, 3),
        (OBEDIENT, 429, retry_after("60"), 60),
        (OBEDIENT, 429, retry_after("61"), 60),
        (OBEDIENT, 429, retry_after("18446744074"), 60),
        (SPREADING, 200, left(0, 1_000_000), 60),
    ] {
        let mut state = ServerHold::FULL;
        policy.record(&mut state, now, status, &quota);
        assert_eq!(policy.wait(&state, now), secs(wait), "{status} {quota:?}");
        assert_eq!(
            policy.listens_to(status),
            policy == SPREADING
                || [403, 429, 503, 529].contains(&status)
                || wait > 0
                || status == 420
        );
    }
}

/// One nanosecond earlier is denied, at that instant it is allowed.
#[test]
fn a_hold_ends_to_the_nanosecond_and_a_denied_call_takes_nothing() {
    let mut state = ServerHold::FULL;
    let now = Instant::from_secs(100);
    OBEDIENT.record(&mut state, now, 429, &retry_after("3"));
    let denied = OBEDIENT.decide(&mut state, now, 1).unwrap_err();
    assert_eq!(
        denied,
        Denied::RateLimited {
            retry_after: secs(3)
        }
    );
    assert!(OBEDIENT.decide(&mut state, now, 0).is_ok(), "a look");
    assert!(
        OBEDIENT
            .decide(&mut state, now + secs(3) - nanos(1), 1)
            .is_err()
    );
    assert!(!OBEDIENT.at_rest(&state, now + secs(3) - nanos(1)));
    assert!(OBEDIENT.decide(&mut state, now + secs(3), 1).is_ok());
    assert!(OBEDIENT.at_rest(&state, now + secs(3)));
}

#[test]
fn the_longest_hold_wins_whatever_the_order() {
    let now = Instant::from_secs(100);
    for order in [["20", "1"], ["1", "20"]] {
        let mut state = ServerHold::FULL;
        for text in order {
            OBEDIENT.record(&mut state, now, 429, &retry_after(text));
        }
        assert_eq!(OBEDIENT.wait(&state, now), secs(20));
    }
    let mut state = ServerHold::FULL;
    OBEDIENT.record(&mut state, now, 429, &retry_after("20"));
    OBEDIENT.record(&mut state, now + secs(1), 200, &ServerQuota::new(UNIX_NOW));
    assert_eq!(OBEDIENT.wait(&state, now + secs(1)), secs(19));
    OBEDIENT.release(&mut state);
    assert_eq!(OBEDIENT.wait(&state, now + secs(1)), Duration::ZERO);
}

/// The hours of the day's documentation: a far longer hold than a test of minutes would show.
#[test]
fn by_default_an_hour_is_held_in_full() {
    let now = Instant::from_secs(100);
    let mut state = ServerHold::FULL;
    ServerHold::STANDARD.record(&mut state, now, 429, &retry_after("3600"));
    assert_eq!(ServerHold::STANDARD.wait(&state, now), hours(1));
}
