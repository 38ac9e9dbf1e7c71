//! Three budgets under one name: tokens, a share of the calls, a throttle.

use super::slices::Slices;
use super::{BudgetSpent, RatioBudgetConfig, Withdrawn};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant, secs};

/// A retry budget: how much all who call one target may retry together, hedges included.
///
/// | made by | a retry takes | it comes back | unit |
/// |---|---|---|---|
/// | [`tokens`](Self::tokens), [`standard`](Self::standard) | its cost | if the retry works or is not made; and a little with each call that works at first | a token |
/// | [`ratio`](Self::ratio) | one | with time; each call deposits its share, which is forgotten after the window | a thousandth of a retry |
/// | [`throttle`](Self::throttle) | nothing; each failure does | a little with each success | a thousandth of a token |
///
/// Share one among all calls to a target, by [`Shared`](crate::shared::Shared), and among their
/// hedges: then an outage of it does not multiply the load. With [`standard`](Self::standard), `n`
/// calls to a target that is down make at most 100 requests more than `n`.
///
/// The policy is 24 bytes, the state 56. O(1), without a division; a ratio adds up ten numbers.
///
/// ```
/// use steadfast::outcome::Outcome;
/// use steadfast::retry::{Budget, RetryBudget};
/// use steadfast::{shared::Shared, time::Instant};
///
/// static QUOTES: Shared<RetryBudget> = Shared::budget(RetryBudget::standard());
///
/// let now = Instant::from_secs(100);
/// let taken = QUOTES.withdraw(now, Outcome::TRANSIENT)?;
/// assert_eq!(QUOTES.available(now), 495);
/// // The retry worked, so what it took comes back.
/// QUOTES.succeeded(now, Some(taken));
/// assert_eq!(QUOTES.available(now), 500);
/// # Ok::<(), steadfast::retry::BudgetSpent>(())
/// ```
///
/// # When time misbehaves
///
/// Only a ratio looks at the clock. If it goes back by more than
/// [`CLOCK_LEAD`](crate::time::CLOCK_LEAD), what is in the window counts as of then, so from then on
/// nothing is remembered for longer than a window and 4.3 s; nothing is deposited or forgiven by it.
/// In a slice of a tenth of the window up to 2,147,483 retries are counted, and the share of as many;
/// beyond that it says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct RetryBudget(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub(super) enum Kind {
    Tokens {
        capacity: u32,
        cost: u32,
        timeout_cost: u32,
        first_success_adds: u32,
    },
    /// In thousandths of a retry.
    Ratio {
        deposit: i32,
        floor: i32,
        slice: Duration,
    },
    /// In thousandths of a token.
    Throttle { max: u32, success_adds: u32 },
}

/// How many units a retry is in a ratio, and a token in a throttle.
pub(super) const UNITS: i32 = 1_000;

/// What a [`RetryBudget`] remembers, whatever its kind. 56 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct RetryBudgetState {
    /// What is gone of tokens or of a throttle.
    used: u32,
    /// Of a ratio.
    slices: Slices,
}

impl RetryBudgetState {
    /// Everything is there.
    pub const FULL: Self = Self {
        used: 0,
        slices: Slices::EMPTY,
    };
}

impl RetryBudget {
    pub(super) const fn of(kind: Kind) -> Self {
        Self(kind)
    }

    /// 500 tokens. A retry takes 5, after a timeout 10, and gives them back if it works; a call that
    /// works at first gives 1.
    ///
    /// The numbers of the AWS SDKs' standard retry mode.
    pub const fn standard() -> Self {
        Self(Kind::Tokens {
            capacity: 500,
            cost: 5,
            timeout_cost: 10,
            first_success_adds: 1,
        })
    }

    /// A fifth of the calls of the last ten seconds, and ten retries a second on top: Finagle's
    /// numbers. To change them, see [`ratio`](Self::ratio).
    pub const fn one_in_five() -> Self {
        const CONFIG: RatioBudgetConfig = RetryBudget::ratio(20, secs(10));
        crate::policy!(CONFIG)
    }

    /// A call has come, which is not a retry.
    pub fn began(&self, state: &mut RetryBudgetState, now: Instant) {
        if let Kind::Ratio { deposit, slice, .. } = self.0 {
            state.slices.pass_to(now, slice);
            state.slices.deposit(deposit);
        }
    }

    /// An attempt has worked; `last` is what it had withdrawn, `None` if it was the first.
    pub const fn succeeded(&self, state: &mut RetryBudgetState, last: Option<Withdrawn>) {
        let back = match (self.0, last) {
            (Kind::Tokens { .. }, Some(last)) => last.units(),
            (
                Kind::Tokens {
                    first_success_adds, ..
                },
                None,
            ) => first_success_adds,
            (Kind::Throttle { success_adds, .. }, _) => success_adds,
            (Kind::Ratio { .. }, _) => 0,
        };
        state.used = state.used.saturating_sub(back);
    }

    /// An attempt has failed in a way that is worth a retry, whether it is retried or not.
    pub fn failed(&self, state: &mut RetryBudgetState) {
        if let Kind::Throttle { max, .. } = self.0 {
            state.used = state.used.saturating_add(UNITS.unsigned_abs()).min(max);
        }
    }

    /// Takes what a retry after `outcome` costs; what a hedge costs is that of
    /// [`Outcome::TimedOut`].
    ///
    /// # Errors
    ///
    /// If it is not there; nothing is taken.
    pub fn withdraw(
        &self,
        state: &mut RetryBudgetState,
        now: Instant,
        outcome: Outcome,
    ) -> Result<Withdrawn, BudgetSpent> {
        if let Kind::Ratio { slice, .. } = self.0 {
            state.slices.pass_to(now, slice);
        }
        let left = self.left(state);
        let (cost, needed) = match self.0 {
            Kind::Tokens {
                cost, timeout_cost, ..
            } => {
                let cost = if matches!(outcome, Outcome::TimedOut) {
                    timeout_cost
                } else {
                    cost
                };
                (cost, cost)
            }
            Kind::Ratio { .. } => (UNITS.unsigned_abs(), UNITS.unsigned_abs()),
            // More than half.
            Kind::Throttle { max, .. } => (0, (max >> 1).saturating_add(1)),
        };
        let there = match self.0 {
            Kind::Ratio { .. } => left >= needed && state.slices.withdraw(UNITS),
            Kind::Tokens { .. } => {
                left >= needed && {
                    state.used = state.used.saturating_add(cost);
                    true
                }
            }
            Kind::Throttle { .. } => left >= needed,
        };
        if there {
            Ok(Withdrawn::new(cost))
        } else {
            Err(BudgetSpent { left, needed })
        }
    }

    /// A retry is not made after all; `unused` is what it had withdrawn, and goes back. That of a ratio
    /// does not: it is forgotten with its slice, and might be so already.
    ///
    /// ```
    /// use steadfast::outcome::Outcome;
    /// use steadfast::retry::{RetryBudget, RetryBudgetState};
    /// use steadfast::time::Instant;
    ///
    /// let (budget, mut state) = (RetryBudget::standard(), RetryBudgetState::FULL);
    /// let now = Instant::from_secs(1);
    /// let taken = budget.withdraw(&mut state, now, Outcome::TRANSIENT)?;
    /// assert_eq!(budget.available(&state, now), 495);
    /// // Meanwhile the breaker has opened, and refuses it.
    /// budget.refund(&mut state, taken);
    /// assert_eq!(budget.available(&state, now), 500);
    /// # Ok::<(), steadfast::retry::BudgetSpent>(())
    /// ```
    pub const fn refund(&self, state: &mut RetryBudgetState, unused: Withdrawn) {
        if let Kind::Tokens { .. } = self.0 {
            state.used = state.used.saturating_sub(unused.units());
        }
    }

    /// What there is, in the budget's own units: those of [`BudgetSpent`].
    pub fn available(&self, state: &RetryBudgetState, now: Instant) -> u32 {
        let mut state = *state;
        if let Kind::Ratio { slice, .. } = self.0 {
            state.slices.pass_to(now, slice);
        }
        self.left(&state)
    }

    fn left(&self, state: &RetryBudgetState) -> u32 {
        match self.0 {
            Kind::Tokens { capacity: most, .. } | Kind::Throttle { max: most, .. } => {
                most.saturating_sub(state.used)
            }
            Kind::Ratio { floor, .. } => {
                let sum = state.slices.sum().saturating_add(i64::from(floor)).max(0);
                u32::try_from(sum).unwrap_or(u32::MAX)
            }
        }
    }
}
