//! The keyed limiter as its users see it: against a plain map of limiters, under floods, and from
//! several threads at once.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use proptest::prelude::*;
use steadfast::limit::{
    CompactBucket, Denied, FixedWindow, Policy, RateLimiter, TokenBucket, WhenFull,
};
use steadfast::policy;
use steadfast::time::{Duration, Instant, ManualClock, millis, minutes, secs};
use steadfast_std::{KeyedLimiter, Stored};

const BUCKET: TokenBucket = policy!(TokenBucket::new(7, millis(10)).burst(3));
const COMPACT: CompactBucket = policy!(TokenBucket::new(7, millis(10)).burst(3).compact());
const WINDOW: FixedWindow = policy!(FixedWindow::new(3, millis(10)));
const LOGIN: FixedWindow = policy!(FixedWindow::new(10, minutes(15)));

fn keyed<P: Stored>(
    policy: P,
    places: usize,
    clock: &ManualClock,
) -> KeyedLimiter<u64, P, &ManualClock> {
    KeyedLimiter::with_clock(policy, places, clock).expect("the number of places is in range")
}

/// One call on a keyed limiter.
#[derive(Clone, Copy, Debug)]
enum Call {
    Acquire { key: u64, cost: u32 },
    Refund { key: u64 },
    Forget { key: u64 },
    Advance(u64),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = prop_oneof![
        6 => (0..12_u64, 0..5_u32).prop_map(|(key, cost)| Call::Acquire { key, cost }),
        1 => (0..12_u64).prop_map(|key| Call::Refund { key }),
        1 => (0..12_u64).prop_map(|key| Call::Forget { key }),
        3 => (0..8_000_000_u64).prop_map(Call::Advance),
    ];
    prop::collection::vec(call, 0..400)
}

/// With room for every key the table must be indistinguishable from a map of limiters.
fn agrees_with_a_map<P>(policy: P, calls: &[Call])
where
    P: Stored + std::fmt::Debug,
    P::Granted: PartialEq,
{
    let clock = ManualClock::new(Instant::from_secs(1));
    let mut now = Instant::from_secs(1);
    let limiter = keyed(policy, 1_024, &clock);
    let mut map: HashMap<u64, RateLimiter<P>> = HashMap::new();
    let mut last: HashMap<u64, P::Granted> = HashMap::new();
    for &call in calls {
        match call {
            Call::Acquire { key, cost } => {
                let plain = map.entry(key).or_insert_with(|| RateLimiter::new(policy));
                let expected = plain.try_acquire_n(now, cost);
                if cost % 2 == 0 {
                    assert_eq!(limiter.try_acquire_n(&key, cost), expected);
                } else {
                    let checked = limiter.check(&key, cost);
                    assert_eq!(checked.decision, expected);
                    assert_eq!(checked.standing, plain.standing(now));
                    assert_eq!(checked.now, now);
                }
                assert_eq!(limiter.standing(&key), plain.standing(now));
                if let Ok(granted) = expected {
                    last.insert(key, granted);
                }
            }
            Call::Refund { key } => {
                if let (Some(granted), Some(plain)) = (last.remove(&key), map.get_mut(&key)) {
                    plain.refund(now, &granted);
                    limiter.refund(&key, &granted);
                }
            }
            Call::Forget { key } => {
                map.remove(&key);
                last.remove(&key);
                limiter.forget(&key);
            }
            Call::Advance(nanos) => {
                clock.advance(Duration::from_nanos(nanos));
                now = now + Duration::from_nanos(nanos);
            }
        }
    }
    assert_eq!(limiter.crowded(), 0);
}

proptest! {
    #[test]
    fn a_table_with_room_is_a_map(calls in calls()) {
        agrees_with_a_map(BUCKET, &calls);
        agrees_with_a_map(COMPACT, &calls);
        agrees_with_a_map(WINDOW, &calls);
    }
}

#[test]
fn the_number_of_places_is_checked_and_rounded_up_to_whole_sets() {
    let error = KeyedLimiter::<u64, _>::new(BUCKET, 0).unwrap_err();
    assert_eq!(error.to_string(), "places = 0, allowed 1..=4294967296");
    let error = KeyedLimiter::<u64, _>::new(BUCKET, (1 << 32) + 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "places = 4294967297, allowed 1..=4294967296"
    );
    assert_eq!(KeyedLimiter::<u64, _>::new(BUCKET, 1).unwrap().places(), 8);
    assert_eq!(
        KeyedLimiter::<u64, _>::new(BUCKET, 17).unwrap().places(),
        24
    );
}

/// A cost that can never pass, and a cost of nothing, take no place.
#[test]
fn what_takes_nothing_takes_no_place() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let limiter = keyed(WINDOW, 8, &clock);
    for key in 0..1_000 {
        assert!(limiter.try_acquire_n(&key, 0).is_ok());
        assert_eq!(
            limiter.try_acquire_n(&key, 4),
            Err(Denied::CostAboveCapacity {
                cost: 4,
                capacity: 3
            }),
        );
    }
    assert_eq!(limiter.active(), 0);
    assert_eq!(limiter.crowded(), 0);
}

/// Fills a table of eight places with keys that are being limited.
fn full_of_limited(
    when_full: WhenFull,
    clock: &ManualClock,
) -> (KeyedLimiter<u64, FixedWindow, &ManualClock>, Vec<u64>) {
    let limiter = keyed(LOGIN, 8, clock).when_full(when_full);
    for key in 0..8 {
        assert!(limiter.try_acquire_n(&key, 10).is_ok());
        assert!(limiter.try_acquire(&key).is_err());
    }
    (limiter, (0..8).collect())
}

fn all_denied(limiter: &KeyedLimiter<u64, FixedWindow, &ManualClock>, keys: &[u64]) -> bool {
    keys.iter().all(|key| limiter.try_acquire(key).is_err())
}

#[test]
fn newcomers_to_a_full_table_share_one_limiter() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let (limiter, punished) = full_of_limited(WhenFull::Overflow, &clock);
    let passed = (100..10_100_u64)
        .filter(|key| limiter.try_acquire(key).is_ok())
        .count();
    assert_eq!(passed, 10, "one key's share, for all of them together");
    assert_eq!(limiter.crowded(), 10_000);
    assert!(all_denied(&limiter, &punished));
    // Nobody is locked out for ever: a window later the flood's places are free.
    clock.advance(minutes(15));
    assert!(limiter.try_acquire(&7_777_777).is_ok());
}

#[test]
fn a_full_table_can_deny_and_says_when_a_place_is_free() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let (limiter, punished) = full_of_limited(WhenFull::Deny, &clock);
    clock.advance(minutes(14));
    let retry_after = minutes(1);
    assert_eq!(
        limiter.try_acquire(&100),
        Err(Denied::StoreFull { retry_after })
    );
    assert!(all_denied(&limiter, &punished));
    clock.advance(minutes(1) - Duration::from_nanos(1));
    assert!(limiter.try_acquire(&100).is_err());
    clock.advance(Duration::from_nanos(1));
    assert!(limiter.try_acquire(&100).is_ok());
}

#[test]
fn a_full_table_can_let_newcomers_pass() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let (limiter, punished) = full_of_limited(WhenFull::Allow, &clock);
    assert!((0..100).all(|_| limiter.try_acquire(&100).is_ok()));
    assert!(all_denied(&limiter, &punished));
}

#[test]
fn a_key_that_is_being_denied_is_never_evicted() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let limiter = keyed(LOGIN, 8, &clock).when_full(WhenFull::EvictLeastUsed);
    for key in 0..7 {
        assert!(limiter.try_acquire_n(&key, 10).is_ok());
    }
    // The eighth has used one of ten, so it is the one that newcomers push out.
    assert!(limiter.try_acquire(&7).is_ok());
    assert!(limiter.try_acquire(&8).is_ok());
    assert_eq!(limiter.evicted(), 1);
    assert!(limiter.try_acquire_n(&8, 9).is_ok());
    let punished: Vec<u64> = (0..7).chain([8]).collect();
    assert!(all_denied(&limiter, &punished));
    // Now all eight are being denied: newcomers share one limiter.
    assert_eq!(
        (100..200)
            .filter(|key| limiter.try_acquire(key).is_ok())
            .count(),
        10
    );
    assert_eq!(limiter.evicted(), 1);
    assert!(all_denied(&limiter, &punished));
}

/// A table of places that are all "ahead" because the clock jumped back frees itself.
#[test]
fn a_clock_that_jumps_back_does_not_keep_places_taken() {
    let clock = ManualClock::new(Instant::from_secs(1_000_000));
    let limiter = keyed(COMPACT, 8, &clock).when_full(WhenFull::Deny);
    for key in 0..8 {
        assert!(limiter.try_acquire(&key).is_ok());
    }
    clock.set(Instant::from_secs(10));
    let denied = limiter.try_acquire(&100).unwrap_err();
    let longest = COMPACT.standing(&CompactBucket::FULL, Instant::ZERO).window;
    assert!(denied.retry_after().unwrap() <= longest, "{denied}");
    clock.advance(longest);
    assert!(limiter.try_acquire(&100).is_ok());
}

/// A key that does not hash as it should would be found by chance; every place is reachable.
#[test]
fn every_place_of_a_small_table_is_used() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let limiter = keyed(LOGIN, 16, &clock).when_full(WhenFull::Deny);
    let taken = (0..1_000_u64)
        .filter(|key| limiter.try_acquire(key).is_ok())
        .count();
    assert_eq!(taken, 16);
    assert_eq!(limiter.active(), 16);
}

/// Without randomness of its own, so that a chosen hash can be tried.
#[derive(Clone, Copy, Default)]
struct Zero;

impl std::hash::Hasher for Zero {
    fn finish(&self) -> u64 {
        0
    }
    fn write(&mut self, _: &[u8]) {}
}

/// Zero marks an unused place, so a key whose hash is zero must not be taken for one.
#[test]
fn a_hash_of_zero_is_a_key_like_any_other() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let hasher = BuildHasherDefault::<Zero>::new();
    let limiter: KeyedLimiter<u64, _, _, _> =
        KeyedLimiter::with_clock_and_hasher(LOGIN, 64, &clock, hasher).unwrap();
    assert!((0..10).all(|_| limiter.try_acquire(&1).is_ok()));
    assert!(limiter.try_acquire(&1).is_err());
}

/// Threads that race for the same new keys must not give one key two places, or grant one too
/// many.
fn threads_share_exactly<P: Stored + Sync>(policy: P)
where
    P::Cell: Sync,
{
    let clock = ManualClock::new(Instant::from_secs(1));
    let limiter = keyed(policy, 4_096, &clock);
    for round in 0..50_u64 {
        let keys = round * 1_000..round * 1_000 + 20;
        let granted: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let (limiter, keys) = (&limiter, keys.clone());
                    scope.spawn(move || {
                        (0..5)
                            .flat_map(|_| keys.clone())
                            .filter(|key| limiter.try_acquire(key).is_ok())
                            .count()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(granted, 20 * 3);
    }
    assert_eq!(limiter.crowded(), 0);
}

#[test]
fn threads_never_get_more_than_the_burst_of_a_key() {
    threads_share_exactly(COMPACT);
    threads_share_exactly(BUCKET);
    threads_share_exactly(WINDOW);
}

/// Places change hands while other threads use them, and no key passes more than its policy.
#[test]
fn places_change_hands_while_in_use_and_no_key_gains() {
    const PER_KEY: CompactBucket = policy!(TokenBucket::new(1, secs(1)).burst(1).compact());
    let clock = ManualClock::new(Instant::from_secs(1));
    let limiter = keyed(PER_KEY, 16, &clock);
    let seconds = 200;
    let admitted: Vec<HashMap<u64, u64>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3_u64)
            .map(|thread| {
                let limiter = &limiter;
                scope.spawn(move || {
                    let mut admitted = HashMap::new();
                    let mut key = thread;
                    for _ in 0..100_000 {
                        key = (key * 5 + 3) % 64;
                        if limiter.try_acquire(&key).is_ok() {
                            *admitted.entry(key).or_default() += 1;
                        }
                    }
                    admitted
                })
            })
            .collect();
        for _ in 0..seconds {
            clock.advance(secs(1));
            std::thread::yield_now();
        }
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let mut total: HashMap<u64, u64> = HashMap::new();
    for (key, count) in admitted.into_iter().flatten() {
        *total.entry(key).or_default() += count;
    }
    // Its own limiter, and at worst all of the shared one.
    let most = 2 * (1 + seconds);
    assert!(total.values().all(|&count| count <= most), "{total:?}");
}

/// "Denied" is meant for the cost at hand: with five of fifteen left, a key whose requests cost
/// ten is being denied.
#[test]
fn a_key_that_is_being_denied_a_large_cost_is_not_evicted_by_another() {
    const POLICY: FixedWindow = policy!(FixedWindow::new(15, minutes(15)));
    let clock = ManualClock::new(Instant::from_secs(1));
    let limiter = keyed(POLICY, 8, &clock).when_full(WhenFull::EvictLeastUsed);
    for key in 0..8 {
        assert!(limiter.try_acquire_n(&key, 10).is_ok());
    }
    for key in 100..108 {
        let _ = limiter.try_acquire_n(&key, 10);
    }
    assert_eq!(limiter.evicted(), 0);
    assert!((0..8).all(|key| limiter.try_acquire_n(&key, 10).is_err()));
}
