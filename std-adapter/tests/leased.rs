//! One limit that many threads ask: never more than the policy, no token lost, no call that
//! allocates.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use steadfast::limit::{Denied, Gcra, Policy, TokenBucket, TokenBucketConfig};
use steadfast::time::{Clock, Duration, Instant, ManualClock, clock_fn, millis, nanos, secs};
use steadfast_std::{LeasedGrant, LeasedRateLimiter, SystemClock};

mod counting;
use counting::Counting;

#[global_allocator]
static HEAP: Counting = Counting;

const START: Instant = Instant::from_secs(1_000);

fn limiter(shards: u32, batch: u32, clock: &ManualClock) -> LeasedRateLimiter<&ManualClock> {
    let bucket = TokenBucket::per_second(1_000).burst(640);
    LeasedRateLimiter::with_shards(bucket, shards, batch, clock).unwrap()
}

/// How many ones are granted until the first no.
fn until_a_no<C: Clock>(limiter: &LeasedRateLimiter<C>) -> u64 {
    let mut granted = 0;
    while limiter.try_acquire().is_ok() {
        granted += 1;
    }
    granted
}

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

#[test]
fn a_grant_goes_back_into_its_shard_while_it_is_on_the_same_lease() {
    let clock = ManualClock::new(START);
    let limiter = limiter(1, 40, &clock);
    let granted = limiter.try_acquire().unwrap();
    assert_eq!(limiter.available(), 639);
    // However late: the shard still lacks it.
    clock.advance(secs(9));
    limiter.refund(&granted);
    assert_eq!(limiter.available(), 640);
    // A second refund is a mistake; it does not overfill the shard.
    limiter.refund(&granted);
    assert_eq!(limiter.available(), 640);
}

/// A grant of the second lease, drawn when the centre lacked `before` tokens; the shard is on its
/// third by now.
fn a_grant_of_a_lease_drawn_after(
    before: u32,
    limiter: &LeasedRateLimiter<&ManualClock>,
) -> LeasedGrant {
    assert!(limiter.try_acquire_n(before - 1).is_ok());
    // The first lease, and one more, with which the second is drawn.
    for _ in 0..=40 {
        assert!(limiter.try_acquire().is_ok());
    }
    let granted = limiter.try_acquire().unwrap();
    // The rest of the lease, and one more, with which the next is drawn.
    for _ in 0..40 {
        assert!(limiter.try_acquire().is_ok());
    }
    granted
}

#[test]
fn a_grant_of_an_older_lease_goes_to_the_centre_until_it_has_refilled() {
    // What the centre lacked before that lease refills in 100 ms.
    for (wait, back) in [(0, 1), (99, 1), (100, 0), (101, 0), (5_000, 0)] {
        let clock = ManualClock::new(START);
        let limiter = limiter(1, 40, &clock);
        let granted = a_grant_of_a_lease_drawn_after(100, &limiter);
        clock.advance(millis(wait));
        let before = limiter.available();
        limiter.refund(&granted);
        assert_eq!(limiter.available() - before, back, "after {wait} ms");
    }
}

/// The centre may have refilled long ago what was left of another lease.
#[test]
fn what_was_left_of_an_older_lease_does_not_go_to_the_centre() {
    let clock = ManualClock::new(START);
    let limiter = limiter(1, 40, &clock);
    // Two are left of the first lease when the second is drawn.
    assert!(limiter.try_acquire_n(500).is_ok());
    assert!(limiter.try_acquire_n(38).is_ok());
    assert!(limiter.try_acquire_n(3).is_ok());
    let drawn = limiter.try_acquire_n(38).unwrap();
    let older = limiter.try_acquire_n(2).unwrap();
    // The third lease.
    assert!(limiter.try_acquire().is_ok());
    let before = limiter.available();
    limiter.refund(&older);
    assert_eq!(limiter.available(), before);
    limiter.refund(&drawn);
    assert_eq!(limiter.available(), before + 38);
}

/// After a refund the centre refills earlier than a lease that was drawn before it knows, as with
/// the mark of any bucket. What is then given back though it has refilled is at most what was
/// refunded before.
#[test]
fn grants_that_have_refilled_give_back_no_more_than_was_refunded_before() {
    let mut most = 0;
    // Both parts are above the batch, so they are from the centre.
    for refunded in [0, 41, 60, 81, 82, 100, 459] {
        let clock = ManualClock::new(START);
        let limiter = limiter(1, 40, &clock);
        let early = limiter.try_acquire_n(refunded).unwrap();
        assert!(limiter.try_acquire_n(500 - refunded).is_ok());
        for _ in 0..=40 {
            assert!(limiter.try_acquire().is_ok());
        }
        let old = [(); 40].map(|()| limiter.try_acquire().unwrap());
        assert!(limiter.try_acquire().is_ok(), "and the next lease is drawn");
        limiter.refund(&early);
        // The centre lacked 582.
        clock.advance(millis(u64::from(582 - refunded)));
        assert_eq!(until_a_no(&limiter), 640);
        for granted in &old {
            limiter.refund(granted);
        }
        let more = until_a_no(&limiter);
        assert!(more <= refunded.into(), "{more} after {refunded}");
        most = most.max(more);
    }
    assert_eq!(most, 40, "the bound is not there in vain");
}

#[test]
fn a_grant_from_the_centre_gives_back_what_has_not_refilled() {
    for (wait, back) in [(0, 100), (30, 70), (100, 0), (5_000, 0)] {
        let clock = ManualClock::new(START);
        let limiter = limiter(1, 40, &clock);
        let granted = limiter.try_acquire_n(100).unwrap();
        clock.advance(millis(wait));
        let before = limiter.available();
        limiter.refund(&granted);
        assert_eq!(limiter.available() - before, back, "after {wait} ms");
    }
}

/// Old grants, kept for an hour, do not bring back a burst that has been used since.
#[test]
fn old_grants_do_not_pass_a_second_burst() {
    let clock = ManualClock::new(START);
    let limiter = limiter(2, 20, &clock);
    let old: Vec<_> = (0..640).map(|_| limiter.try_acquire().unwrap()).collect();
    clock.advance(secs(3_600));
    assert!(until_a_no(&limiter) >= 600);
    for granted in &old {
        limiter.refund(granted);
    }
    // The other shard is still on its first lease, which was used up an hour ago and never drawn
    // again: it lacks those, and what it gets back is its own.
    assert!(limiter.available() <= 20, "{}", limiter.available());
}

#[test]
fn the_headers_tell_the_stated_limit() {
    let clock = ManualClock::new(START);
    let limiter = limiter(2, 20, &clock);
    let full = limiter.standing();
    assert_eq!((full.limit, full.remaining), (640, 640));
    assert_eq!((full.window, full.full_in), (millis(640), Duration::ZERO));
    assert!(limiter.try_acquire_n(100).is_ok());
    let standing = limiter.standing();
    // The shards are full, so nothing but the cost has left the centre.
    assert_eq!((standing.limit, standing.remaining), (640, 540));
    assert_eq!(standing.full_in, millis(100));
}

fn refused(bucket: TokenBucketConfig, shards: u32, batch: u32) -> String {
    LeasedRateLimiter::with_shards(bucket, shards, batch, SystemClock)
        .unwrap_err()
        .to_string()
}

#[test]
fn what_cannot_be_leased_is_refused_with_what_is_allowed() {
    let small = TokenBucket::per_second(15);
    let said = "burst = 15, allowed 16..=4294967295";
    assert_eq!(LeasedRateLimiter::new(small).unwrap_err().to_string(), said);
    assert_eq!(refused(small, 1, 1), said);
    let bucket = TokenBucket::per_second(1_000);
    assert_eq!(refused(bucket, 0, 1), "shards = 0, allowed 1..=32");
    assert_eq!(refused(bucket, 33, 1), "shards = 33, allowed 1..=32");
    assert_eq!(refused(bucket, 4, 0), "batch = 0, allowed 1..=15");
    assert_eq!(refused(bucket, 4, 16), "batch = 16, allowed 1..=15");
    // Three are rounded up to four.
    assert_eq!(refused(bucket, 3, 16), "batch = 16, allowed 1..=15");
    let large = TokenBucket::per_second(1_000_000);
    assert_eq!(refused(large, 1_025, 1), "shards = 1025, allowed 1..=1024");
}

#[test]
fn what_the_bucket_itself_refuses_is_said_as_it_says_it() {
    let bucket = TokenBucket::per_second(0);
    assert_eq!(
        refused(bucket, 1, 1),
        bucket.build().unwrap_err().to_string()
    );
    let bucket = TokenBucket::per_second(100).reserve_ahead(secs(1));
    let said = bucket.compact().build().unwrap_err().to_string();
    assert_eq!(refused(bucket, 1, 1), said);
}

#[test]
fn what_is_left_of_the_burst_must_still_cover_a_tick() {
    // A hundred and one in 10 ns, read in ticks of 5 ns: all but one token must cover a tick.
    let bucket = TokenBucket::new(101, nanos(10)).burst(52);
    assert!(bucket.compact().build().is_ok());
    let said = "burst - shards x batch, read in ticks = 51, allowed 52..=4294967295";
    assert_eq!(refused(bucket, 1, 1), said);
    let less = refused(bucket.burst(51), 1, 1);
    assert_eq!(less, "burst, read in ticks = 51, allowed 52..=4294967295");
}

#[test]
fn the_plain_form_fits_this_machine() {
    for burst in [16, 17, 1_000, 1_000_000, u32::MAX] {
        let bucket = TokenBucket::per_second(1_000).burst(burst);
        let limiter = LeasedRateLimiter::new(bucket).unwrap();
        let shards = limiter.shards() as u32;
        assert!(shards.is_power_of_two());
        assert!(limiter.batch() >= 1);
        assert!(limiter.batch() <= (burst / 16 / shards).min(1_024));
        assert_eq!(limiter.capacity(), burst - shards * limiter.batch());
        assert_eq!(limiter.policy().capacity(), burst);
        // A shard for each core, unless the burst has not a token for each.
        let cores = thread::available_parallelism().unwrap().get() as u32;
        assert!(shards >= cores.min(1_024) || shards > burst / 32);
        assert!(shards < 2 * cores);
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
fn a_tolerance_counts_in_whole_tokens() {
    let clock = ManualClock::new(START);
    let bucket = Gcra::every(millis(10), millis(995));
    let limiter = LeasedRateLimiter::with_clock(bucket, &clock).unwrap();
    assert_eq!(until_a_no(&limiter), 100);
}

#[test]
fn sizes_are_as_documented() {
    assert_eq!(size_of::<LeasedGrant>(), 32);
    assert_eq!(size_of::<LeasedRateLimiter>(), 384);
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
