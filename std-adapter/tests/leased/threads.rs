//! Threads that ask together: no token is granted twice, none is lost, and no call allocates.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use steadfast::limit::TokenBucket;
use steadfast::time::{Clock, Instant, ManualClock, clock_fn, millis};
use steadfast_std::LeasedRateLimiter;

use crate::counting::Counting;
use crate::{START, limiter, until_a_no};

/// More threads than shards. Nobody stops before a no, so only an honest no leaves nothing over.
#[test]
fn threads_together_take_the_whole_burst_and_not_one_more() {
    for round in 0..200 {
        let clock = ManualClock::new(START);
        let limiter = limiter(1 << (round % 3), 1 + round % 10, &clock);
        let granted: u64 = thread::scope(|threads| {
            let all = [(); 5].map(|()| threads.spawn(|| until_a_no(&limiter)));
            all.map(|one| one.join().unwrap()).iter().sum()
        });
        assert_eq!(granted, 640);
        assert_eq!(limiter.available(), 0);
    }
}

/// The bucket is emptied first, so it is never so full that a refill is lost.
#[test]
fn threads_that_ask_while_the_time_goes_on_get_all_of_the_rate() {
    for round in 0..20 {
        let clock = ManualClock::new(START);
        let limiter = limiter(2, 1 + round, &clock);
        let first = until_a_no(&limiter);
        let over = AtomicBool::new(false);
        let granted: u64 = thread::scope(|threads| {
            let all = [(); 3].map(|()| {
                threads.spawn(|| {
                    let mut granted = 0;
                    while !over.load(Ordering::Acquire) {
                        granted += until_a_no(&limiter);
                        thread::yield_now();
                    }
                    granted
                })
            });
            // Portions of up to three batches, so that there is something to lease.
            for step in 0..100 {
                clock.advance(millis(step % 11));
                thread::yield_now();
            }
            over.store(true, Ordering::Release);
            all.map(|one| one.join().unwrap()).iter().sum()
        });
        let passed = clock.now().since(START).as_nanos() / 1_000_000;
        assert!(passed < u64::from(limiter.capacity()), "or some is lost");
        assert_eq!(first + granted + until_a_no(&limiter), 640 + passed);
    }
}

/// The clock stands, so nothing refills. Only the leases that it started with can be lost.
#[test]
fn threads_that_give_everything_back_leave_it_nearly_full_and_never_fuller() {
    for round in 0..50 {
        let clock = ManualClock::new(START);
        let limiter = limiter(2, 1 + round % 20, &clock);
        thread::scope(|threads| {
            for kept in 1..5 {
                let limiter = &limiter;
                threads.spawn(move || {
                    for _ in 0..200 {
                        let grants: Vec<_> = (0..kept)
                            .filter_map(|_| limiter.try_acquire().ok())
                            .collect();
                        for granted in &grants {
                            limiter.refund(granted);
                        }
                    }
                });
            }
        });
        let left = limiter.available();
        assert!((limiter.capacity()..=640).contains(&left), "{left} left");
        assert_eq!(until_a_no(&limiter), u64::from(left));
    }
}

/// Threads that are numbered beyond the shards share them.
#[test]
fn there_may_be_more_shards_than_threads_and_more_threads_than_shards() {
    let clock = ManualClock::new(START);
    for shards in [1, 2, 32] {
        let limiter = limiter(shards, 1, &clock);
        for thread in 0..640 {
            assert!(limiter.try_acquire_n_on(thread, 1).is_ok());
        }
        assert!(limiter.try_acquire_n_on(usize::MAX, 1).is_err());
    }
}

#[test]
fn a_call_never_allocates() {
    let now = AtomicU64::new(START.as_nanos());
    let clock = clock_fn(|| Instant::from_nanos(now.load(Ordering::Relaxed)));
    let bucket = TokenBucket::per_second(1_000).burst(640);
    let limiter = LeasedRateLimiter::with_shards(bucket, 2, 20, clock).unwrap();
    let before = (Counting::allocations(), Counting::bytes());
    // A thread's first call, leases, noes, costs and refunds alike.
    let (mut yeses, mut noes) = (0, 0);
    for call in 0..5_000_u64 {
        now.fetch_add(call % 7 * 100_000, Ordering::Relaxed);
        let cost = [1, 1, 1, 0, 5, 30][call as usize % 6];
        match limiter.try_acquire_n(cost) {
            Ok(granted) => {
                yeses += 1;
                if call % 5 == 0 {
                    limiter.refund(&granted);
                }
            }
            Err(_) => noes += 1,
        }
        let _ = limiter.standing();
    }
    let after = (Counting::allocations(), Counting::bytes());
    assert_eq!(after, before);
    assert!(yeses > 500 && noes > 500, "{yeses} yes, {noes} no");
}
