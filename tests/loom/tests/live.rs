//! Quotas that change while a key is charged, and while it gets its place.

#![cfg(steadfast_loom)]

use std::sync::Arc;

use loom::thread;
use steadfast::limit::TokenBucket;
use steadfast::policy;
use steadfast::time::{Clock, Instant};
use steadfast_std::LiveLimiter;

/// Two, then three, then four tokens, each at another price in time: a state that is read under
/// rules that it is not under is wrong by tokens.
const TWO: TokenBucket = policy!(TokenBucket::per_minute(1).burst(2));
const THREE: TokenBucket = policy!(TokenBucket::per_second(1).burst(3));
const FOUR: TokenBucket = policy!(TokenBucket::per_minute(1).burst(4));

/// Time stands still.
struct Noon;

impl Clock for Noon {
    fn now(&self) -> Instant {
        Instant::from_secs(100)
    }
}

fn limiter() -> Arc<LiveLimiter<TokenBucket, Noon>> {
    Arc::new(LiveLimiter::with_clock(TWO, 8, Noon).expect("eight places are allowed"))
}

/// Every order with up to three switches away from a thread that could go on.
fn explore(world: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.max_branches = 50_000;
    builder.check(world);
}

/// How many more the key gets.
fn rest(limiter: &LiveLimiter<TokenBucket, Noon>, key: u64) -> usize {
    (0..10)
        .filter(|_| limiter.try_acquire(&key).is_ok())
        .count()
}

/// A thread changes the quotas twice while `key` asks once; in all it gets four.
fn asks_during_two_changes(known: bool) {
    explore(move || {
        let limiter = limiter();
        let mut passed = 0;
        if known {
            assert!(limiter.try_acquire(&1_u64).is_ok());
            passed += 1;
        }
        let there = Arc::clone(&limiter);
        let changing = thread::spawn(move || {
            there.reconfigure(THREE);
            there.reconfigure(FOUR);
        });
        assert!(limiter.try_acquire(&1_u64).is_ok());
        passed += 1;
        changing.join().expect("the other thread does not panic");
        assert_eq!(passed + rest(&limiter, 1), 4);
        assert_eq!(limiter.active(), 1);
    });
}

#[test]
fn a_newcomer_during_two_changes_is_charged_once() {
    asks_during_two_changes(false);
}

#[test]
fn a_known_key_during_two_changes_keeps_what_it_used() {
    asks_during_two_changes(true);
}
