//! Thousands of random calls with somebody behind them: each has its own time, and leaves what it says.

use std::cell::{Cell, RefCell};

use proptest::prelude::*;
use steadfast::call::{Attempt, Call};
use steadfast::fallback::Source;
use steadfast::time::{Clock, Duration, Instant, millis};

use crate::simulated::{STEADY, World, no_chance};

/// What one attempt does: how long it takes, and whether it works then.
type Turn = (u64, bool);

/// A whole schedule, in milliseconds.
#[derive(Clone, Debug)]
struct Schedule {
    attempt: u64,
    within: u64,
    leaving: Option<u64>,
    turns: Vec<Turn>,
    second: Turn,
}

impl Schedule {
    /// What the call leaves, by the rule as it is written down, in nanoseconds.
    fn kept(&self) -> u64 {
        let within = self.within * 1_000_000;
        match self.leaving {
            Some(leaving) => (leaving * 1_000_000).min(within),
            None => (self.attempt * 1_000_000).min(within / 2),
        }
    }

    fn own(&self) -> Instant {
        Instant::from_nanos(self.within * 1_000_000 - self.kept())
    }

    /// How long somebody else may take who is asked now.
    fn may(&self, asked: Instant) -> Duration {
        let longest = self.attempt.max(self.leaving.unwrap_or(0));
        millis(longest).min(Instant::from_millis(self.within).since(asked))
    }

    fn check(&self, begun: &[(Instant, Attempt)], asked: Option<Instant>, came_of: Source) {
        for (at, attempt) in begun {
            assert!(*at < self.own(), "an attempt began in another's time");
            assert!(attempt.deadline.instant() <= self.own());
            assert!(attempt.deadline.instant() <= *at + millis(self.attempt));
        }
        assert_eq!(begun.is_empty(), self.own() == Instant::ZERO);
        assert_eq!(asked.is_none(), came_of == Source::Primary);
        let Some(asked) = asked else { return };
        let least = millis(self.attempt.max(self.leaving.unwrap_or(0)));
        assert!(
            self.may(asked) >= least.min(Duration::from_nanos(self.kept())),
            "what was left to it was taken"
        );
    }
}

fn schedules() -> impl Strategy<Value = Schedule> {
    // One in three hangs.
    let turn = || {
        (
            prop_oneof![2 => 0_u64..2_000, 1 => Just(1_000_000)],
            any::<bool>(),
        )
    };
    (
        1_u64..3_000,
        1_u64..8_000,
        prop::option::of(prop_oneof![4 => 1_u64..4_000, 1 => Just(9_000)]),
        prop::collection::vec(turn(), 5),
        turn(),
    )
        .prop_map(|(attempt, within, leaving, turns, second)| Schedule {
            attempt,
            within,
            leaving,
            turns,
            second,
        })
}

proptest! {
    #[test]
    fn whatever_the_other_side_does_somebody_else_has_what_was_left_and_nobody_goes_on_past_the_whole(
        schedule in schedules()
    ) {
        let world = World::new();
        let begun = RefCell::new(Vec::new());
        let asked = Cell::new(None);
        let operation = |attempt: Attempt| {
            let turn = schedule.turns[begun.borrow().len()];
            begun.borrow_mut().push((world.now(), attempt));
            takes(&world, turn)
        };
        let mut call = Call::told(operation, &world, no_chance)
            .retry(&STEADY)
            .attempt_timeout(millis(schedule.attempt))
            .within(millis(schedule.within));
        if let Some(leaving) = schedule.leaving {
            call = call.leaving(millis(leaving));
        }
        let elsewhere = || {
            asked.set(Some(world.now()));
            takes(&world, schedule.second)
        };
        let served = world.run(call.or_secondary(elsewhere).or_else(|| 5).call());
        prop_assert!(world.now() <= Instant::from_millis(schedule.within));
        prop_assert_eq!(world.sleepers(), 0);
        schedule.check(&begun.borrow(), asked.get(), served.source);
        if let Some(asked) = asked.get() {
            let (takes, works) = schedule.second;
            let in_time = works && millis(takes) <= schedule.may(asked);
            prop_assert_eq!(served.source == Source::Secondary, in_time);
        }
    }

    #[test]
    fn so_it_is_for_calls_that_block_and_keep_to_what_they_are_told(schedule in schedules()) {
        let world = World::new();
        let begun = RefCell::new(Vec::new());
        let asked = Cell::new(None);
        // A socket with a timeout: it answers in time, or gives up then.
        let take = |(takes, works): Turn, attempt: Attempt| {
            let left = attempt.deadline.remaining(world.now());
            world.pass_at_once(millis(takes).min(left));
            if works && millis(takes) <= left { Ok(7) } else { Err("down") }
        };
        let operation = |attempt: Attempt| {
            let turn = schedule.turns[begun.borrow().len()];
            begun.borrow_mut().push((world.now(), attempt));
            take(turn, attempt)
        };
        let mut call = Call::blocking(operation, &world, no_chance)
            .retry(&STEADY)
            .attempt_timeout(millis(schedule.attempt))
            .within(millis(schedule.within));
        if let Some(leaving) = schedule.leaving {
            call = call.leaving(millis(leaving));
        }
        let elsewhere = |attempt: Attempt| {
            let now = world.now();
            asked.set(Some(now));
            assert_eq!(attempt.deadline.remaining(now), schedule.may(now));
            take(schedule.second, attempt)
        };
        let served = call.or_secondary(elsewhere).or_else(|| 5).call_blocking();
        prop_assert!(world.now() <= Instant::from_millis(schedule.within));
        schedule.check(&begun.borrow(), asked.get(), served.source);
    }
}

async fn takes(world: &World, (takes, works): Turn) -> Result<u32, &'static str> {
    world.pass(millis(takes)).await;
    if works { Ok(7) } else { Err("down") }
}
