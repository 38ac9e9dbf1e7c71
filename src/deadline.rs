//! One deadline for a whole piece of work, cut into attempts and handed down to those who help.

use core::fmt;

use crate::time::{Duration, Instant};

/// The instant by which an answer is no longer of use. 8 bytes.
///
/// A deadline is absolute, so whoever is handed one has what is left of it, however long those
/// before took. Nesting takes the earlier: nobody can give a helper more time than they have.
///
/// ```
/// use steadfast::{deadline::Deadline, time::{Instant, secs}};
///
/// let now = Instant::from_secs(100);
/// let request = Deadline::after(now, secs(8));
/// // An attempt may take five seconds, but never longer than what is left.
/// assert_eq!(request.limit(now, secs(5)), secs(5));
/// assert_eq!(request.limit(now + secs(6), secs(5)), secs(2));
/// // What is called may not extend it.
/// assert_eq!(request.nested(Deadline::after(now, secs(60))), request);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Deadline(Instant);

impl Deadline {
    /// No deadline: the end of time.
    pub const NEVER: Self = Self(Instant::MAX);

    /// At `instant`.
    pub const fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// `limit` from `now`; past the end of time it is [`NEVER`](Self::NEVER).
    pub const fn after(now: Instant, limit: Duration) -> Self {
        Self(now.saturating_add(limit))
    }

    /// The instant.
    pub const fn instant(self) -> Instant {
        self.0
    }

    /// Is there none?
    pub const fn is_never(self) -> bool {
        self.0.as_nanos() == u64::MAX
    }

    /// The earlier of two.
    #[must_use]
    pub const fn nested(self, inner: Self) -> Self {
        if inner.0.as_nanos() < self.0.as_nanos() {
            inner
        } else {
            self
        }
    }

    /// What is left at `now`; zero once it has passed.
    pub const fn remaining(self, now: Instant) -> Duration {
        if self.is_never() {
            Duration::MAX
        } else {
            self.0.since(now)
        }
    }

    /// Has it passed? At the very instant it has: nothing is left.
    pub const fn has_passed(self, now: Instant) -> bool {
        !self.is_never() && now.as_nanos() >= self.0.as_nanos()
    }

    /// How long an attempt may take that would like to take `attempt`.
    pub const fn limit(self, now: Instant, attempt: Duration) -> Duration {
        let left = self.remaining(now);
        if left.as_nanos() < attempt.as_nanos() {
            left
        } else {
            attempt
        }
    }
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_never() {
            f.write_str("no deadline")
        } else {
            write!(f, "{} after the clock's start", self.0.since(Instant::ZERO))
        }
    }
}
