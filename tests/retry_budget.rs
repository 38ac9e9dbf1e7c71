//! Retry budgets as their users see them: what cannot be, what comes back and what is forgotten, and
//! outages that many share.

mod refused;

use proptest::collection::vec;
use proptest::prelude::*;
use refused::refuses;
use steadfast::backoff::Backoff;
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::random::SplitMix32;
use steadfast::retry::{Budget, BudgetSpent, NoBudget, RetryBudget, RetryPolicy, Step, StopReason};
use steadfast::shared::Shared;
use steadfast::time::{Instant, days, hours, millis, nanos, secs};

const NOW: Instant = Instant::from_secs(1_000_000);

/// One second each time.
const STEADY: Backoff = policy!(Backoff::fixed(secs(1)));

fn steady(attempts: u32) -> RetryPolicy {
    RetryPolicy::new(STEADY).attempts(attempts).build().unwrap()
}

#[test]
fn budgets_that_cannot_be() {
    let most = u32::MAX.into();
    refuses(RetryBudget::tokens(0).build(), "capacity", 0, (1, most));
    refuses(RetryBudget::tokens(4).build(), "cost", 5, (1, 4));
    refuses(
        RetryBudget::tokens(500).cost(0).build(),
        "cost",
        0,
        (1, 500),
    );
    refuses(RetryBudget::tokens(9).build(), "timeout_cost", 10, (1, 9));
    let adds = |count| RetryBudget::tokens(500).first_success_adds(count).build();
    refuses(adds(0), "first_success_adds", 0, (1, 500));
    refuses(adds(501), "first_success_adds", 501, (1, 500));

    let day = days(1).as_nanos();
    let ratio = RetryBudget::ratio;
    refuses(ratio(1_001, secs(10)).build(), "percent", 1_001, (0, 1_000));
    for window in [0, 9, day + 1, u64::MAX] {
        refuses(
            ratio(20, nanos(window)).build(),
            "window (ns)",
            window,
            (10, day),
        );
    }
    let floor =
        |percent, window, count| ratio(percent, window).min_retries_per_second(count).build();
    let name = "min_retries_per_second";
    // Nothing at all, and a floor of less than one retry in a window.
    refuses(floor(0, secs(10), 0), name, 0, (1, 214_748));
    refuses(floor(20, millis(50), 19), name, 19, (20, 42_949_672));
    refuses(floor(20, hours(1), 597), name, 597, (1, 596));
    for good in [
        floor(20, secs(10), 0),
        floor(0, secs(10), 1),
        floor(20, millis(50), 20),
        floor(1_000, hours(1), 596),
        floor(1, nanos(10), 0),
        floor(1, days(1), 24),
    ] {
        assert!(good.is_ok(), "{good:?}");
    }

    let throttle = |max, thousandths| RetryBudget::throttle(max, thousandths).build();
    refuses(throttle(2, 100), "max_tokens", 2, (3, 4_294_967));
    refuses(
        throttle(4_294_968, 1),
        "max_tokens",
        4_294_968,
        (3, 4_294_967),
    );
    refuses(throttle(10, 0), "thousandths", 0, (1, 10_000));
    refuses(throttle(10, 10_001), "thousandths", 10_001, (1, 10_000));
    assert!(throttle(4_294_967, 4_294_967_000).is_ok());
}

#[test]
fn presets_are_what_they_spell_out() {
    assert_eq!(
        RetryBudget::tokens(500).build(),
        Ok(RetryBudget::standard())
    );
    assert_eq!(
        RetryBudget::ratio(20, secs(10)).build(),
        Ok(RetryBudget::one_in_five())
    );
}

#[test]
fn a_ratio_has_its_floor_its_share_and_forgets_both() {
    let budget = Shared::budget(RetryBudget::one_in_five());
    let withdraw = |now| budget.withdraw(now, Outcome::TRANSIENT).is_ok();
    // Ten a second for ten seconds.
    assert_eq!(budget.available(NOW), 100_000);
    assert_eq!((0..200).filter(|_| withdraw(NOW)).count(), 100);
    let spent = budget.withdraw(NOW, Outcome::TRANSIENT).unwrap_err();
    assert_eq!(
        spent,
        BudgetSpent {
            left: 0,
            needed: 1_000
        }
    );

    // Every fifth call is worth one.
    for _ in 0..4 {
        budget.began(NOW);
        assert!(!withdraw(NOW));
    }
    budget.began(NOW);
    assert!(withdraw(NOW) && !withdraw(NOW));

    // What was taken counts for as long as what was deposited.
    assert!(!withdraw(NOW + secs(10) - nanos(1)));
    assert_eq!(budget.available(NOW + secs(10)), 100_000);

    // A success gives nothing back, and a failure takes nothing.
    let now = NOW + secs(60);
    let taken = budget.withdraw(now, Outcome::TimedOut).unwrap();
    budget.succeeded(now, Some(taken));
    budget.failed(now);
    assert_eq!(budget.available(now), 99_000);
    // A clock that goes back does neither.
    assert_eq!(budget.available(NOW), 99_000);
}

/// What is sent once an answer is late comes out of the same budget.
#[test]
fn retries_and_hedges_share_a_budget() {
    let budget = RetryBudget::tokens(15).build().unwrap();
    let budget = Shared::budget(budget);
    let hedge = budget.withdraw(NOW, Outcome::TimedOut).unwrap();
    assert_eq!(hedge.units(), 10);
    let policy = steady(4);
    let mut retry = policy.start(NOW);
    let mut said = || retry.step(&policy, NOW, Outcome::TRANSIENT, &budget, &mut || 0);
    assert_eq!(said().label(), "retry");
    assert_eq!(said().label(), "budget_spent");
    // The hedge has won.
    budget.succeeded(NOW, Some(hedge));
    assert_eq!(budget.available(NOW), 10);
}

/// By reference and behind a pointer, a budget is the same budget.
#[test]
fn a_budget_may_be_borrowed() {
    let budget = Shared::budget(RetryBudget::standard());
    let behind: &dyn Budget = &budget;
    let policy = steady(4);
    let mut retry = policy.start(NOW);
    let said = retry.step(&policy, NOW, Outcome::TRANSIENT, &behind, &mut || 0);
    assert_eq!(said.label(), "retry");
    assert_eq!(budget.available(NOW), 495);
    let said = retry.step(&policy, NOW, Outcome::Success, &behind, &mut || 0);
    assert_eq!(said, Step::Stop(StopReason::Succeeded));
    assert_eq!(budget.available(NOW), 500);
    behind.began(NOW);
    behind.failed(NOW);
    assert_eq!(budget.available(NOW), 500);
}

/// Calls to a target that is down, from many at once, through one budget.
fn requests_in_an_outage(budget: &impl Budget, callers: u32, calls: u32) -> u32 {
    let policy = RetryPolicy::background();
    let mut random = SplitMix32::new(3);
    let mut requests = 0;
    for call in 0..calls {
        let mut sessions = (0..callers).map(|_| policy.start(NOW)).collect::<Vec<_>>();
        let now = NOW + secs(call.into());
        while !sessions.is_empty() {
            sessions.retain_mut(|retry| {
                requests += 1;
                let outcome = Outcome::Transient { retry_after: None };
                let said = retry.step(&policy, now, outcome, budget, &mut random);
                matches!(said, Step::RetryAt(_))
            });
        }
    }
    requests
}

#[test]
fn an_outage_does_not_multiply_the_load() {
    // 100 retries are 500 tokens.
    for (callers, calls) in [(1, 1_000), (50, 20), (1_000, 3)] {
        let budget = Shared::budget(RetryBudget::standard());
        let requests = requests_in_an_outage(&budget, callers, calls);
        assert_eq!(requests, callers * calls + 100);
        assert_eq!(budget.available(NOW), 0);
        // Without a budget there are nine times as many.
        assert_eq!(
            requests_in_an_outage(&NoBudget, callers, calls),
            9 * callers * calls
        );
    }
}

proptest! {
    /// Callers with any luck, on one budget: the retries are never more than it has and gets.
    #[test]
    fn a_budget_is_never_overdrawn(
        capacity in 10..200_u32,
        calls in vec((0..6_u32, any::<bool>()), 1..200),
        seed in any::<u64>(),
    ) {
        let policy = RetryPolicy::internal();
        let budget = Shared::budget(RetryBudget::tokens(capacity).build().unwrap());
        let mut random = SplitMix32::new(seed);
        let (mut costs, mut back) = (0, 0);
        for (failures, times_out) in calls {
            let mut retry = policy.start(NOW);
            let mut last = None;
            for attempt in 0.. {
                let held = budget.available(NOW);
                let outcome = match (attempt < failures, times_out) {
                    (false, _) => Outcome::Success,
                    (true, true) => Outcome::TimedOut,
                    (true, false) => Outcome::TRANSIENT,
                };
                let said = retry.step(&policy, NOW, outcome, &budget, &mut random);
                if matches!(said, Step::RetryAt(_)) {
                    let cost = if times_out { 10 } else { 5 };
                    costs += cost;
                    last = Some(cost);
                    prop_assert_eq!(budget.available(NOW), held - cost);
                } else {
                    if outcome.is_success() {
                        back += last.unwrap_or(1);
                    }
                    break;
                }
            }
            prop_assert!(costs <= capacity + back);
            prop_assert!(budget.available(NOW) <= capacity);
        }
    }
}
