//! Ring 2 for firmware: a machine shared between threads, tasks and interrupts by a critical
//! section.
//!
//! A critical section needs an implementation, and the final binary chooses it: a HAL, the
//! `critical-section-single-core` feature of `cortex-m`, or, on a PC, the `std` feature of
//! `critical-section`. Where a `std` is at hand, a mutex or
//! [`AtomicRateLimiter`](crate::limit::AtomicRateLimiter) is faster: a critical section is one
//! lock for the whole process.

use core::cell::{Cell, RefCell};

use critical_section::Mutex;

use crate::limit::{Denied, Granted, KeyedPolicy, Places, Policy, RateLimiter, Reserve, Standing};
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

impl<K, P: Policy, const N: usize> Machine for Places<K, P, N> {
    type Policy = ();
    type Cell = RefCell<Self>;
}

/// A machine in a `static`, asked by shared reference from the main loop, from tasks and from
/// interrupts.
///
/// Each call is one critical section around one decision, so it is short and never nests. It
/// adds no memory for a limiter, and one word for a table.
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

impl<P: Policy> Shared<RateLimiter<P>> {
    /// Shares a limiter.
    pub const fn new(limiter: RateLimiter<P>) -> Self {
        let (policy, state) = limiter.into_parts();
        Self {
            policy,
            cell: Mutex::new(Cell::new(state)),
        }
    }

    /// The policy.
    pub const fn policy(&self) -> &P {
        &self.policy
    }

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
        self.policy.decide(&mut self.state(), now, cost).map(|_| ())
    }

    /// The largest cost that would be granted now.
    pub fn available(&self, now: Instant) -> u32 {
        self.policy.available(&self.state(), now)
    }

    /// What the headers say: limit, remaining, time to full.
    pub fn standing(&self, now: Instant) -> Standing {
        self.policy.standing(&self.state(), now)
    }

    /// Gives back what was granted and not used; see [`Policy::refund`].
    pub fn refund(&self, now: Instant, granted: &P::Granted) {
        self.update(|policy, state| policy.refund(state, now, granted));
    }

    fn state(&self) -> P::State {
        critical_section::with(|cs| self.cell.borrow(cs).get())
    }

    #[inline]
    fn update<R>(&self, change: impl FnOnce(&P, &mut P::State) -> R) -> R {
        critical_section::with(|cs| {
            let cell = self.cell.borrow(cs);
            let mut state = cell.get();
            let said = change(&self.policy, &mut state);
            cell.set(state);
            said
        })
    }
}

impl<P: Reserve> Shared<RateLimiter<P>> {
    /// Takes `cost` now and says from when on it may be used; see [`Reserve::reserve`].
    ///
    /// # Errors
    ///
    /// If that would be more than `max_wait` from now, or further ahead than the policy allows;
    /// nothing is taken.
    pub fn reserve(&self, now: Instant, cost: u32, max_wait: Duration) -> Result<Granted, Denied> {
        self.update(|policy, state| policy.reserve(state, now, cost, max_wait))
    }

    /// Gives back a reservation that will not be used; see [`Reserve::cancel`].
    pub fn cancel(&self, now: Instant, reserved: &Granted) {
        self.update(|policy, state| policy.cancel(state, now, reserved));
    }
}

/// A keyed table in a `static`. The policy is passed in, so that the table stays all zeros and
/// takes no flash.
///
/// ```
/// use steadfast::limit::{KeyedPolicy, Places, TokenBucket};
/// use steadfast::{policy, shared::Shared, time::Instant};
///
/// const PER_NODE: KeyedPolicy<TokenBucket> =
///     KeyedPolicy::new(policy!(TokenBucket::per_second(2).burst(4)));
/// static NODES: Shared<Places<u16, TokenBucket, 16>> = Shared::places();
///
/// assert!(NODES.try_acquire(&PER_NODE, 0x1A, Instant::from_secs(1)).is_ok());
/// ```
impl<K: Copy + Eq + core::hash::Hash, P: Policy, const N: usize> Shared<Places<K, P, N>> {
    /// Shares an empty table.
    pub const fn places() -> Self {
        Self {
            policy: (),
            cell: Mutex::new(RefCell::new(Places::new())),
        }
    }

    /// Takes one from `key`'s limiter.
    ///
    /// # Errors
    ///
    /// See [`Places::try_acquire_n`]; nothing is taken.
    #[inline]
    pub fn try_acquire(
        &self,
        rule: &KeyedPolicy<P>,
        key: K,
        now: Instant,
    ) -> Result<P::Granted, Denied> {
        self.try_acquire_n(rule, key, now, 1)
    }

    /// Takes `cost` from `key`'s limiter, all or nothing.
    ///
    /// # Errors
    ///
    /// See [`Places::try_acquire_n`]; nothing is taken.
    #[inline]
    pub fn try_acquire_n(
        &self,
        rule: &KeyedPolicy<P>,
        key: K,
        now: Instant,
        cost: u32,
    ) -> Result<P::Granted, Denied> {
        self.with(|places| places.try_acquire_n(rule, key, now, cost))
            // Only a key whose `Eq` or `Hash` asks this very table comes here.
            .unwrap_or(Err(Denied::StoreFull {
                retry_after: Duration::from_nanos(1),
            }))
    }

    /// Everything else a table can do, under the critical section: keep it short.
    ///
    /// `None` if called from inside itself.
    #[inline]
    pub fn with<R>(&self, look: impl FnOnce(&mut Places<K, P, N>) -> R) -> Option<R> {
        critical_section::with(|cs| {
            let mut places = self.cell.borrow(cs).try_borrow_mut().ok()?;
            Some(look(&mut places))
        })
    }
}
