//! What is left until the reset, spread: when each may pass, and what a refund gives back.

use steadfast::limit::{Policy, ServerHold};
use steadfast::time::{Duration, Instant, nanos, secs};

use crate::{SPREADING, left, retry_after};

#[test]
fn a_pace_is_counted_from_the_last_that_passed_and_ends_with_the_reset() {
    let mut state = ServerHold::FULL;
    let now = Instant::from_secs(100);
    assert!(SPREADING.decide(&mut state, now, 1).is_ok());
    // The answer is a second on its way.
    SPREADING.record(&mut state, now + secs(1), 200, &left(3, 10));
    let third = nanos(3_333_333_334);
    assert_eq!(SPREADING.wait(&state, now), third);
    assert!(
        SPREADING
            .decide(&mut state, now + third - nanos(1), 1)
            .is_err()
    );
    assert!(SPREADING.decide(&mut state, now + third, 1).is_ok());
    // Three at once take three places, but none beyond the reset.
    assert!(
        SPREADING
            .decide(&mut state, now + third.saturating_mul(2), 3)
            .is_ok()
    );
    assert!(
        SPREADING
            .decide(&mut state, now + secs(11) - nanos(1), 1)
            .is_err()
    );
    for _ in 0..10 {
        assert!(SPREADING.decide(&mut state, now + secs(11), 1).is_ok());
    }
}

#[test]
fn a_refund_gives_a_place_of_the_pace_back_and_no_more() {
    let mut state = ServerHold::FULL;
    let now = Instant::from_secs(100);
    SPREADING.record(&mut state, now, 200, &left(10, 50));
    let first = SPREADING.decide(&mut state, now, 1).unwrap();
    assert_eq!(SPREADING.wait(&state, now), secs(5));
    SPREADING.refund(&mut state, now + secs(1), &first);
    assert_eq!(SPREADING.wait(&state, now + secs(1)), Duration::ZERO);

    let first = SPREADING.decide(&mut state, now + secs(1), 1).unwrap();
    assert!(SPREADING.decide(&mut state, now + secs(6), 1).is_ok());
    SPREADING.refund(&mut state, now + secs(6), &first);
    assert_eq!(
        SPREADING.wait(&state, now + secs(6)),
        secs(5),
        "another's place"
    );

    // A hold is nobody's to give back.
    SPREADING.record(&mut state, now + secs(6), 429, &retry_after("9"));
    SPREADING.refund(&mut state, now + secs(6), &first);
    assert_eq!(SPREADING.wait(&state, now + secs(6)), secs(9));
}

/// Two pass at one instant, before a pace is known. The one that is given back was no place of it,
/// so the other still counts.
#[test]
fn a_refund_of_what_passed_without_a_pace_gives_back_no_others_place() {
    let mut state = ServerHold::FULL;
    let now = Instant::from_secs(100);
    let first = SPREADING.decide(&mut state, now, 1).unwrap();
    assert!(SPREADING.decide(&mut state, now, 1).is_ok());
    SPREADING.record(&mut state, now, 200, &left(10, 50));
    SPREADING.refund(&mut state, now, &first);
    assert_eq!(SPREADING.wait(&state, now), secs(5));

    // Nor after the reset, where the last pace is still remembered.
    let later = now + secs(50);
    let first = SPREADING.decide(&mut state, later, 1).unwrap();
    assert!(SPREADING.decide(&mut state, later, 1).is_ok());
    SPREADING.record(&mut state, later, 200, &left(10, 50));
    SPREADING.refund(&mut state, later, &first);
    assert_eq!(SPREADING.wait(&state, later), secs(5));
}

/// A place of 5 s is no place of 10 s.
#[test]
fn a_refund_after_the_pace_has_changed_gives_nothing_back() {
    let now = Instant::from_secs(100);
    for (remaining, wait) in [(10, 0), (5, 10)] {
        let mut state = ServerHold::FULL;
        SPREADING.record(&mut state, now, 200, &left(10, 50));
        let granted = SPREADING.decide(&mut state, now, 1).unwrap();
        SPREADING.record(&mut state, now, 200, &left(remaining, 50));
        SPREADING.refund(&mut state, now, &granted);
        assert_eq!(SPREADING.wait(&state, now), secs(wait));
    }
}

/// All of its places, and those that the reset has cut off are none.
#[test]
fn a_refund_of_several_gives_all_their_places_back() {
    let now = Instant::from_secs(100);
    for cost in [2, 5, 1_000] {
        let mut state = ServerHold::FULL;
        SPREADING.record(&mut state, now, 200, &left(10, 50));
        let granted = SPREADING.decide(&mut state, now, cost).unwrap();
        let expected = secs(5).saturating_mul(cost.into()).min(secs(50));
        assert_eq!(SPREADING.wait(&state, now), expected);
        SPREADING.refund(&mut state, now, &granted);
        assert_eq!(SPREADING.wait(&state, now), Duration::ZERO);
    }
}
