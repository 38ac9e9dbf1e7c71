//! For how long an answer that was kept is any good.

use crate::config::ConfigError;
use crate::time::{CLOCK_LEAD, Duration, Instant, MAX_WAIT, secs};

/// How long an answer is fresh, and how long it is usable at all. 16 bytes.
///
/// An answer of age `a` is fresh while `a < fresh_for`: as good as asking. It is usable while
/// `a < max_age`: better than nothing. At `max_age` it is gone.
///
/// ```
/// use steadfast::{fallback::Freshness, policy, time::{minutes, secs}};
///
/// const QUOTES: Freshness = policy!(Freshness::up_to(minutes(10)).fresh_for(secs(30)));
/// assert_eq!(QUOTES.max_age(), minutes(10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Freshness {
    max_age: Duration,
    fresh_for: Duration,
}

/// The making of a [`Freshness`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct FreshnessConfig(Freshness);

impl Freshness {
    /// Usable for 300 s, a common choice for answers that are read often; never fresh, so that the
    /// primary is always asked first.
    pub const STANDARD: Self = Self {
        max_age: secs(300),
        fresh_for: Duration::ZERO,
    };

    /// Usable while younger than `max_age`, and never fresh unless
    /// [`fresh_for`](FreshnessConfig::fresh_for) says so.
    pub const fn up_to(max_age: Duration) -> FreshnessConfig {
        FreshnessConfig(Self {
            max_age,
            fresh_for: Duration::ZERO,
        })
    }

    /// From this age on it is of no use.
    pub const fn max_age(&self) -> Duration {
        self.max_age
    }

    /// From this age on it is not fresh.
    pub const fn fresh_for(&self) -> Duration {
        self.fresh_for
    }

    /// An instant that was written down, as it is believed at `now`. One further ahead than another
    /// core's clock may lead was written before the clock went back, and nobody knows how long ago:
    /// so from here on it is as old as what is not fresh any more.
    pub(super) fn believed(&self, at: Instant, now: Instant) -> Instant {
        if at > now.saturating_add(CLOCK_LEAD) {
            now - self.fresh_for
        } else {
            at
        }
    }

    /// `value`, which is of `at`, if it is usable at `now`.
    pub(super) fn aged<V>(&self, value: V, at: Instant, now: Instant) -> Option<Aged<V>> {
        let age = now.since(at);
        (age < self.max_age).then_some(Aged {
            value,
            age,
            // At the very start of the clock lies what was doubted soon after it.
            is_fresh: age < self.fresh_for && at > Instant::ZERO,
        })
    }
}

impl FreshnessConfig {
    /// Fresh while younger than this; zero by default.
    #[must_use]
    pub const fn fresh_for(mut self, fresh_for: Duration) -> Self {
        self.0.fresh_for = fresh_for;
        self
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// If `max_age` is nothing or more than [`MAX_WAIT`], or `fresh_for` more than `max_age`.
    pub const fn build(self) -> Result<Freshness, ConfigError> {
        let Freshness { max_age, fresh_for } = self.0;
        let (max_age, fresh_for) = (max_age.as_nanos(), fresh_for.as_nanos());
        if let Err(error) = ConfigError::check("max_age (ns)", max_age, 1, MAX_WAIT.as_nanos()) {
            return Err(error);
        }
        if let Err(error) = ConfigError::check("fresh_for (ns)", fresh_for, 0, max_age) {
            return Err(error);
        }
        Ok(self.0)
    }
}

/// An answer from earlier, and how old it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Aged<V> {
    /// The answer.
    pub value: V,
    /// How long ago it was true; less than the policy's `max_age`.
    pub age: Duration,
    /// Is it as good as asking?
    pub is_fresh: bool,
}

impl<V: Clone> Aged<&V> {
    /// With a value of its own.
    pub fn cloned(self) -> Aged<V> {
        Aged {
            value: self.value.clone(),
            age: self.age,
            is_fresh: self.is_fresh,
        }
    }
}

/// Where good answers are kept: what [`Chain::backed_by`](super::Chain::backed_by) asks.
pub trait Memory<T> {
    /// Does it keep anything at all? If not, it is not asked, and no counter says that it was.
    const KEEPS: bool = true;

    /// Keeps `value`, which is of `now`.
    fn remember(&mut self, value: &T, now: Instant);

    /// What was kept, if it is of use at `now`.
    fn recall(&mut self, now: Instant) -> Option<Aged<T>>;
}

impl<T, M: Memory<T>> Memory<T> for &mut M {
    const KEEPS: bool = M::KEEPS;

    fn remember(&mut self, value: &T, now: Instant) {
        (**self).remember(value, now);
    }

    fn recall(&mut self, now: Instant) -> Option<Aged<T>> {
        (**self).recall(now)
    }
}
