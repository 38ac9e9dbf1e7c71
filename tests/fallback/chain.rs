//! Which stage answers, what the answer says of itself, and that no error is lost.

use std::cell::{Cell, RefCell};

use steadfast::event::FallbackEvent;
use steadfast::fallback::{Aged, Chain, Served, Source, primary};
use steadfast::outcome::Outcome;
use steadfast::time::{Duration, secs};

use crate::{DOWN, Error, NOW, aged, missed, never};

#[test]
fn an_answer_of_the_primary_is_not_degraded_and_asks_nobody_else() {
    let answer = primary(Ok::<_, Error>(7))
        .inspect_err(|_| never())
        .or_stale(never)
        .or_secondary(never::<Result<_, ()>>)
        .or_defer(never::<Result<_, ()>>)
        .or_default(never);
    assert_eq!(answer, Served::new(7, Source::Primary));
    assert!(!answer.is_degraded());
    assert_eq!(answer.age, Duration::ZERO);
    assert!(answer.missed.is_empty());
}

#[test]
fn the_first_stage_that_has_an_answer_gives_it() {
    let stale = || Some(aged(1, secs(240)));
    let full = || Err::<u32, _>("full");

    let answer = primary(DOWN)
        .or_stale(stale)
        .or_secondary(never::<Result<_, ()>>)
        .or_default(never);
    assert_eq!(
        (answer.value, answer.source, answer.age),
        (1, Source::Stale, secs(240))
    );
    assert_eq!(answer.missed, missed(&[Source::Primary]));

    let answer = primary(DOWN)
        .or_stale(|| None)
        .or_secondary(|| Ok::<_, ()>(2))
        .or_default(never);
    assert_eq!((answer.value, answer.source), (2, Source::Secondary));
    assert_eq!(answer.missed, missed(&[Source::Primary, Source::Stale]));

    let answer = primary(DOWN)
        .or_secondary(full)
        .or_defer(|| Ok::<_, ()>(3))
        .or_default(never);
    assert_eq!((answer.value, answer.source), (3, Source::Deferred));
    assert_eq!(answer.missed, missed(&[Source::Primary, Source::Secondary]));

    let answer = primary(DOWN).or_defer(full).or_default(|| 4);
    assert_eq!((answer.value, answer.source), (4, Source::Default));
    assert_eq!(answer.missed, missed(&[Source::Primary, Source::Deferred]));
    assert_eq!(answer.missed.to_string(), "primary, deferred");
    assert!(answer.is_degraded());
}

/// The order is the caller's: a replica may come before the cache.
#[test]
fn stages_are_tried_in_the_order_in_which_they_are_written() {
    let asked = RefCell::new(Vec::new());
    let answer = primary(DOWN)
        .or_secondary(|| {
            asked.borrow_mut().push("first replica");
            Err::<u32, _>(())
        })
        .or_secondary(|| {
            asked.borrow_mut().push("second replica");
            Err::<u32, _>(())
        })
        .or_stale(|| {
            asked.borrow_mut().push("cache");
            Some(aged(1, secs(1)))
        })
        .served();
    assert_eq!(answer.unwrap().source, Source::Stale);
    assert_eq!(
        *asked.borrow(),
        ["first replica", "second replica", "cache"]
    );
}

#[test]
fn without_a_default_the_error_of_the_primary_comes_back() {
    let seen = Cell::new(None);
    let chain = primary(DOWN)
        .or_stale(|| None)
        .or_secondary(|| Err::<u32, _>("another error"))
        .or_defer(|| Err::<u32, _>("full"))
        .inspect_err(|&error| seen.set(Some(error)));
    assert!(!chain.is_served());
    assert_eq!(chain.error(), Some(&Error::NoConnection));
    assert_eq!(chain.served(), Err(Error::NoConnection));
    assert_eq!(seen.get(), Some(Error::NoConnection));
    assert_eq!(primary(Ok::<_, Error>(7)).error(), None);
}

#[test]
fn an_error_that_is_an_answer_comes_back_before_any_stage() {
    let falls_back = |error: &Error| *error == Error::NoConnection;
    let business: Result<u32, Error> = Err(Error::OutOfStock);
    assert_eq!(
        primary(business).only_if(falls_back).unwrap_err(),
        Error::OutOfStock
    );

    let chain = primary(DOWN).only_if(falls_back).unwrap();
    assert_eq!(chain.or_default(|| 5).source, Source::Default);
    let chain = primary(Ok::<_, Error>(7)).only_if(|_| never()).unwrap();
    assert_eq!(chain.or_default(never).value, 7);
}

#[test]
fn only_what_speaks_against_the_other_side_or_ours_falls_back() {
    for (outcome, falls_back) in [
        (Outcome::TRANSIENT, true),
        (Outcome::TimedOut, true),
        (Outcome::Throttled { retry_after: None }, true),
        (Outcome::Failure, true),
        (Outcome::Exhausted, true),
        (Outcome::ThrottledBelow { retry_after: None }, true),
        (Outcome::Rejected, true),
        (Outcome::Ignored, false),
        (Outcome::Cancelled, false),
    ] {
        let chain = primary(DOWN).judged_by(|_| outcome);
        assert_eq!(chain.is_ok(), falls_back, "{outcome:?}");
    }
}

#[test]
fn where_an_answer_came_from_stays_with_it() {
    let answer = primary(DOWN)
        .or_stale(|| Some(aged(1, secs(9))))
        .served()
        .unwrap();
    let page = answer.map(|days| format!("{days} days"));
    assert_eq!(page.value, "1 days");
    assert_eq!(
        (page.source, page.age, page.missed),
        (answer.source, answer.age, answer.missed)
    );
}

#[test]
fn an_event_says_what_to_count() {
    let counters = |chain: &Chain<u32, Error>| {
        let event = chain.event("quote", NOW);
        (event.label(), event.counters().collect::<Vec<_>>())
    };
    let fine = primary(Ok(7));
    assert_eq!(counters(&fine), ("primary", vec![]));
    let stale = primary(DOWN).or_stale(|| Some(aged(1, secs(9))));
    assert_eq!(
        counters(&stale),
        ("stale", vec!["primary_failure", "cache_hit"])
    );
    let second = primary(DOWN)
        .or_stale(|| None)
        .or_secondary(|| Ok::<_, ()>(2));
    assert_eq!(
        counters(&second),
        (
            "secondary",
            vec!["primary_failure", "cache_failure", "fallback_success"]
        )
    );
    let nothing = primary(DOWN)
        .or_stale(|| None)
        .or_secondary(|| Err::<u32, _>(()));
    assert_eq!(
        counters(&nothing),
        (
            "unserved",
            vec!["primary_failure", "cache_failure", "fallback_failure"]
        )
    );
    let full = primary(DOWN).or_defer(|| Err::<u32, _>(()));
    assert_eq!(
        counters(&full),
        ("unserved", vec!["primary_failure", "fallback_failure"])
    );

    let served = stale.served().unwrap();
    let event = served.event("quote", NOW);
    assert_eq!(
        (event.operation, event.age, event.at),
        ("quote", secs(9), NOW)
    );
    assert!(event.is_degraded() && nothing.event("quote", NOW).is_degraded());
    assert!(!fine.event("quote", NOW).is_degraded());
    let cached = Served::cached(Aged {
        value: 1,
        age: secs(1),
        is_fresh: true,
    });
    assert!(cached.event("quote", NOW).counters().eq(["cache_hit"]));
    for name in counters(&nothing).1 {
        assert!(FallbackEvent::COUNTERS.contains(&name));
    }
}
