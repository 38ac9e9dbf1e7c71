//! One limiter of each side, asked again and again by one thread or by several.

use std::hint::black_box;

use governor::RateLimiter as Governor;
use governor::clock::Clock as PeerClock;
use steadfast::limit::{AtomicRateLimiter, Clocked, TokenBucket};
use steadfast::time::{Clock, Instant};
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

pub fn contender<L: Sync>(make: impl Fn() -> L, ask: impl Fn(&L) -> bool + Sync) -> impl Contender {
    contender_in_time(make, move |limiter, _| ask(limiter))
}

/// Told the time as well, which moves on by five nanoseconds a call.
pub fn contender_in_time<L: Sync>(
    make: impl Fn() -> L,
    ask: impl Fn(&L, Instant) -> bool + Sync,
) -> impl Contender {
    let limiters: Vec<_> = (0..LIMITERS).map(|_| Apart(make())).collect();
    // The first answer is a yes whatever the policy.
    assert!(
        limiters
            .iter()
            .all(|limiter| ask(&limiter.0, Instant::ZERO))
    );
    move |round, calls| {
        let limiter = &limiters[round % LIMITERS].0;
        asked(limiter, 5 * round as u64 * calls as u64, calls, &ask)
    }
}

/// The same machine code wherever a contender comes: at a nanosecond a call, another copy of the
/// loop may be faster by half.
#[inline(never)]
fn asked<L>(limiter: &L, mut now: u64, calls: usize, ask: &impl Fn(&L, Instant) -> bool) -> usize {
    let mut yeses = 0;
    for _ in 0..calls {
        now += 5;
        yeses += usize::from(ask(black_box(limiter), Instant::from_nanos(now)));
    }
    yeses
}

/// One round after another.
pub fn in_rounds(contender: impl Contender) -> impl FnMut(usize) -> usize {
    let mut round = 0;
    move |calls| {
        round += 1;
        contender(round, calls)
    }
}

/// In a pair of threads the first alone: the second has nothing to do.
pub fn alone(contender: &impl Contender) -> [impl FnMut(usize) -> usize; 2] {
    [true, false].map(|works| {
        let mut rounds = in_rounds(contender);
        move |calls| if works { rounds(calls) } else { calls }
    })
}

/// In a pair of threads each with another of the limiters: what the machine makes of two threads
/// that have nothing in common.
pub fn apart(contender: &impl Contender) -> [impl FnMut(usize) -> usize; 2] {
    [0, LIMITERS / 2].map(|first| {
        let mut round = first;
        move |calls| {
            round += 1;
            contender(round, calls)
        }
    })
}
