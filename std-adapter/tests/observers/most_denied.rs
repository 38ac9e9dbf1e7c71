//! The list of who is denied most, in a bounded memory.

use steadfast::event::{LimitEvent, LimitOutcome};
use steadfast::limit::Denied;
use steadfast::time::{Instant, secs};
use steadfast_std::rate_limit::{Key, MostDenied, Observe};

fn event(limit: &str, outcome: LimitOutcome) -> LimitEvent<'_> {
    LimitEvent {
        limit,
        outcome,
        cost: 1,
        at: Instant::ZERO,
    }
}

const NO: LimitOutcome = LimitOutcome::Denied(Denied::RateLimited {
    retry_after: secs(1),
});

/// The bounds of the algorithm's paper, on a stream in which a few keys stand out.
#[test]
fn the_most_denied_are_found_among_ninety_thousand_others() {
    const CAPACITY: usize = 50;
    const DENIALS: u64 = 100_000;

    let most = MostDenied::new(CAPACITY);
    let mut truth = std::collections::HashMap::new();
    for turn in 0..DENIALS {
        // Every tenth denial hits one of three; the others are all different.
        let key = if turn % 10 == 0 {
            turn / 10 % 3
        } else {
            turn + 1_000
        };
        *truth.entry(key.to_string()).or_insert(0_u64) += 1;
        most.observe(&event("login", NO), Some(&Key::Number(key)));
    }
    let list = most.snapshot();
    assert_eq!(list.len(), CAPACITY);
    assert!(list.is_sorted_by(|one, other| one.at_least >= other.at_least));
    for (key, times) in truth {
        let found = list.iter().find(|who| who.key == key);
        if times > DENIALS / CAPACITY as u64 {
            assert!(found.is_some(), "{key} was denied {times} times");
        }
        if let Some(found) = found {
            assert!((found.at_least..=found.at_most).contains(&times), "{key}");
        }
    }
    let three: Vec<_> = list[..3].iter().map(|who| who.key.as_str()).collect();
    assert!(
        ["0", "1", "2"].iter().all(|key| three.contains(key)),
        "{three:?}"
    );
    most.reset();
    assert_eq!(most.snapshot(), []);
}

#[test]
fn who_passes_is_not_among_the_most_denied_and_limits_are_apart() {
    let most = MostDenied::new(2);
    let key = Key::Text("alice".into());
    most.observe(&event("login", LimitOutcome::Granted), Some(&key));
    most.observe(&event("login", LimitOutcome::Exempt), Some(&key));
    assert_eq!(most.snapshot(), []);
    most.observe(&event("login", NO), Some(&key));
    most.observe(&event("orders", NO), Some(&key));
    most.observe(&event("orders", NO), Some(&key));
    let LimitOutcome::Denied(denied) = NO else {
        panic!("it is a no");
    };
    // It may have done nothing.
    most.observe(
        &event("orders", LimitOutcome::DeniedShared(denied)),
        Some(&key),
    );
    let list = most.snapshot();
    let shown: Vec<_> = list
        .iter()
        .map(|who| {
            (
                who.limit.as_str(),
                who.key.as_str(),
                who.at_least,
                who.at_most,
            )
        })
        .collect();
    assert_eq!(shown, [("orders", "alice", 2, 2), ("login", "alice", 1, 1)]);

    let trial = MostDenied::new(2);
    trial.observe(&event("trial", LimitOutcome::WouldDeny(denied)), Some(&key));
    assert!(!trial.snapshot()[0].enforced);

    let none = MostDenied::new(0);
    none.observe(&event("login", NO), None);
    assert_eq!(none.snapshot(), []);
}
