//! The calls of the last so many seconds, in slices of time.

use super::{Call, Steady, Totals, Window};
use crate::config::ConfigError;
use crate::time::{CLOCK_LEAD, Duration, Instant, MAX_WAIT};

/// Looks back on the calls of the last `window`, in `B` slices.
///
/// The first call begins the first slice, and the next slice begins where one ends, however the
/// calls come; so one call, or one after an idle hour, moves on by as many slices as time has
/// passed. A slice drops out whole. So what came in the last `window` less one slice is always
/// counted, and nothing older than `window`.
///
/// After a whole window without a call it is empty, and the next call begins it anew. A clock
/// that goes back by up to [`CLOCK_LEAD`] counts into the latest slice; one that goes back further
/// makes that slice begin at `now`, and the older ones keep their distance from it.
///
/// The policy is 8 bytes, the state `12 * B + 24` (rounded up to eight). To record costs O(1),
/// and up to `B` subtractions after a pause; no division.
///
/// ```
/// use steadfast::time::{Instant, secs};
/// use steadfast::{policy, window::{Call, TimeWindow, Window}};
///
/// const LAST_10_S: TimeWindow<10> = policy!(TimeWindow::new(secs(10)));
///
/// let mut state = TimeWindow::EMPTY;
/// let start = Instant::from_secs(100);
/// LAST_10_S.record(&mut state, start, Call::FAILED);
/// assert_eq!(LAST_10_S.totals(&state, start + secs(9)).failures, 1);
/// assert_eq!(LAST_10_S.totals(&state, start + secs(10)).failures, 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct TimeWindow<const B: usize> {
    slice: Duration,
}

/// A time window being configured; [`build`](Self::build) or [`policy!`](crate::policy) checks it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct TimeWindowConfig<const B: usize> {
    window: Duration,
}

/// What a [`TimeWindow`] remembers: `12 * B + 24` bytes, rounded up to eight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct TimeWindowState<const B: usize> {
    /// When the latest slice began.
    began: Instant,
    /// A ring.
    slices: [Totals; B],
    /// Which of them is the latest.
    latest: u32,
    /// All of them together.
    totals: Totals,
}

/// The most slices, so that what a pause costs stays short.
const MOST_SLICES: u64 = 4_096;

impl<const B: usize> TimeWindow<B> {
    /// The last `window`, 1 ns a slice to [`MAX_WAIT`], in `B` slices, 1 to 4,096. A slice is a
    /// `B`th of it, rounded up to the nanosecond.
    pub const fn new(window: Duration) -> TimeWindowConfig<B> {
        TimeWindowConfig { window }
    }

    /// How long a slice is.
    pub const fn slice(&self) -> Duration {
        self.slice
    }

    /// After the clock went back further than its lead, the latest slice begins at `now`. Recording
    /// does this by itself; for those who only look, for a long time.
    pub fn mend(&self, state: &mut TimeWindowState<B>, now: Instant) {
        if state.began.since(now) > CLOCK_LEAD {
            state.began = now;
        }
    }

    /// How many slices have ended since the latest began, at most `B`; and how much of `now`'s
    /// slice has passed. The window is empty if it is `B`.
    fn turned(self, state: &TimeWindowState<B>, now: Instant) -> (usize, Duration) {
        // Hidden, or the compiler makes a 64-bit division of the loop where it knows the slice.
        let slice = core::hint::black_box(self.slice.as_nanos());
        // Zero if the clock went back.
        let mut past = now.since(state.began).as_nanos();
        let mut turned = 0;
        while past >= slice && turned < B {
            past = past.wrapping_sub(slice);
            turned = turned.wrapping_add(1);
        }
        (turned, Duration::from_nanos(past))
    }
}

const fn after<const B: usize>(place: u32) -> u32 {
    let next = place.wrapping_add(1);
    if next as usize >= B { 0 } else { next }
}

impl<const B: usize> TimeWindowConfig<B> {
    /// Checks it and makes the policy.
    ///
    /// # Errors
    ///
    /// The first that is out of range: `slices` or `window (ns)`.
    pub const fn build(self) -> Result<TimeWindow<B>, ConfigError> {
        let (slices, window) = (B as u64, self.window.as_nanos());
        if let Err(error) = ConfigError::check("slices", slices, 1, MOST_SLICES) {
            return Err(error);
        }
        if let Err(error) = ConfigError::check("window (ns)", window, slices, MAX_WAIT.as_nanos()) {
            return Err(error);
        }
        Ok(TimeWindow {
            slice: Duration::from_nanos(window.div_ceil(slices)),
        })
    }
}

impl<const B: usize> Window for TimeWindow<B> {
    type State = TimeWindowState<B>;

    const EMPTY: TimeWindowState<B> = TimeWindowState {
        began: Instant::ZERO,
        slices: [Totals::NONE; B],
        latest: 0,
        totals: Totals::NONE,
    };

    #[inline]
    fn record(&self, state: &mut TimeWindowState<B>, now: Instant, call: Call) -> Totals {
        self.mend(state, now);
        let (turned, past) = self.turned(state, now);
        if turned >= B || state.totals.calls == 0 {
            *state = Self::EMPTY;
            state.began = now;
        } else if turned > 0 {
            for _ in 0..turned {
                state.latest = after::<B>(state.latest);
                if let Some(slice) = state.slices.get_mut(state.latest as usize) {
                    state.totals = state.totals.without(*slice);
                    *slice = Totals::NONE;
                }
            }
            state.began = now - past;
        }
        // Full: 2^32 - 1 calls. What more comes is not counted, so that all sums stay right.
        if state.totals.calls < u32::MAX
            && let Some(slice) = state.slices.get_mut(state.latest as usize)
        {
            *slice = slice.with(call);
            state.totals = state.totals.with(call);
        }
        state.totals
    }

    /// Until the slice ends, and not before the clock has gone back too far. An empty window begins
    /// with the call that comes first, so it must be recorded.
    #[inline]
    fn steady(&self, state: &TimeWindowState<B>) -> Steady {
        if state.totals.calls == 0 {
            return Steady::NEVER;
        }
        Steady {
            from: state.began - CLOCK_LEAD,
            before: state.began + self.slice,
        }
    }

    /// O(1).
    fn add(&self, state: &mut TimeWindowState<B>, calls: u32) -> Totals {
        let calls = calls.min(u32::MAX.wrapping_sub(state.totals.calls));
        if let Some(slice) = state.slices.get_mut(state.latest as usize) {
            *slice = slice.with_good(calls);
            state.totals = state.totals.with_good(calls);
        }
        state.totals
    }

    fn latest(&self, state: &TimeWindowState<B>) -> Totals {
        state.totals
    }

    fn totals(&self, state: &TimeWindowState<B>, now: Instant) -> Totals {
        let (turned, _) = self.turned(state, now);
        let (mut totals, mut place) = (state.totals, state.latest);
        for _ in 0..turned {
            place = after::<B>(place);
            if let Some(slice) = state.slices.get(place as usize) {
                totals = totals.without(*slice);
            }
        }
        totals
    }
}
