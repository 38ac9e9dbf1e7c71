//! Rolling statistics: how many of the latest calls failed, and how many were slow.
//!
//! | window | what it looks back on | memory |
//! |---|---|---|
//! | [`CountWindow`] | the last so many calls | two bits a call |
//! | [`TimeWindow`] | the calls of the last so many seconds | 12 bytes a slice |
//!
//! A count window says the same at every load, and remembers failures of yesterday where calls are
//! rare. A time window forgets by itself, and says little where calls are rare: with either, ask
//! for a least number of calls before judging.
//!
//! Both slide: what is old drops out call by call, or slice by slice.

mod count;
mod time;

pub use count::{CountWindow, CountWindowConfig, CountWindowState};
pub use time::{TimeWindow, TimeWindowConfig, TimeWindowState};

use core::fmt::Debug;

use crate::time::Instant;

/// What a window has counted. 12 bytes.
///
/// A call can be failed and slow at once, and is counted in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Totals {
    /// All calls.
    pub calls: u32,
    /// Those that failed.
    pub failures: u32,
    /// Those that took too long.
    pub slow: u32,
}

impl Totals {
    /// Nothing.
    pub const NONE: Self = Self {
        calls: 0,
        failures: 0,
        slow: 0,
    };

    /// Are `permille` thousandths of the calls, or more, failures? Never, if there are no calls.
    ///
    /// Compares products, so nothing is rounded and nothing is divided.
    ///
    /// ```
    /// use steadfast::window::Totals;
    ///
    /// let third = Totals { calls: 3, failures: 1, slow: 0 };
    /// assert!(third.failures_reach(333) && !third.failures_reach(334));
    /// ```
    #[inline]
    pub const fn failures_reach(&self, permille: u32) -> bool {
        reaches(self.failures, self.calls, permille)
    }

    /// Are `permille` thousandths of the calls, or more, slow? Never, if there are no calls.
    #[inline]
    pub const fn slow_reach(&self, permille: u32) -> bool {
        reaches(self.slow, self.calls, permille)
    }

    /// With one call more.
    const fn with(self, call: Call) -> Self {
        Self {
            calls: self.calls.saturating_add(1),
            failures: self.failures.saturating_add(call.failed as u32),
            slow: self.slow.saturating_add(call.slow as u32),
        }
    }

    /// With so many good calls more.
    const fn with_good(self, calls: u32) -> Self {
        Self {
            calls: self.calls.saturating_add(calls),
            ..self
        }
    }

    /// Without calls that were counted.
    const fn without(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(other.calls),
            failures: self.failures.saturating_sub(other.failures),
            slow: self.slow.saturating_sub(other.slow),
        }
    }
}

#[inline]
const fn reaches(part: u32, whole: u32, permille: u32) -> bool {
    // Of 32 bits each, so the products fit 64.
    whole > 0 && part as u64 * 1000 >= whole as u64 * permille as u64
}

/// What a window counts of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Call {
    /// Did it fail?
    pub failed: bool,
    /// Did it take too long?
    pub slow: bool,
}

impl Call {
    /// It worked, in time.
    pub const GOOD: Self = Self {
        failed: false,
        slow: false,
    };

    /// It failed, in time.
    pub const FAILED: Self = Self {
        failed: true,
        slow: false,
    };
}

/// From when, and before when, good calls only add up in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Steady {
    /// The first instant.
    pub from: Instant,
    /// The first instant after it.
    pub before: Instant,
}

impl Steady {
    /// Whenever a good call comes, but at [`Instant::MAX`].
    pub const ALWAYS: Self = Self {
        from: Instant::ZERO,
        before: Instant::MAX,
    };

    /// At no time.
    pub const NEVER: Self = Self {
        from: Instant::MAX,
        before: Instant::ZERO,
    };

    /// Is `now` within it?
    #[inline]
    pub fn holds(&self, now: Instant) -> bool {
        self.from <= now && now < self.before
    }
}

/// A rolling statistic: a policy that says how far back, and a state that counts.
///
/// ```
/// use steadfast::policy;
/// use steadfast::time::Instant;
/// use steadfast::window::{Call, CountWindow, Window};
///
/// const LAST_4: CountWindow<1> = policy!(CountWindow::new(4));
///
/// let mut state = CountWindow::EMPTY;
/// let now = Instant::from_secs(1);
/// LAST_4.record(&mut state, now, Call::FAILED);
/// for _ in 0..3 {
///     assert_eq!(LAST_4.record(&mut state, now, Call::GOOD).failures, 1);
/// }
/// // The fifth call pushes out the first.
/// assert_eq!(LAST_4.record(&mut state, now, Call::GOOD).failures, 0);
/// ```
pub trait Window: Copy + Debug + Eq {
    /// What was counted.
    type State: Copy + Debug + Eq;

    /// Nothing counted yet, whatever the policy.
    const EMPTY: Self::State;

    /// Counts a call that has just ended, and says what is in the window with it.
    fn record(&self, state: &mut Self::State, now: Instant, call: Call) -> Totals;

    /// Would a good call change nothing that anybody can ask for? Then it need not be recorded.
    #[inline]
    fn good_call_changes_nothing(&self, _state: &Self::State) -> bool {
        false
    }

    /// When good calls do no more than add up, though each is counted: where one
    /// [changes nothing](Self::good_call_changes_nothing), it need not even be. They may then be
    /// counted elsewhere, by whoever made them, and [`add`](Self::add)ed together before anything else
    /// is done here.
    #[inline]
    fn steady(&self, _state: &Self::State) -> Steady {
        Steady::NEVER
    }

    /// Counts so many good calls that ended while it was [`steady`](Self::steady), and says what is
    /// in the window with them.
    fn add(&self, state: &mut Self::State, calls: u32) -> Totals;

    /// What is in the window.
    fn totals(&self, state: &Self::State, now: Instant) -> Totals;

    /// What was in the window when the latest call was recorded.
    fn latest(&self, state: &Self::State) -> Totals;
}
