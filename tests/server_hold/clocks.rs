//! Clocks that lag, jump back or do worse: no hold is cut short by them, and none lasts for ever.

use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::limit::{CLOCK_LEAD, Policy, ServerHold, ServerHoldState};
use steadfast::time::{Instant, minutes, nanos, secs};

use crate::model::schedule::play;
use crate::{OBEDIENT, SPREADING, left, retry_after};

fn may(
    policy: &impl Policy<State = ServerHoldState>,
    state: &ServerHoldState,
    now: Instant,
) -> bool {
    policy.decide(&mut state.clone(), now, 1).is_ok()
}

/// Another core's clock may lag a little: the end of a hold stays where it is.
#[test]
fn a_clock_that_lags_by_the_lead_leaves_a_hold_alone() {
    let now = Instant::from_secs(100);
    let mut state = ServerHold::FULL;
    OBEDIENT.record(&mut state, now, 429, &retry_after("3"));
    let back = now - CLOCK_LEAD;
    let denied = OBEDIENT.decide(&mut state, back, 1).unwrap_err();
    assert_eq!(denied.retry_after(), Some(secs(3) + CLOCK_LEAD));
    assert!(!may(&OBEDIENT, &state, now + secs(3) - nanos(1)));
    assert!(may(&OBEDIENT, &state, now + secs(3)));
}

/// One nanosecond more, and the hold is counted anew: as long as it was, even after a no.
#[test]
fn after_a_far_jump_back_a_hold_lasts_as_long_as_the_server_asked() {
    let now = Instant::from_secs(1_000_000);
    let mut state = ServerHold::FULL;
    OBEDIENT.record(&mut state, now, 429, &retry_after("3"));
    for back in [now - CLOCK_LEAD - nanos(1), Instant::from_secs(5)] {
        let mut state = state;
        let denied = OBEDIENT.decide(&mut state, back, 1).unwrap_err();
        assert_eq!(denied.retry_after(), Some(secs(3)));
        assert!(!may(&OBEDIENT, &state, back + secs(3) - nanos(1)));
        assert!(may(&OBEDIENT, &state, back + secs(3)));
    }
}

/// Each step is small enough to be believed; together they are hours.
#[test]
fn many_small_steps_back_do_not_make_a_long_hold_of_a_short_one() {
    let mut now = Instant::from_secs(100_000);
    let mut state = ServerHold::FULL;
    for _ in 0..10_000 {
        OBEDIENT.record(&mut state, now, 429, &retry_after("3"));
        now = now - secs(4);
        let wait = OBEDIENT.wait(&state, now);
        assert!(wait <= secs(3) + CLOCK_LEAD, "{wait} at {now:?}");
    }
}

/// A pace does not wait for places that a clock took before it went back.
#[test]
fn after_a_far_jump_back_a_new_pace_begins_now() {
    let mut state = ServerHold::FULL;
    assert!(
        SPREADING
            .decide(&mut state, Instant::from_secs(1_000_000), 1)
            .is_ok()
    );
    let now = Instant::from_secs(5);
    SPREADING.record(&mut state, now, 200, &left(10, 50));
    assert_eq!(SPREADING.wait(&state, now), secs(5));
}

/// And a pace that is in force goes on from now, not from its reset.
#[test]
fn after_a_far_jump_back_a_pace_goes_on_from_now() {
    let mut state = ServerHold::FULL;
    let then = Instant::from_secs(1_000_000);
    SPREADING.record(&mut state, then, 200, &left(10, 50));
    assert!(SPREADING.decide(&mut state, then + secs(20), 1).is_ok());
    let now = Instant::from_secs(5);
    assert_eq!(SPREADING.wait(&state, now), secs(5));
}

/// What was taken before a far jump back is not given back after it.
#[test]
fn a_refund_after_a_far_jump_back_gives_nothing_back() {
    let mut state = ServerHold::FULL;
    let then = Instant::from_secs(1_000_000);
    SPREADING.record(&mut state, then, 200, &left(1, 60));
    let granted = SPREADING.decide(&mut state, then + secs(20), 1).unwrap();
    let now = then - secs(10);
    SPREADING.refund(&mut state, now, &granted);
    assert_eq!(SPREADING.wait(&state, now), minutes(1));
}

/// Whatever the clock does and whatever is said, nobody waits longer than the longest hold and
/// the lead, and waiting as told is enough.
#[test]
fn under_any_clock_a_wait_is_bounded_and_true() {
    let step = (
        any::<u64>(),
        0..3_u8,
        any::<u64>(),
        any::<u64>(),
        any::<bool>(),
    );
    play("server hold, any clock", vec(step, 1..40), |steps| {
        let mut state = ServerHold::FULL;
        let count = steps.len() as u64;
        for (at, kind, first, second, near) in steps {
            // Far jumps, and small ones around one point.
            let now = if near { (1 << 60) + (at >> 30) } else { at };
            let now = Instant::from_nanos(now);
            match kind {
                0 => {
                    let quota = retry_after(&(first >> 55).to_string());
                    SPREADING.record(&mut state, now, 503, &quota);
                }
                1 => SPREADING.record(&mut state, now, 200, &left(first >> 56, second >> 55)),
                _ => drop(SPREADING.decide(&mut state, now, first as u32)),
            }
            let wait = SPREADING.wait(&state, now);
            prop_assert!(wait <= minutes(1) + CLOCK_LEAD, "{}", wait);
            let mut copy = state;
            SPREADING.mend(&mut copy, now);
            prop_assert!(SPREADING.decide(&mut copy, now + wait, 1).is_ok());
            prop_assert!(SPREADING.rests_in(&state, now) <= minutes(1) + CLOCK_LEAD);
        }
        Ok(count)
    });
}
