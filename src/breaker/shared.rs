//! A breaker in a `static`, behind a critical section.

use core::cell::{Cell, RefCell};

use super::{
    Breaker, BreakerState, Breakers, CircuitBreaker, Consecutive, Permit, Phase, Rejected,
    Standing, Transition, Trip,
};
use crate::outcome::Outcome;
use crate::shared::{Machine, Shared};
use crate::time::Instant;

impl<T: Trip, const PROBES: usize> Machine for Breaker<T, PROBES> {
    type Policy = Self;
    type Cell = Cell<BreakerState<T, PROBES>>;
}

/// A breaker in a `static`. Each call is one critical section.
///
/// ```
/// use steadfast::breaker::{Breaker, Phase};
/// use steadfast::{outcome::Outcome, shared::Shared, time::Instant};
///
/// static GATEWAY: Shared<Breaker> = Shared::breaker(Breaker::standard());
///
/// let now = Instant::from_secs(1);
/// let permit = GATEWAY.try_enter(now)?;
/// GATEWAY.record(now, permit, Outcome::Success);
/// assert_eq!(GATEWAY.phase(now), Phase::Closed);
/// # Ok::<(), steadfast::breaker::Rejected>(())
/// ```
impl<T: Trip, const PROBES: usize> Shared<Breaker<T, PROBES>> {
    /// Shares a breaker that is closed.
    pub const fn breaker(policy: Breaker<T, PROBES>) -> Self {
        Self::of(policy, BreakerState::CLOSED)
    }

    /// Shares a breaker in a state of yours: [`BreakerState::seeded`], say.
    pub const fn breaker_in(policy: Breaker<T, PROBES>, state: BreakerState<T, PROBES>) -> Self {
        Self::of(policy, state)
    }

    /// May a call be made? See [`Breaker::try_enter`].
    ///
    /// # Errors
    ///
    /// If it is open, held open, or half-open with all its probes out.
    #[inline]
    pub fn try_enter(&self, now: Instant) -> Result<Permit, Rejected> {
        self.update_unless(
            |state| state.passes(now).map(Ok),
            |policy, state| policy.try_probe(state, now),
        )
    }

    /// Takes note of what became of a call; see [`Breaker::record`].
    #[inline]
    pub fn record(&self, now: Instant, permit: Permit, outcome: Outcome) -> Option<Transition> {
        self.update(|policy, state| policy.record(state, now, permit, outcome))
    }

    /// The call was given up; see [`Breaker::cancel`].
    #[inline]
    pub fn cancel(&self, permit: Permit) {
        self.update(|policy, state| policy.cancel(state, permit));
    }

    /// The phase at `now`.
    pub fn phase(&self, now: Instant) -> Phase {
        let (policy, state) = self.look();
        policy.phase(&state, now)
    }

    /// Everything a status page shows.
    pub fn standing(&self, now: Instant) -> Standing {
        let (policy, state) = self.look();
        policy.standing(&state, now)
    }

    /// Policy and state, for what is done by hand: [`Breaker::force_open`], [`Breaker::reset`] and
    /// the like.
    ///
    /// `work` runs in the critical section on a copy of the state, which is stored when it returns.
    pub fn with_state<R>(
        &self,
        work: impl FnOnce(&Breaker<T, PROBES>, &mut BreakerState<T, PROBES>) -> R,
    ) -> R {
        self.update(work)
    }
}

impl<T: Trip, const PROBES: usize> CircuitBreaker for Shared<Breaker<T, PROBES>> {
    #[inline]
    fn try_enter(&self, now: impl FnOnce() -> Instant) -> Result<Permit, Rejected> {
        // The time is read before the critical section.
        self.try_enter(now())
    }

    #[inline]
    fn record(
        &self,
        now: impl FnOnce() -> Instant,
        permit: Permit,
        outcome: Outcome,
    ) -> Option<Transition> {
        self.record(now(), permit, outcome)
    }

    #[inline]
    fn cancel(&self, permit: Permit) {
        self.cancel(permit);
    }
}

impl<T: Trip, const PROBES: usize> Machine for BreakerState<T, PROBES> {
    type Policy = ();
    type Cell = Cell<Self>;
}

/// A breaker's state in a `static`, whose policy stays with the caller: for small devices, where a
/// constant policy is then folded into the code instead of lying in RAM and in flash.
///
/// ```
/// use steadfast::breaker::{Breaker, BreakerState, CircuitBreaker};
/// use steadfast::{outcome::Outcome, shared::Shared, time::Instant};
///
/// const RULE: Breaker = Breaker::sensitive();
/// static BUS: Shared<BreakerState> = Shared::breaker_state(BreakerState::CLOSED);
///
/// let now = || Instant::from_secs(1);
/// let permit = BUS.under(&RULE).try_enter(now)?;
/// BUS.under(&RULE).record(now, permit, Outcome::Success);
/// # Ok::<(), steadfast::breaker::Rejected>(())
/// ```
impl<T: Trip, const PROBES: usize> Shared<BreakerState<T, PROBES>> {
    /// Shares a state: [`BreakerState::CLOSED`], say.
    pub const fn breaker_state(state: BreakerState<T, PROBES>) -> Self {
        Self::of((), state)
    }

    /// The breaker of this state under `policy`, which is the same at every call.
    #[inline]
    pub const fn under<'a>(&'a self, policy: &'a Breaker<T, PROBES>) -> Under<'a, T, PROBES> {
        Under {
            state: self,
            policy,
        }
    }
}

/// A shared state and its policy, made by `under`: a breaker as any other.
#[derive(Clone, Copy)]
pub struct Under<'a, T: Trip = Consecutive, const PROBES: usize = 1> {
    state: &'a Shared<BreakerState<T, PROBES>>,
    policy: &'a Breaker<T, PROBES>,
}

impl<T: Trip, const PROBES: usize> Under<'_, T, PROBES> {
    /// Everything a status page shows.
    pub fn standing(&self, now: Instant) -> Standing {
        let ((), state) = self.state.look();
        self.policy.standing(&state, now)
    }

    /// Policy and state, for what is done by hand: [`Breaker::force_open`], [`Breaker::reset`] and
    /// the like. `work` runs in the critical section on a copy of the state, which is stored when it
    /// returns.
    pub fn with_state<R>(
        &self,
        work: impl FnOnce(&Breaker<T, PROBES>, &mut BreakerState<T, PROBES>) -> R,
    ) -> R {
        self.state.update(|(), state| work(self.policy, state))
    }
}

impl<T: Trip, const PROBES: usize> CircuitBreaker for Under<'_, T, PROBES> {
    #[inline]
    fn try_enter(&self, now: impl FnOnce() -> Instant) -> Result<Permit, Rejected> {
        // The time is read before the critical section.
        let now = now();
        self.state.update_unless(
            |state| state.passes(now).map(Ok),
            |(), state| self.policy.try_probe(state, now),
        )
    }

    #[inline]
    fn record(
        &self,
        now: impl FnOnce() -> Instant,
        permit: Permit,
        outcome: Outcome,
    ) -> Option<Transition> {
        let now = now();
        self.state
            .update(|(), state| self.policy.record(state, now, permit, outcome))
    }

    #[inline]
    fn cancel(&self, permit: Permit) {
        self.state
            .update(|(), state| self.policy.cancel(state, permit));
    }
}

impl<K: Copy + Eq, const N: usize, T: Trip, const PROBES: usize> Machine
    for Breakers<K, N, T, PROBES>
{
    type Policy = Breaker<T, PROBES>;
    type Cell = RefCell<Self>;
}

/// Breakers by target in a `static`. Each call is one critical section, which looks through the
/// table: a place is the key and a [`BreakerState`].
///
/// Whoever asks it from inside itself, from its key's `Eq`, say, is not guarded.
///
/// ```
/// use steadfast::breaker::{Breaker, Breakers};
/// use steadfast::{outcome::Outcome, shared::Shared, time::Instant};
///
/// static NODES: Shared<Breakers<u8, 4>> = Shared::breakers(Breaker::sensitive());
///
/// let now = Instant::from_secs(1);
/// let permit = NODES.try_enter(0x1A, now)?;
/// NODES.record(0x1A, now, permit, Outcome::TRANSIENT);
/// assert_eq!(NODES.standing(0x1A, now).totals.failures, 1);
/// # Ok::<(), steadfast::breaker::Rejected>(())
/// ```
impl<K: Copy + Eq, const N: usize, T: Trip, const PROBES: usize> Shared<Breakers<K, N, T, PROBES>> {
    /// Shares an empty table under one policy.
    pub const fn breakers(policy: Breaker<T, PROBES>) -> Self {
        Self::of_table(policy, Breakers::new())
    }

    /// May `key` be called? See [`Breakers::try_enter`].
    ///
    /// # Errors
    ///
    /// If its breaker is open, held open, or half-open with all its probes out.
    pub fn try_enter(&self, key: K, now: Instant) -> Result<Permit, Rejected> {
        self.enter(|policy, table| match table {
            Some(table) => table.try_enter(policy, key, now),
            None => Ok(Permit::UNGUARDED),
        })
    }

    /// Takes note of what became of a call to `key`; see [`Breakers::record`].
    pub fn record(
        &self,
        key: K,
        now: Instant,
        permit: Permit,
        outcome: Outcome,
    ) -> Option<Transition> {
        self.with_table(|policy, table| table.record(policy, key, now, permit, outcome))?
    }

    /// The call to `key` was given up; see [`Breakers::cancel`].
    pub fn cancel(&self, key: K, permit: Permit) {
        self.with_table(|policy, table| table.cancel(policy, key, permit));
    }

    /// How `key`'s breaker stands.
    pub fn standing(&self, key: K, now: Instant) -> Standing {
        self.enter(|policy, table| match table {
            Some(table) => table.standing(policy, key, now),
            None => policy.standing(&BreakerState::CLOSED, now),
        })
    }

    /// How many results found no place; see [`Breakers::unguarded`].
    pub fn unguarded(&self) -> u32 {
        self.with_table(|_, table| table.unguarded())
            .unwrap_or_default()
    }

    /// `key`'s breaker by itself, to be asked as any other.
    pub const fn of_target(&self, key: K) -> OfTarget<'_, K, N, T, PROBES> {
        OfTarget { table: self, key }
    }

    /// Policy and table, for everything else, in the critical section: keep it short.
    ///
    /// `None` if called from inside itself.
    pub fn with_table<R>(
        &self,
        work: impl FnOnce(&Breaker<T, PROBES>, &mut Breakers<K, N, T, PROBES>) -> R,
    ) -> Option<R> {
        self.enter(|policy, table| table.map(|table| work(policy, table)))
    }
}

/// One target's breaker in a shared table, made by `of_target`. It holds no state: it is the table
/// and the key.
#[derive(Clone, Copy)]
pub struct OfTarget<
    'a,
    K: Copy + Eq,
    const N: usize,
    T: Trip = Consecutive,
    const PROBES: usize = 1,
> {
    table: &'a Shared<Breakers<K, N, T, PROBES>>,
    key: K,
}

impl<K: Copy + Eq, const N: usize, T: Trip, const PROBES: usize> CircuitBreaker
    for OfTarget<'_, K, N, T, PROBES>
{
    fn try_enter(&self, now: impl FnOnce() -> Instant) -> Result<Permit, Rejected> {
        self.table.try_enter(self.key, now())
    }

    fn record(
        &self,
        now: impl FnOnce() -> Instant,
        permit: Permit,
        outcome: Outcome,
    ) -> Option<Transition> {
        self.table.record(self.key, now(), permit, outcome)
    }

    fn cancel(&self, permit: Permit) {
        self.table.cancel(self.key, permit);
    }
}
