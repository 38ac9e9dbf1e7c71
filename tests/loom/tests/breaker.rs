//! A breaker that threads enter and leave at the same time, most of them by one load.

#![cfg(steadfast_loom)]

use loom::sync::{Arc, Mutex};
use loom::thread;
use steadfast::breaker::{
    Breaker, BreakerState, CircuitBreaker, Consecutive, FastBreaker, GoodCalls, Locked, Phase,
    Rate, SharedSteady, Stripe,
};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::time::{Instant, secs};
use steadfast::window::{Steady, TimeWindow, Totals};

/// Opens at the second failure in a row; one probe, and one success closes.
const TWO: Breaker = policy!(Breaker::consecutive(2).open_for(secs(10)).close_after(1));

const NOW: Instant = Instant::from_secs(100);
const LATER: Instant = Instant::from_secs(110);

/// A mutex that loom sees into.
struct Lock<S>(Mutex<S>);

impl<S> Locked<S> for Lock<S> {
    fn with<R>(&self, work: impl FnOnce(&mut S) -> R) -> R {
        work(&mut self.0.lock().expect("no thread panics"))
    }
}

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

/// Every order with up to three switches away from a thread that could go on.
fn explore(world: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(world);
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

/// A place for each of two threads, which loom sees into.
struct Places {
    steady: SharedSteady,
    stripes: [Stripe; 2],
}

loom::thread_local! {
    static PLACE: std::cell::Cell<usize> = std::cell::Cell::new(0);
}

impl GoodCalls for Places {
    fn set_steady(&self, steady: Steady) {
        self.steady.set(steady);
    }

    fn count(&self, generation: u32, now: Instant) -> bool {
        let stripe = &self.stripes[PLACE.with(std::cell::Cell::get)];
        self.steady.get().holds(now) && stripe.count(generation)
    }

    fn take(&self, generation: u32) -> u32 {
        self.stripes
            .iter()
            .map(|place| place.take(generation))
            .sum()
    }
}

type Rated = FastBreaker<Rate<TimeWindow<2>>, 1, Lock<BreakerState<Rate<TimeWindow<2>>>>, Places>;

/// Half of the calls of 4 s, from `min_calls` on; one good call is counted, so that others may be
/// counted apart.
fn rated(min_calls: u32) -> Arc<Rated> {
    let policy = Breaker::rate_over_time::<2>(secs(4)).min_calls(min_calls);
    let places = Places {
        steady: SharedSteady::new(),
        stripes: [Stripe::new(), Stripe::new()],
    };
    let policy = policy.close_after(1).build().expect("in range");
    let lock = Lock(Mutex::new(BreakerState::CLOSED));
    let breaker = Arc::new(FastBreaker::with_good_calls(policy, lock, places));
    works(&breaker, NOW);
    breaker
}

fn works(breaker: &Rated, now: Instant) -> bool {
    let call = breaker.enter(|| now);
    call.is_ok_and(|call| call.record(|| now, Outcome::Success).is_none())
}

fn fails(breaker: &Rated, now: Instant) -> Option<Phase> {
    let call = breaker.enter(|| now).ok()?;
    call.record(|| now, Outcome::TRANSIENT)
        .map(|changed| changed.to)
}

fn elsewhere<R: 'static>(
    breaker: &Arc<Rated>,
    work: impl FnOnce(&Rated) -> R + 'static,
) -> thread::JoinHandle<R> {
    let breaker = Arc::clone(breaker);
    thread::spawn(move || {
        PLACE.with(|place| place.set(1));
        work(&breaker)
    })
}

/// Good calls on two threads while a slice ends and failures come: each is counted once.
#[test]
fn no_good_call_is_lost_or_counted_twice() {
    explore(|| {
        let breaker = rated(100);
        let other = elsewhere(&breaker, |breaker| {
            works(breaker, NOW) && works(breaker, NOW + secs(2))
        });
        assert!(works(&breaker, NOW));
        assert_eq!(fails(&breaker, NOW), None);
        assert!(other.join().expect("no thread panics"));
        let totals = breaker.standing(NOW + secs(2)).totals;
        assert_eq!((totals.calls, totals.failures), (5, 1));
    });
}

/// A good call ends while the breaker opens, closes and counts anew: it counts for the generation it
/// began in, or for none.
#[test]
fn a_good_call_of_an_earlier_generation_counts_nothing() {
    explore(|| {
        let breaker = rated(2);
        let early = breaker.try_enter(|| NOW).expect("closed");
        let other = elsewhere(&breaker, move |breaker| {
            breaker.record(|| NOW, early, Outcome::Success)
        });
        let opened = [(); 3].map(|()| fails(&breaker, NOW));
        assert_eq!(opened.iter().flatten().count(), 1, "it opened once");
        let later = NOW + secs(30);
        assert!(breaker.enter(|| later).is_ok_and(|probe| {
            let closed = probe.record(|| later, Outcome::Success);
            closed.is_some_and(|changed| changed.to == Phase::Closed)
        }));
        // The window begins anew with this call; the early one may be counted before it or after it.
        assert!(works(&breaker, later));
        assert_eq!(other.join().expect("no thread panics"), None);
        let right = Totals {
            calls: 1,
            ..Totals::NONE
        };
        assert_eq!(breaker.standing(later).totals, right);
    });
}

/// A good call makes up the least number of calls just as a failure has made that count: whoever is
/// recorded next finds it out, though others look at the breaker or enter meanwhile.
#[test]
fn a_good_call_that_makes_up_the_least_number_of_calls_opens_it_in_time() {
    explore(|| {
        // One is counted; with a failure and a good call it is a third, with two failures half.
        let breaker = rated(4);
        let other = elsewhere(&breaker, |breaker| {
            let call = breaker.enter(|| NOW).expect("closed");
            let opened = call.record(|| NOW, Outcome::Success).is_some();
            drop(breaker.enter(|| NOW));
            opened
        });
        let opened = [fails(&breaker, NOW), fails(&breaker, NOW)];
        let there = other.join().expect("no thread panics");
        let here = opened.iter().flatten().count();
        if here + usize::from(there) == 0 {
            // Four calls, two of them failures, and nobody has judged. The next finds it out, though
            // with it two of five have failed.
            assert_eq!(breaker.standing(NOW).totals.calls, 4);
            let call = breaker.try_enter(|| NOW).expect("nobody has judged");
            let told = breaker.record(|| NOW, call, Outcome::Success);
            assert_eq!(told.map(|changed| changed.to), Some(Phase::Open));
        }
        assert_eq!(breaker.phase(NOW), Phase::Open);
    });
}

/// Reset by hand while another thread counts: its call is of the old generation or of the new one,
/// and if it is of the new one it counts.
#[test]
fn a_good_call_of_a_new_generation_is_not_lost() {
    explore(|| {
        let breaker = rated(100);
        let other = elsewhere(&breaker, |breaker| {
            let call = breaker.try_enter(|| NOW).expect("closed");
            assert_eq!(breaker.record(|| NOW, call, Outcome::Success), None);
            call.generation()
        });
        let _ = breaker.with_state(|policy, state| policy.reset(state, NOW));
        let generation = breaker.standing(NOW).generation;
        assert!(works(&breaker, NOW));
        let there = other.join().expect("no thread panics");
        let right = 1 + u32::from(there == generation);
        assert_eq!(breaker.standing(NOW).totals.calls, right);
    });
}
