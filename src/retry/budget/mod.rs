//! What all who call one target may retry together, so that an outage does not multiply the load.

mod config;
mod retry_budget;
mod shared;
mod slices;

pub use config::{RatioBudgetConfig, ThrottleConfig, TokenBudgetConfig};
pub use retry_budget::{RetryBudget, RetryBudgetState};

use core::fmt;

use crate::outcome::Outcome;
use crate::time::Instant;

/// What a session asks before it retries, and tells what came of each attempt.
///
/// By shared reference, since all calls to one target share one budget: each session alone may be
/// modest, and a thousand of them still send four times the load to a target that is down. Hedges
/// (a second request sent because the first is slow) come out of the same budget: they
/// [`withdraw`](Self::withdraw) as after [`Outcome::TimedOut`].
///
/// [`Shared`](crate::shared::Shared)`<`[`RetryBudget`]`>` is one; [`NoBudget`] says yes to all.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a budget that calls can share",
    note = "a `RetryBudget` is only the policy: `Shared::budget(..)` or a `Target` of \
            `steadfast-std` remembers, and is passed as `&it`",
    note = "one in an `Arc` is passed as `&*it`"
)]
pub trait Budget {
    /// A call has come, which is not a retry. Told once a call, when its first attempt is over.
    fn began(&self, now: Instant);

    /// An attempt has worked. `last` is what it has withdrawn; `None` if it was the first.
    fn succeeded(&self, now: Instant, last: Option<Withdrawn>);

    /// An attempt has failed in a way that is worth a retry, whether it is retried or not; or a layer
    /// below says not to retry it.
    fn failed(&self, now: Instant);

    /// Takes what a retry after `outcome` costs.
    ///
    /// # Errors
    ///
    /// If it is not there; nothing is taken.
    fn withdraw(&self, now: Instant, outcome: Outcome) -> Result<Withdrawn, BudgetSpent>;

    /// A retry is not made after all, since the breaker has opened meanwhile, say: `unused` is what
    /// it had withdrawn.
    fn refund(&self, now: Instant, unused: Withdrawn);
}

impl<B: Budget + ?Sized> Budget for &B {
    fn began(&self, now: Instant) {
        (**self).began(now);
    }

    fn succeeded(&self, now: Instant, last: Option<Withdrawn>) {
        (**self).succeeded(now, last);
    }

    fn failed(&self, now: Instant) {
        (**self).failed(now);
    }

    fn withdraw(&self, now: Instant, outcome: Outcome) -> Result<Withdrawn, BudgetSpent> {
        (**self).withdraw(now, outcome)
    }

    fn refund(&self, now: Instant, unused: Withdrawn) {
        (**self).refund(now, unused);
    }
}

/// No budget: every retry that the policy allows.
///
/// For work that is alone with its target. Where many call the same one, share a [`RetryBudget`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct NoBudget;

impl Budget for NoBudget {
    fn began(&self, _: Instant) {}

    fn succeeded(&self, _: Instant, _: Option<Withdrawn>) {}

    fn failed(&self, _: Instant) {}

    fn withdraw(&self, _: Instant, _: Outcome) -> Result<Withdrawn, BudgetSpent> {
        Ok(Withdrawn::NOTHING)
    }

    fn refund(&self, _: Instant, _: Withdrawn) {}
}

/// What a retry has taken from a budget, in the budget's own units. 4 bytes.
///
/// Handed back by [`Budget::succeeded`] if the retry works, by [`Budget::refund`] if it is not made,
/// and forgotten if it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[must_use = "a retry that works, or is not made, hands it back"]
pub struct Withdrawn(u32);

impl Withdrawn {
    /// Nothing.
    pub const NOTHING: Self = Self(0);

    /// So many units, for a budget of one's own.
    pub const fn new(units: u32) -> Self {
        Self(units)
    }

    /// How many units.
    pub const fn units(self) -> u32 {
        self.0
    }
}

/// A retry costs more than the budget has, in the budget's own units. 8 bytes.
///
/// ```
/// use steadfast::retry::BudgetSpent;
///
/// let spent = BudgetSpent { left: 3, needed: 5 };
/// assert_eq!(spent.to_string(), "retry budget spent: 3 left, 5 needed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct BudgetSpent {
    /// What there is.
    pub left: u32,
    /// What there would have to be.
    pub needed: u32,
}

impl fmt::Display for BudgetSpent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { left, needed } = self;
        write!(f, "retry budget spent: {left} left, {needed} needed")
    }
}

impl core::error::Error for BudgetSpent {}
