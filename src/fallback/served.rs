//! An answer that says where it came from.

use core::fmt;

use super::Aged;
use crate::event::FallbackEvent;
use crate::time::{Duration, Instant};

/// An answer, where it came from and how old it is.
///
/// It is not its value: there is no `Deref`, and nothing compares it with one, so whoever takes
/// [`value`](Self::value) out has seen that there is more to look at.
///
/// ```
/// use steadfast::fallback::{Served, Source, primary};
///
/// let answer: Served<u32> = primary(Err("no connection")).or_default(|| 5);
/// assert_eq!(answer.value, 5);
/// assert_eq!(answer.source, Source::Default);
/// assert!(answer.is_degraded());
/// ```
///
/// This does not compile:
///
/// ```compile_fail,E0614
/// let answer = steadfast::fallback::primary(Err::<u32, _>("no connection")).or_default(|| 5);
/// let days: u32 = *answer;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[must_use = "an answer that nobody looks at was not worth asking for"]
pub struct Served<T> {
    /// The answer itself.
    pub value: T,
    /// Where it came from.
    pub source: Source,
    /// How long ago it was true: zero, unless it was kept from earlier.
    pub age: Duration,
    /// Who was asked before and had no answer.
    pub missed: Missed,
}

impl<T> Served<T> {
    /// An answer of `source`, of now, the first that was asked.
    pub const fn new(value: T, source: Source) -> Self {
        Self {
            value,
            source,
            age: Duration::ZERO,
            missed: Missed::NONE,
        }
    }

    /// An earlier answer that was taken instead of asking: [`Source::Cached`] while it is fresh,
    /// [`Source::Stale`] from then on.
    ///
    /// ```
    /// use steadfast::fallback::{Freshness, LastGood, Served, Source};
    /// use steadfast::{policy, time::{Instant, secs}};
    ///
    /// const MINUTE: Freshness = policy!(Freshness::up_to(secs(300)).fresh_for(secs(60)));
    /// let mut rate = LastGood::new(MINUTE);
    /// let now = Instant::from_secs(100);
    /// rate.put(108, now);
    ///
    /// let answer = rate.fresh(now + secs(59)).map(Served::cached).unwrap();
    /// assert_eq!((answer.source, answer.age), (Source::Cached, secs(59)));
    /// assert!(!answer.is_degraded());
    /// assert!(rate.fresh(now + secs(60)).is_none(), "time to ask again");
    /// ```
    pub fn cached(aged: Aged<T>) -> Self {
        let source = if aged.is_fresh {
            Source::Cached
        } else {
            Source::Stale
        };
        Self {
            age: aged.age,
            ..Self::new(aged.value, source)
        }
    }

    /// Is it less than what was asked for? It is if its source [is](Source::is_degraded); and if the
    /// primary is among those it has [missed](Self::missed): an `Ok` that was judged not to be a
    /// success, a 503 say, which came back since nobody had a better one.
    pub const fn is_degraded(&self) -> bool {
        is_degraded(self.source, self.missed)
    }

    /// The same of another value: where it came from stays with it.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Served<U> {
        Served {
            value: change(self.value),
            source: self.source,
            age: self.age,
            missed: self.missed,
        }
    }

    /// What happened, for logs and counters.
    pub const fn event<'a>(&self, operation: &'a str, at: Instant) -> FallbackEvent<'a> {
        FallbackEvent {
            operation,
            source: Some(self.source),
            missed: self.missed,
            age: self.age,
            at,
        }
    }
}

pub(crate) const fn is_degraded(source: Source, missed: Missed) -> bool {
    source.is_degraded() || missed.contains(Source::Primary)
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[non_exhaustive]
pub enum Source {
    /// From where it was asked for, now.
    Primary,
    /// An earlier answer that is still fresh, taken instead of asking.
    Cached,
    /// An earlier answer, since there is no other now.
    Stale,
    /// From somewhere else: a replica, another provider. Of several it does not say which: a name
    /// would be two words more in every answer and event. See
    /// [`Chain::or_secondary`](super::Chain::or_secondary) and
    /// [`Backed::or_secondary`](crate::call::Backed::or_secondary).
    Secondary,
    /// A safe value that nobody was asked for.
    Default,
    /// It was accepted and will be done later; the value says so.
    Deferred,
    /// Parts of it are missing; see [`Parts`](super::Parts).
    Partial,
}

impl Source {
    const ALL: [Self; 7] = [
        Self::Primary,
        Self::Cached,
        Self::Stale,
        Self::Secondary,
        Self::Default,
        Self::Deferred,
        Self::Partial,
    ];

    /// Is it less than what was asked for? All but [`Primary`](Self::Primary) and
    /// [`Cached`](Self::Cached) are. It should be shown as such ("may be out of date"), and not be
    /// stored as if it were the answer.
    pub const fn is_degraded(self) -> bool {
        !matches!(self, Self::Primary | Self::Cached)
    }

    /// Every [`label`](Self::label) that there is.
    pub const LABELS: [&'static str; 7] = [
        "primary",
        "cached",
        "stale",
        "secondary",
        "default",
        "deferred",
        "partial",
    ];

    /// One word for a counter's label, the same in every version; one of [`LABELS`](Self::LABELS).
    pub const fn label(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Cached => "cached",
            Self::Stale => "stale",
            Self::Secondary => "secondary",
            Self::Default => "default",
            Self::Deferred => "deferred",
            Self::Partial => "partial",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// Sources that were asked and had no answer. One byte.
///
/// ```
/// use steadfast::fallback::{Source, primary};
///
/// let answer = primary(Err::<u32, _>("no connection"))
///     .or_stale(|| None)
///     .or_default(|| 5);
/// assert_eq!(answer.missed.to_string(), "primary, stale");
/// assert!(!answer.missed.contains(Source::Secondary), "nobody asked it");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Missed(u8);

impl Missed {
    /// None: the first that was asked had it.
    pub const NONE: Self = Self(0);

    /// Was this one asked in vain? Of several secondaries, any.
    pub const fn contains(self, source: Source) -> bool {
        self.0 & source.bit() != 0
    }

    /// These, and `source`.
    #[must_use]
    pub const fn with(self, source: Source) -> Self {
        Self(self.0 | source.bit())
    }

    /// Did the first that was asked have it?
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them, in the order of [`Source::LABELS`].
    pub fn iter(self) -> impl Iterator<Item = Source> {
        Source::ALL
            .into_iter()
            .filter(move |&source| self.contains(source))
    }
}

impl fmt::Debug for Missed {
    /// Their labels: `Missed(primary, stale)`; `Missed(none)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Missed({self})")
    }
}

impl fmt::Display for Missed {
    /// Their labels: `primary, stale`; `none`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        let mut comma = "";
        for source in self.iter() {
            write!(f, "{comma}{source}")?;
            comma = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_answer_tells_how_old_it_is_and_who_was_missed() {
        let answer = Served {
            value: 21,
            source: Source::Stale,
            age: crate::time::millis(2_016),
            missed: Missed::NONE.with(Source::Primary),
        };
        assert_eq!(
            std::format!("{answer:?}"),
            "Served { value: 21, source: Stale, age: 2.016s, missed: Missed(primary) }"
        );
    }

    #[test]
    fn every_source_has_a_label_and_a_bit_of_its_own() {
        assert_eq!(Source::ALL.map(Source::label), Source::LABELS);
        let mut all = Missed::NONE;
        for source in Source::ALL {
            assert!(!all.contains(source));
            all = all.with(source);
        }
        assert!(all.iter().eq(Source::ALL));
    }
}
