//! The script for sessions of retries, three at a time, that share a budget.

use core::cell::Cell;

use steadfast::deadline::Deadline;
use steadfast::event::RetryEvent;
use steadfast::outcome::Outcome;
use steadfast::random::SplitMix32;
use steadfast::retry::{
    Budget, BudgetSpent, Retry, RetryBudget, RetryBudgetState, RetryPolicy, Step, Withdrawn,
};
use steadfast::time::{Duration, Instant};

use crate::random::Random;
use crate::stage::Stage;

/// Any outcome; `failing` in 16 are no success.
pub(crate) fn outcome(random: &mut Random, failing: u32) -> Outcome {
    if random.below(16) >= failing {
        return Outcome::Success;
    }
    let asked = (random.below(3) == 0).then(|| Duration::from_nanos(random.up_to_bits(37)));
    match random.below(16) {
        0..7 => Outcome::Transient { retry_after: asked },
        7..10 => Outcome::TimedOut,
        10 => Outcome::Throttled { retry_after: asked },
        11 => Outcome::ThrottledBelow { retry_after: asked },
        12 => Outcome::Failure,
        13 => Outcome::Exhausted,
        14 => Outcome::Ignored,
        _ if random.below(2) == 0 => Outcome::Cancelled,
        _ => Outcome::Rejected,
    }
}

/// A budget that a `Cell` shares, since this home has no interrupts.
pub(crate) struct Purse {
    policy: RetryBudget,
    state: Cell<RetryBudgetState>,
}

impl Purse {
    pub const fn new(policy: RetryBudget) -> Self {
        Self {
            policy,
            state: Cell::new(RetryBudgetState::FULL),
        }
    }

    fn with<R>(&self, change: impl FnOnce(&RetryBudget, &mut RetryBudgetState) -> R) -> R {
        let mut state = self.state.get();
        let said = change(&self.policy, &mut state);
        self.state.set(state);
        said
    }
}

impl Budget for Purse {
    fn began(&self, now: Instant) {
        self.with(|policy, state| policy.began(state, now));
    }

    fn succeeded(&self, _: Instant, last: Option<Withdrawn>) {
        self.with(|policy, state| policy.succeeded(state, last));
    }

    fn failed(&self, _: Instant) {
        self.with(RetryBudget::failed);
    }

    fn withdraw(&self, now: Instant, outcome: Outcome) -> Result<Withdrawn, BudgetSpent> {
        self.with(|policy, state| policy.withdraw(state, now, outcome))
    }

    fn refund(&self, _: Instant, unused: Withdrawn) {
        self.with(|policy, state| policy.refund(state, unused));
    }
}

/// Plays sessions of any of `policies`. A yes is another attempt.
pub(crate) fn play(stage: &mut Stage, policies: &[RetryPolicy], budget: &impl Budget) {
    let mut random = SplitMix32::new(stage.random.word());
    let mut sessions: [Option<(RetryPolicy, Retry)>; 3] = [None; 3];
    stage.each_step(|stage| {
        let now = stage.now();
        let which = stage.random.below(3) as usize;
        let Some(place) = sessions.get_mut(which) else {
            return;
        };
        let anew = match place {
            // One that has stopped is told of a late outcome now and then.
            Some((_, retry)) if retry.has_stopped() => stage.random.below(8) != 0,
            Some(_) => stage.random.below(64) == 0,
            None => true,
        };
        if anew && let Some(&policy) = stage.random.pick(policies) {
            *place = Some((policy, begun(stage, &policy)));
        }
        let Some((policy, retry)) = place else {
            return;
        };
        if stage.random.below(32) == 0 {
            // Whoever waits has left.
            retry.cancel(now, budget);
            stage.tell(retry.has_stopped());
            return;
        }
        let outcome = outcome(&mut stage.random, 11);
        let attempt = retry.attempt();
        let step = retry.step(policy, now, outcome, budget, &mut random);
        stage.count(matches!(step, Step::RetryAt(_)));
        if let Some(delay) = step.delay(now) {
            stage.promise(delay);
        }
        stage.tell(step);
        stage.tell((retry.elapsed(now), retry.deadline()));
        stage.tell_words(RetryEvent {
            operation: "trace",
            attempt,
            max_attempts: policy.attempts(),
            outcome,
            step,
            took: Duration::ZERO,
            at: now,
        });
    });
}

/// A session with a deadline or without, of what may be repeated or, seldom, may not.
fn begun(stage: &mut Stage, policy: &RetryPolicy) -> Retry {
    let mut retry = policy.start(stage.now());
    if stage.random.below(2) == 0 {
        let limit = Duration::from_nanos(stage.random.up_to_bits(42));
        retry = retry.until(Deadline::after(stage.now(), limit));
    }
    if stage.random.below(16) == 0 {
        retry = retry.not_repeatable();
    }
    retry
}
