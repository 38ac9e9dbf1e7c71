//! A breaker of failures in a row: the word that most calls read, and the lock behind it.

use loom::sync::{Arc, Mutex};
use loom::thread;
use steadfast::breaker::{Breaker, BreakerState, CircuitBreaker, Consecutive, FastBreaker, Phase};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::time::{Instant, secs};

use crate::{Lock, NOW, explore};

/// Opens at the second failure in a row; one probe, and one success closes.
const TWO: Breaker = policy!(Breaker::consecutive(2).open_for(secs(10)).close_after(1));

const LATER: Instant = Instant::from_secs(110);

type Shared<const P: usize> = FastBreaker<Consecutive, P, Lock<BreakerState<Consecutive, P>>>;

fn shared<const P: usize>(policy: Breaker<Consecutive, P>) -> Arc<Shared<P>> {
    Arc::new(FastBreaker::with_lock(
        policy,
        Lock(Mutex::new(BreakerState::CLOSED)),
    ))
}

/// Closed, and its word says so: the next call enters by one load.
fn closed() -> Arc<Shared<1>> {
    let breaker = shared(TWO);
    breaker.cancel(breaker.try_enter(|| NOW).expect("closed"));
    breaker
}

/// Opened at [`NOW`].
fn opened<const P: usize>(policy: Breaker<Consecutive, P>) -> Arc<Shared<P>> {
    let breaker = shared(policy);
    for _ in 0..2 {
        call(&breaker, NOW, Outcome::TimedOut);
    }
    assert_eq!(breaker.phase(NOW), Phase::Open);
    breaker
}

/// One call, made and recorded; whether it passed, and whether that changed the breaker.
fn call<const P: usize>(breaker: &Shared<P>, now: Instant, outcome: Outcome) -> (bool, bool) {
    match breaker.enter(|| now) {
        Ok(entered) => {
            let half_opened = entered.permit().transition().is_some();
            let changed = entered.record(|| now, outcome).is_some();
            (true, changed || half_opened)
        }
        Err(_) => (false, false),
    }
}

fn spawn<R: 'static, const P: usize>(
    breaker: &Arc<Shared<P>>,
    work: impl FnOnce(&Shared<P>) -> R + 'static,
) -> thread::JoinHandle<R> {
    let breaker = Arc::clone(breaker);
    thread::spawn(move || work(&breaker))
}

/// Two failures at once: no trip is lost, exactly one of them is told of it, and whoever knows that
/// both are over finds the door shut, by the word and under the lock.
#[test]
fn two_failures_at_once_open_it() {
    loom::model(|| {
        let breaker = closed();
        let other = spawn(&breaker, |breaker| call(breaker, NOW, Outcome::TRANSIENT));
        let here = call(&breaker, NOW, Outcome::TRANSIENT);
        let there = other.join().expect("no thread panics");
        // Both passed, since one failure does not open it.
        assert!(here.0 && there.0);
        assert!(here.1 ^ there.1, "one of them opened it");
        assert_eq!(breaker.phase(NOW), Phase::Open);
        assert!(breaker.try_enter(|| NOW).is_err());
    });
}

/// A success at the same time may come between the failures, and then begins a new row; or not, and
/// then it changes nothing. It is never half counted.
#[test]
fn a_success_between_two_failures_begins_a_new_row_or_comes_too_early_or_too_late() {
    explore(|| {
        let breaker = closed();
        let other = spawn(&breaker, |breaker| call(breaker, NOW, Outcome::Success));
        let first = call(&breaker, NOW, Outcome::TRANSIENT);
        let second = call(&breaker, NOW, Outcome::TRANSIENT);
        assert!(first.0 && second.0, "one failure does not open it");
        let (_, changed) = other.join().expect("no thread panics");
        assert!(!changed, "a success in a closed breaker changes no phase");
        let standing = breaker.standing(NOW);
        if second.1 {
            assert_eq!(standing.phase, Phase::Open);
            assert!(breaker.try_enter(|| NOW).is_err());
        } else {
            // The success came between them, so one failure more opens it.
            assert_eq!(
                (standing.phase, standing.totals.failures),
                (Phase::Closed, 1)
            );
            assert!(call(&breaker, NOW, Outcome::TRANSIENT).1);
        }
    });
}

/// A failure that is over before a success is recorded is not forgotten by it unless the success
/// says so under the lock: the fast path sees the word of the failure.
#[test]
fn a_success_that_knows_of_a_failure_resets_the_row() {
    loom::model(|| {
        let breaker = closed();
        let permit = breaker.try_enter(|| NOW).expect("closed");
        let other = spawn(&breaker, |breaker| call(breaker, NOW, Outcome::TRANSIENT));
        other.join().expect("no thread panics");
        assert_eq!(breaker.standing(NOW).totals.failures, 1);
        assert_eq!(breaker.record(|| NOW, permit, Outcome::Success), None);
        assert_eq!(breaker.standing(NOW).totals.failures, 0);
    });
}

/// A success of a call from before it opened comes while a probe goes, and while it fails.
#[test]
fn a_stale_success_closes_nothing() {
    explore(|| {
        let breaker = closed();
        let stale = breaker.try_enter(|| NOW).expect("closed");
        for _ in 0..2 {
            call(&breaker, NOW, Outcome::TRANSIENT);
        }
        let other = spawn(&breaker, move |breaker| {
            breaker.record(|| LATER, stale, Outcome::Success)
        });
        let (passed, changed) = call(&breaker, LATER, Outcome::TRANSIENT);
        assert!(passed && changed);
        assert_eq!(other.join().expect("no thread panics"), None);
        assert_eq!(breaker.phase(LATER), Phase::Open);
        assert!(breaker.try_enter(|| LATER).is_err());
    });
}

/// Threads that come at once in half-open: one probe is out at a time, and no thread finds two.
#[test]
fn of_threads_that_come_at_once_one_is_the_probe() {
    explore(|| {
        let breaker = opened(TWO);
        let enter = |breaker: &Shared<1>| breaker.try_enter(|| LATER).ok();
        let threads = [spawn(&breaker, enter), spawn(&breaker, enter)];
        let here = enter(&breaker);
        let there = threads.map(|thread| thread.join().expect("no thread panics"));
        let passed: Vec<_> = there.into_iter().chain([here]).flatten().collect();
        assert_eq!(passed.len(), 1);
        assert!(
            passed[0].transition().is_some(),
            "it turned the breaker, and knows"
        );
        assert_eq!(breaker.standing(LATER).probes_out, 1);
    });
}

/// Calls that are given up, succeed and fail at once; when all have ended, every probe is free.
#[test]
fn after_all_calls_have_ended_every_permit_is_free() {
    const PAIR: Breaker<Consecutive, 2> = policy!(
        Breaker::consecutive(2)
            .open_for(secs(10))
            .close_after(2)
            .probes::<2>()
    );
    for outcome in [Outcome::Success, Outcome::TRANSIENT, Outcome::Ignored] {
        explore(move || {
            let breaker = opened(PAIR);
            let dropped = spawn(&breaker, |breaker| drop(breaker.enter(|| LATER)));
            let recorded = spawn(&breaker, move |breaker| call(breaker, LATER, outcome));
            drop(breaker.enter(|| LATER));
            dropped.join().expect("no thread panics");
            recorded.join().expect("no thread panics");
            let standing = breaker.standing(LATER);
            assert_eq!(standing.probes_out, 0);
            if standing.phase == Phase::HalfOpen {
                let probes: Vec<_> = (0..3)
                    .filter_map(|_| breaker.enter(|| LATER).ok())
                    .collect();
                assert_eq!(probes.len(), 2);
            }
        });
    }
}

/// A probe closes it while others come: whoever enters afterwards enters by the word of the new
/// generation, and its failures count.
#[test]
fn when_a_probe_has_closed_it_the_next_failures_open_it_again() {
    explore(|| {
        let breaker = opened(TWO);
        let other = spawn(&breaker, |breaker| call(breaker, LATER, Outcome::Success));
        // Before, with or after the probe, or as the probe itself.
        let here = call(&breaker, LATER, Outcome::Success);
        let there = other.join().expect("no thread panics");
        assert!(here.0 || there.0);
        assert_eq!(breaker.phase(LATER), Phase::Closed);
        for opens in [false, true] {
            assert_eq!(call(&breaker, LATER, Outcome::TRANSIENT), (true, opens));
        }
        assert_eq!(breaker.phase(LATER), Phase::Open);
    });
}

/// By hand, while calls come.
#[test]
fn once_it_is_held_open_nobody_who_knows_of_it_passes() {
    explore(|| {
        let breaker = closed();
        let other = spawn(&breaker, |breaker| {
            let told = breaker.with_state(|policy, state| policy.force_open(state, NOW));
            assert!(told.is_some());
            breaker.try_enter(|| NOW).is_err()
        });
        let early = breaker.try_enter(|| NOW);
        assert!(other.join().expect("no thread panics"));
        assert!(breaker.try_enter(|| NOW).is_err());
        if let Ok(permit) = early {
            assert_eq!(breaker.record(|| NOW, permit, Outcome::Success), None);
        }
        assert_eq!(breaker.phase(NOW), Phase::ForcedOpen);
    });
}
