//! A target that judges by rates, called by threads that count good calls each by itself.

use std::thread;

use steadfast::breaker::{Breaker, CircuitBreaker, Permit, Phase, Rate};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::retry::RetryBudget;
use steadfast::time::{Instant, nanos, secs};
use steadfast::window::{TimeWindow, Totals};
use steadfast_std::Target;

mod counting;
use counting::Counting;

#[global_allocator]
static HEAP: Counting = Counting;

type Rated = Target<Rate<TimeWindow<10>>>;

const NOW: Instant = Instant::from_secs(60);

/// Half of the calls of ten seconds, from a hundred on.
fn rated() -> Rated {
    const HALF: Breaker<Rate<TimeWindow<10>>> =
        policy!(Breaker::rate_over_time::<10>(secs(10)).min_calls(100));
    Target::new("partner", HALF, RetryBudget::standard())
}

fn enter(target: &Rated, at: Instant) -> Permit {
    target.try_enter(|| at).unwrap()
}

fn call(target: &Rated, at: Instant, outcome: Outcome) {
    let permit = enter(target, at);
    assert_eq!(target.record(|| at, permit, outcome), None);
}

/// More threads than have places, one generation of them after the other, and a failure of each.
#[test]
fn of_many_threads_every_good_call_is_counted_once() {
    let target = rated();
    for generation in 1..=3 {
        thread::scope(|threads| {
            for _ in 0..100 {
                threads.spawn(|| {
                    for n in 0..1_000 {
                        let bad = n == 500;
                        let outcome = [Outcome::Success, Outcome::TimedOut][usize::from(bad)];
                        call(&target, NOW, outcome);
                    }
                });
            }
        });
        let right = Totals {
            calls: generation * 100_000,
            failures: generation * 100,
            slow: 0,
        };
        assert_eq!(target.standing(NOW).totals, right);
    }
}

/// Slices end while threads count. What is left of the calls of a second is that second's.
#[test]
fn good_calls_drop_out_with_the_slice_they_came_in() {
    let target = rated();
    for second in 0..20 {
        let at = NOW + secs(second);
        thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| (0..250).for_each(|_| call(&target, at, Outcome::Success)));
            }
        });
        let seconds = u32::try_from(second).unwrap().min(9) + 1;
        assert_eq!(target.standing(at).totals.calls, seconds * 1_000);
    }
    assert_eq!(target.standing(NOW + secs(29)).totals, Totals::NONE);
}

#[test]
fn failures_are_judged_against_all_that_was_counted() {
    let target = rated();
    thread::scope(|threads| {
        threads.spawn(|| (0..150).for_each(|_| call(&target, NOW, Outcome::Success)));
    });
    (0..149).for_each(|_| call(&target, NOW, Outcome::TimedOut));
    let permit = enter(&target, NOW);
    let opened = target.record(|| NOW, permit, Outcome::TimedOut).unwrap();
    assert_eq!(opened.to, Phase::Open);
    assert_eq!((opened.totals.calls, opened.totals.failures), (300, 150));
}

#[test]
fn a_good_call_of_before_it_opened_counts_nothing_on_any_thread() {
    let target = rated();
    let early: Vec<_> = (0..50).map(|_| enter(&target, NOW)).collect();
    (0..99).for_each(|_| call(&target, NOW, Outcome::TimedOut));
    let last = enter(&target, NOW);
    assert!(target.record(|| NOW, last, Outcome::TimedOut).is_some());
    let later = NOW + secs(30);
    for outcome in [Outcome::Success; 3] {
        let probe = enter(&target, later);
        let _ = target.record(|| later, probe, outcome);
    }
    assert_eq!(target.standing(later).phase, Phase::Closed);
    call(&target, later, Outcome::Success);
    thread::scope(|threads| {
        for permit in early {
            let target = &target;
            let record = move || target.record(|| later, permit, Outcome::Success);
            assert_eq!(threads.spawn(record).join().unwrap(), None);
        }
    });
    assert_eq!(target.standing(later).totals.calls, 1);
}

/// Where failures in a row are counted, or nothing yet, there are no places to count in.
#[test]
fn places_are_made_when_rates_are_judged_and_not_before() {
    let before = Counting::bytes();
    let row = Target::new("row", Breaker::standard(), RetryBudget::standard());
    for outcome in [Outcome::Success, Outcome::TimedOut, Outcome::Success] {
        let permit = row.try_enter(|| NOW).unwrap();
        let _ = row.record(|| NOW, permit, outcome);
    }
    let target = rated();
    assert_eq!(Counting::bytes(), before);
    call(&target, NOW, Outcome::Success);
    let taken = Counting::bytes() - before;
    assert!((640..=8_320).contains(&taken), "{taken} bytes");
    let allocations = Counting::allocations();
    (0..1_000).for_each(|n| call(&target, NOW + nanos(n), Outcome::Success));
    assert_eq!(Counting::allocations(), allocations);
    drop(target);
    assert_eq!(Counting::bytes(), before, "nothing is left");
}
