//! The cache and the queue in a `static`, by shared reference.

use core::borrow::Borrow;
use core::cell::RefCell;

use super::{
    Aged, AtKey, DeferredFull, DeferredId, DeferredQueue, DeferredTicket, DeferredWork, Freshness,
    Memory, StaleCache,
};
use crate::shared::{Machine, Shared};
use crate::time::{Duration, Instant};

impl<K, V, const N: usize> Machine for StaleCache<K, V, N> {
    type Policy = ();
    type Cell = RefCell<Self>;
}

impl<T, const N: usize> Machine for DeferredQueue<T, N> {
    type Policy = ();
    type Cell = RefCell<Self>;
}

/// `None` if called from inside itself.
fn with<M, T, R>(shared: &Shared<M>, look: impl FnOnce(&mut T) -> R) -> Option<R>
where
    M: Machine<Cell = RefCell<T>>,
{
    shared.enter(|_, table| table.map(look))
}

/// A cache in a `static`. Keys and answers are compared and cloned under the critical section: let
/// them be short. What is thrown out is dropped outside it.
///
/// ```
/// use steadfast::fallback::{Freshness, Source, StaleCache, primary};
/// use steadfast::shared::Shared;
/// use steadfast::time::{Instant, secs};
///
/// static PRICES: Shared<StaleCache<u16, u32, 16>> = Shared::stale_cache(Freshness::STANDARD);
///
/// let now = Instant::from_secs(60);
/// for (fetched, source) in [(Ok(7), Source::Primary), (Err("503"), Source::Stale)] {
///     let price = primary(fetched).backed_by(PRICES.at(0x1A), now).served()?;
///     assert_eq!((price.value, price.source), (7, source));
/// }
/// # Ok::<(), &str>(())
/// ```
impl<K: Eq, V, const N: usize> Shared<StaleCache<K, V, N>> {
    /// Nothing so far.
    pub const fn stale_cache(freshness: Freshness) -> Self {
        Self::of_table((), StaleCache::new(freshness))
    }

    /// Keeps an answer; see [`StaleCache::put`].
    pub fn put(&self, key: K, value: V, now: Instant) {
        let gone = with(self, |cache| cache.put(key, value, now));
        // Here, outside the critical section.
        drop(gone);
    }

    /// A copy of the answer that was kept for `key`, if it is of use.
    pub fn get<Q: Eq + ?Sized>(&self, key: &Q, now: Instant) -> Option<Aged<V>>
    where
        K: Borrow<Q>,
        V: Clone,
    {
        with(self, |cache| cache.get(key, now))?
    }

    /// A copy of the answer that was kept for `key`, if it is as good as asking.
    pub fn fresh<Q: Eq + ?Sized>(&self, key: &Q, now: Instant) -> Option<Aged<V>>
    where
        K: Borrow<Q>,
        V: Clone,
    {
        with(self, |cache| cache.fresh(key, now))?
    }

    /// Forgets the answer for `key`, since it is known to be wrong by now, and returns it.
    pub fn invalidate<Q: Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        with(self, |cache| cache.invalidate(key))?
    }

    /// The place of one key, for [`Chain::backed_by`](super::Chain::backed_by).
    pub const fn at(&self, key: K) -> AtKey<&Self, K> {
        AtKey { cache: self, key }
    }

    /// Everything else a cache can do, under the critical section: keep it short.
    ///
    /// `None` if called from inside itself.
    pub fn with<R>(&self, look: impl FnOnce(&mut StaleCache<K, V, N>) -> R) -> Option<R> {
        with(self, look)
    }
}

impl<K: Eq + Clone, V: Clone, const N: usize> Memory<V> for AtKey<&Shared<StaleCache<K, V, N>>, K> {
    fn remember(&mut self, value: &V, now: Instant) {
        self.cache.put(self.key.clone(), value.clone(), now);
    }

    fn recall(&mut self, now: Instant) -> Option<Aged<V>> {
        self.cache.get(&self.key, now)
    }
}

/// A queue in a `static`, into which an interrupt may push and from which a task works. Items are
/// cloned under the critical section.
///
/// ```
/// use steadfast::fallback::DeferredQueue;
/// use steadfast::{shared::Shared, time::{Instant, secs}};
///
/// static READINGS: Shared<DeferredQueue<i16, 32>> = Shared::deferred_queue();
///
/// let now = Instant::from_secs(60);
/// READINGS.push(-4, now)?;
/// let work = READINGS.begin(now, secs(30)).unwrap();
/// assert_eq!(work.item, -4);
/// // The link is still down.
/// assert!(READINGS.failed(work.ticket, now, now + secs(10)));
/// assert_eq!(READINGS.next_due(now), Some(now + secs(10)));
/// # Ok::<(), steadfast::fallback::DeferredFull<i16>>(())
/// ```
impl<T, const N: usize> Shared<DeferredQueue<T, N>> {
    /// An empty queue.
    pub const fn deferred_queue() -> Self {
        Self::of_table((), DeferredQueue::new())
    }

    /// Puts an item at the end; it is due at once.
    ///
    /// # Errors
    ///
    /// [`DeferredFull`] with the item, if there is no place, or from inside itself.
    pub fn push(&self, item: T, now: Instant) -> Result<DeferredId, DeferredFull<T>> {
        self.push_at(item, now, now)
    }

    /// Puts an item at the end, which is not due before `due`.
    ///
    /// # Errors
    ///
    /// [`DeferredFull`] with the item, if there is no place, or from inside itself.
    pub fn push_at(
        &self,
        item: T,
        now: Instant,
        due: Instant,
    ) -> Result<DeferredId, DeferredFull<T>> {
        self.enter(|(), queue| match queue {
            Some(queue) => queue.push_at(item, now, due),
            None => Err(DeferredFull { item, capacity: N }),
        })
    }

    /// Takes the first item that is due, for `lease`; see [`DeferredQueue::begin`].
    pub fn begin(&self, now: Instant, lease: Duration) -> Option<DeferredWork<T>>
    where
        T: Clone,
    {
        with(self, |queue| {
            queue.begin(now, lease).map(DeferredWork::cloned)
        })?
    }

    /// The work is done, or given up: takes the item out and returns it; see
    /// [`DeferredQueue::done`].
    pub fn done(&self, ticket: DeferredTicket) -> Option<T> {
        with(self, |queue| queue.done(ticket))?
    }

    /// The work has failed, and is due again at `retry_at`; see [`DeferredQueue::failed`].
    pub fn failed(&self, ticket: DeferredTicket, now: Instant, retry_at: Instant) -> bool {
        with(self, |queue| queue.failed(ticket, now, retry_at)).unwrap_or(false)
    }

    /// The work takes longer; see [`DeferredQueue::renew`].
    pub fn renew(&self, ticket: DeferredTicket, now: Instant, lease: Duration) -> bool {
        with(self, |queue| queue.renew(ticket, now, lease)).unwrap_or(false)
    }

    /// Takes an item out wherever it stands; see [`DeferredQueue::remove`].
    pub fn remove(&self, id: DeferredId) -> Option<T> {
        with(self, |queue| queue.remove(id))?
    }

    /// When there will be something to begin; see [`DeferredQueue::next_due`].
    pub fn next_due(&self, now: Instant) -> Option<Instant> {
        with(self, |queue| queue.next_due(now))?
    }

    /// How many wait or are under way.
    pub fn len(&self) -> usize {
        with(self, |queue| queue.len()).unwrap_or(0)
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything else a queue can do, under the critical section: keep it short.
    ///
    /// `None` if called from inside itself.
    pub fn with<R>(&self, look: impl FnOnce(&mut DeferredQueue<T, N>) -> R) -> Option<R> {
        with(self, look)
    }
}
