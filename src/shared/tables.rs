//! Shared tables: a limiter a key.

use core::cell::{Cell, RefCell};
use core::hash::Hash;

use critical_section::Mutex;

use super::{Machine, Shared};
use crate::limit::{Denied, Keyed, KeyedPolicy, Limiter, Places, Policy, Standing};
use crate::time::{Duration, Instant};

impl<K, P: Policy, const N: usize> Machine for Places<K, P, N> {
    type Policy = ();
    type Cell = RefCell<Self>;
}

impl<K, P: Policy, const N: usize> Machine for Keyed<K, P, N> {
    type Policy = ();
    /// The rule apart, so that it can be read even from inside a look at the table.
    type Cell = (Cell<KeyedPolicy<P>>, RefCell<Places<K, P, N>>);
}

/// Only a key whose `Eq` or `Hash` asks this very table comes here.
const FROM_INSIDE: Denied = Denied::StoreFull {
    retry_after: Duration::from_nanos(1),
};

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
impl<K: Copy + Eq + Hash, P: Policy, const N: usize> Shared<Places<K, P, N>> {
    /// Shares an empty table.
    pub const fn places() -> Self {
        Self::of_table((), Places::new())
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
            .unwrap_or(Err(FROM_INSIDE))
    }

    /// `key`'s limiter by itself, to be asked as any other.
    ///
    /// ```
    /// use steadfast::limit::{KeyedPolicy, Limiter, Places, TokenBucket};
    /// use steadfast::{policy, shared::Shared, time::Instant};
    ///
    /// const PER_NODE: KeyedPolicy<TokenBucket> =
    ///     KeyedPolicy::new(policy!(TokenBucket::per_second(4)));
    /// static NODES: Shared<Places<u16, TokenBucket, 16>> = Shared::places();
    ///
    /// let node = NODES.of(&PER_NODE, 0x1A);
    /// let now = Instant::from_secs(1);
    /// assert!(node.try_acquire_n(now, 3).is_ok());
    /// assert_eq!(node.standing(now).remaining, 1);
    /// ```
    pub const fn of<'a>(
        &'a self,
        rule: &'a KeyedPolicy<P>,
        key: K,
    ) -> OfKey<'a, Places<K, P, N>, K, &'a KeyedPolicy<P>> {
        OfKey {
            table: self,
            key,
            rule,
        }
    }

    /// Everything else a table can do, under the critical section: keep it short.
    ///
    /// `None` if called from inside itself.
    #[inline]
    pub fn with<R>(&self, look: impl FnOnce(&mut Places<K, P, N>) -> R) -> Option<R> {
        self.enter(|(), places| places.map(look))
    }
}

/// A keyed table together with its rule, which can change while the table is shared.
///
/// In a `static` the rule makes the whole table take flash as well as RAM; where the rule is
/// constant, share [`Places`].
///
/// ```
/// use steadfast::limit::{Keyed, KeyedPolicy, TokenBucket};
/// use steadfast::{policy, shared::Shared, time::Instant};
///
/// static NODES: Shared<Keyed<u16, TokenBucket, 16>> =
///     Shared::keyed(KeyedPolicy::new(policy!(TokenBucket::per_minute(4))));
///
/// let now = Instant::from_secs(1);
/// assert!(NODES.try_acquire_n(0x1A, now, 3).is_ok());
/// NODES.reconfigure(now, policy!(TokenBucket::per_minute(3)));
/// assert!(NODES.try_acquire(0x1A, now).is_err());
/// ```
impl<K: Copy + Eq + Hash, P: Policy, const N: usize> Shared<Keyed<K, P, N>> {
    /// Shares an empty table under `rule`.
    pub const fn keyed(rule: KeyedPolicy<P>) -> Self {
        Self {
            policy: (),
            cell: Mutex::new((Cell::new(rule), RefCell::new(Places::new()))),
        }
    }

    /// The rule at the moment.
    pub fn rule(&self) -> KeyedPolicy<P> {
        critical_section::with(|cs| self.cell.borrow(cs).0.get())
    }

    /// Takes one from `key`'s limiter.
    ///
    /// # Errors
    ///
    /// See [`Places::try_acquire_n`]; nothing is taken.
    #[inline]
    pub fn try_acquire(&self, key: K, now: Instant) -> Result<P::Granted, Denied> {
        self.try_acquire_n(key, now, 1)
    }

    /// Takes `cost` from `key`'s limiter, all or nothing.
    ///
    /// # Errors
    ///
    /// See [`Places::try_acquire_n`]; nothing is taken.
    #[inline]
    pub fn try_acquire_n(&self, key: K, now: Instant, cost: u32) -> Result<P::Granted, Denied> {
        self.with(|rule, places| places.try_acquire_n(rule, key, now, cost))
            .unwrap_or(Err(FROM_INSIDE))
    }

    /// `key`'s limiter by itself, to be asked as any other.
    pub const fn of(&self, key: K) -> OfKey<'_, Keyed<K, P, N>, K> {
        OfKey {
            table: self,
            key,
            rule: (),
        }
    }

    /// Goes on under another policy; see [`Places::reconfigure`]. O(N), in one critical section:
    /// on a device, look how long that is.
    pub fn reconfigure(&self, now: Instant, policy: P) {
        critical_section::with(|cs| {
            let (rule, places) = self.cell.borrow(cs);
            if let Ok(mut places) = places.try_borrow_mut() {
                rule.set(places.reconfigure(&rule.get(), now, policy));
            }
        });
    }

    /// Everything else a table can do, under the critical section: keep it short.
    ///
    /// `None` if called from inside itself.
    #[inline]
    pub fn with<R>(
        &self,
        look: impl FnOnce(&KeyedPolicy<P>, &mut Places<K, P, N>) -> R,
    ) -> Option<R> {
        critical_section::with(|cs| {
            let (rule, places) = self.cell.borrow(cs);
            let mut places = places.try_borrow_mut().ok()?;
            Some(look(&rule.get(), &mut places))
        })
    }
}

/// One key's limiter in a shared table, made by `of` of a [`Shared`] [`Places`] or [`Keyed`].
///
/// It holds no state and takes no place: it is the table and the key.
#[derive(Clone, Copy)]
pub struct OfKey<'a, M: Machine, K, R = ()> {
    table: &'a Shared<M>,
    key: K,
    rule: R,
}

impl<K: Copy + Eq + Hash, P: Policy, const N: usize> Limiter
    for OfKey<'_, Places<K, P, N>, K, &KeyedPolicy<P>>
{
    type Granted = P::Granted;

    fn try_acquire_n(&self, now: Instant, cost: u32) -> Result<P::Granted, Denied> {
        self.table.try_acquire_n(self.rule, self.key, now, cost)
    }

    fn refund(&self, now: Instant, granted: &P::Granted) {
        self.table
            .with(|places| places.refund(self.rule, self.key, now, granted));
    }

    fn peek(&self, now: Instant, cost: u32) -> Result<(), Denied> {
        self.table
            .with(|places| places.peek(self.rule, self.key, now, cost))
            .unwrap_or(Err(FROM_INSIDE))
    }

    fn available(&self, now: Instant) -> u32 {
        self.table
            .with(|places| places.available(self.rule, self.key, now))
            .unwrap_or(0)
    }

    fn standing(&self, now: Instant) -> Standing {
        self.table
            .with(|places| places.standing(self.rule, self.key, now))
            .unwrap_or_else(|| self.rule.policy().standing(&P::FULL, now))
    }
}

impl<K: Copy + Eq + Hash, P: Policy, const N: usize> Limiter for OfKey<'_, Keyed<K, P, N>, K> {
    type Granted = P::Granted;

    fn try_acquire_n(&self, now: Instant, cost: u32) -> Result<P::Granted, Denied> {
        self.table.try_acquire_n(self.key, now, cost)
    }

    fn refund(&self, now: Instant, granted: &P::Granted) {
        self.table
            .with(|rule, places| places.refund(rule, self.key, now, granted));
    }

    fn peek(&self, now: Instant, cost: u32) -> Result<(), Denied> {
        self.table
            .with(|rule, places| places.peek(rule, self.key, now, cost))
            .unwrap_or(Err(FROM_INSIDE))
    }

    fn available(&self, now: Instant) -> u32 {
        self.table
            .with(|rule, places| places.available(rule, self.key, now))
            .unwrap_or(0)
    }

    fn standing(&self, now: Instant) -> Standing {
        self.table
            .with(|rule, places| places.standing(rule, self.key, now))
            .unwrap_or_else(|| self.table.rule().policy().standing(&P::FULL, now))
    }
}
