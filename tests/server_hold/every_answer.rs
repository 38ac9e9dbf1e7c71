//! Holds and paces against a model that remembers every answer.

use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::limit::{Policy, ServerHold};
use steadfast::time::{Duration, Instant, nanos};

use crate::model::schedule::play;
use crate::{SPREADING, left, retry_after};

/// What happens to a client.
#[derive(Clone, Debug)]
enum Event {
    Passes(u64),
    Ask(u32),
    Refused(u64),
    Left(u64, u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..8_000_000_000_u64).prop_map(Event::Passes),
        3 => (1..4_u32).prop_map(Event::Ask),
        1 => (0..90_u64).prop_map(Event::Refused),
        2 => (0..20_u64, 0..90_u64).prop_map(|(remaining, reset)| Event::Left(remaining, reset)),
    ]
}

/// All that was ever said and done, in nanoseconds.
#[derive(Default)]
struct Model {
    /// When each hold ends.
    holds: Vec<u128>,
    /// Each pace: the remainder, the time until the reset, and when the reset is.
    paces: Vec<(u128, u128, u128)>,
    /// When the place that was taken last lies, seen from the pace that was in force.
    last: Option<u128>,
}

const SECOND: u128 = 1_000_000_000;
const MAX_HOLD: u128 = 60 * SECOND;

impl Model {
    fn next(&self, now: u128) -> u128 {
        let held = self.holds.iter().copied().max().unwrap_or(0);
        let paced = match (self.last, self.paces.last()) {
            (Some(last), Some(&(remaining, reset, until))) if now < until => {
                (last + reset.div_ceil(remaining)).min(until)
            }
            _ => 0,
        };
        held.max(paced).max(now)
    }

    fn pass(&mut self, now: u128, cost: u128) {
        let more = match self.paces.last() {
            Some(&(remaining, reset, until)) if now < until => {
                ((cost - 1) * reset.div_ceil(remaining)).min(until - now)
            }
            _ => 0,
        };
        self.last = Some(now + more);
    }
}

/// How to run many: see `model/schedule.rs`.
#[test]
fn agrees_with_a_model_that_remembers_every_answer() {
    play("server hold", vec(event(), 1..60), |events| {
        let mut state = ServerHold::FULL;
        let mut model = Model {
            last: Some(0),
            ..Model::default()
        };
        let mut now = Instant::from_secs(10_000);
        let count = events.len() as u64;
        for event in events {
            let at = u128::from(now.as_nanos());
            match event {
                Event::Passes(by) => now = now + nanos(by),
                Event::Ask(cost) => {
                    let wait = model.next(at) - at;
                    let said = SPREADING.decide(&mut state, now, cost);
                    match said {
                        Ok(_) => prop_assert_eq!(wait, 0),
                        Err(denied) => {
                            let told = denied.retry_after().unwrap().as_nanos();
                            prop_assert_eq!(u128::from(told), wait);
                        }
                    }
                    if wait == 0 {
                        model.pass(at, u128::from(cost));
                    }
                }
                Event::Refused(wait) => {
                    SPREADING.record(&mut state, now, 429, &retry_after(&wait.to_string()));
                    model
                        .holds
                        .push(at + (u128::from(wait) * SECOND).min(MAX_HOLD));
                }
                Event::Left(remaining, reset) => {
                    SPREADING.record(&mut state, now, 200, &left(remaining, reset));
                    let (reset, remaining) = (u128::from(reset) * SECOND, u128::from(remaining));
                    let until = at + reset.min(MAX_HOLD);
                    if remaining == 0 {
                        model.holds.push(until);
                    } else {
                        model.paces.push((remaining, reset, until));
                        // Places after the reset are owed to nobody.
                        model.last = model.last.map(|last| last.min(until));
                    }
                }
            }
            let at = u128::from(now.as_nanos());
            let wait = SPREADING.wait(&state, now);
            prop_assert_eq!(u128::from(wait.as_nanos()), model.next(at) - at);
            prop_assert_eq!(SPREADING.available(&state, now) > 0, wait == Duration::ZERO);
            prop_assert!(wait <= SPREADING.rests_in(&state, now));
        }
        Ok(count)
    });
}
