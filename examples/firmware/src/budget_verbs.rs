//! All that is asked of a retry budget: of each kind the same, so that their images compare.

use core::hint::black_box;

use steadfast::outcome::Outcome;
use steadfast::retry::{Budget, BudgetSpent, RetryBudget, Withdrawn};
use steadfast::shared::Shared;
use steadfast::time::Instant;

/// Each verb once: a call comes, fails, asks for a retry, and works.
///
/// # Errors
///
/// If the budget has nothing left for a retry.
pub fn all_verbs(purse: &Shared<RetryBudget>, now: Instant) -> Result<Withdrawn, BudgetSpent> {
    purse.began(now);
    purse.failed(now);
    let said = purse.withdraw(now, black_box(Outcome::TimedOut));
    purse.succeeded(now, said.ok());
    said
}
