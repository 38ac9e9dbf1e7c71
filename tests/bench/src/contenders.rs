//! One limiter of each side, asked again and again by one thread or by several.

use std::hint::black_box;

use governor::RateLimiter as Governor;
use governor::clock::Clock as PeerClock;
use steadfast::limit::{AtomicRateLimiter, Clocked, TokenBucket};
use steadfast::time::Clock;
use steadfast_std::LeasedRateLimiter;

use crate::policies::Policies;

/// How many limiters a contender has, each of them for a round, in turn. What it costs two
/// processors to hand a word to each other depends on where it lies, by half and more; so it lies
/// in many places.
const LIMITERS: usize = 64;

/// On cache lines of its own, so that what happens to lie beside it costs two threads nothing.
#[repr(align(128))]
struct Apart<L>(L);

pub fn steadfast<C: Clock + Clone + Sync>(given: &Policies, clock: &C) -> impl Contender {
    let make = || {
        let limiter = AtomicRateLimiter::new(given.ours.compact().build().unwrap());
        Clocked::new(limiter, clock.clone())
    };
    contender(make, |limiter| limiter.try_acquire().is_ok())
}

pub fn leased<C: Clock + Clone + Sync>(given: &Policies, clock: &C) -> impl Contender {
    contender(
        || LeasedRateLimiter::with_clock(given.ours, clock.clone()).unwrap(),
        |limiter| limiter.try_acquire().is_ok(),
    )
}

/// With a policy so strict that once it is used up every call is a no; all but one are taken.
pub fn leased_and_used_up<C: Clock + Clone + Sync>(shards: u32, clock: &C) -> impl Contender {
    let bucket = TokenBucket::per_hour(1).burst(16 * shards);
    let make = move || {
        let limiter = LeasedRateLimiter::with_shards(bucket, shards, 1, clock.clone()).unwrap();
        while limiter.available() > 1 {
            assert!(limiter.try_acquire().is_ok());
        }
        limiter
    };
    contender(make, |limiter| limiter.try_acquire().is_ok())
}

pub fn governor<C: PeerClock + Clone + Sync>(given: &Policies, clock: &C) -> impl Contender
where
    C::Instant: Sync,
{
    contender(
        || Governor::direct_with_clock(given.governor, clock.clone()),
        |limiter| limiter.check().is_ok(),
    )
}

pub fn ratelimit(given: &Policies) -> impl Contender {
    contender(|| given.ratelimit(), |limiter| limiter.try_wait().is_ok())
}

pub fn leaky_bucket(given: &Policies, fair: bool) -> impl Contender {
    contender(
        move || given.leaky_bucket(fair),
        |limiter| limiter.try_acquire(1),
    )
}

/// Told which round it is and how many calls to make, says how many were a yes. Threads that are
/// told the same round ask the same limiter.
pub trait Contender: Fn(usize, usize) -> usize + Sync {}

impl<F: Fn(usize, usize) -> usize + Sync> Contender for F {}

fn contender<L: Sync>(make: impl Fn() -> L, ask: impl Fn(&L) -> bool + Sync) -> impl Contender {
    let limiters: Vec<_> = (0..LIMITERS).map(|_| Apart(make())).collect();
    // The first answer is a yes whatever the policy.
    assert!(limiters.iter().all(|limiter| ask(&limiter.0)));
    move |round, calls| {
        let limiter = &limiters[round % LIMITERS].0;
        (0..calls).filter(|_| ask(black_box(limiter))).count()
    }
}

/// One round after another.
pub fn in_rounds(contender: impl Contender) -> impl FnMut(usize) -> usize {
    let mut round = 0;
    move |calls| {
        round += 1;
        contender(round, calls)
    }
}
