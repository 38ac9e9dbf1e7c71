//! Limiters whose quotas differ by key and change while they run: against plain limiters, and
//! while threads ask.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use proptest::prelude::*;
use steadfast::event::LimitOutcome;
use steadfast::limit::{
    AnyPolicy, Denied, FixedWindow, IntervalBucket, Named, RateLimiter, SlidingWindowCounter,
    TokenBucket, WhenFull,
};
use steadfast::policy;
use steadfast::time::{Clock, Duration, Instant, ManualClock, millis, secs};
use steadfast_std::{AnsweredBy, KeyedLimiter, LimiterByKey, LiveGranted, LiveLimiter, Quotas};

const POLICIES: [AnyPolicy; 7] = [
    AnyPolicy::TokenBucket(policy!(TokenBucket::new(7, millis(10)).burst(3))),
    AnyPolicy::TokenBucket(policy!(TokenBucket::new(3, millis(10)).burst(5))),
    AnyPolicy::FixedWindow(policy!(FixedWindow::new(3, millis(10)))),
    AnyPolicy::FixedWindow(policy!(FixedWindow::new(4, millis(5)))),
    AnyPolicy::SlidingWindowCounter(policy!(SlidingWindowCounter::new(4, millis(10)))),
    AnyPolicy::IntervalBucket(policy!(IntervalBucket::new(2, millis(4)).capacity(6))),
    AnyPolicy::Unlimited,
];

/// What everybody may use, and what some of the twelve keys may use instead.
#[derive(Clone, Debug)]
struct Plan {
    each: usize,
    own: Vec<(u64, usize)>,
}

impl Plan {
    fn of(&self, key: u64) -> AnyPolicy {
        let own = self.own.iter().rev().find(|(owner, _)| *owner == key);
        POLICIES[own.map_or(self.each, |&(_, policy)| policy)]
    }

    fn quotas(&self) -> Quotas {
        let each = Quotas::new(POLICIES[self.each]);
        let own = self.own.iter();
        own.fold(each, |quotas, (key, policy)| {
            quotas.own(key, POLICIES[*policy])
        })
    }
}

fn plans() -> impl Strategy<Value = Plan> {
    let own = prop::collection::vec((0..12_u64, 0..POLICIES.len()), 0..5);
    (0..POLICIES.len(), own).prop_map(|(each, own)| Plan { each, own })
}

#[derive(Clone, Debug)]
enum Call {
    Acquire { key: u64, cost: u32 },
    Refund { key: u64 },
    Forget { key: u64 },
    Reconfigure(Plan),
    Advance(u64),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = prop_oneof![
        8 => (0..12_u64, 0..7_u32).prop_map(|(key, cost)| Call::Acquire { key, cost }),
        2 => (0..12_u64).prop_map(|key| Call::Refund { key }),
        1 => (0..12_u64).prop_map(|key| Call::Forget { key }),
        1 => plans().prop_map(Call::Reconfigure),
        3 => (0..8_000_000_u64).prop_map(Call::Advance),
    ];
    prop::collection::vec(call, 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// With room for every key it must be indistinguishable from a limiter for each key, each
    /// reconfigured by itself.
    #[test]
    fn it_decides_as_a_limiter_for_each_key(first in plans(), calls in calls()) {
        let clock = ManualClock::new(Instant::from_secs(1));
        let mut now = Instant::from_secs(1);
        let live = LiveLimiter::with_clock(first.quotas(), 1_024, &clock).unwrap();
        let mut plan = first;
        let mut each: HashMap<u64, RateLimiter<AnyPolicy>> = HashMap::new();
        let mut last: HashMap<u64, _> = HashMap::new();
        for call in calls {
            match call {
                Call::Acquire { key, cost } => {
                    let limiter = each.entry(key).or_insert_with(|| RateLimiter::new(plan.of(key)));
                    let expected = limiter.try_acquire_n(now, cost);
                    let asked = live.check(&key, cost);
                    let taken = asked.decision.as_ref().map(|granted| *granted.taken().unwrap());
                    prop_assert_eq!(taken, expected.as_ref().copied());
                    prop_assert_eq!(asked.standing, limiter.standing(now));
                    prop_assert_eq!(asked.on_trial, None);
                    if let (Ok(ours), Ok(theirs)) = (asked.decision, expected) {
                        last.insert(key, (ours, theirs));
                    }
                }
                Call::Refund { key } => {
                    if let Some((ours, theirs)) = last.remove(&key)
                        && let Some(limiter) = each.get_mut(&key)
                    {
                        limiter.refund(now, &theirs);
                        live.refund(&key, &ours);
                        prop_assert_eq!(live.standing(&key), limiter.standing(now));
                    }
                }
                Call::Forget { key } => {
                    each.remove(&key);
                    last.remove(&key);
                    live.forget(&key);
                }
                Call::Reconfigure(new) => {
                    for (key, limiter) in &mut each {
                        limiter.reconfigure(now, new.of(*key));
                    }
                    live.reconfigure(new.quotas());
                    plan = new;
                }
                Call::Advance(by) => {
                    now = now + Duration::from_nanos(by);
                    clock.set(now);
                }
            }
        }
        prop_assert_eq!(live.crowded(), 0, "there was room for all");
    }
}

fn bucket(burst: u32) -> TokenBucket {
    TokenBucket::per_second(1).burst(burst).build().unwrap()
}

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

#[test]
fn on_trial_it_denies_nobody_and_says_what_it_would_have_done() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let each = policy!(TokenBucket::per_minute(1));
    let trial = LiveLimiter::with_clock(Quotas::new(each).on_trial(true), 8, &clock).unwrap();
    let first = trial.check("alice", 1);
    assert_eq!(first.on_trial, None);
    assert_eq!(first.event("trial", 1).outcome, LimitOutcome::Granted);

    let second = trial.check("alice", 1);
    let granted: LiveGranted<_> = second.decision.unwrap();
    assert!(
        granted.taken().is_none(),
        "what would have been denied takes nothing"
    );
    let would = Denied::RateLimited {
        retry_after: secs(60),
    };
    assert_eq!(second.on_trial, Some(would));
    assert_eq!(
        second.event("trial", 1).outcome,
        LimitOutcome::WouldDeny(would)
    );
    trial.refund("alice", &granted);
    assert_eq!(trial.standing("alice").remaining, 0);

    // Enforced from now on, with what was used.
    trial.reconfigure(each);
    assert_eq!(trial.try_acquire("alice").unwrap_err(), would);
}

#[test]
fn a_full_table_lets_newcomers_share_what_everybody_has() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let quotas = Quotas::new(bucket(2)).own(&100_u64, bucket(50));
    let live = LiveLimiter::with_clock(quotas.clone(), 8, &clock).unwrap();
    for key in 0..8_u64 {
        assert!(live.try_acquire(&key).is_ok());
    }
    // Two of them, and not the fifty of whoever comes.
    assert_eq!(live.check(&100_u64, 1).by, AnsweredBy::Shared);
    assert!(live.try_acquire(&101_u64).is_ok());
    assert!(live.try_acquire(&100_u64).is_err());
    live.reconfigure(bucket(3));
    assert!(live.try_acquire(&101_u64).is_ok());
    assert!(
        live.try_acquire(&101_u64).is_err(),
        "what was used stays used"
    );
    let there = live.occupancy();
    assert_eq!((there.active, there.places), (8, 8));

    let denying = LiveLimiter::with_clock(quotas, 8, &clock)
        .unwrap()
        .when_full(WhenFull::Deny);
    for key in 0..8_u64 {
        assert!(denying.try_acquire(&key).is_ok());
    }
    let Err(Denied::StoreFull { retry_after }) = denying.try_acquire(&8_u64) else {
        panic!("there was a place");
    };
    assert_eq!(retry_after, secs(1));
}

#[test]
fn of_two_quotas_for_one_key_the_last_counts() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let quotas = Quotas::new(bucket(1))
        .own("partner", bucket(5))
        .own("other", bucket(2))
        .own("partner", bucket(7));
    let live = LiveLimiter::with_clock(quotas, 8, &clock).unwrap();
    assert_eq!(live.standing("partner").limit, 7);
    assert_eq!(live.standing("other").limit, 2);
    assert_eq!(live.standing("nobody").limit, 1);
}

#[test]
fn bad_numbers_of_places_are_named() {
    let error = LiveLimiter::new(bucket(1), 0).unwrap_err();
    assert_eq!(error.to_string(), "places = 0, allowed 1..=4294967296");
}

/// Limits in several stores, each with its name: none keeps what a later one refused.
#[test]
fn a_key_stands_beside_other_limits_and_peeks_take_nothing() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let users = LiveLimiter::with_clock(bucket(3), 64, &clock).unwrap();
    let keys: KeyedLimiter<str, _, _> = KeyedLimiter::with_clock(bucket(2), 64, &clock).unwrap();
    assert!(keys.peek("k", 2).is_ok() && users.peek("alice", 3).is_ok());
    assert!(keys.peek("k", 3).is_err() && users.peek("alice", 4).is_err());
    assert_eq!((keys.active(), users.active()), (0, 0));

    let limits = Named::new("user", users.of("alice")).and("key", keys.of("k"));
    let now = clock.now();
    assert!(limits.try_acquire_n(now, 2).is_ok());
    let denied = limits.try_acquire(now).unwrap_err();
    assert_eq!(denied.limit, "key");
    assert_eq!(users.standing("alice").remaining, 1, "given back");
    assert_eq!(keys.peek("k", 1), Err(denied.denied));
    let trial = LiveLimiter::with_clock(Quotas::new(bucket(1)).on_trial(true), 8, &clock).unwrap();
    assert!(trial.peek("alice", 2).is_ok(), "on trial it denies nobody");
}

/// One place is taken for each key that is being limited, and none by who is not: a flood must
/// not lock out those who are exempt from it, nor they evict anybody.
#[test]
fn who_is_unlimited_passes_through_a_full_table_and_takes_no_place() {
    let each = AnyPolicy::from(bucket(2));
    for when_full in [
        WhenFull::Overflow,
        WhenFull::Deny,
        WhenFull::Allow,
        WhenFull::EvictLeastUsed,
    ] {
        let clock = ManualClock::new(Instant::from_secs(1));
        let quotas = Quotas::new(each).own("partner", AnyPolicy::Unlimited);
        let live = LiveLimiter::with_clock(quotas, 8, &clock).unwrap();
        let live = live.when_full(when_full);
        for key in 0..100_u64 {
            let _ = live.try_acquire(&key);
        }
        let (active, evicted) = (live.active(), live.evicted());
        for _ in 0..100 {
            let asked = live.check("partner", 1_000);
            assert!(asked.decision.is_ok(), "{when_full:?}");
            assert_eq!(asked.event("limit", 1).outcome, LimitOutcome::Exempt);
        }
        assert_eq!((live.active(), live.evicted()), (active, evicted));
    }
}

#[test]
fn a_change_that_does_not_concern_a_key_changes_nothing_for_it() {
    for each in POLICIES {
        let clock = ManualClock::new(Instant::from_secs(1));
        let edited = LiveLimiter::with_clock(each, 64, &clock).unwrap();
        let mut alone = RateLimiter::new(each);
        for step in 0..200_u64 {
            let now = Instant::from_secs(1) + Duration::from_micros(step * 700);
            clock.set(now);
            let asked = edited.check("alice", 1);
            assert_eq!(
                asked.decision.is_ok(),
                alone.try_acquire(now).is_ok(),
                "{each:?} {step}"
            );
            assert_eq!(
                asked.standing,
                alone.standing(now),
                "{each:?} at step {step}"
            );
            let burst = 10 + (step % 2) as u32;
            edited.reconfigure(Quotas::new(each).own("bob", bucket(burst).into()));
        }
    }
}

#[test]
fn the_limiter_that_newcomers_share_is_refunded_and_carried_over_like_any_other() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let live = LiveLimiter::with_clock(bucket(2), 8, &clock).unwrap();
    for key in 0..8_u64 {
        assert!(live.try_acquire(&key).is_ok());
    }
    let shared = live.try_acquire(&8_u64).unwrap();
    assert!(live.try_acquire(&9_u64).is_ok());
    assert!(live.try_acquire(&10_u64).is_err());
    live.refund(&8_u64, &shared);
    assert!(live.try_acquire(&10_u64).is_ok());
    // Twice, so that whoever was not carried over the first time is two versions behind.
    live.reconfigure(policy!(TokenBucket::per_minute(1).burst(3)));
    live.reconfigure(bucket(4));
    assert_eq!(live.check(&11_u64, 2).by, AnsweredBy::Shared);
    let denied = live.check(&11_u64, 1);
    assert!(matches!(
        denied.event("limit", 1).outcome,
        LimitOutcome::DeniedShared(_)
    ));
    // More than newcomers share, though not more than anybody may have: a place helps, so waiting
    // does.
    live.reconfigure(Quotas::new(bucket(4)).own("partner", bucket(50)));
    let Err(Denied::StoreFull { retry_after }) = live.check("partner", 20).decision else {
        panic!("it must be told to come again");
    };
    assert!(retry_after > Duration::ZERO);
    clock.advance(retry_after);
    assert!(live.check("partner", 20).decision.is_ok());
}

#[test]
fn in_a_full_table_the_least_used_gives_way_or_all_pass_as_chosen() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let table = |when_full| {
        let live = LiveLimiter::with_clock(bucket(2), 8, &clock).unwrap();
        let live = live.when_full(when_full);
        for key in 0..8_u64 {
            assert!(
                live.try_acquire_n(&key, if key == 5 { 1 } else { 2 })
                    .is_ok()
            );
        }
        live
    };
    let evicting = table(WhenFull::EvictLeastUsed);
    assert_eq!(evicting.check(&8_u64, 1).by, AnsweredBy::Own);
    assert_eq!(evicting.evicted(), 1);
    assert_eq!(
        evicting.standing(&5_u64).remaining,
        2,
        "it starts full again"
    );
    let allowing = table(WhenFull::Allow);
    for _ in 0..10 {
        let asked = allowing.check(&8_u64, 2);
        assert!(asked.decision.is_ok());
        assert_eq!(asked.by, AnsweredBy::Nobody);
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
