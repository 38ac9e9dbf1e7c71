//! A breaker of a rate, whose good calls each thread counts in a place of its own.

use loom::sync::{Arc, Mutex};
use loom::thread;
use steadfast::breaker::{
    Breaker, BreakerState, CircuitBreaker, FastBreaker, GoodCalls, Phase, Rate, SharedSteady,
    Stripe,
};
use steadfast::outcome::Outcome;
use steadfast::time::{Instant, secs};
use steadfast::window::{Steady, TimeWindow, Totals};

use crate::{Lock, NOW, explore};

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
