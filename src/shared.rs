//! Ring 2 for firmware: a machine shared between threads, tasks and interrupts by a critical
//! section.
//!
//! A critical section needs an implementation, and the final binary chooses it: a HAL, the
//! `critical-section-single-core` feature of `cortex-m`, or, on a PC, the `std` feature of
//! `critical-section`. Where a `std` is at hand, a mutex or
//! [`AtomicRateLimiter`](crate::limit::AtomicRateLimiter) is faster: a critical section is one
//! lock for the whole process.

mod live;
mod tables;

pub use live::Live;
pub use tables::OfKey;

use core::cell::{Cell, RefCell};

use critical_section::Mutex;

use crate::limit::{Denied, Granted, Policy, RateLimiter, Reserve, Standing};
use crate::time::{Duration, Instant};

/// A machine that [`Shared`] can hold: what never changes, and the cell for what does.
pub trait Machine {
    /// Read by everyone, without the critical section.
    type Policy;
    /// A `Cell` for a small state, which is copied out and back; a `RefCell` for a table.
    type Cell;
}

impl<P: Policy> Machine for RateLimiter<P> {
    type Policy = P;
    type Cell = Cell<P::State>;
}

/// A machine in a `static`, asked by shared reference from the main loop, from tasks and from
/// interrupts.
///
/// Each call is one critical section around one decision, so it is short and never nests. It
/// adds no memory for a limiter or a breaker, and one word for a table.
///
/// | `Shared<_>` | where the policy lies | made by |
/// |---|---|---|
/// | [`RateLimiter<P>`](RateLimiter) | beside the state, constant | [`Shared::new`] |
/// | [`Live<P>`](Live) | with the state: it can be reconfigured | [`Shared::live`] |
/// | [`Places<K, P, N>`](crate::limit::Places) | with the caller, constant | [`Shared::places`] |
/// | [`Keyed<K, P, N>`](crate::limit::Keyed) | with the table: it can be reconfigured | [`Shared::keyed`] |
/// | [`Breaker`](crate::breaker::Breaker) | beside the state, constant | [`Shared::breaker`] |
/// | [`BreakerState`](crate::breaker::BreakerState) | with the caller, constant | [`Shared::breaker_state`] |
/// | [`Breakers<K, N>`](crate::breaker::Breakers) | beside the table, constant | [`Shared::breakers`] |
/// | [`RetryBudget`](crate::retry::RetryBudget) | beside the state, constant | [`Shared::budget`] |
/// | [`LastGood<V>`](crate::fallback::LastGood) | beside the answer, constant | [`Shared::last_good`] |
/// | [`StaleCache<K, V, N>`](crate::fallback::StaleCache) | with the cache | [`Shared::stale_cache`] |
/// | [`DeferredQueue<T, N>`](crate::fallback::DeferredQueue) | it has none | [`Shared::deferred_queue`] |
/// | [`FallbackMeter<B>`](crate::fallback::FallbackMeter) | beside the state, constant | [`Shared::fallback_meter`] |
///
/// ```
/// use steadfast::{limit::{RateLimiter, TokenBucket}, policy, shared::Shared, time::Instant};
///
/// static RADIO: Shared<RateLimiter<TokenBucket>> =
///     Shared::new(RateLimiter::new(policy!(TokenBucket::per_second(5).burst(10))));
///
/// fn send(now: Instant) -> bool {
///     RADIO.try_acquire(now).is_ok()
/// }
/// assert!(send(Instant::from_secs(1)));
/// ```
pub struct Shared<M: Machine> {
    policy: M::Policy,
    cell: Mutex<M::Cell>,
}

impl<S: Copy, M: Machine<Cell = Cell<S>>> Shared<M> {
    /// Shares a machine of a small state.
    pub(crate) const fn of(policy: M::Policy, state: S) -> Self {
        Self {
            policy,
            cell: Mutex::new(Cell::new(state)),
        }
    }

    /// The policy and a copy of the state.
    pub(crate) fn look(&self) -> (&M::Policy, S) {
        let state = critical_section::with(|cs| self.cell.borrow(cs).get());
        (&self.policy, state)
    }

    /// As [`update`](Self::update), but for what `look` can answer without a change: then the state
    /// is not copied, and of a large one only what `look` reads is loaded.
    #[inline]
    pub(crate) fn update_unless<R>(
        &self,
        look: impl FnOnce(&S) -> Option<R>,
        change: impl FnOnce(&M::Policy, &mut S) -> R,
    ) -> R {
        critical_section::with(|cs| {
            let cell = self.cell.borrow(cs);
            if let Some(said) = look(&cell.get()) {
                return said;
            }
            let mut state = cell.get();
            let said = change(&self.policy, &mut state);
            cell.set(state);
            said
        })
    }

    /// Changes a copy of the state and stores it, in one critical section.
    #[inline]
    pub(crate) fn update<R>(&self, change: impl FnOnce(&M::Policy, &mut S) -> R) -> R {
        critical_section::with(|cs| {
            let cell = self.cell.borrow(cs);
            let mut state = cell.get();
            let said = change(&self.policy, &mut state);
            cell.set(state);
            said
        })
    }
}

impl<T, M: Machine<Cell = RefCell<T>>> Shared<M> {
    /// Shares a table.
    pub(crate) const fn of_table(policy: M::Policy, table: T) -> Self {
        Self {
            policy,
            cell: Mutex::new(RefCell::new(table)),
        }
    }

    /// Looks into the table, in one critical section. It is `None` if this is called from inside
    /// such a look.
    #[inline]
    pub(crate) fn enter<R>(&self, look: impl FnOnce(&M::Policy, Option<&mut T>) -> R) -> R {
        critical_section::with(|cs| match self.cell.borrow(cs).try_borrow_mut() {
            Ok(mut table) => look(&self.policy, Some(&mut table)),
            Err(_) => look(&self.policy, None),
        })
    }
}

/// The verbs of a limiter, for each form of one: by `update`, which changes the state under the
/// critical section, and by `look`, which copies policy and state out of it.
macro_rules! limiter_verbs {
    () => {
        /// Takes one, if there is one.
        ///
        /// # Errors
        ///
        /// See [`Policy::decide`]; nothing is taken.
        #[inline]
        pub fn try_acquire(&self, now: Instant) -> Result<P::Granted, Denied> {
            self.try_acquire_n(now, 1)
        }

        /// Takes `cost`, all or nothing.
        ///
        /// # Errors
        ///
        /// See [`Policy::decide`]; nothing is taken.
        #[inline]
        pub fn try_acquire_n(&self, now: Instant, cost: u32) -> Result<P::Granted, Denied> {
            self.update(|policy, state| policy.decide(state, now, cost))
        }

        /// Would `cost` be granted? Takes nothing.
        ///
        /// # Errors
        ///
        /// What [`try_acquire_n`](Self::try_acquire_n) would say.
        pub fn peek(&self, now: Instant, cost: u32) -> Result<(), Denied> {
            let (policy, mut state) = self.look();
            policy.decide(&mut state, now, cost).map(|_| ())
        }

        /// The largest cost that would be granted now.
        pub fn available(&self, now: Instant) -> u32 {
            let (policy, state) = self.look();
            policy.available(&state, now)
        }

        /// What the headers say: limit, remaining, time to full.
        pub fn standing(&self, now: Instant) -> Standing {
            let (policy, state) = self.look();
            policy.standing(&state, now)
        }

        /// Gives back what was granted and not used; see [`Policy::refund`].
        pub fn refund(&self, now: Instant, granted: &P::Granted) {
            self.update(|policy, state| policy.refund(state, now, granted));
        }

        /// Policy and state, for what only this policy can do, such as
        /// [`AllOf::record`](crate::limit::AllOf::record).
        ///
        /// `work` runs in the critical section on a copy of the state, which is stored when it
        /// returns. So let it be short, and do not let it ask this limiter.
        pub fn with_state<R>(&self, work: impl FnOnce(&P, &mut P::State) -> R) -> R {
            self.update(work)
        }
    };
}

/// The verbs of a limiter that can promise and owe.
macro_rules! reserving_verbs {
    () => {
        /// Takes `cost` now and says from when on it may be used; see [`Reserve::reserve`].
        ///
        /// # Errors
        ///
        /// If that would be more than `max_wait` from now, or further ahead than the policy allows;
        /// nothing is taken.
        pub fn reserve(
            &self,
            now: Instant,
            cost: u32,
            max_wait: Duration,
        ) -> Result<Granted, Denied> {
            self.update(|policy, state| policy.reserve(state, now, cost, max_wait))
        }

        /// Gives back a reservation that will not be used; see [`Reserve::cancel`].
        pub fn cancel(&self, now: Instant, reserved: &Granted) {
            self.update(|policy, state| policy.cancel(state, now, reserved));
        }

        /// Takes `cost` though it may not be there, and returns how much of it lies beyond the bound
        /// and was not taken; see [`Reserve::charge`].
        #[must_use = "what lies beyond the bound was not charged"]
        pub fn charge(&self, now: Instant, cost: u32) -> u32 {
            self.update(|policy, state| policy.charge(state, now, cost))
        }
    };
}

pub(crate) use {limiter_verbs, reserving_verbs};

impl<P: Policy> Shared<RateLimiter<P>> {
    /// Shares a limiter.
    pub const fn new(limiter: RateLimiter<P>) -> Self {
        let (policy, state) = limiter.into_parts();
        Self::of(policy, state)
    }

    /// The policy.
    pub const fn policy(&self) -> &P {
        &self.policy
    }

    limiter_verbs!();

    /// Goes on under another policy, keeping what was used, in tokens; see
    /// [`Policy::reconfigure`].
    ///
    /// Takes the only reference there is, since the policy is read without the critical section.
    /// In a `static`, or wherever others ask meanwhile, use [`Live`].
    pub fn reconfigure(&mut self, now: Instant, policy: P) {
        let state = self.cell.get_mut().get_mut();
        self.policy.reconfigure(state, now, &policy);
        self.policy = policy;
    }
}

impl<P: Reserve> Shared<RateLimiter<P>> {
    reserving_verbs!();
}
