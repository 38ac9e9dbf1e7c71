//! A target a name: who keeps a place, who makes room, and what it takes.

use std::sync::Arc;
use std::thread;

use steadfast::breaker::{Breaker, CircuitBreaker, Phase};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::retry::{Budget, RetryBudget};
use steadfast::time::{Instant, days, nanos, secs};
use steadfast_std::{Target, Targets};

mod counting;
use counting::Counting;

#[global_allocator]
static HEAP: Counting = Counting;

/// Opens at the third failure, for 30 seconds; two probes must work.
const BREAKER: Breaker = policy!(Breaker::consecutive(3).open_for(secs(30)).close_after(2));

const NOW: Instant = Instant::from_secs(60);

fn targets(capacity: usize) -> Targets {
    Targets::new(BREAKER, RetryBudget::standard(), capacity).unwrap()
}

fn ends(target: &Target, at: Instant, outcome: Outcome) {
    let _ = target.enter(|| at).unwrap().record(|| at, outcome);
}

fn fail(target: &Target, times: u32) {
    for _ in 0..times {
        ends(target, NOW, Outcome::TimedOut);
    }
}

fn names(targets: &Targets) -> Vec<String> {
    let mut names: Vec<_> = targets
        .all()
        .iter()
        .map(|target| target.name().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn one_at_rest_that_nobody_holds_makes_room_and_no_other() {
    let targets = targets(2);
    fail(&targets.of("a", NOW), 3);
    drop(targets.of("b", NOW));
    // "b" is at rest and nobody holds it; "a" is open.
    let held = targets.of("c", NOW);
    assert_eq!(targets.of("a", NOW).standing(NOW).phase, Phase::Open);
    assert_eq!(names(&targets), ["a", "c"]);
    assert_eq!((targets.crowded(), targets.evicted()), (0, 0));

    // "c" is at rest, but somebody has it.
    let newcomer = targets.of("d", NOW);
    assert!(Arc::ptr_eq(&newcomer, targets.everyone_else()));
    assert_eq!(targets.crowded(), 1);
    drop(held);
    assert_eq!(targets.of("d", NOW).name(), "d");
    assert_eq!((targets.crowded(), targets.evicted()), (1, 0));
}

#[test]
fn there_is_a_least_and_a_greatest_capacity() {
    let none = Targets::new(BREAKER, RetryBudget::standard(), 0).unwrap_err();
    assert_eq!(none.to_string(), "capacity = 0, allowed 1..=4294967295");
    assert!(Targets::new(BREAKER, RetryBudget::standard(), 1 << 32).is_err());
    // It takes the memory of what it holds.
    assert!(Targets::new(BREAKER, RetryBudget::standard(), (1 << 32) - 1).is_ok());
}

#[test]
fn names_that_failed_once_do_not_hold_their_places_for_ever() {
    let targets = targets(100);
    for host in 0..100 {
        fail(&targets.of(&format!("dead{host}"), NOW), 1);
    }
    assert_eq!(targets.of("honest", NOW).name(), "honest");
    assert_eq!((targets.crowded(), targets.evicted()), (0, 1));
    assert_eq!(targets.all().len(), 100);
}

#[test]
fn a_target_that_is_open_keeps_its_place_for_its_open_time() {
    let targets = targets(1);
    fail(&targets.of("dead", NOW), 3);
    let last = NOW + secs(30) - nanos(1);
    assert_eq!(targets.of("new", last).name(), "everyone else");
    assert_eq!(targets.of("new", NOW + secs(30)).name(), "new");
    assert_eq!((targets.crowded(), targets.evicted()), (1, 1));
}

/// Nobody calls it again; who looks for room finds that its open time is over.
#[test]
fn a_target_that_is_open_keeps_its_place_no_longer_when_the_clock_goes_back() {
    let targets = targets(1);
    let dead = targets.of("dead", NOW);
    fail(&dead, 3);
    drop(dead);
    let back = NOW - secs(50);
    assert_eq!(targets.of("new", back).name(), "everyone else");
    let last = back + secs(30) - nanos(1);
    assert_eq!(targets.of("new", last).name(), "everyone else");
    assert_eq!(targets.of("new", back + secs(30)).name(), "new");
}

/// One probe worked, a second would close it, and nobody calls again.
#[test]
fn a_target_that_was_left_half_open_makes_room() {
    let targets = targets(1);
    let later = NOW + secs(30);
    let dead = targets.of("dead", NOW);
    fail(&dead, 3);
    ends(&dead, later, Outcome::Success);
    assert_eq!(dead.standing(later).phase, Phase::HalfOpen);
    // A probe that is out is somebody's.
    let probe = dead.enter(|| later).unwrap();
    assert_eq!(targets.of("new", later).name(), "everyone else");
    drop(probe);
    drop(dead);
    assert_eq!(targets.of("new", later).name(), "new");
    assert_eq!((targets.crowded(), targets.evicted()), (1, 1));
}

/// A permit whose holder has let the target go: its lease ends as the open time does.
#[test]
fn a_probe_that_never_comes_back_holds_its_place_for_its_lease() {
    let targets = targets(1);
    let dead = targets.of("dead", NOW);
    fail(&dead, 3);
    let later = NOW + secs(30);
    let _lost = dead.try_enter(|| later).unwrap();
    drop(dead);
    let lease = BREAKER.probe_lease();
    assert_eq!(
        targets.of("new", later + lease - nanos(1)).name(),
        "everyone else"
    );
    assert_eq!(targets.of("new", later + lease).name(), "new");
}

#[test]
fn a_target_that_is_held_by_hand_stays() {
    let targets = targets(1);
    let hold = |host: &Target| host.with_breaker(|breaker, state| breaker.disable(state, NOW));
    assert!(hold(&targets.of("maintained", NOW)).is_some());
    let later = NOW + days(365);
    assert_eq!(targets.of("new", later).name(), "everyone else");
    assert_eq!(names(&targets), ["maintained"]);
}

#[test]
fn the_one_that_is_missed_least_makes_room() {
    let targets = targets(5);
    fail(&targets.of("2 failures", NOW), 2);
    fail(&targets.of("1 failure", NOW), 1);
    fail(&targets.of("opened", NOW), 3);
    let spender = targets.of("spent", NOW);
    let _ = Budget::withdraw(&*spender, NOW, Outcome::TRANSIENT).unwrap();
    drop(spender);
    drop(targets.of("at rest", NOW));

    let later = NOW + secs(30);
    let expected = ["at rest", "spent", "opened", "1 failure", "2 failures"];
    // Whoever comes is held, and so stays.
    let mut held = Vec::new();
    for (place, goes) in expected.into_iter().enumerate() {
        assert!(names(&targets).iter().any(|name| name == goes));
        held.push(targets.of(&format!("new {place}"), later));
        assert!(names(&targets).iter().all(|name| name != goes), "{goes}");
    }
    assert_eq!((targets.crowded(), targets.evicted()), (0, 4));
}

#[test]
fn of_several_at_rest_the_one_asked_for_longest_ago_makes_room() {
    let targets = targets(3);
    for name in ["a", "b", "c", "a"] {
        drop(targets.of(name, NOW));
    }
    drop(targets.of("d", NOW));
    assert_eq!(names(&targets), ["a", "c", "d"]);
}

/// 16 looks a newcomer: the first two see 32 that stay, the third the one that may go.
#[test]
fn a_newcomer_looks_at_a_few_and_those_that_stay_do_not_hide_the_others() {
    let targets = targets(33);
    for host in 0..32 {
        let target = targets.of(&format!("held{host}"), NOW);
        target.with_breaker(|breaker, state| breaker.force_open(state, NOW));
    }
    drop(targets.of("at rest", NOW));
    let newcomers = [0, 1, 2].map(|_| targets.of("new", NOW).name().to_owned());
    assert_eq!(newcomers, ["everyone else", "everyone else", "new"]);
    assert!(!names(&targets).contains(&"at rest".to_owned()));
}

#[test]
fn nobody_is_refused_for_the_failures_of_strangers() {
    let targets = targets(1);
    let _held = targets.of("a", NOW);
    for stranger in 0..100 {
        fail(&targets.of(&format!("dead{stranger}"), NOW), 1);
    }
    let shared = targets.of("honest", NOW);
    assert!(shared.enter(|| NOW).is_ok());
    assert_eq!(shared.standing(NOW).phase, Phase::Disabled);
    assert_eq!(targets.crowded(), 101);

    // Retries are bounded for all of them together.
    let full = shared.budget_available(NOW);
    let _ = Budget::withdraw(&*shared, NOW, Outcome::TRANSIENT).unwrap();
    assert!(targets.everyone_else().budget_available(NOW) < full);
}

#[test]
fn a_name_that_is_too_long_has_no_place() {
    let targets = targets(10);
    let longest = "é".repeat(127) + "!";
    assert_eq!(
        longest.len(),
        Targets::<steadfast::breaker::Consecutive, 1>::MAX_NAME
    );
    assert_eq!(targets.of(&longest, NOW).name(), longest);
    assert_eq!(targets.of(&(longest + "!"), NOW).name(), "everyone else");
    assert_eq!((targets.all().len(), targets.crowded()), (1, 1));
}

#[test]
fn all_of_them_take_no_more_memory_than_is_documented() {
    const CAPACITY: usize = 1_000;
    let take = |length: usize| {
        let before = Counting::bytes();
        let targets = targets(CAPACITY);
        for host in 0..3 * CAPACITY {
            fail(&targets.of(&format!("{host:0length$}"), NOW), 1);
        }
        // Far too long, and so not kept at all.
        fail(&targets.of(&"x".repeat(1 << 20), NOW), 1);
        assert_eq!(targets.all().len(), CAPACITY);
        let taken = usize::try_from(Counting::bytes() - before).unwrap();
        drop(targets);
        assert_eq!(Counting::bytes(), before, "nothing is left");
        taken / CAPACITY
    };
    let (short, long) = (take(7), take(255));
    assert!(short <= 360, "{short} bytes a target");
    assert!(long <= 700, "{long} bytes a target");
    // A name is kept once. An `Arc<str>` is a multiple of 8.
    assert_eq!(long - short, 248);
}

#[test]
fn a_known_name_is_found_without_an_allocation() {
    let targets = targets(10);
    drop(targets.of("partner", NOW));
    let before = Counting::allocations();
    assert_eq!(targets.of("partner", NOW).name(), "partner");
    assert_eq!(Counting::allocations(), before);
}

#[test]
fn all_who_hold_a_name_hold_the_same_target() {
    let targets = targets(4);
    thread::scope(|scope| {
        for first in 0..4_usize {
            let targets = &targets;
            scope.spawn(move || {
                for turn in 0..20_000_usize {
                    let name = format!("host{}", (turn * 7 + first) % 8);
                    let held = targets.of(&name, NOW);
                    if Arc::ptr_eq(&held, targets.everyone_else()) {
                        continue;
                    }
                    assert_eq!(held.name(), name);
                    assert!(Arc::ptr_eq(&held, &targets.of(&name, NOW)));
                    if let Ok(call) = held.enter(|| NOW) {
                        call.record(|| NOW, [Outcome::Success, Outcome::TimedOut][turn % 2]);
                    }
                }
            });
        }
    });
    assert!(targets.all().len() <= 4);
}
