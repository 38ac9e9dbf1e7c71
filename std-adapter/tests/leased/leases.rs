//! How shards lease from the centre: when, how much, and where a caller looks when its own is empty.

use std::cell::Cell;

use steadfast::limit::{Denied, TokenBucket};
use steadfast::time::{ManualClock, clock_fn, millis};
use steadfast_std::LeasedRateLimiter;

use crate::{START, limiter, until_a_no};

/// A clock that counts how often it is read.
#[test]
fn one_call_in_a_batch_reads_the_clock() {
    let readings = Cell::new(0);
    let clock = clock_fn(|| {
        readings.set(readings.get() + 1);
        START
    });
    let bucket = TokenBucket::per_second(64_000);
    let limiter = LeasedRateLimiter::with_shards(bucket, 4, 99, clock).unwrap();
    for _ in 0..99 + 10 * 100 {
        assert!(limiter.try_acquire_n_on(3, 1).is_ok());
    }
    assert_eq!(readings.get(), 10);
    // The others lie idle and are found when nothing else is left.
    let mut granted = 0;
    while limiter.try_acquire_n_on(3, 1).is_ok() {
        granted += 1;
    }
    assert_eq!(granted, 64_000 - 99 - 10 * 100);
}

/// What is left in the shard is less than the cost; the lease is drawn on top of it.
#[test]
fn a_cost_that_does_not_divide_the_batch_is_leased_as_well() {
    for (batch, cost) in [(62, 5), (1_024, 3), (7, 4), (9, 9)] {
        let readings = Cell::new(0);
        let clock = clock_fn(|| {
            readings.set(readings.get() + 1);
            START
        });
        let bucket = TokenBucket::per_second(1_000_000);
        let limiter = LeasedRateLimiter::with_shards(bucket, 2, batch, clock).unwrap();
        for _ in 0..10_000 {
            assert!(limiter.try_acquire_n_on(1, cost).is_ok());
        }
        // As many as a full shard holds, and then one from the centre.
        assert_eq!(readings.get(), 10_000 / (batch / cost + 1));
        assert_eq!(limiter.available(), 1_000_000 - 10_000 * cost);
        let mut left = 0;
        while limiter.try_acquire_n_on(1, 1).is_ok() {
            left += 1;
        }
        assert_eq!(left, 1_000_000 - 10_000 * cost);
    }
}

#[test]
fn no_lease_is_drawn_while_the_centre_has_less_than_a_batch() {
    // A lease would draw 37, since three are left in the shard.
    for (to_spare, leases) in [
        (36, false),
        (37, false),
        (39, false),
        (40, true),
        (41, true),
    ] {
        let readings = Cell::new(0);
        let clock = clock_fn(|| {
            readings.set(readings.get() + 1);
            START
        });
        let bucket = TokenBucket::per_second(1_000).burst(640);
        let limiter = LeasedRateLimiter::with_shards(bucket, 1, 40, clock).unwrap();
        for cost in [37, 600 - to_spare - 4, 4] {
            assert!(limiter.try_acquire_n(cost).is_ok());
        }
        // Whoever finds it in the shard reads no clock.
        let before = readings.get();
        assert!(limiter.try_acquire_n(4).is_ok());
        assert_eq!(readings.get() == before, leases, "{to_spare} to spare");
    }
}

/// Nobody can take from a shard what it does not have, so a cost above the batch leases nothing.
#[test]
fn a_cost_above_the_batch_leases_nothing() {
    let clock = ManualClock::new(START);
    let limiter = limiter(1, 40, &clock);
    assert!(limiter.try_acquire_n(40).is_ok());
    assert!(limiter.try_acquire_n(41).is_ok());
    assert!(limiter.try_acquire_n(559).is_ok(), "all is in the centre");
}

/// The caller's shard is empty, and so is the centre.
#[test]
fn the_search_begins_at_the_shard_of_the_caller() {
    let clock = ManualClock::new(START);
    let limiter = limiter(4, 10, &clock);
    assert!(limiter.try_acquire_n(600).is_ok());
    for (shard, cost) in [(0, 3), (1, 10), (2, 5), (3, 5)] {
        assert!(limiter.try_acquire_n_on(shard, cost).is_ok());
    }
    // The first holds seven, the last two hold five.
    assert!(limiter.try_acquire_n_on(1, 5).is_ok());
    assert!(limiter.try_acquire_n_on(1, 7).is_ok(), "it was untouched");
    assert!(limiter.try_acquire_n_on(1, 5).is_ok());
    assert_eq!(limiter.available(), 0);
}

/// All shards were seen empty, and are not looked into until something comes into one.
#[test]
fn what_comes_into_a_shard_after_a_no_is_found_from_the_others() {
    let clock = ManualClock::new(START);
    let limiter = limiter(2, 20, &clock);
    let mut last = None;
    while let Ok(granted) = limiter.try_acquire_n_on(0, 1) {
        last = Some(granted);
    }
    assert!(limiter.try_acquire_n_on(1, 1).is_err());
    // The last was found in the other shard, and goes back there.
    limiter.refund(&last.unwrap());
    assert!(limiter.try_acquire_n_on(0, 1).is_ok());
    assert!(limiter.try_acquire_n_on(0, 1).is_err());

    // One for the caller and twenty leased; the centre has nothing left.
    clock.advance(millis(21));
    assert!(limiter.try_acquire_n_on(0, 1).is_ok());
    for _ in 0..20 {
        assert!(limiter.try_acquire_n_on(1, 1).is_ok());
    }
    assert!(limiter.try_acquire_n_on(1, 1).is_err());
}

#[test]
fn a_cost_of_nothing_is_granted_and_takes_nothing() {
    let clock = ManualClock::new(START);
    let limiter = limiter(1, 40, &clock);
    assert_eq!(until_a_no(&limiter), 640);
    let granted = limiter.try_acquire_n(0).unwrap();
    assert_eq!(granted.cost(), 0);
    limiter.refund(&granted);
    assert_eq!(limiter.available(), 0);
}

#[test]
fn the_largest_cost_is_the_burst_less_what_is_set_aside() {
    let clock = ManualClock::new(START);
    let limiter = limiter(2, 20, &clock);
    assert_eq!(limiter.capacity(), 600);
    assert_eq!(
        limiter.try_acquire_n(601).unwrap_err(),
        Denied::CostAboveCapacity {
            cost: 601,
            capacity: 600
        }
    );
    assert!(limiter.try_acquire_n(600).is_ok());
    assert_eq!(limiter.available(), 40);
    // Each shard has 20; the centre has nothing, until a token comes each millisecond.
    assert!(limiter.try_acquire_n_on(0, 15).is_ok());
    let denied = limiter.try_acquire_n(21).unwrap_err();
    assert_eq!(denied.retry_after(), Some(millis(21)));
    assert!(limiter.try_acquire_n_on(0, 20).is_ok(), "the other shard's");
    let denied = limiter.try_acquire_n_on(0, 6).unwrap_err();
    assert_eq!(denied.retry_after(), Some(millis(6)));
    assert!(limiter.try_acquire_n_on(1, 5).is_ok());
}
