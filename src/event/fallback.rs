//! What a fallback did.

use crate::fallback::{Missed, Source, is_degraded};
use crate::time::{Duration, Instant};

/// Where one answer came from, or that there was none. 40 bytes on a 64-bit machine.
///
/// Made by [`Served::event`](crate::fallback::Served::event) and
/// [`Chain::event`](crate::fallback::Chain::event).
///
/// ```
/// use steadfast::event::FallbackEvent;
/// use steadfast::fallback::primary;
/// use steadfast::time::Instant;
///
/// let answer = primary(Err::<u32, _>("503"))
///     .or_stale(|| None)
///     .or_secondary(|| Ok::<_, ()>(7))
///     .or_default(|| 5);
/// let event = answer.event("quote", Instant::from_secs(60));
/// assert_eq!(event.label(), "secondary");
/// assert!(event.counters().eq(["primary_failure", "cache_failure", "fallback_success"]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct FallbackEvent<'a> {
    /// What was asked for.
    pub operation: &'a str,
    /// Where the answer came from; `None` if there was none.
    pub source: Option<Source>,
    /// Who was asked before and had none.
    pub missed: Missed,
    /// How old the answer is.
    pub age: Duration,
    /// When, on the caller's clock.
    pub at: Instant,
}

impl FallbackEvent<'_> {
    /// Is it less than what was asked for, as [`Served::is_degraded`] says, or nothing?
    ///
    /// [`Served::is_degraded`]: crate::fallback::Served::is_degraded
    pub const fn is_degraded(&self) -> bool {
        match self.source {
            Some(source) => is_degraded(source, self.missed),
            None => true,
        }
    }

    /// Every [`label`](Self::label) that there is: those of [`Source`], and `unserved`.
    pub const LABELS: [&'static str; 8] = [
        "primary",
        "cached",
        "stale",
        "secondary",
        "default",
        "deferred",
        "partial",
        "unserved",
    ];

    /// One word for a counter's label, the same in every version; one of [`LABELS`](Self::LABELS).
    pub const fn label(&self) -> &'static str {
        match self.source {
            Some(source) => source.label(),
            None => "unserved",
        }
    }

    /// Every counter that there is; see [`counters`](Self::counters).
    pub const COUNTERS: [&'static str; 5] = [
        "primary_failure",
        "cache_hit",
        "cache_failure",
        "fallback_success",
        "fallback_failure",
    ];

    /// The counters that go up by one, of [`COUNTERS`](Self::COUNTERS):
    ///
    /// | counter | goes up when |
    /// |---|---|
    /// | `primary_failure` | the primary had no answer |
    /// | `cache_hit` | the answer was kept from earlier, fresh or stale |
    /// | `cache_failure` | the cache was asked and had none |
    /// | `fallback_success` | the secondary had it, or it was deferred |
    /// | `fallback_failure` | the secondary had no answer, or the queue no place |
    pub fn counters(&self) -> impl Iterator<Item = &'static str> {
        let Self { source, missed, .. } = *self;
        let goes_up = [
            missed.contains(Source::Primary),
            matches!(source, Some(Source::Cached | Source::Stale)),
            missed.contains(Source::Stale),
            matches!(source, Some(Source::Secondary | Source::Deferred)),
            missed.contains(Source::Secondary) || missed.contains(Source::Deferred),
        ];
        Self::COUNTERS
            .into_iter()
            .zip(goes_up)
            .filter_map(|(name, goes_up)| goes_up.then_some(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_in_the_list_once() {
        let (last, sources) = FallbackEvent::LABELS.split_last().expect("there are some");
        assert_eq!(sources, Source::LABELS);
        let unserved = FallbackEvent {
            operation: "",
            source: None,
            missed: Missed::NONE,
            age: Duration::ZERO,
            at: Instant::ZERO,
        };
        assert_eq!(unserved.label(), *last);
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn an_event_is_as_large_as_the_documentation_says() {
        assert_eq!(size_of::<FallbackEvent<'_>>(), 40);
    }
}
