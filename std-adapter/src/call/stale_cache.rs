//! The last good answers to thousands of questions.

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use steadfast::ConfigError;
use steadfast::fallback::{Aged, Freshness, LastGood, Memory};
use steadfast::time::Instant;

/// The last good answer for each of up to so many keys, as long as it is of use. Shared by
/// reference; each call takes a lock, and is O(1).
///
/// It is bounded in number, not in bytes: answers and keys whose size others decide need a bound of
/// their own. When it is full, the key that was used longest ago makes room.
///
/// An answer is cloned when it is taken out, outside the lock; an `Arc` of your own makes that cheap.
/// Keys are hashed and compared under the lock, so let them not ask the cache. The core's [`StaleCache`](steadfast::fallback::StaleCache) is the same
/// for a device, and says how clocks that jump are treated.
///
/// ```
/// use steadfast::{fallback::Source, fallback::primary, time::{Instant, secs}};
/// use steadfast_std::StaleCache;
///
/// let prices = StaleCache::standard(10_000)?;
/// let now = Instant::from_secs(60);
/// prices.put("tea", 7, now);
/// assert_eq!(prices.get(&"tea", now + secs(60)).unwrap().age, secs(60));
///
/// let asked: Result<u32, &str> = Err("connection refused");
/// let price = primary(asked).backed_by(prices.at("tea"), now + secs(60)).or_default(|| 0);
/// assert_eq!((price.value, price.source), (7, Source::Stale));
/// # Ok::<(), steadfast::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct StaleCache<K: Hash + Eq, V> {
    freshness: Freshness,
    kept: Mutex<LruCache<K, LastGood<Arc<V>>>>,
}

impl<K: Hash + Eq, V> StaleCache<K, V> {
    /// Nothing so far, and room for `capacity` answers, 1 to `u32::MAX`. It takes the memory of
    /// what it holds.
    ///
    /// # Errors
    ///
    /// If `capacity` is zero, or more than that.
    pub fn new(freshness: Freshness, capacity: usize) -> Result<Self, ConfigError> {
        let most = u64::from(u32::MAX);
        let wrong = ConfigError::new("capacity", capacity as u64, 1, most);
        let places = NonZeroUsize::new(capacity).ok_or(wrong)?;
        if capacity as u64 > most {
            return Err(wrong);
        }
        // Not `new`, which reserves the memory of all of them.
        let mut kept = LruCache::unbounded();
        kept.resize(places);
        Ok(Self {
            freshness,
            kept: Mutex::new(kept),
        })
    }

    /// The same with [`Freshness::STANDARD`]: of use for 300 s.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn standard(capacity: usize) -> Result<Self, ConfigError> {
        Self::new(Freshness::STANDARD, capacity)
    }

    /// Keeps an answer, in place of the one before.
    pub fn put(&self, key: K, value: V, now: Instant) {
        let mut kept = LastGood::new(self.freshness);
        kept.put(Arc::new(value), now);
        let gone = self.lock(|cache| cache.push(key, kept));
        // Here, outside the lock.
        drop(gone);
    }

    /// A copy of what was kept, if it is of use.
    pub fn get(&self, key: &K, now: Instant) -> Option<Aged<V>>
    where
        V: Clone,
    {
        self.lock(|cache| cache.get_mut(key)?.get(now)).map(cloned)
    }

    /// A copy of what was kept, if it is as good as asking; see [`Freshness`].
    pub fn fresh(&self, key: &K, now: Instant) -> Option<Aged<V>>
    where
        V: Clone,
    {
        self.lock(|cache| cache.get_mut(key)?.fresh(now))
            .map(cloned)
    }

    /// Forgets the answer for `key`, since it is known to be wrong by now.
    pub fn invalidate(&self, key: &K) {
        let gone = self.lock(|cache| cache.pop(key));
        drop(gone);
    }

    /// How many answers lie here, those included that are of no use any more.
    pub fn len(&self) -> usize {
        self.lock(|cache| cache.len())
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place of one key, for [`or_stale`](steadfast::call::Call::or_stale) and
    /// [`backed_by`](steadfast::fallback::Chain::backed_by).
    pub const fn at(&self, key: K) -> CachedAt<'_, K, V> {
        CachedAt { cache: self, key }
    }

    fn lock<R>(&self, work: impl FnOnce(&mut LruCache<K, LastGood<Arc<V>>>) -> R) -> R {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Outside the lock: an answer may do as it likes when it is cloned.
fn cloned<V: Clone>(kept: Aged<Arc<V>>) -> Aged<V> {
    Aged {
        value: Arc::unwrap_or_clone(kept.value),
        age: kept.age,
        is_fresh: kept.is_fresh,
    }
}

/// The place of one key in a [`StaleCache`].
#[derive(Debug)]
pub struct CachedAt<'a, K: Hash + Eq, V> {
    cache: &'a StaleCache<K, V>,
    key: K,
}

impl<K: Hash + Eq + Clone, V: Clone> Memory<V> for CachedAt<'_, K, V> {
    fn remember(&mut self, value: &V, now: Instant) {
        self.cache.put(self.key.clone(), value.clone(), now);
    }

    fn recall(&mut self, now: Instant) -> Option<Aged<V>> {
        self.cache.get(&self.key, now)
    }
}
