//! An answer of several parts, of which some may be missing.

use super::{Missed, Served, Source};
use crate::time::Duration;

/// How the parts of one answer are, by name: a page with its price, its reviews and its stock.
///
/// ```
/// use steadfast::fallback::{Part, Parts, Source, primary};
///
/// let price = primary(Ok::<_, &str>(7)).or_default(|| 0);
/// let reviews: Result<Vec<&str>, &str> = Err("timed out");
/// let stock = primary(Err::<u32, _>("503")).or_secondary(|| Err::<u32, _>(())).served();
///
/// let parts = Parts([
///     ("price", Part::served(&price)),
///     ("reviews", Part::of(&reviews)),
///     ("stock", Part::chained(&stock)),
/// ]);
/// assert!(parts.missing().eq(["reviews", "stock"]));
///
/// // What cannot be without its price:
/// assert!(parts.has("price"));
/// let page = parts.served((price.value, reviews.unwrap_or_default()));
/// assert_eq!(page.source, Source::Partial);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Parts<'a, const N: usize>(
    /// Each part's name and how it is.
    pub [(&'a str, Part); N],
);

/// How one part is: where it came from and how old it is, or that it is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub enum Part {
    /// It is there.
    There {
        /// Where it came from.
        source: Source,
        /// How old it is.
        age: Duration,
    },
    /// It is not.
    Missing,
}

impl Part {
    /// A part that was asked for now, without a fallback.
    pub const fn of<T, E>(result: &Result<T, E>) -> Self {
        match result {
            Ok(_) => Self::There {
                source: Source::Primary,
                age: Duration::ZERO,
            },
            Err(_) => Self::Missing,
        }
    }

    /// A part that a chain has answered. An `Ok` of the primary that was no success is
    /// [`Partial`](Source::Partial): it is there, and [less](Served::is_degraded) than was asked for.
    pub const fn served<T>(served: &Served<T>) -> Self {
        let says_so = served.source.is_degraded() || !served.is_degraded();
        Self::There {
            source: if says_so {
                served.source
            } else {
                Source::Partial
            },
            age: served.age,
        }
    }

    /// A part that a chain without a default may have answered.
    pub const fn chained<T, E>(result: &Result<Served<T>, E>) -> Self {
        match result {
            Ok(served) => Self::served(served),
            Err(_) => Self::Missing,
        }
    }

    /// Is it there, and as good as asked for?
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::There { source, .. } if !source.is_degraded())
    }

    const fn age(self) -> Duration {
        match self {
            Self::There { age, .. } => age,
            Self::Missing => Duration::ZERO,
        }
    }
}

impl<'a, const N: usize> Parts<'a, N> {
    /// The names of those that are missing, in their order.
    pub fn missing(&self) -> impl Iterator<Item = &'a str> {
        self.names(|part| part == Part::Missing)
    }

    /// The names of those that are there and degraded, in their order.
    pub fn degraded(&self) -> impl Iterator<Item = &'a str> {
        self.names(|part| part != Part::Missing && !part.is_whole())
    }

    /// Is the part of this name there? No part has a name that was not given.
    pub fn has(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|&(of, part)| of == name && part != Part::Missing)
    }

    /// Are all parts there and as good as asked for?
    pub fn are_whole(&self) -> bool {
        self.0.iter().all(|&(_, part)| part.is_whole())
    }

    /// The answer that was made of the parts, as old as the oldest of them.
    ///
    /// If all parts are of one source, it is of that. If all are whole, and some were kept from
    /// earlier, it is [`Source::Cached`]. Anything else is [`Source::Partial`], also if no part is
    /// missing and one is degraded; so is an answer whose parts are all missing.
    pub fn served<T>(&self, value: T) -> Served<T> {
        let age = self.0.iter().map(|&(_, part)| part.age()).max();
        Served {
            value,
            source: self.source(),
            age: age.unwrap_or_default(),
            // Each part's chain has said whom it asked in vain.
            missed: Missed::NONE,
        }
    }

    /// An answer without any parts is whole.
    fn source(&self) -> Source {
        let first = match self.0.first() {
            Some(&(_, Part::There { source, .. })) => source,
            Some(&(_, Part::Missing)) => return Source::Partial,
            None => return Source::Primary,
        };
        let alike = |&(_, part): &(&str, Part)| match part {
            Part::There { source, .. } => source == first,
            Part::Missing => false,
        };
        if self.0.iter().all(alike) {
            first
        } else if self.are_whole() {
            Source::Cached
        } else {
            Source::Partial
        }
    }

    fn names(&self, which: impl Fn(Part) -> bool) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter_map(move |&(name, part)| which(part).then_some(name))
    }
}
