//! Callers who leave: what that says of the other side, if anything.

use std::cell::{Cell, RefCell};
use std::future::{pending, ready};

use steadfast::breaker::{Breaker, Phase};
use steadfast::call::Call;
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{Clock, Duration, Instant, millis, nanos, secs};

use crate::simulated::{STEADY, World, no_chance};
use crate::{Lines, give_up_after};

/// Opens at the first failure, for ten seconds.
const BREAKER: Breaker = policy!(Breaker::consecutive(1).open_for(secs(10)).close_after(1));

fn hang() -> std::future::Pending<Result<u32, &'static str>> {
    pending()
}

/// What is told of a call that hangs, and is dropped when the caller has waited so long.
fn told_of(waited: Duration, counts_after: Option<Duration>, each_attempt: bool) -> Vec<String> {
    let world = World::new();
    let breaker = Shared::breaker(BREAKER);
    let lines = RefCell::default();
    let mut call = Call::new(hang, &world, no_chance)
        .retry(&STEADY)
        .attempt_timeout(secs(30))
        .observed_by(Lines(&lines));
    if let Some(counts_after) = counts_after {
        call = call.given_up_counts_after(counts_after);
    }
    if each_attempt {
        give_up_after(
            waited,
            &world,
            call.each_attempt_guarded_by(&breaker).call(),
        );
    } else {
        give_up_after(waited, &world, call.guarded_by(&breaker).call());
    }
    assert_eq!(world.sleepers(), 0, "its timer went with it");
    lines.into_inner()
}

#[test]
fn who_leaves_counts_nothing_unless_asked_however_long_they_waited() {
    for each_attempt in [false, true] {
        for waited in [Duration::ZERO, secs(29), Duration::MAX] {
            let told = told_of(waited, None, each_attempt);
            let end = format!("ended: call: cancelled in {waited} (attempts: 1; the caller left)");
            assert_eq!(told, [end]);
        }
    }
}

#[test]
fn who_leaves_after_the_time_that_counts_tells_the_breaker_of_a_time_out() {
    for each_attempt in [false, true] {
        let earlier = secs(2) - nanos(1);
        let told = told_of(earlier, Some(secs(2)), each_attempt);
        let end = format!("ended: call: cancelled in {earlier} (attempts: 1; the caller left)");
        assert_eq!(told, [end]);
        for waited in [secs(2), secs(3)] {
            let told = told_of(waited, Some(secs(2)), each_attempt);
            let end = format!("ended: call: timed_out in {waited} (attempts: 1; the caller left)");
            assert_eq!(told, ["call: failure", "call: opened", &end]);
        }
        let told = told_of(Duration::ZERO, Some(Duration::ZERO), each_attempt);
        assert_eq!(told.len(), 3, "everyone who leaves: {told:?}");
    }
}

#[test]
fn a_partner_that_hangs_opens_the_breaker_though_its_users_leave_first() {
    for (counts, phase) in [(false, Phase::Closed), (true, Phase::Open)] {
        let world = World::new();
        let breaker = Shared::breaker(Breaker::standard());
        for _ in 0..5 {
            let mut call = Call::new(hang, &world, no_chance)
                .guarded_by(&breaker)
                .attempt_timeout(secs(5));
            if counts {
                call = call.given_up_counts_after(secs(2));
            }
            give_up_after(secs(3), &world, call.call());
        }
        assert_eq!(breaker.phase(world.now()), phase);
    }
}

#[test]
fn a_probe_that_is_given_up_opens_the_breaker_again_or_only_frees_its_place() {
    for each_attempt in [false, true] {
        for (waited, phase) in [
            (millis(1_999), Phase::HalfOpen),
            (secs(2), Phase::Open),
            (secs(3), Phase::Open),
        ] {
            let world = World::new();
            let breaker = Shared::breaker(BREAKER);
            let down = || ready(Err::<u32, _>("down"));
            let call = Call::new(down, &world, no_chance).guarded_by(&breaker);
            assert!(world.run(call.call()).is_err());
            world.pass_at_once(secs(10));
            let probe = Call::new(hang, &world, no_chance)
                .retry(&STEADY)
                .given_up_counts_after(secs(2));
            if each_attempt {
                give_up_after(
                    waited,
                    &world,
                    probe.each_attempt_guarded_by(&breaker).call(),
                );
            } else {
                give_up_after(waited, &world, probe.guarded_by(&breaker).call());
            }
            let standing = breaker.standing(world.now());
            assert_eq!((standing.phase, standing.probes_out), (phase, 0));
        }
    }
}

/// The first attempt fails after a second, and a wait of 100 ms follows.
#[test]
fn the_time_is_that_of_the_attempt_under_way_or_of_the_whole_by_where_the_breaker_is() {
    for (each_attempt, phase) in [(true, Phase::Closed), (false, Phase::Open)] {
        let world = World::new();
        // A failure does not open it alone.
        let breaker = Shared::breaker(policy!(Breaker::consecutive(2)));
        let attempts = RefCell::new(Vec::new());
        let operation = || async {
            attempts.borrow_mut().push(world.now());
            if attempts.borrow().len() > 1 {
                pending::<()>().await;
            }
            world.pass_at_once(secs(1));
            Err::<(), _>("down")
        };
        let call = Call::new(operation, &world, no_chance)
            .retry(&STEADY)
            .attempt_timeout(millis(500))
            .given_up_counts_after(secs(1));
        // The second attempt has been under way for half a second when it is dropped.
        let dropped = if each_attempt {
            world.run_for(2, call.each_attempt_guarded_by(&breaker).call())
        } else {
            // One that failed before.
            let down = Call::new(|| ready(Err::<(), _>("down")), &world, no_chance);
            assert!(world.run(down.guarded_by(&breaker).call()).is_err());
            world.run_for(2, call.guarded_by(&breaker).call())
        };
        assert_eq!(dropped, None);
        let begun = [Instant::ZERO, Instant::from_millis(1_100)];
        assert_eq!(*attempts.borrow(), begun);
        assert_eq!(world.now(), Instant::from_millis(1_600));
        assert_eq!(breaker.phase(world.now()), phase);
    }
}

#[test]
fn who_leaves_between_two_attempts_counts_only_with_a_breaker_around_the_whole() {
    let throttled = Outcome::Throttled { retry_after: None };
    for (judged, each_attempt, label, told) in [
        (Outcome::TRANSIENT, false, "timed_out", 2),
        (Outcome::TRANSIENT, true, "cancelled", 1),
        // The other side is well, and has asked for this wait.
        (throttled, false, "cancelled", 0),
        (throttled, true, "cancelled", 1),
    ] {
        let world = World::new();
        // The failure of an attempt does not open it, so that the call goes on.
        let failures = if each_attempt { 2 } else { 1 };
        let breaker = Shared::breaker(Breaker::consecutive(failures).build().unwrap());
        let lines = RefCell::default();
        let call = Call::new(|| ready(Err::<(), _>("busy")), &world, no_chance)
            .retry(&STEADY)
            .judged_by(|_| judged)
            .given_up_counts_after(secs(2))
            .observed_by(Lines(&lines));
        if each_attempt {
            give_up_after(
                secs(3),
                &world,
                call.each_attempt_guarded_by(&breaker).call(),
            );
        } else {
            give_up_after(secs(3), &world, call.guarded_by(&breaker).call());
        }
        let lines = lines.into_inner();
        let end = format!("ended: call: {label} in 3s (attempts: 1; the caller left)");
        assert_eq!(lines.last(), Some(&end));
        // Besides the end and the attempt: what the breaker did.
        assert_eq!(lines.len(), told + 2, "{lines:?}");
        assert_eq!(breaker.standing(world.now()).probes_out, 0);
    }
}

/// An attempt after one that was throttled speaks for itself.
#[test]
fn who_leaves_an_attempt_that_hangs_counts_though_the_one_before_was_throttled() {
    let world = World::new();
    let breaker = Shared::breaker(BREAKER);
    let attempts = RefCell::new(0);
    let operation = || async {
        *attempts.borrow_mut() += 1;
        if *attempts.borrow() > 1 {
            pending::<()>().await;
        }
        Err::<(), _>("429")
    };
    let call = Call::new(operation, &world, no_chance)
        .retry(&STEADY)
        .judged_by(|_| Outcome::Throttled { retry_after: None })
        .attempt_timeout(secs(5))
        .given_up_counts_after(secs(2))
        .guarded_by(&breaker);
    assert_eq!(world.run_for(2, call.call()), None);
    assert_eq!(
        (*attempts.borrow(), world.now()),
        (2, Instant::from_millis(5_100))
    );
    assert_eq!(breaker.phase(world.now()), Phase::Open);
}

/// Without a breaker there is nobody to count it, and who observes hears of it.
#[test]
fn a_call_without_a_breaker_says_that_it_was_given_up_late() {
    let world = World::new();
    let lines = RefCell::default();
    let call = Call::new(hang, &world, no_chance)
        .given_up_counts_after(secs(2))
        .observed_by(Lines(&lines));
    give_up_after(secs(2), &world, call.or_else(|| 5).call());
    let end = "ended: call: timed_out in 2s (attempts: 1; the caller left)";
    assert_eq!(*lines.borrow(), [end]);
}

/// The other side has answered, and asked for the wait: that is no time in which it hangs.
#[test]
fn a_wait_that_the_other_side_has_asked_for_does_not_count_in_the_next_attempt_either() {
    for (waited, phase) in [
        (millis(1), Phase::Closed),
        (secs(2) - nanos(1), Phase::Closed),
        (secs(2), Phase::Open),
    ] {
        let world = World::new();
        let breaker = Shared::breaker(BREAKER);
        let throttled = Outcome::Throttled {
            retry_after: Some(secs(10)),
        };
        let attempts = Cell::new(0);
        let operation = || async {
            attempts.set(attempts.get() + 1);
            if attempts.get() > 1 {
                world.pass(waited).await;
                pending::<()>().await;
            }
            Err::<(), _>("429")
        };
        let call = Call::new(operation, &world, no_chance)
            .retry(&STEADY)
            .judged_by(|_| throttled)
            .given_up_counts_after(secs(2))
            .guarded_by(&breaker);
        // The wait of ten seconds, and then the attempt.
        assert_eq!(world.run_for(2, call.call()), None);
        assert_eq!(attempts.get(), 2);
        assert_eq!(world.now(), Instant::ZERO + secs(10) + waited);
        assert_eq!(breaker.phase(world.now()), phase, "after {waited}");
    }
}
