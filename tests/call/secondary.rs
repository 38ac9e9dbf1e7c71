//! Who else is asked: in which order, for which failures, how often and for how long.

use std::cell::{Cell, RefCell};

use steadfast::breaker::Breaker;
use steadfast::call::{Attempt, Call, CallError, Observe};
use steadfast::event::FallbackEvent;
use steadfast::fallback::{Aged, LastGood, Memory, Missed, Source};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{Clock, Duration, Instant, millis, secs};

use crate::Scripted;
use crate::simulated::{STEADY, World, no_chance};

/// Where each answer came from, and who was asked before.
struct Sources<'a>(&'a RefCell<Vec<(&'static str, String)>>);

impl Observe for Sources<'_> {
    fn served(&self, event: &FallbackEvent<'_>) {
        let told = (event.label(), event.missed.to_string());
        self.0.borrow_mut().push(told);
    }
}

fn missed(sources: &[Source]) -> Missed {
    sources
        .iter()
        .fold(Missed::NONE, |all, source| all.with(*source))
}

/// A no of the business, and everything else.
fn judged(answer: &Result<u32, &'static str>) -> Outcome {
    match answer {
        Err("no such order") => Outcome::Ignored,
        Ok(503) => Outcome::TRANSIENT,
        answer => Outcome::of(answer),
    }
}

#[test]
fn it_is_asked_after_the_memory_and_before_the_default() {
    use Source::{Default, Primary, Secondary, Stale};

    let world = World::new();
    let told = RefCell::new(Vec::new());
    let mut last = LastGood::standard();
    let mut ask = |first: Result<u32, &'static str>, second: Result<u32, ()>| {
        let call = Call::new(|| core::future::ready(first), &world, no_chance)
            .observed_by(Sources(&told))
            .or_stale(&mut last)
            .or_secondary(|| core::future::ready(second))
            .or_else(|| 5);
        let served = world.run(call.call());
        (served.value, served.source, served.missed)
    };
    let down = Err("down");
    assert_eq!(ask(down, Ok(7)), (7, Secondary, missed(&[Primary, Stale])));
    let all = missed(&[Primary, Stale, Secondary]);
    assert_eq!(ask(down, Err(())), (5, Default, all));
    assert_eq!(ask(Ok(3), Ok(7)), (3, Primary, Missed::NONE));
    assert_eq!(ask(down, Ok(7)), (3, Stale, missed(&[Primary])));
    let told = told.into_inner();
    let told: Vec<_> = told.iter().map(|(a, b)| (*a, b.as_str())).collect();
    assert_eq!(
        told,
        [
            ("secondary", "primary, stale"),
            ("default", "primary, stale, secondary"),
            ("primary", "none"),
            ("stale", "primary"),
        ]
    );
}

/// Counts what it is given to keep.
struct Counting<'a>(&'a Cell<u32>);

impl Memory<u32> for Counting<'_> {
    fn remember(&mut self, _: &u32, _: Instant) {
        self.0.set(self.0.get() + 1);
    }

    fn recall(&mut self, _: Instant) -> Option<Aged<u32>> {
        None
    }
}

#[test]
fn what_it_answers_is_degraded_and_is_not_kept() {
    let world = World::new();
    let kept = Cell::new(0);
    let down = || core::future::ready(Err::<u32, _>("down"));
    let call = Call::new(down, &world, no_chance).or_stale(Counting(&kept));
    let replica = || core::future::ready(Ok::<_, ()>(7));
    let served = world.run(call.or_secondary(replica).call()).unwrap();
    assert!(served.is_degraded());
    let read = |_: Attempt| Err::<u32, _>("down");
    let call = Call::blocking(read, &world, no_chance).or_stale(Counting(&kept));
    let spare = |_: Attempt| Ok::<_, ()>(7);
    let served = call.or_secondary(spare).call_blocking().unwrap();
    assert!(served.is_degraded());
    assert_eq!(kept.get(), 0);
}

#[test]
fn a_no_that_is_meant_is_not_asked_elsewhere() {
    let world = World::new();
    let asked = Cell::new(0);
    let elsewhere = || {
        asked.set(asked.get() + 1);
        core::future::ready(Ok::<_, ()>(7))
    };
    let no = || core::future::ready(Err("no such order"));
    let call = || {
        Call::new(no, &world, no_chance)
            .judged_by(judged)
            .or_secondary(elsewhere)
    };
    let through = world.run(call().call());
    assert_eq!(through.unwrap_err().into_error(), Some("no such order"));
    let through = world.run(call().or_else_if_unwell(|| 5).call());
    assert_eq!(through.unwrap_err().into_error(), Some("no such order"));
    assert_eq!(world.run(call().or_else(|| 5).call()).value, 5);

    let no = |_: Attempt| Err("no such order");
    let elsewhere = |_: Attempt| {
        asked.set(asked.get() + 1);
        Ok::<_, ()>(7)
    };
    let call = Call::blocking(no, &world, no_chance).judged_by(judged);
    let through = call.or_secondary(elsewhere).call_blocking();
    assert_eq!(through.unwrap_err().into_error(), Some("no such order"));
    assert_eq!(asked.get(), 0);
}

#[test]
fn it_is_asked_once_and_its_error_is_not_the_one_that_comes_back() {
    let world = World::new();
    let asked = Cell::new(0);
    let ask = |answer: Result<u32, &'static str>| {
        let call = Call::new(move || core::future::ready(answer), &world, no_chance)
            .judged_by(judged)
            .retry(&STEADY)
            .or_secondary(|| {
                asked.set(asked.get() + 1);
                core::future::ready(Err::<u32, _>("down as well"))
            });
        world.run(call.call())
    };
    let error = ask(Err("down")).unwrap_err();
    assert_eq!((error.attempts(), asked.get()), (5, 1));
    assert_eq!(error.into_error(), Some("down"));
    // A bad answer is better than none, and says whom it stands in for.
    let served = ask(Ok(503)).unwrap();
    assert_eq!((served.value, asked.get()), (503, 2));
    let both = missed(&[Source::Primary, Source::Secondary]);
    assert_eq!((served.source, served.missed), (Source::Primary, both));
}

#[test]
fn an_answer_that_was_no_success_does_not_look_like_a_fresh_one() {
    let world = World::new();
    let kept = Cell::new(0);
    let ask = |answer| {
        let answer = move || core::future::ready(Ok::<u32, ()>(answer));
        let call = Call::new(answer, &world, no_chance).judged_by(|answer| match answer {
            Ok(200) => Outcome::Success,
            Ok(404) => Outcome::Ignored,
            _ => Outcome::TRANSIENT,
        });
        let served = world.run(call.or_stale(Counting(&kept)).call()).unwrap();
        assert_eq!(served.source, Source::Primary);
        let event = served.event("quote", Instant::ZERO);
        assert_eq!(event.is_degraded(), served.is_degraded());
        served.is_degraded()
    };
    assert_eq!([200, 404, 503].map(ask), [false, false, true]);
    assert_eq!(kept.get(), 1);
}

#[test]
fn it_may_take_as_long_as_an_attempt_and_no_longer_than_is_left() {
    // How long an attempt may take, when the call fails, and when somebody else is given up.
    for (attempt, fails, ends) in [
        (300, 0, 300),
        (700, 600, 1_000),
        (1_000, 999, 1_000),
        (u64::MAX, 200, 1_000),
    ] {
        let world = World::new();
        let down = Scripted::new(&world, vec![(millis(fails), Err::<u32, _>("down"))]);
        let hangs = core::future::pending::<Result<u32, ()>>;
        let served = world.run(
            Call::new(|| down.answer(), &world, no_chance)
                .attempt_timeout(millis(attempt))
                .within(secs(1))
                .or_secondary(hangs)
                .or_else(|| 5)
                .call(),
        );
        assert!(served.missed.contains(Source::Secondary));
        assert_eq!(world.now(), Instant::from_millis(ends));
        assert_eq!(world.sleepers(), 0, "a timer outlived its call");

        // One that blocks is told.
        let world = World::new();
        let read = |_: Attempt| {
            world.pass_at_once(millis(fails));
            Err::<u32, _>("down")
        };
        let told = Cell::new(Instant::ZERO);
        let spare = |attempt: Attempt| {
            assert_eq!(attempt.number, 1);
            told.set(attempt.deadline.instant());
            Ok::<_, ()>(7)
        };
        let call = Call::blocking(read, &world, no_chance)
            .attempt_timeout(millis(attempt))
            .within(secs(1));
        let served = call.or_secondary(spare).call_blocking().unwrap();
        assert_eq!(served.source, Source::Secondary);
        assert_eq!(told.get(), Instant::from_millis(ends));
    }
}

#[test]
fn nobody_is_asked_when_the_deadline_has_passed() {
    let world = World::new();
    let call = Call::new(
        core::future::pending::<Result<u32, &str>>,
        &world,
        no_chance,
    );
    let nobody = || -> core::future::Ready<Result<u32, ()>> { unreachable!("there is no time") };
    let told = RefCell::new(Vec::new());
    let call = call.within(secs(1)).leaving(Duration::ZERO);
    let call = call.observed_by(Sources(&told));
    let error = world.run(call.or_secondary(nobody).call()).unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { attempts: 1 });
    assert_eq!(*told.borrow(), [("unserved", "primary".to_owned())]);

    let reads = |_: Attempt| {
        world.pass_at_once(secs(1));
        Err::<u32, _>("the bus hangs")
    };
    let nobody = |_: Attempt| -> Result<u32, ()> { unreachable!("there is no time") };
    let call = Call::blocking(reads, &world, no_chance).within(secs(1));
    let served = call.or_secondary(nobody).or_else(|| 5).call_blocking();
    assert_eq!(served.missed, missed(&[Source::Primary]));
}

/// What takes this long, and then works or does not.
async fn takes(world: &World, millis_long: u64, works: bool) -> Result<u32, &'static str> {
    world.pass(millis(millis_long)).await;
    if works { Ok(7) } else { Err("down") }
}

proptest::proptest! {
    #[test]
    fn whatever_it_takes_the_deadline_holds_and_the_answer_says_whose_it_is(
        first in (0_u64..2_000, proptest::bool::ANY),
        second in (0_u64..2_000, proptest::bool::ANY),
        attempt in 1_u64..2_000,
        within in 1_u64..4_000,
    ) {
        let world = World::new();
        let asked_at = Cell::new(None);
        let served = world.run(
            Call::new(|| takes(&world, first.0, first.1), &world, no_chance)
                .retry(&STEADY)
                .attempt_timeout(millis(attempt))
                .within(millis(within))
                .leaving(Duration::ZERO)
                .or_secondary(|| {
                    asked_at.set(Some(world.now()));
                    takes(&world, second.0, second.1)
                })
                .or_else(|| 5)
                .call(),
        );
        let deadline = Instant::from_millis(within);
        assert!(world.now() <= deadline);
        assert_eq!(world.sleepers(), 0, "a timer outlived its call");
        // An answer at the end of its time is in time.
        let is_first = first.1 && first.0 <= attempt.min(within);
        assert_eq!(served.source == Source::Primary, is_first);
        assert!(asked_at.get().is_none_or(|at| at < deadline && !is_first));
        let may = asked_at.get().map(|at| attempt.min(deadline.since(at).as_nanos() / 1_000_000));
        let is_second = second.1 && may.is_some_and(|may| second.0 <= may);
        assert_eq!(served.source == Source::Secondary, is_second);
        let in_vain = may.is_some() && !is_second;
        assert_eq!(served.missed.contains(Source::Secondary), in_vain);
    }
}

/// Charged by one provider, whose answer was late, and then by another.
#[test]
fn what_may_not_be_done_twice_is_not_done_elsewhere_once_it_was_sent() {
    let world = World::new();
    let breaker = Shared::breaker(policy!(Breaker::consecutive(9)));
    let asked = Cell::new(0);
    let elsewhere = || {
        asked.set(asked.get() + 1);
        core::future::ready(Ok::<_, ()>(7))
    };
    let within = secs(2);
    for attempt in [millis(500), secs(5)] {
        let hang = core::future::pending::<Result<u32, &str>>;
        let call = Call::new(hang, &world, no_chance)
            .not_repeatable()
            .attempt_timeout(attempt)
            .within(within);
        let began = world.now();
        let served = world.run(call.or_secondary(elsewhere).or_else(|| 5).call());
        assert_eq!((served.value, served.source), (5, Source::Default));
        assert!(!served.missed.contains(Source::Secondary), "nobody asked");
        // It has all the time for itself.
        assert_eq!(world.now().since(began), attempt.min(within));
    }
    let charge = |_: Attempt| Err::<u32, _>("connection lost");
    let call = Call::blocking(charge, &world, no_chance).not_repeatable();
    let other = |_: Attempt| -> Result<u32, ()> { unreachable!("it was sent") };
    assert!(call.or_secondary(other).call_blocking().is_err());
    assert_eq!(asked.get(), 0);

    // Nothing was sent: the breaker refuses it, a layer below says so, or there is no time.
    let down = || core::future::ready(Err::<u32, _>("refused below"));
    let call = || Call::new(down, &world, no_chance).not_repeatable();
    let below = call().judged_by(|_| Outcome::Rejected);
    assert_eq!(
        world
            .run(below.or_secondary(elsewhere).call())
            .unwrap()
            .value,
        7
    );
    let too_late = call().within(secs(1)).leaving(secs(2));
    assert_eq!(
        world
            .run(too_late.or_secondary(elsewhere).call())
            .unwrap()
            .value,
        7
    );
    let _ = breaker.with_state(|breaker, state| breaker.force_open(state, world.now()));
    let refused = call().guarded_by(&breaker);
    assert_eq!(
        world
            .run(refused.or_secondary(elsewhere).call())
            .unwrap()
            .value,
        7
    );
    assert_eq!(asked.get(), 3);
}
