//! Retries as their users see them: every reason to stop, what is weighed before what, bad
//! policies, and clocks that jump. One part of it a file. Budgets are in `retry_budget.rs`.

mod delays;
mod policies;
mod random;
mod reasons;
#[path = "../refused/mod.rs"]
mod refused;
mod time;

use steadfast::backoff::Backoff;
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::retry::{NoBudget, Retry, RetryPolicy, Step};
use steadfast::time::{Instant, secs};

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
