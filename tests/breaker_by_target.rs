//! A breaker a target, in a fixed number of places.

use steadfast::breaker::{Breaker, Breakers, CircuitBreaker, Phase};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{Instant, nanos, secs};

const BAD: Outcome = Outcome::TRANSIENT;
const NOW: Instant = Instant::from_secs(100_000);

const NODE: Breaker = policy!(Breaker::consecutive(2).open_for(secs(10)).close_after(1));

/// One call to `key`; whether it passed.
fn call_to<const N: usize>(
    nodes: &mut Breakers<u8, N>,
    key: u8,
    now: Instant,
    outcome: Outcome,
) -> bool {
    match nodes.try_enter(&NODE, key, now) {
        Ok(permit) => {
            nodes.record(&NODE, key, now, permit, outcome);
            true
        }
        Err(_) => false,
    }
}

#[test]
fn each_target_has_its_own_breaker_and_one_at_rest_needs_no_place() {
    let mut nodes: Breakers<u8, 2> = Breakers::new();
    for key in 0..100 {
        assert!(call_to(&mut nodes, key, NOW, Outcome::Success));
    }
    assert_eq!(nodes.iter().count(), 0);
    for _ in 0..2 {
        assert!(call_to(&mut nodes, 7, NOW, BAD));
    }
    assert_eq!(nodes.phase(&NODE, 7, NOW), Phase::Open);
    assert!(call_to(&mut nodes, 8, NOW, BAD));
    assert_eq!(nodes.phase(&NODE, 8, NOW), Phase::Closed);
    assert_eq!((nodes.iter().count(), nodes.unguarded()), (2, 0));
}

/// Nobody calls those that are open again, or brings their probe back; who looks for a place finds
/// that their time is over.
#[test]
fn a_place_is_held_no_longer_when_the_clock_goes_back() {
    for probe_is_out in [false, true] {
        let mut nodes: Breakers<u8, 1> = Breakers::new();
        for _ in 0..2 {
            assert!(call_to(&mut nodes, 1, NOW, BAD));
        }
        let (mut at, mut held) = (NOW, secs(10));
        if probe_is_out {
            at = NOW + held;
            let _lost = nodes.try_enter(&NODE, 1, at).unwrap();
            held = NODE.probe_lease();
        }
        let back = at - secs(80_000);
        assert!(call_to(&mut nodes, 2, back, BAD));
        assert!(call_to(&mut nodes, 2, back + held - nanos(1), BAD));
        assert_eq!(nodes.unguarded(), 2, "it stays for its time");
        assert!(call_to(&mut nodes, 2, back + held, BAD));
        assert_eq!((nodes.unguarded(), nodes.iter().count()), (2, 1));
        assert_eq!(nodes.iter().next().map(|(key, _)| *key), Some(2));
    }
}

#[test]
fn when_all_places_refuse_calls_a_newcomer_passes_and_is_counted() {
    let mut nodes: Breakers<u8, 2> = Breakers::new();
    for key in [1, 1, 2, 2, 3, 3, 3] {
        assert!(call_to(&mut nodes, key, NOW, BAD));
    }
    assert_eq!(nodes.unguarded(), 3);
    // The open time of both is over, and nobody has come since: one makes room.
    let later = NOW + secs(10);
    for _ in 0..2 {
        assert!(call_to(&mut nodes, 3, later, BAD));
    }
    assert_eq!(nodes.phase(&NODE, 3, later), Phase::Open);
    assert_eq!(nodes.unguarded(), 3);
}

/// Names that failed once, long ago, and never came back.
#[test]
fn targets_that_are_gone_do_not_keep_their_places() {
    let mut nodes: Breakers<u8, 4> = Breakers::new();
    for key in 0..4 {
        assert!(call_to(&mut nodes, key, NOW, BAD));
    }
    for _ in 0..2 {
        assert!(call_to(&mut nodes, 9, NOW, BAD));
    }
    assert_eq!(nodes.phase(&NODE, 9, NOW), Phase::Open);
    assert_eq!(nodes.unguarded(), 0);
}

/// It came back for one probe, and nobody has called it since.
#[test]
fn a_target_in_half_open_that_nobody_calls_does_not_keep_its_place() {
    const SLOW: Breaker = policy!(Breaker::consecutive(1).open_for(secs(10)).close_after(2));
    let mut nodes: Breakers<u8, 1> = Breakers::new();
    for (at, outcome) in [(NOW, BAD), (NOW + secs(10), Outcome::Success)] {
        let permit = nodes.try_enter(&SLOW, 1, at).unwrap();
        nodes.record(&SLOW, 1, at, permit, outcome);
    }
    let later = NOW + secs(20);
    assert_eq!(nodes.phase(&SLOW, 1, later), Phase::HalfOpen);
    let permit = nodes.try_enter(&SLOW, 2, later).unwrap();
    nodes.record(&SLOW, 2, later, permit, BAD);
    assert_eq!(nodes.phase(&SLOW, 2, later), Phase::Open);
}

/// More targets than places, all of them down, all called at once: those that have a place open.
#[test]
fn results_that_find_their_target_without_a_place_give_it_one() {
    let mut nodes: Breakers<u8, 4> = Breakers::new();
    for _ in 0..4 {
        let permits: Vec<_> = (0..8)
            .filter_map(|key| Some((key, nodes.try_enter(&NODE, key, NOW).ok()?)))
            .collect();
        for (key, permit) in permits {
            nodes.record(&NODE, key, NOW, permit, BAD);
            nodes.record(&NODE, key, NOW, permit, BAD);
        }
    }
    let open = (0..8).filter(|&key| nodes.phase(&NODE, key, NOW) == Phase::Open);
    assert_eq!(open.count(), 4);
}

/// A seed that is the same on every device would bring all of them back at once.
#[test]
fn tables_with_other_seeds_and_places_of_one_table_open_for_other_times() {
    const JITTERED: Breaker = policy!(
        Breaker::consecutive(1)
            .open_for(secs(30))
            .open_jitter_percent(100)
    );
    let mut waits = Vec::new();
    for device in 0..8 {
        let mut nodes: Breakers<u8, 4> = Breakers::new();
        nodes.seed(device);
        for key in 0..4 {
            let permit = nodes.try_enter(&JITTERED, key, NOW).unwrap();
            nodes.record(&JITTERED, key, NOW, permit, BAD);
            waits.push(nodes.standing(&JITTERED, key, NOW).retry_after);
        }
    }
    waits.sort_unstable();
    waits.dedup();
    assert_eq!(waits.len(), 32);
    assert!(waits.iter().all(|wait| wait.unwrap() > secs(30)));
}

#[test]
fn a_target_that_lost_its_place_and_came_back_does_not_count_old_probes() {
    let mut nodes: Breakers<u8, 1> = Breakers::new();
    for _ in 0..2 {
        call_to(&mut nodes, 1, NOW, BAD);
    }
    // A probe is lost, another closes it.
    let later = NOW + secs(10);
    let old = nodes.try_enter(&NODE, 1, later).unwrap();
    let over = later + secs(60);
    assert!(call_to(&mut nodes, 1, over, Outcome::Success));
    assert_eq!(nodes.phase(&NODE, 1, over), Phase::Closed);
    // Another takes the place and recovers; then the first comes back, and opens again.
    for _ in 0..2 {
        call_to(&mut nodes, 2, over, BAD);
    }
    call_to(&mut nodes, 2, over + secs(10), Outcome::Success);
    let end = over + secs(30);
    for _ in 0..2 {
        call_to(&mut nodes, 1, end, BAD);
    }
    let probe = nodes.try_enter(&NODE, 1, end + secs(10)).unwrap();
    let (now, before) = (end + secs(10), nodes.standing(&NODE, 1, end + secs(10)));
    assert_eq!(nodes.record(&NODE, 1, now, old, BAD), None);
    assert_eq!(nodes.standing(&NODE, 1, now), before);
    assert!(
        nodes
            .record(&NODE, 1, now, probe, Outcome::Success)
            .is_some()
    );
}

#[test]
fn a_target_can_be_held_open_by_hand() {
    let mut nodes: Breakers<u8, 1> = Breakers::new();
    let state = nodes.state_mut(&NODE, 5, NOW).expect("there is a place");
    assert!(NODE.force_open(state, NOW).is_some());
    assert!(!call_to(&mut nodes, 5, NOW, Outcome::Success));
    assert!(
        nodes.state_mut(&NODE, 6, NOW).is_none(),
        "it is not at rest"
    );
}

#[test]
fn breakers_by_target_in_a_static_guard_calls() {
    static NODES: Shared<Breakers<u8, 2>> = Shared::breakers(NODE);
    let node = NODES.of_target(9);
    for _ in 0..2 {
        let call = node.enter(|| NOW).unwrap();
        call.record(|| NOW, BAD);
    }
    assert!(node.enter(|| NOW).is_err());
    let later = NOW + secs(10);
    drop(node.enter(|| later).unwrap());
    assert_eq!(NODES.standing(9, later).probes_out, 0);
    assert!(NODES.of_target(8).enter(|| NOW).is_ok());
    assert_eq!(NODES.unguarded(), 0);
}
