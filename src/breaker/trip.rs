//! When a closed breaker opens: by failures in a row, or by rates over a window.

use core::fmt::Debug;

use super::transition::Cause;
use crate::time::{Duration, Instant};
use crate::window::{Call, Steady, Totals, Window};

/// The rule that opens a closed breaker, and what it has to count for that.
///
/// [`Consecutive`] and [`Rate`] are what most need. Another rule is a policy and a small `Copy`
/// state, as everywhere here.
pub trait Trip: Copy + Debug + Eq {
    /// What is counted while the breaker is closed.
    type Counts: Copy + Debug + Eq;

    /// Nothing counted yet, whatever the rule.
    const NONE: Self::Counts;

    /// Counts a call that has just ended; why the breaker should open, if it should.
    fn count(&self, counts: &mut Self::Counts, now: Instant, call: Call) -> Option<Cause>;

    /// What is counted.
    fn totals(&self, counts: &Self::Counts, now: Instant) -> Totals;

    /// Would a call that works in time change nothing? Then it need not be recorded.
    fn good_call_changes_nothing(&self, counts: &Self::Counts) -> bool;

    /// When calls that work in time do no more than add up: however many come, the breaker stays
    /// closed. They may then be counted elsewhere, and [`add`](Self::add)ed before anything else is
    /// counted.
    #[inline]
    fn steady(&self, _counts: &Self::Counts) -> Steady {
        Steady::NEVER
    }

    /// Counts so many calls that worked in time, while it was [`steady`](Self::steady): all of them,
    /// or up to the one with which the breaker is [`due`](Self::due) to open, if it was steady no
    /// more when they were made. How many it has counted.
    fn add(&self, _counts: &mut Self::Counts, calls: u32) -> u32 {
        calls
    }

    /// Why it should have opened at the latest call that was counted, if it should have and still
    /// should at `now`. It is asked where calls were [`add`](Self::add)ed.
    #[inline]
    fn due(&self, _counts: &Self::Counts, _now: Instant) -> Option<Cause> {
        None
    }

    /// How long a call may take and not count as slow; `None` if calls are not timed.
    fn longest_good_call(&self) -> Option<Duration>;
}

/// Opens after so many failures in a row.
///
/// A success begins a new row. Calls that say nothing about the other side (the caller's mistake,
/// a call given up, a 429) neither begin a new row nor count. 4 bytes, and 4 bytes of counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Consecutive {
    pub(super) failures: u32,
}

impl Consecutive {
    /// How many failures in a row open the breaker.
    pub const fn failures(&self) -> u32 {
        self.failures
    }
}

impl Trip for Consecutive {
    type Counts = u32;

    const NONE: u32 = 0;

    #[inline]
    fn count(&self, row: &mut u32, _now: Instant, call: Call) -> Option<Cause> {
        if !call.failed {
            *row = 0;
            return None;
        }
        *row = row.saturating_add(1);
        (*row >= self.failures).then_some(Cause::Failures)
    }

    fn totals(&self, row: &u32, _now: Instant) -> Totals {
        Totals {
            calls: *row,
            failures: *row,
            slow: 0,
        }
    }

    #[inline]
    fn good_call_changes_nothing(&self, row: &u32) -> bool {
        *row == 0
    }

    #[inline]
    fn longest_good_call(&self) -> Option<Duration> {
        None
    }
}

/// Opens when too large a share of the calls in a [`Window`] failed or was slow.
///
/// Judged at each call that is counted, from the least number of calls on, that one included, be it
/// a success or a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Rate<W> {
    pub(super) window: W,
    pub(super) min_calls: u32,
    pub(super) failures_permille: u32,
    pub(super) slow_permille: u32,
    /// The longest duration if calls are not timed.
    pub(super) longer_than: Duration,
}

impl<W: Window> Rate<W> {
    /// What is looked back on.
    pub const fn window(&self) -> &W {
        &self.window
    }

    /// How many calls must be in the window before it is judged.
    pub const fn min_calls(&self) -> u32 {
        self.min_calls
    }

    #[inline]
    fn judge(&self, totals: Totals) -> Option<Cause> {
        if totals.calls < self.min_calls {
            None
        } else if totals.failures_reach(self.failures_permille) {
            Some(Cause::FailureRate)
        } else if totals.slow_reach(self.slow_permille) {
            Some(Cause::SlowRate)
        } else {
            None
        }
    }
}

impl<W: Window> Trip for Rate<W> {
    type Counts = W::State;

    const NONE: W::State = W::EMPTY;

    #[inline]
    fn count(&self, counts: &mut W::State, now: Instant, call: Call) -> Option<Cause> {
        let totals = self.window.record(counts, now, call);
        self.judge(totals)
    }

    fn totals(&self, counts: &W::State, now: Instant) -> Totals {
        self.window.totals(counts, now)
    }

    #[inline]
    fn good_call_changes_nothing(&self, counts: &W::State) -> bool {
        self.window.good_call_changes_nothing(counts)
    }

    /// Good calls lower both rates, but for those that make up the least number of calls.
    fn steady(&self, counts: &W::State) -> Steady {
        let mut totals = self.window.latest(counts);
        totals.calls = totals.calls.max(self.min_calls);
        match self.judge(totals) {
            Some(_) => Steady::NEVER,
            None => self.window.steady(counts),
        }
    }

    fn add(&self, counts: &mut W::State, calls: u32) -> u32 {
        // Judged where the rates are highest: at the least number of calls, or else at the first.
        let so_far = self.window.latest(counts).calls;
        let first = self.min_calls.saturating_sub(so_far).max(1).min(calls);
        let totals = self.window.add(counts, first);
        if self.judge(totals).is_some() {
            return first;
        }
        self.window.add(counts, calls.saturating_sub(first));
        calls
    }

    fn due(&self, counts: &W::State, now: Instant) -> Option<Cause> {
        self.judge(self.window.latest(counts))?;
        self.judge(self.window.totals(counts, now))
    }

    #[inline]
    fn longest_good_call(&self) -> Option<Duration> {
        (self.longer_than < Duration::MAX).then_some(self.longer_than)
    }
}
