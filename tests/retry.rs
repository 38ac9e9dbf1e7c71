//! Retries as their users see them: every reason to stop, what is weighed before what, bad
//! policies, and clocks that jump. Budgets are in `retry_budget.rs`.

use std::cell::Cell;
use std::error::Error;

use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::ConfigError;
use steadfast::backoff::{Backoff, Jitter};
use steadfast::deadline::Deadline;
use steadfast::event::RetryEvent;
use steadfast::limit::MAX_WAIT;
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::random::{Random, SplitMix32};
use steadfast::retry::{
    Budget, BudgetSpent, NoBudget, Retry, RetryBudget, RetryBudgetState, RetryPolicy, Step,
    StopReason, Withdrawn,
};
use steadfast::shared::Shared;
use steadfast::time::{Duration, Instant, days, millis, minutes, nanos, secs};

const NOW: Instant = Instant::from_secs(1_000_000);

/// One second each time.
const STEADY: Backoff = policy!(Backoff::fixed(secs(1)));

fn steady(attempts: u32) -> RetryPolicy {
    RetryPolicy::new(STEADY).attempts(attempts).build().unwrap()
}

/// Without chance and budget.
fn step(retry: &mut Retry, policy: &RetryPolicy, now: Instant, outcome: Outcome) -> Step {
    retry.step(policy, now, outcome, &NoBudget, &mut || 0)
}

#[track_caller]
fn stops(step: Step, label: &str, text: &str) {
    let Step::Stop(reason) = step else {
        panic!("{step:?}, not {label}");
    };
    assert_eq!((step.label(), reason.label()), (label, label));
    assert_eq!(reason.to_string(), text);
    assert_eq!(step.to_string(), format!("stop: {text}"));
    assert!(Step::LABELS.contains(&label));
    assert_eq!(step.delay(NOW), None);
}

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
    for (policy, attempts, wait) in [
        (RetryPolicy::never(), 1, Duration::ZERO),
        (RetryPolicy::standard(), 4, millis(1_400)),
        (RetryPolicy::internal(), 5, millis(3_000)),
        (RetryPolicy::external(), 4, millis(1_400)),
        (RetryPolicy::user_facing(), 3, millis(600)),
        (RetryPolicy::background(), 9, millis(32_600)),
        (RetryPolicy::patient(), 5, millis(7_500)),
    ] {
        assert_eq!(policy.attempts(), attempts);
        assert_eq!(longest(policy), wait);
        assert_eq!(policy.max_elapsed(), None);
        assert_eq!(policy.max_server_delay(), secs(60));
    }
    assert_eq!(RetryPolicy::standard().backoff(), &Backoff::standard());
    assert_eq!(RetryPolicy::patient().backoff().nominal(9), secs(8));
    let spelt_out = RetryPolicy::new(Backoff::standard()).build();
    assert_eq!(spelt_out, Ok(RetryPolicy::standard()));
}

#[test]
fn each_outcome_is_retried_or_ends_it() {
    let policy = steady(4);
    for (outcome, end) in [
        (Outcome::TRANSIENT, None),
        (Outcome::TimedOut, None),
        (Outcome::Throttled { retry_after: None }, None),
        (Outcome::Success, Some(("succeeded", "it worked"))),
        (
            Outcome::Failure,
            Some(("not_retryable", "another attempt would not help")),
        ),
        (
            Outcome::Ignored,
            Some(("not_retryable", "another attempt would not help")),
        ),
        (
            Outcome::Exhausted,
            Some(("retried_below", "a layer below has retried it")),
        ),
        (Outcome::Cancelled, Some(("cancelled", "the caller left"))),
        (Outcome::Rejected, Some(("rejected", "it was never sent"))),
    ] {
        let mut retry = policy.start(NOW);
        let said = step(&mut retry, &policy, NOW, outcome);
        let Some((label, text)) = end else {
            assert_eq!(said, Step::RetryAt(NOW + secs(1)), "{outcome:?}");
            assert_eq!(said.delay(NOW), Some(secs(1)));
            assert_eq!(
                said.to_string(),
                "retry at 1000001s after the clock's start"
            );
            assert_eq!((retry.attempt(), retry.has_stopped()), (2, false));
            continue;
        };
        stops(said, label, text);
        assert_eq!((retry.attempt(), retry.has_stopped()), (1, true));
        // What comes late or twice changes nothing.
        let before = retry;
        let late = step(&mut retry, &policy, NOW + secs(9), Outcome::TRANSIENT);
        stops(late, "already_stopped", "the session had stopped before");
        assert_eq!(retry, before);
    }
}

#[test]
fn the_attempts_are_counted_with_the_first() {
    let policy = steady(3);
    let mut retry = policy.start(NOW);
    for attempt in 1..3 {
        assert_eq!(retry.attempt(), attempt);
        let said = step(&mut retry, &policy, NOW, Outcome::TRANSIENT);
        assert_eq!(said, Step::RetryAt(NOW + secs(1)));
    }
    let said = step(&mut retry, &policy, NOW, Outcome::TRANSIENT);
    stops(said, "attempts_spent", "attempt 3 was the last");

    let never = RetryPolicy::never();
    let said = step(&mut never.start(NOW), &never, NOW, Outcome::TRANSIENT);
    stops(said, "attempts_spent", "attempt 1 was the last");
}

#[test]
fn what_may_do_harm_is_done_once() {
    let policy = steady(4);
    let mut retry = policy.start(NOW).not_repeatable();
    let throttled = Outcome::Throttled {
        retry_after: Some(secs(1)),
    };
    let said = step(&mut retry, &policy, NOW, throttled);
    stops(said, "not_repeatable", "doing it twice may do harm");
    let mut retry = policy.start(NOW).not_repeatable();
    let said = step(&mut retry, &policy, NOW, Outcome::Ignored);
    assert_eq!(said, Step::Stop(StopReason::NotRetryable));
}

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

/// A budget that counts what it is asked for, and says no.
#[derive(Default)]
struct Stingy(Cell<u32>);

impl Budget for Stingy {
    fn began(&self, _: Instant) {}

    fn succeeded(&self, _: Instant, _: Option<Withdrawn>) {}

    fn failed(&self, _: Instant) {}

    fn withdraw(&self, _: Instant, _: Outcome) -> Result<steadfast::retry::Withdrawn, BudgetSpent> {
        self.0.set(self.0.get() + 1);
        Err(BudgetSpent { left: 3, needed: 5 })
    }
}

/// Everything says no; one after the other is mended, and the next one answers.
#[test]
fn the_order_in_which_reasons_are_weighed() {
    let asked = |wait| Outcome::Transient {
        retry_after: Some(wait),
    };
    let strict = |attempts, elapsed| {
        RetryPolicy::new(STEADY)
            .attempts(attempts)
            .max_elapsed(elapsed)
            .build()
            .unwrap()
    };
    let near = Deadline::after(NOW, millis(1));
    for (policy, deadline, repeatable, outcome, label) in [
        (
            strict(1, nanos(1)),
            near,
            false,
            Outcome::Ignored,
            "not_retryable",
        ),
        (
            strict(1, nanos(1)),
            near,
            false,
            asked(days(1)),
            "not_repeatable",
        ),
        (
            strict(1, nanos(1)),
            near,
            true,
            asked(days(1)),
            "attempts_spent",
        ),
        (
            strict(2, nanos(1)),
            near,
            true,
            asked(days(1)),
            "server_delay_too_long",
        ),
        (
            strict(2, nanos(1)),
            near,
            true,
            asked(secs(1)),
            "elapsed_spent",
        ),
        (
            strict(2, secs(2)),
            near,
            true,
            asked(secs(1)),
            "deadline_too_near",
        ),
        (
            strict(2, secs(2)),
            Deadline::NEVER,
            true,
            asked(secs(1)),
            "budget_spent",
        ),
    ] {
        let budget = Stingy::default();
        let mut retry = policy.start(NOW).until(deadline);
        if !repeatable {
            retry = retry.not_repeatable();
        }
        let said = retry.step(&policy, NOW, outcome, &budget, &mut || 0);
        assert_eq!(said.label(), label);
        // Only the last takes something, so only then it is asked.
        assert_eq!(budget.0.get(), u32::from(label == "budget_spent"));
        if label == "budget_spent" {
            stops(said, label, "retry budget spent: 3 left, 5 needed");
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

#[test]
fn events_read_as_a_line_of_a_log() {
    let mut event = RetryEvent {
        operation: "quote",
        attempt: 2,
        max_attempts: 4,
        outcome: Outcome::TimedOut,
        step: Step::RetryAt(NOW + millis(180)),
        took: millis(40),
        at: NOW,
    };
    assert_eq!(
        event.to_string(),
        "quote: attempt 2 of 4 timed_out, retry in 180ms"
    );
    assert_eq!(event.delay(), Some(millis(180)));
    event.step = Step::Stop(StopReason::AttemptsSpent { attempts: 4 });
    event.attempt = 4;
    assert_eq!(
        event.to_string(),
        "quote: attempt 4 of 4 timed_out, stop: attempt 4 was the last"
    );
    assert_eq!(event.delay(), None);
}

#[track_caller]
fn refuses<T: std::fmt::Debug>(
    built: Result<T, ConfigError>,
    field: &'static str,
    value: u64,
    (min, max): (u64, u64),
) {
    let error = built.unwrap_err();
    assert_eq!(error, ConfigError::new(field, value, min, max));
    let text = format!("{field} = {value}, allowed {min}..={max}");
    assert_eq!(error.to_string(), text);
    assert_eq!(error.message().as_str(), text);
    assert!(error.source().is_none());
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
