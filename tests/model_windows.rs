//! The rolling windows against lists of all calls, over made-up histories.
//!
//! How to run many: see `model/schedule.rs`.

mod model;

use model::schedule::play;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use steadfast::time::{Instant, nanos, secs};
use steadfast::window::{Call, CountWindow, Steady, TimeWindow, Totals, Window};

type Verdict = Result<u64, TestCaseError>;

fn counted<'a>(calls: impl Iterator<Item = &'a Call>) -> Totals {
    let mut totals = Totals::NONE;
    for call in calls {
        totals.calls += 1;
        totals.failures += u32::from(call.failed);
        totals.slow += u32::from(call.slow);
    }
    totals
}

fn call(bits: u8) -> Call {
    Call {
        failed: bits & 1 != 0,
        slow: bits & 2 != 0,
    }
}

fn last_calls<const W: usize>(length: usize, calls: &[u8]) -> Verdict {
    let window = CountWindow::<W>::new(length as u32).build().unwrap();
    let (mut state, mut list) = (CountWindow::<W>::EMPTY, Vec::new());
    for &bits in calls {
        list.push(call(bits));
        let said = window.record(&mut state, Instant::ZERO, call(bits));
        let right = counted(list.iter().rev().take(length));
        prop_assert_eq!(said, right, "after {} calls", list.len());
        prop_assert_eq!(window.totals(&state, Instant::ZERO), right);
    }
    Ok(calls.len() as u64)
}

#[test]
fn the_last_calls() {
    let inputs = (1_usize..=96, vec(any::<u8>(), 0..=400));
    play("count window", inputs, |(length, calls)| match length {
        1..=32 => last_calls::<1>(length, &calls),
        33..=64 => last_calls::<2>(length, &calls),
        _ => last_calls::<3>(length, &calls),
    });
}

/// The same calls: one window records each, the other counts good ones apart while it may, and adds
/// them when something else is asked of it.
fn added_together<W: Window>(window: W, steps: &[(u64, u8)]) -> Verdict {
    let (mut one, mut other, mut apart) = (W::EMPTY, W::EMPTY, 0);
    let mut now = Instant::from_secs(10);
    for &(by, bits) in steps {
        now = match by % 16 {
            0..=9 => now,
            10..=12 => now + nanos(by >> 32 & 63),
            13 => now + nanos(1 << 33) + nanos(by >> 32),
            14 => now - nanos((1 << 32) - 2 + (by >> 32 & 3)),
            _ => now - nanos(by >> 32 & 63),
        };
        let call = call(if bits < 40 { bits } else { 0 });
        let said = window.record(&mut one, now, call);
        if call == Call::GOOD && window.steady(&other).holds(now) {
            apart += 1;
            continue;
        }
        let so_far = window.add(&mut other, apart);
        prop_assert_eq!(so_far, window.latest(&other));
        apart = 0;
        prop_assert_eq!(window.record(&mut other, now, call), said);
        prop_assert_eq!(window.totals(&other, now), window.totals(&one, now));
    }
    let right = window.totals(&one, now);
    window.add(&mut other, apart);
    prop_assert_eq!(window.totals(&other, now), right);
    Ok(steps.len() as u64)
}

#[test]
fn good_calls_that_are_added_together_count_as_if_each_had_been_recorded() {
    let steps = vec(any::<(u64, u8)>(), 0..=400);
    let inputs = (1_u32..=40, 1_u64..=2_000, steps);
    play("added together", inputs, |(calls, window, steps)| {
        let of_calls = CountWindow::<2>::new(calls).build().unwrap();
        let of_time = TimeWindow::<4>::new(nanos(window + 3)).build().unwrap();
        Ok(added_together(of_calls, &steps)? + added_together(of_time, &steps)?)
    });
}

/// 2^32 - 1 calls: what more comes is not counted, however it comes.
#[test]
fn a_full_time_window_counts_no_more_good_calls() {
    let window = TimeWindow::<2>::new(secs(2)).build().unwrap();
    let (mut state, now) = (TimeWindow::<2>::EMPTY, Instant::from_secs(100));
    window.record(&mut state, now, Call::FAILED);
    assert_eq!(window.add(&mut state, u32::MAX - 3).calls, u32::MAX - 2);
    for calls in [7, 0, u32::MAX] {
        assert_eq!(window.add(&mut state, calls).calls, u32::MAX);
    }
    assert_eq!(window.totals(&state, now + secs(2)), Totals::NONE);
}

#[test]
fn good_calls_add_up_while_nothing_else_happens() {
    let window = TimeWindow::<2>::new(secs(2)).build().unwrap();
    let (mut state, now) = (TimeWindow::<2>::EMPTY, Instant::from_secs(100));
    // An empty window begins with its first call.
    assert_eq!(window.steady(&state), Steady::NEVER);
    window.record(&mut state, now, Call::GOOD);
    let steady = window.steady(&state);
    assert!(steady.holds(now) && steady.holds(now + secs(1) - nanos(1)));
    assert!(!steady.holds(now + secs(1)), "the next slice");
    assert!(steady.holds(now - nanos(1 << 32)), "a clock that lags");
    assert!(!steady.holds(now - nanos((1 << 32) + 1)), "one that jumped");
    for now in [Instant::ZERO, now, Instant::MAX] {
        assert!(!Steady::NEVER.holds(now));
        assert_eq!(Steady::ALWAYS.holds(now), now < Instant::MAX);
    }
}

/// The calls in their slices of time, by division. The first call, and the first after a whole
/// window without one, begins a slice.
struct Slices {
    slice: i128,
    many: i128,
    /// When the latest slice began, and its number.
    began: i128,
    number: i128,
    calls: Vec<(i128, Call)>,
}

impl Slices {
    fn turned(&self, now: i128) -> i128 {
        (now - self.began).max(0) / self.slice
    }

    fn record(&mut self, now: i128, call: Call) {
        if self.began > now + (1 << 32) {
            self.began = now;
        }
        let turned = self.turned(now);
        if self.calls.is_empty() || turned >= self.many {
            self.calls.clear();
            self.began = now;
        } else {
            self.began += turned * self.slice;
            self.number += turned;
        }
        self.calls.push((self.number, call));
    }

    fn totals(&self, now: i128) -> Totals {
        let oldest = self.number + self.turned(now) - self.many + 1;
        let seen = self.calls.iter().filter(|(slice, _)| *slice >= oldest);
        counted(seen.map(|(_, call)| call))
    }
}

fn slices_of_time<const B: usize>(window: u64, start: u64, steps: &[(u8, u64, u8)]) -> Verdict {
    let policy = TimeWindow::<B>::new(nanos(window)).build().unwrap();
    let slice = policy.slice().as_nanos();
    let mut state = TimeWindow::<B>::EMPTY;
    let mut list = Slices {
        slice: slice.into(),
        many: B as i128,
        began: 0,
        number: 0,
        calls: Vec::new(),
    };
    let mut now = start;
    for &(clock, by, bits) in steps {
        let small = by >> 6 >> (by % 64);
        now = match clock {
            0..=99 => now,
            100..=139 => now.saturating_add(by % 3),
            140..=199 => {
                let slices = slice.saturating_mul(by % (B as u64 + 2));
                now.saturating_add(slices).saturating_add(by >> 32 & 1)
            }
            200..=209 => now.saturating_sub(1),
            210..=224 => now.saturating_add(small),
            225..=234 => now.saturating_sub(small),
            235..=244 => now.saturating_sub((1 << 32) - 2 + by % 4),
            245..=249 => u64::MAX - small,
            250..=255 => by,
        };
        let at = Instant::from_nanos(now);
        if bits & 0b1100 != 0 {
            let said = policy.record(&mut state, at, call(bits));
            list.record(now.into(), call(bits));
            prop_assert_eq!(said, list.totals(now.into()), "recorded at {}", now);
        }
        prop_assert_eq!(
            policy.totals(&state, at),
            list.totals(now.into()),
            "at {}",
            now
        );
    }
    Ok(steps.len() as u64)
}

#[test]
fn the_calls_of_the_last_time() {
    let window = any::<u64>().prop_map(|n| (n >> 6 >> (n % 60)).clamp(32, 1 << 62));
    let steps = vec(any::<(u8, u64, u8)>(), 100..=200);
    let inputs = (window, 0_u8..5, any::<u64>(), 0_u32..64, steps);
    play(
        "time window",
        inputs,
        |(window, slices, start, by, steps)| match slices {
            0 => slices_of_time::<1>(window, start >> by, &steps),
            1 => slices_of_time::<2>(window, start >> by, &steps),
            2 => slices_of_time::<3>(window, start >> by, &steps),
            3 => slices_of_time::<10>(window, start >> by, &steps),
            _ => slices_of_time::<32>(window, start >> by, &steps),
        },
    );
}

/// After any number of successes it takes as many failures as the window has room for, no more.
#[test]
fn ten_thousand_successes_are_outweighed_by_one_window_of_failures() {
    let window = CountWindow::<4>::new(100).build().unwrap();
    let mut state = CountWindow::<4>::EMPTY;
    for _ in 0..10_000 {
        window.record(&mut state, Instant::ZERO, Call::GOOD);
    }
    for failures in 1..=100 {
        let totals = window.record(&mut state, Instant::ZERO, Call::FAILED);
        assert_eq!((totals.calls, totals.failures), (100, failures));
    }
}

/// A window that turned one slice a call would still count them.
#[test]
fn a_call_after_a_pause_does_not_count_failures_of_a_minute_ago() {
    let window = TimeWindow::<10>::new(secs(10)).build().unwrap();
    let mut state = TimeWindow::<10>::EMPTY;
    let start = Instant::from_secs(1_000);
    for second in 0..10 {
        window.record(&mut state, start + secs(second), Call::FAILED);
    }
    let totals = window.record(&mut state, start + secs(15), Call::GOOD);
    assert_eq!((totals.calls, totals.failures), (5, 4));
    let totals = window.record(&mut state, start + secs(75), Call::GOOD);
    assert_eq!((totals.calls, totals.failures), (1, 0));
}

#[test]
fn a_time_window_begins_with_its_first_call() {
    let window = TimeWindow::<2>::new(secs(10)).build().unwrap();
    let mut state = TimeWindow::<2>::EMPTY;
    // Not on a multiple of anything.
    let start = Instant::from_nanos(123_456_789_123);
    window.record(&mut state, start, Call::FAILED);
    let last = start + secs(10) - nanos(1);
    assert_eq!(window.totals(&state, last).failures, 1);
    assert_eq!(window.totals(&state, start + secs(10)).failures, 0);
}

#[test]
fn windows_that_cannot_be_are_refused() {
    let error = |text: &str, said: String| assert_eq!(said, text);
    let count = |calls| {
        CountWindow::<2>::new(calls)
            .build()
            .unwrap_err()
            .to_string()
    };
    error("calls = 0, allowed 1..=64", count(0));
    error("calls = 65, allowed 1..=64", count(65));
    assert!(CountWindow::<2>::new(64).build().is_ok());
    let none = CountWindow::<0>::new(1).build().unwrap_err();
    error("words = 0, allowed 1..=32768", none.to_string());
    let time = |window| {
        TimeWindow::<3>::new(window)
            .build()
            .unwrap_err()
            .to_string()
    };
    let allowed = "allowed 3ns..=4611686018.427387904s";
    error(&format!("window = 2ns, {allowed}"), time(nanos(2)));
    let long = time(nanos((1 << 62) + 1));
    error(&format!("window = 4611686018.427387905s, {allowed}"), long);
    let none = TimeWindow::<0>::new(secs(1)).build().unwrap_err();
    error("slices = 0, allowed 1..=4096", none.to_string());
}

#[test]
fn a_share_is_compared_exactly() {
    let totals = |calls, failures| Totals {
        calls,
        failures,
        slow: failures,
    };
    assert!(!totals(0, 0).failures_reach(0));
    assert!(totals(2, 1).failures_reach(500) && !totals(2, 1).failures_reach(501));
    assert!(!totals(1_000, 499).slow_reach(500) && totals(1_000, 500).slow_reach(500));
    assert!(totals(u32::MAX, u32::MAX).slow_reach(1_000));
    assert!(!totals(u32::MAX, u32::MAX - 1).slow_reach(1_000));
}

#[test]
#[cfg(target_pointer_width = "64")]
fn windows_are_as_large_as_documented() {
    type State<W> = <W as Window>::State;
    assert_eq!(size_of::<Totals>(), 12);
    assert_eq!(size_of::<State<CountWindow<1>>>(), 8 + 16);
    assert_eq!(size_of::<State<CountWindow<4>>>(), 4 * 8 + 16);
    assert_eq!(size_of::<CountWindow<4>>(), 4);
    assert_eq!(size_of::<State<TimeWindow<10>>>(), 12 * 10 + 24);
    assert_eq!(size_of::<State<TimeWindow<5>>>(), 88);
    assert_eq!(size_of::<TimeWindow<10>>(), 8);
}
