//! The last good answers to several questions, in a fixed number of places.

use core::borrow::Borrow;

use super::{Aged, Freshness, Memory};
use crate::time::Instant;

/// The last good answer for each of up to `N` keys, as long as it is of use.
///
/// When all places are taken, the oldest answer gives up its own. So a cache never grows, and
/// needs no sweep. With no place at all (`N` is 0) it remembers nothing. Each call looks through
/// all `N` places; for thousands of keys take a map.
///
/// A place is the key, the answer, the instant it was given at, 8 bytes, and where the key has no
/// value to spare, whether it is taken. With the table lies its [`Freshness`], 16 bytes, which
/// makes a cache in a `static` take flash as well as RAM. Clocks that go back are treated as in
/// [`LastGood`](super::LastGood).
///
/// ```
/// use steadfast::fallback::StaleCache;
/// use steadfast::time::{Instant, secs};
///
/// let mut prices = StaleCache::<&str, u32, 2>::standard();
/// let now = Instant::from_secs(60);
/// prices.put("tea", 7, now);
/// prices.put("rice", 2, now + secs(1));
/// prices.put("salt", 1, now + secs(2));
/// assert_eq!(prices.get("tea", now + secs(2)), None, "the oldest made room");
/// assert_eq!(prices.get("rice", now + secs(2)).unwrap().age, secs(1));
/// assert_eq!(prices.evicted(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct StaleCache<K, V, const N: usize> {
    freshness: Freshness,
    places: [Option<Place<K, V>>; N],
    evicted: u32,
}

#[derive(Clone, Debug)]
struct Place<K, V> {
    key: K,
    value: V,
    at: Instant,
}

impl<K, V, const N: usize> StaleCache<K, V, N> {
    /// Nothing so far.
    pub const fn new(freshness: Freshness) -> Self {
        Self {
            freshness,
            places: [const { None }; N],
            evicted: 0,
        }
    }

    /// Nothing so far; [`Freshness::STANDARD`].
    pub const fn standard() -> Self {
        Self::new(Freshness::STANDARD)
    }

    /// How many answers lie here, those included that are of no use any more.
    pub fn len(&self) -> usize {
        self.places.iter().flatten().count()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How often an answer that was still of use made room for another; stays at `u32::MAX`. If it
    /// grows, there are too few places.
    pub const fn evicted(&self) -> u32 {
        self.evicted
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.places = [const { None }; N];
    }
}

impl<K: Eq, V, const N: usize> StaleCache<K, V, N> {
    /// Keeps an answer, and returns what had to go for it: the one before of this key, or the
    /// oldest. With no place at all, what was handed in.
    pub fn put(&mut self, key: K, value: V, now: Instant) -> Option<(K, V)> {
        for place in self.places.iter_mut().flatten() {
            place.at = self.freshness.believed(place.at, now);
        }
        let own =
            |place: &&mut Option<Place<K, V>>| place.as_ref().is_some_and(|there| there.key == key);
        let chosen = match self.places.iter_mut().find(own) {
            Some(place) => place,
            // `None` is less than any instant: a place that is free comes first.
            None => match self
                .places
                .iter_mut()
                .min_by_key(|place| place.as_ref().map(|there| there.at))
            {
                Some(place) => {
                    let of_use = |there: &Place<K, V>| {
                        self.freshness.aged(&there.value, there.at, now).is_some()
                    };
                    if place.as_ref().is_some_and(of_use) {
                        self.evicted = self.evicted.saturating_add(1);
                    }
                    place
                }
                None => return Some((key, value)),
            },
        };
        let gone = chosen.replace(Place {
            key,
            value,
            at: now,
        });
        gone.map(|place| (place.key, place.value))
    }

    /// The answer that was kept for `key`, if it is of use. Takes `&mut self` to believe the clock;
    /// see [`LastGood`](super::LastGood).
    pub fn look<Q: Eq + ?Sized>(&mut self, key: &Q, now: Instant) -> Option<Aged<&V>>
    where
        K: Borrow<Q>,
    {
        let mut places = self.places.iter_mut().flatten();
        let place = places.find(|place| place.key.borrow() == key)?;
        place.at = self.freshness.believed(place.at, now);
        self.freshness.aged(&place.value, place.at, now)
    }

    /// A copy of the answer that was kept for `key`, if it is of use.
    pub fn get<Q: Eq + ?Sized>(&mut self, key: &Q, now: Instant) -> Option<Aged<V>>
    where
        K: Borrow<Q>,
        V: Clone,
    {
        self.look(key, now).map(Aged::cloned)
    }

    /// A copy of the answer that was kept for `key`, if it is as good as asking.
    pub fn fresh<Q: Eq + ?Sized>(&mut self, key: &Q, now: Instant) -> Option<Aged<V>>
    where
        K: Borrow<Q>,
        V: Clone,
    {
        self.look(key, now)
            .filter(|aged| aged.is_fresh)
            .map(Aged::cloned)
    }

    /// Forgets the answer for `key`, since it is known to be wrong by now, and returns it.
    pub fn invalidate<Q: Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let place = self.places.iter_mut().find(|place| {
            place
                .as_ref()
                .is_some_and(|there| there.key.borrow() == key)
        })?;
        place.take().map(|there| there.value)
    }

    /// The place of one key, for [`Chain::backed_by`](super::Chain::backed_by).
    ///
    /// ```
    /// use steadfast::fallback::{Source, StaleCache, primary};
    /// use steadfast::time::{Instant, secs};
    ///
    /// let mut prices = StaleCache::<&str, u32, 8>::standard();
    /// let now = Instant::from_secs(60);
    /// for (fetched, source) in [(Ok(7), Source::Primary), (Err("503"), Source::Stale)] {
    ///     let price = primary(fetched).backed_by(prices.at("tea"), now).served()?;
    ///     assert_eq!((price.value, price.source), (7, source));
    /// }
    /// # Ok::<(), &str>(())
    /// ```
    pub const fn at(&mut self, key: K) -> AtKey<&mut Self, K> {
        AtKey { cache: self, key }
    }
}

/// One key's place in a cache, made by `at` of a [`StaleCache`], shared or not.
#[derive(Clone, Copy, Debug)]
pub struct AtKey<C, K> {
    pub(super) cache: C,
    pub(super) key: K,
}

impl<K: Eq + Clone, V: Clone, const N: usize> Memory<V> for AtKey<&mut StaleCache<K, V, N>, K> {
    fn remember(&mut self, value: &V, now: Instant) {
        self.cache.put(self.key.clone(), value.clone(), now);
    }

    fn recall(&mut self, now: Instant) -> Option<Aged<V>> {
        self.cache.get(&self.key, now)
    }
}
