//! Whatever the outcomes, the servers and the clocks: no session goes beyond what it is allowed.

use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::backoff::Backoff;
use steadfast::deadline::Deadline;
use steadfast::outcome::Outcome;
use steadfast::random::SplitMix32;
use steadfast::retry::{RetryBudget, RetryPolicy, Step};
use steadfast::shared::Shared;
use steadfast::time::{Duration, Instant, nanos};

use crate::NOW;

/// What happens at one step.
#[derive(Clone, Copy, Debug)]
struct Event {
    moves: i64,
    waits: bool,
    kind: u8,
    asked: Option<u64>,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let moves = prop_oneof![
        6 => 0..3_000_000_000_i64,
        1 => -3_000_000_000..0_i64,
        1 => Just(86_400_000_000_000_i64),
        1 => Just(-86_400_000_000_000_i64),
    ];
    let asked = prop_oneof![
        3 => Just(None),
        1 => (0..4_000_000_000_u64).prop_map(Some),
        1 => any::<u64>().prop_map(|some| Some(some >> 20)),
    ];
    let event = (moves, any::<bool>(), 0..20_u8, asked);
    let event = event.prop_map(|(moves, waits, kind, asked)| Event {
        moves,
        waits,
        kind,
        asked,
    });
    vec(event, 1..40)
}

proptest! {
    /// Whatever the outcomes, the servers and the clocks.
    #[test]
    fn no_session_goes_beyond_what_it_is_allowed(
        attempts in 1..12_u32,
        limit in prop_oneof![Just(None), (1..20_000_000_000_u64).prop_map(Some)],
        within in prop_oneof![Just(None), (0..20_000_000_000_u64).prop_map(Some)],
        capacity in 10..60_u32,
        seed in any::<u64>(),
        events in events(),
    ) {
        let config = RetryPolicy::new(Backoff::standard()).attempts(attempts);
        let config = match limit {
            Some(limit) => config.max_elapsed(nanos(limit)),
            None => config,
        };
        let policy = config.build().unwrap();
        let budget = Shared::budget(RetryBudget::tokens(capacity).build().unwrap());
        let deadline = within.map_or(Deadline::NEVER, |within| Deadline::after(NOW, nanos(within)));
        let mut random = SplitMix32::new(seed);

        let (mut now, mut named) = (NOW, None);
        let mut retry = policy.start(now).until(deadline);
        let (mut forward, mut retries) = (Duration::ZERO, 0);
        for event in events {
            let before = now;
            if let Some(at) = named.filter(|_| event.waits) {
                now = at;
            }
            now = Instant::from_nanos(now.as_nanos().saturating_add_signed(event.moves));
            forward = forward + now.since(before);
            let retry_after = event.asked.map(nanos);
            let outcome = match event.kind {
                0..=8 => Outcome::Transient { retry_after },
                9..=13 => Outcome::TimedOut,
                14..=18 => Outcome::Throttled { retry_after },
                _ => Outcome::Success,
            };
            let held = budget.available(now);
            let said = retry.step(&policy, now, outcome, &budget, &mut random);
            let Step::RetryAt(at) = said else {
                // A retry that is not made takes nothing.
                prop_assert!(budget.available(now) >= held);
                break;
            };
            retries += 1;
            prop_assert!(retries < attempts);
            prop_assert!(outcome.is_retryable());
            prop_assert!(at >= now);
            prop_assert!(at < deadline.instant());
            let delay = at.since(now);
            // Nor past what was left of the deadline when it began, however the clock went.
            prop_assert!(within.is_none_or(|within| forward + delay < nanos(within)));
            prop_assert!(limit.is_none_or(|limit| forward + delay <= nanos(limit)));
            match outcome.retry_after().filter(|asked| *asked > Duration::ZERO) {
                Some(asked) => {
                    prop_assert_eq!(delay, asked);
                    prop_assert!(asked <= policy.max_server_delay());
                }
                None => prop_assert!(delay <= policy.backoff().nominal(retries - 1)),
            }
            let cost = if outcome == Outcome::TimedOut { 10 } else { 5 };
            prop_assert_eq!(budget.available(now), held - cost);
            named = Some(at);
        }
    }
}
