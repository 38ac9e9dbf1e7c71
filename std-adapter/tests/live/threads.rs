//! Quotas that change while threads ask.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use steadfast::limit::{Denied, WhenFull};
use steadfast::time::{Instant, ManualClock, secs};
use steadfast_std::LiveLimiter;

use crate::bucket;

/// Time stands still, so exactly the burst passes, whatever it was on the way; one lost update
/// would show, and one minted token.
#[test]
fn quotas_that_change_under_load_lose_nothing_and_mint_nothing() {
    const KEYS: u64 = 5;
    const LAST: u32 = 3_000;

    let clock = ManualClock::new(Instant::from_secs(1));
    let live = LiveLimiter::with_clock(bucket(1), 64, &clock).unwrap();
    let granted: Vec<AtomicU32> = (0..KEYS).map(|_| AtomicU32::new(0)).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for key in 0..KEYS {
                        let passed = live.try_acquire(&key).is_ok();
                        granted[key as usize].fetch_add(u32::from(passed), Ordering::Relaxed);
                    }
                }
            });
        }
        for burst in 2..=LAST {
            live.reconfigure(bucket(burst));
        }
        done.store(true, Ordering::Relaxed);
    });
    for key in 0..KEYS {
        let mut total = granted[key as usize].load(Ordering::Relaxed);
        while live.try_acquire(&key).is_ok() {
            total += 1;
        }
        assert_eq!(total, LAST, "key {key}");
    }
}

/// Keys that find their place while the quotas change: each is remembered with what it took.
#[test]
fn newcomers_during_a_change_are_charged() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let live = LiveLimiter::with_clock(bucket(10), 40_000, &clock).unwrap();
    let done = AtomicBool::new(false);
    let came = thread::scope(|scope| {
        let newcomers = scope.spawn(|| {
            let mut came = 0_u64;
            while came < 20_000 && !done.load(Ordering::Relaxed) {
                assert!(live.try_acquire_n(&came, 3).is_ok());
                came += 1;
            }
            came
        });
        let mut burst = 10;
        while !newcomers.is_finished() && burst < 1_000 {
            burst += 1;
            live.reconfigure(bucket(burst));
        }
        done.store(true, Ordering::Relaxed);
        newcomers.join().unwrap()
    });
    assert!(came > 0);
    for key in 0..came {
        let standing = live.standing(&key);
        assert_eq!(standing.remaining, standing.limit - 3, "key {key}");
    }
}

/// A reload in the middle of the count must not make every place look taken.
#[test]
fn the_count_of_active_keys_and_the_wait_for_a_place_are_right_during_changes() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let live = LiveLimiter::with_clock(bucket(2), 4_096, &clock).unwrap();
    let full = LiveLimiter::with_clock(bucket(2), 8, &clock).unwrap();
    let full = full.when_full(WhenFull::Deny);
    assert!(live.try_acquire("alice").is_ok());
    for key in 0..8_u64 {
        assert!(full.try_acquire(&key).is_ok());
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for burst in 3..400 {
                live.reconfigure(bucket(burst));
                full.reconfigure(bucket(burst));
            }
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) {
            assert_eq!(live.active(), 1);
            let Err(Denied::StoreFull { retry_after }) = full.try_acquire(&8_u64) else {
                panic!("there is no place");
            };
            assert!(retry_after <= secs(1), "{retry_after}");
        }
    });
}
