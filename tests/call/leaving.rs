//! What a call leaves to who is asked next: by default, as it says, and where there is too little.

use std::cell::{Cell, RefCell};
use std::future::pending;

use steadfast::breaker::Breaker;
use steadfast::call::{Attempt, Call, CallError, Plain};
use steadfast::deadline::Deadline;
use steadfast::fallback::Source;
use steadfast::http::RemainingTime;
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::retry::{RetryBudget, StopReason};
use steadfast::shared::Shared;
use steadfast::time::{Clock, Duration, Instant, millis, secs};

use crate::simulated::{STEADY, World, no_chance};
use crate::{Lines, Scripted};

const LIFTED: u64 = u64::MAX;

/// Milliseconds; all the time there is.
fn of(ms: u64) -> Duration {
    if ms == LIFTED {
        Duration::MAX
    } else {
        millis(ms)
    }
}

fn in_millis(at: Instant) -> u64 {
    at.as_nanos() / 1_000_000
}

/// When somebody else is asked while the call hangs, and until when, in milliseconds.
fn asked_of_a_call_that_hangs(attempt: u64, within: u64, leaving: Option<u64>) -> (u64, u64) {
    let world = World::new();
    let asked = Cell::new(None);
    let mut call = Call::new(pending::<Result<u32, ()>>, &world, no_chance)
        .attempt_timeout(of(attempt))
        .within(of(within))
        .retry(&STEADY);
    if let Some(leaving) = leaving {
        call = call.leaving(of(leaving));
    }
    let elsewhere = || {
        asked.set(Some(in_millis(world.now())));
        pending::<Result<u32, ()>>()
    };
    let served = world.run(call.or_secondary(elsewhere).or_else(|| 5).call());
    assert_eq!(served.source, Source::Default);
    assert_eq!(world.sleepers(), 0, "a timer outlived its call");
    let awaited = (asked.get().expect("it is asked"), in_millis(world.now()));

    // One that blocks, by a socket's timeout.
    let world = World::new();
    let hang = |attempt: Attempt| {
        world.pass_at_once(attempt.deadline.remaining(world.now()));
        Err::<u32, _>("no answer")
    };
    let told = Cell::new(None);
    let mut call = Call::blocking(hang, &world, no_chance)
        .attempt_timeout(of(attempt))
        .within(of(within))
        .retry(&STEADY);
    if let Some(leaving) = leaving {
        call = call.leaving(of(leaving));
    }
    let elsewhere = |attempt: Attempt| {
        let until = in_millis(attempt.deadline.instant());
        told.set(Some((in_millis(world.now()), until)));
        hang(attempt)
    };
    let served = call.or_secondary(elsewhere).or_else(|| 5).call_blocking();
    assert_eq!(served.source, Source::Default);
    assert_eq!(told.get(), Some(awaited), "blocking");
    awaited
}

#[test]
fn somebody_else_is_asked_in_time_when_the_other_side_hangs() {
    for (attempt, within, leaving, asked) in [
        // Unless set: as much as an attempt may take, and at most half.
        (2_000, 8_000, None, (6_000, 8_000)),
        (5_000, 8_000, None, (4_000, 8_000)),
        (LIFTED, 8_000, None, (4_000, 8_000)),
        // The attempts are spent before: nothing is cut.
        (1_000, 30_000, None, (6_500, 7_500)),
        // As it says.
        (2_000, 8_000, Some(1_000), (7_000, 8_000)),
        (LIFTED, 8_000, Some(1_000), (7_000, 8_000)),
        // Longer than an attempt: it is all for them.
        (1_000, 5_000, Some(3_000), (2_000, 5_000)),
        // What is over by itself is theirs too, for as long as an attempt.
        (1_500, 10_000, Some(500), (9_000, 10_000)),
        // No time for the call.
        (2_000, 8_000, Some(8_000), (0, 8_000)),
        (2_000, 8_000, Some(LIFTED), (0, 8_000)),
    ] {
        let said = (attempt, within, leaving);
        assert_eq!(
            asked_of_a_call_that_hangs(attempt, within, leaving),
            asked,
            "{said:?}"
        );
    }
}

#[test]
fn a_call_that_leaves_nothing_takes_it_all() {
    let world = World::new();
    let nobody = || -> core::future::Ready<Result<u32, ()>> { unreachable!("there is no time") };
    let call = Call::new(pending::<Result<u32, &str>>, &world, no_chance)
        .within(secs(8))
        .leaving(Duration::ZERO);
    let error = world.run(call.or_secondary(nobody).call()).unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { attempts: 1 });
    assert_eq!(world.now(), Instant::from_secs(8));
}

#[test]
fn without_a_deadline_there_is_nothing_to_share() {
    let world = World::new();
    let slow = || async {
        world.pass(secs(1_000)).await;
        Err::<u32, _>("down")
    };
    let call = Call::new(slow, &world, no_chance).leaving(Duration::MAX);
    let replica = || core::future::ready(Ok::<_, ()>(7));
    let served = world.run(call.or_secondary(replica).call()).unwrap();
    assert_eq!(served.source, Source::Secondary);
    assert_eq!(world.now(), Instant::from_secs(1_000));
}

#[test]
fn where_nobody_is_behind_it_nothing_is_left_unless_it_says_so() {
    let hang = pending::<Result<(), ()>>;
    let world = World::new();
    let call = Call::new(hang, &world, no_chance).within(secs(8));
    assert!(world.run(call.clone().or_else(|| ()).call()).is_degraded());
    assert_eq!(world.now(), Instant::from_secs(8));
    assert!(world.run(call.leaving(secs(3)).call()).is_err());
    assert_eq!(world.now(), Instant::from_secs(8 + 5));
}

#[test]
fn a_call_that_would_leave_more_than_there_is_says_that_it_had_no_time() {
    let world = World::new();
    let told = RefCell::new(Vec::new());
    let breaker = Shared::breaker(policy!(Breaker::consecutive(1)));
    let partner = Scripted::new(&world, Vec::<(Duration, Result<u32, &str>)>::new());
    let call = || {
        Call::new(|| partner.answer(), &world, no_chance)
            .named("quote")
            .guarded_by(&breaker)
            .by(Deadline::after(world.now(), secs(1)))
            .leaving(secs(2))
            .observed_by(Lines(&told))
    };
    let error = world.run(call().call()).unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { attempts: 0 });
    assert_eq!(error.to_string(), "there was no time for an attempt");
    let replica = || core::future::ready(Ok::<_, ()>(7));
    let served = world.run(call().or_secondary(replica).call()).unwrap();
    assert_eq!((served.value, served.source), (7, Source::Secondary));
    let ended =
        "ended: quote: deadline_exceeded in 0s (attempts: 0; there was no time for one)".to_owned();
    assert_eq!(
        *told.borrow(),
        [ended.clone(), ended, "served: secondary".to_owned()]
    );
    assert_eq!(breaker.standing(world.now()).totals.failures, 0);
    assert_eq!(world.now(), Instant::ZERO, "nobody waited");
}

#[test]
fn the_other_side_is_told_its_own_part_of_the_time() {
    let world = World::new();
    let header = RefCell::new(String::new());
    let ask = |attempt: Attempt| {
        let left = RemainingTime::until(attempt.deadline, world.now()).unwrap();
        let mut buffer = [0; RemainingTime::MAX_LEN];
        header.replace(left.write_millis(&mut buffer).unwrap().to_owned());
        core::future::ready(Err::<u32, _>("down"))
    };
    let call = Call::told(ask, &world, no_chance).within(secs(8));
    assert!(world.run(call.leaving(secs(3)).call()).is_err());
    assert_eq!(*header.borrow(), "5000");
    let call = Call::told(ask, &world, no_chance).within(secs(8));
    let replica = || core::future::ready(Ok::<_, ()>(7));
    assert!(world.run(call.or_secondary(replica).call()).is_ok());
    assert_eq!(*header.borrow(), "4000");
}

#[test]
fn a_retry_that_what_is_left_to_others_has_no_room_for_is_not_waited_for() {
    let world = World::new();
    let partner = Scripted::new(&world, vec![(millis(450), Err::<u32, _>("busy")); 2]);
    let call = Call::new(|| partner.answer(), &world, no_chance)
        .retry(&STEADY)
        .within(secs(1))
        .leaving(millis(500));
    let error = world.run(call.call()).unwrap_err();
    let stopped = StopReason::DeadlineTooNear {
        delay: millis(100),
        left: millis(50),
    };
    assert!(matches!(error, CallError::Failed { stopped: why, .. } if why == stopped));
    assert_eq!(world.now(), Instant::from_millis(450), "nobody slept");
}

#[test]
fn what_an_attempt_needs_at_least_is_not_left_to_others_unless_it_says_so() {
    for (least, begins, asked) in [(3, 0, 4), (6, 0, 6), (8, 0, 8), (9, 9, 0)] {
        let world = World::new();
        let began = Cell::new(9);
        let hang = || {
            began.set(0);
            pending::<Result<u32, ()>>()
        };
        let at = Cell::new(8);
        let replica = || {
            at.set(world.now().as_nanos() / 1_000_000_000);
            core::future::ready(Ok::<_, ()>(7))
        };
        let call = Call::new(hang, &world, no_chance)
            .within(secs(8))
            .at_least(secs(least));
        let said = world.run(call.or_secondary(replica).call());
        assert_eq!((began.get(), at.get()), (begins, asked), "{said:?}");
    }
}

#[test]
fn an_attempt_with_too_little_of_the_calls_own_time_is_not_made() {
    let world = World::new();
    let budget = Shared::budget(RetryBudget::standard());
    let partner = Scripted::new(&world, vec![(millis(1), Err::<u32, _>("busy"))]);
    let call = Call::new(|| partner.answer(), &world, no_chance)
        .retry(&STEADY)
        .budget(&budget)
        .within(secs(1))
        .leaving(millis(500))
        .at_least(millis(450));
    let error = world.run(call.call()).unwrap_err();
    let right = CallError::Failed {
        error: "busy",
        attempts: 1,
        stopped: StopReason::DeadlineTooNear {
            delay: millis(100),
            left: millis(499),
        },
        outcome: Outcome::TRANSIENT,
    };
    assert_eq!(error, right);
    assert_eq!(partner.begun(), [0]);
    assert_eq!(world.now(), Instant::from_millis(1), "nobody waited");
    assert_eq!(budget.available(world.now()), 500);
}

type Hangs = fn() -> std::future::Pending<Result<(), ()>>;
type Sentence<'a> = Call<Plain<Hangs>, &'a World, fn() -> u32>;
/// What a call says of its time.
type Says = fn(Sentence<'_>) -> Sentence<'_>;

#[test]
fn a_limit_that_nobody_set_gives_way_to_what_the_call_says() {
    const FAR: Deadline = Deadline::at(Instant::from_secs(100));
    const NEAR: Deadline = Deadline::at(Instant::from_secs(2));
    let hang = pending::<Result<(), ()>>;
    // And after how many seconds it ends.
    let says: [(Says, u64); 12] = [
        (|call| call, 30),
        (|call| call.within(secs(40)), 40),
        (|call| call.within(secs(3)), 3),
        (|call| call.by(FAR), 100),
        (|call| call.by(NEAR), 2),
        (|call| call.by(Deadline::NEVER), 30),
        (|call| call.by(FAR).within(secs(50)), 50),
        (|call| call.attempt_timeout(secs(60)), 60),
        (|call| call.attempt_timeout(secs(60)).within(secs(45)), 45),
        (|call| call.attempt_timeout(Duration::MAX), 30),
        (|call| call.attempt_timeout(secs(60)).leaving(secs(10)), 60),
        (|call| call.leaving(secs(10)), 20),
    ];
    for (number, (say, ends)) in says.into_iter().enumerate() {
        for is_before in [true, false] {
            let world = World::new();
            let call = Call::new(hang as Hangs, &world, no_chance as fn() -> u32);
            let call = if is_before {
                say(call.within_unless_set(secs(30)))
            } else {
                say(call).within_unless_set(secs(30))
            };
            assert!(world.run(call.call()).is_err());
            assert_eq!(world.now(), Instant::from_secs(ends), "{number}");
        }
    }
    // The first has its time, and so has who is asked next.
    let world = World::new();
    let call = Call::new(hang, &world, no_chance)
        .within_unless_set(secs(30))
        .attempt_timeout(secs(20));
    assert!(world.run(call.or_secondary(hang).call()).is_err());
    assert_eq!(world.now(), Instant::from_secs(40));
}
