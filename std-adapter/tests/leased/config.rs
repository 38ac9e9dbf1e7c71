//! What can be leased and what is refused, what the headers tell, and how large everything is.

use std::thread;

use steadfast::limit::{Gcra, Policy, TokenBucket, TokenBucketConfig};
use steadfast::time::{Duration, ManualClock, millis, nanos, secs};
use steadfast_std::{LeasedGrant, LeasedRateLimiter, SystemClock};

use crate::{START, limiter, until_a_no};

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
