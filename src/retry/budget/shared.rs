//! A retry budget by `&self`, for all who call one target.

use core::cell::Cell;

use super::{Budget, BudgetSpent, RetryBudget, RetryBudgetState, Withdrawn};
use crate::outcome::Outcome;
use crate::shared::{Machine, Shared};
use crate::time::Instant;

impl Machine for RetryBudget {
    type Policy = Self;
    type Cell = Cell<RetryBudgetState>;
}

impl Shared<RetryBudget> {
    /// Shares a budget, which begins full. Each call of it is one critical section.
    pub const fn budget(policy: RetryBudget) -> Self {
        Self::of(policy, RetryBudgetState::FULL)
    }

    /// What there is, in the budget's own units; see [`RetryBudget::available`].
    pub fn available(&self, now: Instant) -> u32 {
        let (policy, state) = self.look();
        policy.available(&state, now)
    }
}

impl Budget for Shared<RetryBudget> {
    fn began(&self, now: Instant) {
        self.update(|policy, state| policy.began(state, now));
    }

    fn succeeded(&self, _: Instant, last: Option<Withdrawn>) {
        self.update(|policy, state| policy.succeeded(state, last));
    }

    fn failed(&self, _: Instant) {
        self.update(RetryBudget::failed);
    }

    fn withdraw(&self, now: Instant, outcome: Outcome) -> Result<Withdrawn, BudgetSpent> {
        self.update(|policy, state| policy.withdraw(state, now, outcome))
    }

    fn refund(&self, _: Instant, unused: Withdrawn) {
        self.update(|policy, state| policy.refund(state, unused));
    }
}
