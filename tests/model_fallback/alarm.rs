//! The alarm against the two edges of its definition.

use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::fallback::{FallbackAlarm, FallbackMeter};
use steadfast::time::{Duration, Instant};
use steadfast::window::{Call, TimeWindow, Totals, Window};

use crate::model::schedule::play_one_in;
use crate::{moved, moves};

/// What the window counts is the window's affair; here it is what is made of it.
#[test]
fn an_alarm_tells_its_edges_and_nothing_else() {
    let policy = (1_u32..=1_000, 1_u32..=1_000, 1_u32..12);
    let steps = vec((moves(), any::<Option<bool>>()), 100);
    play_one_in(5, "alarm", (policy, steps), |((one, other, min), steps)| {
        let (cleared_below, raised_at) = (one.min(other), one.max(other));
        let length = 100_u64;
        let meter = FallbackMeter::<4>::over(Duration::from_nanos(length))
            .raised_at(raised_at)
            .cleared_below(cleared_below)
            .min_answers(min)
            .build()
            .expect("it is allowed");
        let window = TimeWindow::<4>::new(Duration::from_nanos(length))
            .build()
            .expect("it is allowed");

        let (mut state, mut beside) = (FallbackMeter::QUIET, TimeWindow::EMPTY);
        let (mut now, mut is_raised) = (1_000_000_000_000_u64, false);
        for &(by, what) in &steps {
            now = moved(now, by, length);
            let at = Instant::from_nanos(now);
            let (said, totals) = if let Some(failed) = what {
                let call = Call {
                    failed,
                    slow: false,
                };
                let totals = window.record(&mut beside, at, call);
                (meter.record(&mut state, at, failed), totals)
            } else {
                window.mend(&mut beside, at);
                (meter.check(&mut state, at), window.totals(&beside, at))
            };
            let Totals {
                calls, failures, ..
            } = totals;
            let reaches = |permille: u32| {
                calls > 0 && u64::from(failures) * 1_000 >= u64::from(permille) * u64::from(calls)
            };
            let right = if is_raised {
                (!reaches(cleared_below)).then_some(FallbackAlarm::Cleared)
            } else {
                (calls >= min && reaches(raised_at)).then_some(FallbackAlarm::Raised)
            };
            is_raised ^= right.is_some();
            prop_assert_eq!(said, right, "{:?} at {}", totals, now);
            prop_assert_eq!(meter.is_raised(&state), is_raised);
            prop_assert_eq!(meter.totals(&state, at), totals);
        }
        Ok(steps.len() as u64)
    });
}
