//! One service that is called: its name, its circuit breaker, its retry budget.

use std::sync::Arc;

use steadfast::breaker::{
    Breaker, BreakerState, CircuitBreaker, Consecutive, FastBreaker, Locked, Permit, Rejected,
    Standing, Transition, Trip,
};
use steadfast::call::Observe;
use steadfast::event::{BreakerEvent, BreakerOutcome};
use steadfast::outcome::Outcome;
use steadfast::retry::{Budget, BudgetSpent, RetryBudget, RetryBudgetState, Withdrawn};
use steadfast::time::Instant;

use super::MutexLocked;
use super::own_seed::OwnSeed;
use super::stripes::ThreadStripes;

/// One service that is called, and what all who call it share: a circuit breaker and a retry
/// budget.
///
/// While all is well, the breaker costs two loads a call, and the budget a lock of its own.
/// Everybody passes the time of one clock. The sentences of `Resilient` go by
/// `TokioTime::of_process`, and so must whoever asks beside them, for a status page or by hand: a
/// [`SystemClock`](crate::SystemClock) is about a century behind it.
///
/// With a [`Rate`](steadfast::breaker::Rate), good calls are counted by the thread that made them,
/// each in a place of its own, and decided by the same machine. Of the threads of a process twice as
/// many as there are processors have one, 4 to 64: those that called first and have not ended. The
/// others take the breaker's lock. The places of a target take 640 to 8,320 bytes.
///
/// ```
/// use steadfast::breaker::{Breaker, CircuitBreaker};
/// use steadfast::outcome::Outcome;
/// use steadfast::retry::RetryBudget;
/// use steadfast::time::Clock;
/// use steadfast_std::{SystemClock, Target};
///
/// static SHIPPING: Target = Target::new("shipping", Breaker::standard(), RetryBudget::standard());
///
/// let now = || SystemClock.now();
/// let call = SHIPPING.enter(now)?;
/// call.record(now, Outcome::Success);
/// # Ok::<(), steadfast::breaker::Rejected>(())
/// ```
#[derive(Debug)]
pub struct Target<T: Trip = Consecutive, const PROBES: usize = 1> {
    name: Name,
    breaker: FastBreaker<T, PROBES, OwnSeed<T, PROBES>, ThreadStripes>,
    policy: RetryBudget,
    budget: MutexLocked<RetryBudgetState>,
}

#[derive(Debug)]
pub(super) enum Name {
    Static(&'static str),
    /// Of a table's key.
    Owned(Arc<str>),
}

impl<T: Trip, const PROBES: usize> Target<T, PROBES> {
    /// A target with a breaker that is closed and a budget that is full.
    ///
    /// Its open time, if it has jitter, is drawn from a seed that this target has in this process
    /// alone, so that a fleet whose breakers have opened together does not probe together. The
    /// first call draws it. For a run that can be repeated, set one before it opens:
    ///
    /// ```
    /// # use steadfast::breaker::{Breaker, CircuitBreaker};
    /// # use steadfast::outcome::Outcome;
    /// # use steadfast::retry::RetryBudget;
    /// # use steadfast::time::Instant;
    /// # use steadfast_std::Target;
    /// let breaker = Breaker::consecutive(1).open_jitter_percent(50).build()?;
    /// let open_time = |seed| {
    ///     let target = Target::new("shipping", breaker, RetryBudget::standard());
    ///     target.with_breaker(|_, state| state.seed(seed));
    ///     let now = || Instant::from_secs(1);
    ///     target.enter(now).ok()?.record(now, Outcome::TimedOut);
    ///     target.standing(now()).retry_after
    /// };
    /// assert_eq!(open_time(7), open_time(7));
    /// assert_ne!(open_time(7), open_time(8));
    /// # Ok::<(), steadfast::ConfigError>(())
    /// ```
    pub const fn new(name: &'static str, breaker: Breaker<T, PROBES>, budget: RetryBudget) -> Self {
        let state = OwnSeed::to_be_drawn(BreakerState::CLOSED);
        Self::of(Name::Static(name), breaker, budget, state)
    }

    pub(super) const fn of(
        name: Name,
        breaker: Breaker<T, PROBES>,
        budget: RetryBudget,
        state: OwnSeed<T, PROBES>,
    ) -> Self {
        Self {
            name,
            breaker: FastBreaker::with_good_calls(breaker, state, ThreadStripes::new()),
            policy: budget,
            budget: MutexLocked::new(RetryBudgetState::FULL),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match &self.name {
            Name::Static(name) => name,
            Name::Owned(name) => name,
        }
    }

    /// How its breaker stands, for a status page.
    pub fn standing(&self, now: Instant) -> Standing {
        self.breaker.standing(now)
    }

    /// What there is in its retry budget, in the budget's own units.
    pub fn budget_available(&self, now: Instant) -> u32 {
        self.budget.with(|state| self.policy.available(state, now))
    }

    /// The breaker's policy and state, for what is done by hand: [`Breaker::force_open`],
    /// [`Breaker::reset`] and the like. Let it be short, and do not ask this target in it.
    ///
    /// What that changed is told to nobody: where somebody watches, change it by
    /// [`by_hand`](Self::by_hand).
    pub fn with_breaker<R>(
        &self,
        work: impl FnOnce(&Breaker<T, PROBES>, &mut BreakerState<T, PROBES>) -> R,
    ) -> R {
        self.breaker.with_state(work)
    }

    /// Changes the breaker by hand and tells whoever watches, as a call that changes it does. What
    /// changed; `None` if nothing did.
    ///
    /// ```
    /// # #[cfg(feature = "tokio")]
    /// # {
    /// use steadfast::breaker::{Breaker, Phase};
    /// use steadfast::call::Observe;
    /// use steadfast::event::BreakerEvent;
    /// use steadfast::retry::RetryBudget;
    /// use steadfast::time::Clock;
    /// use steadfast_std::{Target, TokioTime};
    ///
    /// struct Log;
    /// impl Observe for Log {
    ///     fn guarded(&self, event: &BreakerEvent<'_>) {
    ///         println!("{} {}", event.breaker, event.outcome.label());
    ///     }
    /// }
    ///
    /// static SHIPPING: Target = Target::new("shipping", Breaker::standard(), RetryBudget::standard());
    ///
    /// let now = TokioTime::of_process().now();
    /// // Prints: shipping forced_open
    /// SHIPPING.by_hand(now, &Log, |breaker, state| breaker.force_open(state, now));
    /// assert_eq!(SHIPPING.standing(now).phase, Phase::ForcedOpen);
    /// # }
    /// ```
    pub fn by_hand<O: Observe>(
        &self,
        now: Instant,
        observer: &O,
        work: impl FnOnce(&Breaker<T, PROBES>, &mut BreakerState<T, PROBES>) -> Option<Transition>,
    ) -> Option<Transition> {
        let change = self.breaker.with_state(work)?;
        observer.guarded(&BreakerEvent {
            breaker: self.name(),
            outcome: BreakerOutcome::Changed(change),
            at: now,
        });
        Some(change)
    }
}

impl<T: Trip, const PROBES: usize> CircuitBreaker for Target<T, PROBES> {
    #[inline]
    fn try_enter(&self, now: impl FnOnce() -> Instant) -> Result<Permit, Rejected> {
        self.breaker.try_enter(now)
    }

    #[inline]
    fn record(
        &self,
        now: impl FnOnce() -> Instant,
        permit: Permit,
        outcome: Outcome,
    ) -> Option<Transition> {
        self.breaker.record(now, permit, outcome)
    }

    #[inline]
    fn cancel(&self, permit: Permit) {
        self.breaker.cancel(permit);
    }

    fn name(&self) -> Option<&str> {
        Some(self.name())
    }
}

impl<T: Trip, const PROBES: usize> Budget for Target<T, PROBES> {
    fn began(&self, now: Instant) {
        self.budget.with(|state| self.policy.began(state, now));
    }

    fn succeeded(&self, _: Instant, last: Option<Withdrawn>) {
        self.budget.with(|state| self.policy.succeeded(state, last));
    }

    fn failed(&self, _: Instant) {
        self.budget.with(|state| self.policy.failed(state));
    }

    fn withdraw(&self, now: Instant, outcome: Outcome) -> Result<Withdrawn, BudgetSpent> {
        self.budget
            .with(|state| self.policy.withdraw(state, now, outcome))
    }

    fn refund(&self, _: Instant, unused: Withdrawn) {
        self.budget.with(|state| self.policy.refund(state, unused));
    }
}
