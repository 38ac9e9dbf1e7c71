//! Places of the keyed limiter that are charged, taken and handed over at the same time.

#![cfg(steadfast_loom)]

use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use loom::thread;
use steadfast::limit::{CompactBucket, FixedWindow, TokenBucket, WhenFull};
use steadfast::policy;
use steadfast::time::{Instant, ManualClock, secs};
use steadfast_std::{KeyedLimiter, Stored};

/// One a second and no burst beyond it.
const BUCKET: TokenBucket = policy!(TokenBucket::per_second(1));
const COMPACT: CompactBucket = policy!(TokenBucket::per_second(1).compact());
const WINDOW: FixedWindow = policy!(FixedWindow::new(1, secs(1)));

type Limiter<P> = KeyedLimiter<u64, P, Time, BuildHasherDefault<DefaultHasher>>;

/// A clock that the test owns; loom need not explore it, since it moves only between threads.
#[derive(Clone)]
struct Time(Arc<ManualClock>);

impl steadfast::time::Clock for Time {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

/// Eight places: one set, so every key may lie in each of them.
fn limiter<P: Stored>(policy: P, when_full: WhenFull) -> (Arc<Limiter<P>>, Time) {
    let time = Time(Arc::new(ManualClock::new(Instant::from_secs(100))));
    let hasher = BuildHasherDefault::default();
    let limiter = KeyedLimiter::with_clock_and_hasher(policy, 8, time.clone(), hasher)
        .expect("eight places are allowed")
        .when_full(when_full);
    (Arc::new(limiter), time)
}

/// Every order with up to four switches away from a thread that could go on; all orders of two
/// calls that look at sixteen places are too many. (Most bugs need two: Musuvathi and Qadeer,
/// "Iterative context bounding", 2007.)
fn explore(world: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(4);
    builder.max_branches = 20_000;
    builder.check(world);
}

/// Runs both keys' calls on two threads; how many were granted.
fn both<P>(limiter: &Arc<Limiter<P>>, first: u64, second: u64) -> usize
where
    P: Stored + Send + Sync + 'static,
    P::Cell: 'static,
{
    let there = Arc::clone(limiter);
    let other = thread::spawn(move || there.try_acquire(&first).is_ok());
    let here = limiter.try_acquire(&second).is_ok();
    let there = other.join().expect("the other thread does not panic");
    usize::from(here) + usize::from(there)
}

fn one_new_key_gets_one_place<P>(policy: P)
where
    P: Stored + Send + Sync + 'static,
    P::Cell: 'static,
{
    explore(move || {
        let (limiter, _) = limiter(policy, WhenFull::Overflow);
        assert_eq!(both(&limiter, 1, 1), 1, "one token, so one of the two");
        assert_eq!(limiter.active(), 1);
        assert_eq!(limiter.crowded(), 0);
    });
}

#[test]
fn two_threads_that_bring_the_same_new_key_get_one_place_and_one_token() {
    one_new_key_gets_one_place(COMPACT);
    one_new_key_gets_one_place(BUCKET);
    one_new_key_gets_one_place(WINDOW);
}

fn two_new_keys_get_two_places<P>(policy: P)
where
    P: Stored + Send + Sync + 'static,
    P::Cell: 'static,
{
    explore(move || {
        let (limiter, _) = limiter(policy, WhenFull::Overflow);
        assert_eq!(both(&limiter, 1, 2), 2);
        assert_eq!(limiter.active(), 2);
        assert!(limiter.try_acquire(&1).is_err());
        assert!(limiter.try_acquire(&2).is_err());
    });
}

#[test]
fn two_new_keys_that_want_the_same_place_get_two() {
    two_new_keys_get_two_places(COMPACT);
    two_new_keys_get_two_places(WINDOW);
}

/// Seven keys are being limited and one is at rest. That one comes back while a newcomer takes
/// its place.
fn a_place_changes_hands<P>(policy: P)
where
    P: Stored + Send + Sync + 'static,
    P::Cell: 'static,
{
    explore(move || {
        let (limiter, time) = limiter(policy, WhenFull::Overflow);
        assert!(limiter.try_acquire(&0).is_ok());
        time.0.advance(secs(1));
        for key in 1..8 {
            assert!(limiter.try_acquire(&key).is_ok());
        }
        // Whoever gets the place, the other is served by the shared limiter.
        assert_eq!(both(&limiter, 0, 8), 2);
        for key in 0..=8 {
            assert!(
                limiter.try_acquire(&key).is_err(),
                "key {key} gained a token"
            );
        }
    });
}

#[test]
fn a_key_that_returns_while_its_place_is_taken_gains_nothing() {
    a_place_changes_hands(COMPACT);
    a_place_changes_hands(WINDOW);
}

/// Every place is taken, none is at its limit, and the newcomer takes the least used one while its
/// key is asking again.
#[test]
fn a_key_that_is_evicted_while_it_asks_and_the_newcomer_both_pass() {
    const TWO: CompactBucket = policy!(TokenBucket::per_second(2).compact());
    explore(|| {
        let (limiter, _) = limiter(TWO, WhenFull::EvictLeastUsed);
        for key in 0..8 {
            assert!(limiter.try_acquire(&key).is_ok());
        }
        assert_eq!(both(&limiter, 0, 8), 2);
        assert_eq!(limiter.active(), 8, "no place was lost, none has two keys");
        assert!((1..=2).contains(&limiter.evicted()));
    });
}
