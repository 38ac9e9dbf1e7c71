//! Leases that are drawn, taken from, given back to and looked for at the same time.

#![cfg(steadfast_loom)]

use std::sync::Arc;

use loom::thread;
use steadfast::limit::TokenBucket;
use steadfast::time::{Clock, Instant};
use steadfast_std::LeasedRateLimiter;

/// Time stands still, so what is granted in all is what was there.
#[derive(Clone, Copy)]
struct StandsStill;

impl Clock for StandsStill {
    fn now(&self) -> Instant {
        Instant::from_secs(100)
    }
}

type Limiter = LeasedRateLimiter<StandsStill>;

/// The shards are empty, and all but `tokens` are gone from the centre.
fn nearly_used_up(shards: u32, batch: u32, tokens: u32) -> Arc<Limiter> {
    let bucket = TokenBucket::per_hour(1).burst(16 * shards * batch);
    let limiter = Limiter::with_shards(bucket, shards, batch, StandsStill).unwrap();
    // While the shards are full, no lease is drawn for them.
    let gone = limiter.capacity() - tokens;
    assert!(limiter.try_acquire_n_on(0, gone).is_ok());
    for shard in 0..shards as usize {
        assert!(limiter.try_acquire_n_on(shard, batch).is_ok());
    }
    assert_eq!(limiter.available(), tokens);
    Arc::new(limiter)
}

/// Every order with up to three switches away from a thread that could go on. (Most bugs need
/// two: Musuvathi and Qadeer, "Iterative context bounding", 2007.)
fn explore(world: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.max_branches = 20_000;
    builder.check(world);
}

/// Asks `times` times for one, on one shard; how many were granted.
fn ask(limiter: &Limiter, shard: usize, times: u32) -> u32 {
    let yes = |_: &u32| limiter.try_acquire_n_on(shard, 1).is_ok();
    (0..times).filter(yes).count() as u32
}

/// Runs `there` on a thread of its own and `here` on this one; the sum of what they return.
fn both(
    limiter: &Arc<Limiter>,
    there: impl FnOnce(&Limiter) -> u32 + 'static,
    here: impl FnOnce(&Limiter) -> u32,
) -> u32 {
    let shared = Arc::clone(limiter);
    let other = thread::spawn(move || there(&shared));
    let here = here(limiter);
    here + other.join().expect("the other thread does not panic")
}

/// Both find the shard empty, and the centre has one lease: whoever comes too late for it waits
/// until it is there, and no token is lost.
#[test]
fn two_threads_on_one_shard_get_every_token_and_no_more() {
    for tokens in 1..=4 {
        explore(move || {
            let limiter = nearly_used_up(1, 2, tokens);
            let granted = both(&limiter, |l| ask(l, 0, 2), |l| ask(l, 0, 2));
            assert_eq!(granted, tokens);
            assert_eq!(limiter.available(), 0);
            assert!(limiter.try_acquire_n_on(0, 1).is_err());
        });
    }
}

/// What one has leased to its shard, the other finds before it is told no.
#[test]
fn two_threads_on_two_shards_get_every_token_and_no_more() {
    for tokens in 2..=4 {
        explore(move || {
            let limiter = nearly_used_up(2, 2, tokens);
            let granted = both(&limiter, |l| ask(l, 0, 1), |l| ask(l, 1, 3));
            assert_eq!(granted, tokens);
            assert_eq!(limiter.available(), 0);
        });
    }
}

/// More is asked than there is: a no on both sides, and still nothing is left over.
#[test]
fn two_threads_that_are_both_told_no_leave_nothing_over() {
    explore(|| {
        let limiter = nearly_used_up(2, 1, 2);
        let granted = both(&limiter, |l| ask(l, 0, 2), |l| ask(l, 1, 2));
        assert_eq!(granted, 2);
        assert_eq!(limiter.available(), 0);
    });
}

/// The lease is drawn on top of the one token that the shard still holds, which the other finds or
/// waits for.
#[test]
fn what_a_shard_still_holds_is_not_lost_while_the_next_lease_is_drawn() {
    for tokens in 4..=6 {
        explore(move || {
            let limiter = nearly_used_up(1, 2, tokens);
            // One from the centre and two leased, of which one is taken.
            assert_eq!(ask(&limiter, 0, 2), 2);
            let two = |l: &Limiter| 2 * u32::from(l.try_acquire_n_on(0, 2).is_ok());
            let granted = both(&limiter, two, |l| ask(l, 0, 3));
            let rest = ask(&limiter, 0, 8);
            assert_eq!(2 + granted + rest, tokens);
            assert_eq!(limiter.available(), 0);
        });
    }
}

/// Both shards have been seen empty. What is then given back into one is found from the other.
#[test]
fn a_token_that_is_given_back_after_all_were_seen_empty_is_found() {
    explore(|| {
        let limiter = nearly_used_up(2, 2, 3);
        // One from the centre, and two leased to the second shard.
        assert_eq!(ask(&limiter, 1, 1), 1);
        let granted = limiter.try_acquire_n_on(1, 1).expect("one of the two");
        let back = move |l: &Limiter| {
            l.refund(&granted);
            ask(l, 0, 1)
        };
        let granted = both(&limiter, back, |l| ask(l, 0, 3));
        assert_eq!(granted, 2);
        assert_eq!(ask(&limiter, 0, 1), 0);
        assert_eq!(limiter.available(), 0);
    });
}

/// One is told no and then looks into the shards. Between the two the centre gets something back,
/// of which the other leases some; that must not be taken for nothing.
#[test]
fn a_lease_that_is_drawn_while_all_are_seen_empty_is_found() {
    explore(|| {
        let limiter = nearly_used_up(2, 1, 2);
        let granted = limiter.try_acquire_n_on(0, 2).expect("the last two");
        assert_eq!(limiter.available(), 0);
        let back = move |l: &Limiter| {
            l.refund(&granted);
            ask(l, 0, 1)
        };
        let granted = both(&limiter, back, |l| ask(l, 1, 1));
        assert_eq!(granted + ask(&limiter, 1, 2), 2);
        assert_eq!(limiter.available(), 0);
    });
}

fn one_and_back(limiter: &Limiter) -> u32 {
    let granted = limiter.try_acquire_n_on(0, 1).expect("there are enough");
    limiter.refund(&granted);
    0
}

/// The shard is on its second lease, of two, and both tokens are in it.
fn on_its_second_lease() -> Arc<Limiter> {
    let limiter = nearly_used_up(1, 2, 5);
    assert!(limiter.try_acquire_n_on(0, 1).is_ok());
    assert_eq!(limiter.available(), 4);
    limiter
}

/// The one that is given back goes into the shard, or to the centre if the shard was refilled in
/// between. It is there again in each case, once.
#[test]
fn a_token_that_is_given_back_while_the_next_lease_is_drawn_is_there_once() {
    explore(|| {
        let limiter = on_its_second_lease();
        let granted = both(&limiter, one_and_back, |l| ask(l, 0, 3));
        assert_eq!(granted, 3);
        assert_eq!(limiter.available(), 1);
        assert_eq!(ask(&limiter, 0, 2), 1);
    });
}

/// Both give back to a shard that has room for both, or to the centre.
#[test]
fn tokens_given_back_at_once_are_all_there() {
    explore(|| {
        let limiter = on_its_second_lease();
        both(&limiter, one_and_back, one_and_back);
        assert_eq!(limiter.available(), 4);
        assert_eq!(ask(&limiter, 0, 5), 4);
    });
}
