//! What serves when the other side does not: what is kept, and which answer it stands in for.

use std::cell::RefCell;

use steadfast::call::{Attempt, Call, CallError};
use steadfast::fallback::{LastGood, Source};
use steadfast::outcome::Outcome;
use steadfast::time::{millis, secs};

use crate::simulated::{World, no_chance};
use crate::{Lines, Scripted};

#[test]
fn a_good_answer_is_kept_and_serves_when_the_other_side_is_down() {
    let world = World::new();
    let mut last = LastGood::standard();
    for (answer, value, source, age) in [
        (Err("down"), 0, Source::Default, 0),
        (Ok(7), 7, Source::Primary, 0),
        (Err("down"), 7, Source::Stale, 60),
    ] {
        let partner = Scripted::new(&world, vec![(millis(0), answer)]);
        let served = world.run(
            Call::new(|| partner.answer(), &world, no_chance)
                .or_stale(&mut last)
                .or_else(|| 0)
                .call(),
        );
        assert_eq!(
            (served.value, served.source, served.age),
            (value, source, secs(age))
        );
        world.pass_at_once(secs(60));
    }
}

#[test]
fn an_answer_that_is_no_success_is_not_kept_and_does_not_look_like_one() {
    let world = World::new();
    let mut last = LastGood::standard();
    let judge = |answer: &Result<u16, &str>| match answer {
        Ok(200) => Outcome::Success,
        Ok(404) => Outcome::Ignored,
        _ => Outcome::TRANSIENT,
    };
    let mut ask = |answer| {
        let partner = Scripted::new(&world, vec![(millis(0), answer)]);
        world.run(
            Call::new(|| partner.answer(), &world, no_chance)
                .judged_by(judge)
                .or_stale(&mut last)
                .call(),
        )
    };
    let of = |served: Result<steadfast::fallback::Served<u16>, CallError<&'static str>>| {
        served.map(|served| (served.value, served.source))
    };
    // Nothing is kept yet: the answer itself is better than nothing.
    assert_eq!(of(ask(Ok(503))), Ok((503, Source::Primary)));
    assert!(ask(Err("reset")).is_err());
    assert_eq!(of(ask(Ok(200))), Ok((200, Source::Primary)));
    assert_eq!(of(ask(Ok(503))), Ok((200, Source::Stale)));
    assert_eq!(of(ask(Err("reset"))), Ok((200, Source::Stale)));
    // A no that is meant comes through.
    assert_eq!(of(ask(Ok(404))), Ok((404, Source::Primary)));
}

#[test]
fn a_call_that_blocks_has_the_same_behind_it() {
    let world = &World::new();
    let told = RefCell::new(Vec::new());
    let mut last = LastGood::standard();
    let read = |answer: Result<u32, &'static str>| {
        let read = move |_: Attempt| {
            world.pass_at_once(millis(700));
            answer
        };
        Call::blocking(read, world, no_chance)
            .observed_by(Lines(&told))
            .judged_by(|answer| match answer {
                Err("no such sensor") => Outcome::Ignored,
                other => Outcome::of(other),
            })
    };
    let hangs = "the bus hangs";
    let no = "no such sensor";

    assert_eq!(read(Err(hangs)).or_else(|| 0).call_blocking().value, 0);
    let nothing = read(Err(hangs)).or_stale(&mut last).call_blocking();
    assert_eq!(nothing.unwrap_err().into_error(), Some(hangs));
    let good = read(Ok(20)).or_stale(&mut last).or_else(|| 0);
    assert_eq!(good.call_blocking().source, Source::Primary);
    let stale = read(Err(hangs)).or_stale(&mut last).or_else(|| 0);
    let stale = stale.call_blocking();
    assert_eq!((stale.value, stale.source), (20, Source::Stale));
    assert_eq!(stale.age, millis(700), "as of when it was answered");
    let unwell = read(Err(hangs)).or_else_if_unwell(|| 0).call_blocking();
    assert_eq!(unwell.unwrap().source, Source::Default);

    // A no that is meant.
    let meant = read(Err(no)).or_stale(&mut last).or_else_if_unwell(|| 0);
    assert_eq!(meant.call_blocking().unwrap_err().into_error(), Some(no));
    let meant = read(Err(no)).or_stale(&mut last).or_else(|| 0);
    assert_eq!(meant.call_blocking().source, Source::Default);

    told.borrow_mut().retain(|line| line.starts_with("served"));
    let served = [
        "default", "unserved", "primary", "stale", "default", "default",
    ];
    assert_eq!(
        *told.borrow(),
        served.map(|label| format!("served: {label}"))
    );
}

#[test]
fn a_no_of_the_business_comes_through_a_default_only_if_asked_for() {
    let world = World::new();
    let told = RefCell::new(Vec::new());
    let call = |answer: Result<u32, &'static str>| {
        Call::new(move || core::future::ready(answer), &world, no_chance)
            .observed_by(Lines(&told))
            .judged_by(|answer| match answer {
                Err("no such order") => Outcome::Ignored,
                other => Outcome::of(other),
            })
    };
    let served = world.run(call(Err("down")).or_else_if_unwell(|| 5).call());
    assert_eq!(served.unwrap().source, Source::Default);
    let served = world.run(call(Err("no such order")).or_else_if_unwell(|| 5).call());
    assert_eq!(served.unwrap_err().into_error(), Some("no such order"));
    let served = world.run(call(Err("no such order")).or_else(|| 5).call());
    assert_eq!(served.source, Source::Default);
    assert_eq!(
        *told.borrow(),
        [
            "call: attempt 1 of 1 transient, stop: attempt 1 was the last",
            "ended: call: failure in 0s (attempts: 1; attempt 1 was the last)",
            "served: default",
            "call: attempt 1 of 1 ignored, stop: another attempt would not help",
            "ended: call: ignored in 0s (attempts: 1; another attempt would not help)",
            "call: attempt 1 of 1 ignored, stop: another attempt would not help",
            "ended: call: ignored in 0s (attempts: 1; another attempt would not help)",
            "served: default",
        ]
    );
}
