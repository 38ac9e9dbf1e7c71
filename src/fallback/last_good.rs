//! The last good answer, where there is only one.

use super::{Aged, Freshness, Memory};
use crate::shared::{Machine, Shared};
use crate::time::Instant;

use core::cell::Cell;

/// The last good answer to one question, as long as it is of use.
///
/// With it lie its [`Freshness`], 16 bytes, and when it was given, 8. Each call is O(1).
///
/// An answer given further ahead than [`CLOCK_LEAD`](crate::time::CLOCK_LEAD), before the clock
/// went back, is not fresh any more, and counts as just that old. So it is never younger than
/// nothing, and never of use for longer than `max_age` and 4.3 s after a clock has gone back once.
///
/// ```
/// use steadfast::fallback::LastGood;
/// use steadfast::time::{Instant, secs};
///
/// let mut rate = LastGood::standard();
/// let now = Instant::from_secs(60);
/// assert_eq!(rate.get(now), None);
/// rate.put(108, now);
/// let kept = rate.get(now + secs(299)).unwrap();
/// assert_eq!((kept.value, kept.age), (108, secs(299)));
/// assert_eq!(rate.get(now + secs(300)), None);
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct LastGood<V> {
    freshness: Freshness,
    state: LastGoodState<V>,
}

/// What a [`LastGood`] remembers: the answer and its instant.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct LastGoodState<V>(Option<(V, Instant)>);

impl<V> LastGoodState<V> {
    const EMPTY: Self = Self(None);

    fn look(&mut self, freshness: &Freshness, now: Instant) -> Option<Aged<&V>> {
        let (value, at) = self.0.as_mut()?;
        *at = freshness.believed(*at, now);
        freshness.aged(&*value, *at, now)
    }
}

impl<V> LastGood<V> {
    /// Nothing so far.
    pub const fn new(freshness: Freshness) -> Self {
        Self {
            freshness,
            state: LastGoodState::EMPTY,
        }
    }

    /// Nothing so far; [`Freshness::STANDARD`].
    pub const fn standard() -> Self {
        Self::new(Freshness::STANDARD)
    }

    /// Keeps an answer, and returns the one before.
    pub fn put(&mut self, value: V, now: Instant) -> Option<V> {
        let before = self.state.0.replace((value, now));
        before.map(|(value, _)| value)
    }

    /// What was kept, if it is of use. Takes `&mut self` to believe the clock; see above.
    pub fn look(&mut self, now: Instant) -> Option<Aged<&V>> {
        self.state.look(&self.freshness, now)
    }

    /// A copy of what was kept, if it is of use.
    pub fn get(&mut self, now: Instant) -> Option<Aged<V>>
    where
        V: Clone,
    {
        self.look(now).map(Aged::cloned)
    }

    /// A copy of what was kept, if it is as good as asking.
    pub fn fresh(&mut self, now: Instant) -> Option<Aged<V>>
    where
        V: Clone,
    {
        self.look(now)
            .filter(|aged| aged.is_fresh)
            .map(Aged::cloned)
    }

    /// Forgets it, since it is known to be wrong by now, and returns it.
    pub fn invalidate(&mut self) -> Option<V> {
        self.state.0.take().map(|(value, _)| value)
    }
}

impl<V: Clone> Memory<V> for LastGood<V> {
    fn remember(&mut self, value: &V, now: Instant) {
        self.put(value.clone(), now);
    }

    fn recall(&mut self, now: Instant) -> Option<Aged<V>> {
        self.get(now)
    }
}

impl<V: Copy> Machine for LastGood<V> {
    type Policy = Freshness;
    type Cell = Cell<LastGoodState<V>>;
}

/// The last good answer in a `static`, for values that are `Copy`. For others, and for several,
/// share a [`StaleCache`](super::StaleCache).
///
/// ```
/// use steadfast::fallback::{Freshness, LastGood, Source, primary};
/// use steadfast::shared::Shared;
/// use steadfast::time::{Instant, secs};
///
/// static OUTSIDE: Shared<LastGood<i16>> = Shared::last_good(Freshness::STANDARD);
///
/// fn outside(sensor: Result<i16, ()>, now: Instant) -> Result<i16, ()> {
///     let answer = primary(sensor).backed_by(&OUTSIDE, now).served()?;
///     Ok(answer.value)
/// }
/// let now = Instant::from_secs(1);
/// assert_eq!(outside(Err(()), now), Err(()));
/// assert_eq!(outside(Ok(-4), now), Ok(-4));
/// assert_eq!(outside(Err(()), now + secs(60)), Ok(-4));
/// ```
impl<V: Copy> Shared<LastGood<V>> {
    /// Nothing so far.
    pub const fn last_good(freshness: Freshness) -> Self {
        Self::of(freshness, LastGoodState::EMPTY)
    }

    /// Keeps an answer.
    pub fn put(&self, value: V, now: Instant) {
        self.update(|_, state| state.0 = Some((value, now)));
    }

    /// What was kept, if it is of use.
    pub fn get(&self, now: Instant) -> Option<Aged<V>> {
        self.update(|freshness, state| state.look(freshness, now).map(Aged::cloned))
    }

    /// What was kept, if it is as good as asking.
    pub fn fresh(&self, now: Instant) -> Option<Aged<V>> {
        self.get(now).filter(|aged| aged.is_fresh)
    }

    /// Forgets it, since it is known to be wrong by now.
    pub fn invalidate(&self) {
        self.update(|_, state| *state = LastGoodState::EMPTY);
    }
}

impl<V: Copy> Memory<V> for &Shared<LastGood<V>> {
    fn remember(&mut self, value: &V, now: Instant) {
        self.put(*value, now);
    }

    fn recall(&mut self, now: Instant) -> Option<Aged<V>> {
        self.get(now)
    }
}
