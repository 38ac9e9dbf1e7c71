//! Presets, policies that cannot be, and how large everything is.

use steadfast::backoff::Backoff;
use steadfast::limit::MAX_WAIT;
use steadfast::retry::{
    BudgetSpent, Retry, RetryBudget, RetryBudgetState, RetryPolicy, Step, StopReason, Withdrawn,
};
use steadfast::time::{Duration, millis, minutes, nanos, secs};

use crate::STEADY;
use crate::refused::refuses;

#[test]
#[cfg(target_pointer_width = "64")]
fn sizes_are_as_documented() {
    assert_eq!(size_of::<RetryPolicy>(), 72);
    assert_eq!(size_of::<Retry>(), 56);
    assert_eq!(size_of::<Step>(), 24);
    assert_eq!(size_of::<StopReason>(), 24);
    assert_eq!(size_of::<Withdrawn>(), 4);
    assert_eq!(size_of::<BudgetSpent>(), 8);
    assert_eq!(size_of::<RetryBudget>(), 24);
    assert_eq!(size_of::<RetryBudgetState>(), 56);
}

#[test]
fn presets_have_the_numbers_of_their_documentation() {
    let longest = |policy: RetryPolicy| {
        let waits = policy.attempts() - 1;
        (0..waits).fold(Duration::ZERO, |sum, retry| {
            sum + policy.backoff().nominal(retry)
        })
    };
    let minute = minutes(1);
    for (policy, attempts, wait, asked) in [
        (RetryPolicy::never(), 1, Duration::ZERO, minute),
        (RetryPolicy::standard(), 4, millis(1_400), minute),
        (RetryPolicy::internal(), 5, millis(3_000), minute),
        (RetryPolicy::external(), 4, millis(1_400), minute),
        (RetryPolicy::user_facing(), 3, millis(600), secs(3)),
        (RetryPolicy::background(), 9, millis(32_600), minute),
        (RetryPolicy::patient(), 5, millis(7_500), minute),
    ] {
        assert_eq!(policy.attempts(), attempts);
        assert_eq!(longest(policy), wait);
        assert_eq!(policy.max_elapsed(), None);
        assert_eq!(policy.max_server_delay(), asked);
    }
    assert_eq!(RetryPolicy::standard().backoff(), &Backoff::standard());
    assert_eq!(RetryPolicy::patient().backoff().nominal(9), secs(8));
    let spelt_out = RetryPolicy::new(Backoff::standard()).build();
    assert_eq!(spelt_out, Ok(RetryPolicy::standard()));
}

#[test]
fn policies_that_cannot_be() {
    let new = || RetryPolicy::new(STEADY);
    let (most, longest) = (u32::MAX.into(), MAX_WAIT.as_nanos());
    refuses(new().attempts(0).build(), "attempts", 0, (1, most));
    for limit in [0, longest + 1, u64::MAX] {
        refuses(
            new().max_elapsed(nanos(limit)).build(),
            "max_elapsed (ns)",
            limit,
            (1, longest),
        );
        refuses(
            new().max_server_delay(nanos(limit)).build(),
            "max_server_delay (ns)",
            limit,
            (1, longest),
        );
    }
    let ends = new()
        .attempts(u32::MAX)
        .max_elapsed(MAX_WAIT)
        .max_server_delay(nanos(1));
    assert!(ends.build().is_ok());
}
