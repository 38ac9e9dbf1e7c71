//! What can be configured and what cannot, and what a new policy does to a hold of the old one.

use steadfast::limit::{Policy, ServerHold, ServerHoldState};
use steadfast::policy;
use steadfast::time::{Duration, Instant, days, secs};

use crate::{SPREADING, left, retry_after};

#[test]
fn sizes_and_ranges_are_as_documented() {
    assert_eq!(size_of::<ServerHoldState>(), 40);
    for (max_hold, message) in [
        (
            Duration::ZERO,
            "max_hold = 0s, allowed 1ns..=4611686018.427387904s",
        ),
        (
            Duration::MAX,
            "max_hold = 18446744073.709551615s, allowed 1ns..=4611686018.427387904s",
        ),
    ] {
        let error = ServerHold::new(max_hold).build().unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let hold = ServerHold::new(days(1));
    for (config, message) in [
        (hold.also(99), "status = 99, allowed 100..=999"),
        (
            hold.also(420).also(1_000),
            "status = 1000, allowed 100..=999",
        ),
        (
            hold.also(420).also(430).also(509).also(529).also(598),
            "statuses = 5, allowed 0..=4",
        ),
    ] {
        assert_eq!(config.build().unwrap_err().to_string(), message);
    }
    let four = hold
        .also(420)
        .also(430)
        .also(509)
        .also(529)
        .build()
        .unwrap();
    for status in [420, 430, 509, 529] {
        assert!(four.listens_to(status));
    }
    assert_eq!(hold.build(), Ok(ServerHold::STANDARD));
    assert_eq!(ServerHold::STANDARD.max_hold(), days(1));
}

#[test]
fn a_new_policy_cuts_a_pace_to_what_it_believes() {
    let now = Instant::from_secs(100);
    let short = policy!(ServerHold::new(secs(10)).spread());
    let mut state = ServerHold::FULL;
    SPREADING.record(&mut state, now, 200, &left(2, 60));
    SPREADING.reconfigure(&mut state, now, &short);
    assert_eq!(short.rests_in(&state, now), secs(10));
    assert!(short.decide(&mut state, now, 1).is_ok());
    assert_eq!(short.wait(&state, now), secs(10));
}

#[test]
fn a_new_policy_shortens_what_is_longer_than_it_believes() {
    let now = Instant::from_secs(100);
    let short = policy!(ServerHold::new(secs(10)));
    let mut state = ServerHold::FULL;
    SPREADING.record(&mut state, now, 200, &left(2, 60));
    SPREADING.record(&mut state, now, 429, &retry_after("60"));
    SPREADING.reconfigure(&mut state, now, &short);
    assert_eq!(short.wait(&state, now), secs(10));
    assert_eq!(short.rests_in(&state, now), secs(10));
}
