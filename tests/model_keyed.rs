//! The keyed table against a map that never forgets: random keys and floods of them in tables of
//! 1, 2, 7, 16 and 64 places, under each rule for a full table, and all histories of the tiniest.
//!
//! How to run many: see `model/schedule.rs`.

mod model;

use model::Model;
use model::bucket::{self, Bucket};
use model::machine::Machine;
use model::schedule::play_one_in;
use model::table::Table;
use model::window::{self, FixedWindow as Window};
use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::limit::{
    CompactBucket, FixedWindow, Granted, Keyed, KeyedPolicy, Policy, TokenBucket, WhenFull,
};
use steadfast::policy;
use steadfast::time::{Instant, minutes, nanos, secs};

const MODES: [WhenFull; 4] = [
    WhenFull::Overflow,
    WhenFull::Deny,
    WhenFull::Allow,
    WhenFull::EvictLeastUsed,
];

#[derive(Clone, Copy, Debug)]
struct Call {
    /// Nanoseconds onwards, or a few back.
    by: i64,
    key: u16,
    cost: u32,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Take,
    TakeAndRefund,
    Forget,
    /// To the other of two policies.
    Reconfigure,
}

/// A few keys that come again and again, and a flood of others.
fn calls(regulars: u16) -> impl Strategy<Value = Vec<Call>> {
    let by = prop_oneof![
        6 => Just(0_i64),
        4 => 0_i64..20,
        2 => 0_i64..400,
        1 => -30_i64..0,
    ];
    let key = prop_oneof![3 => 0..regulars, 1 => any::<u16>()];
    let cost = prop_oneof![8 => Just(1_u32), 2 => 0_u32..6];
    let what = prop_oneof![
        20 => Just(What::Take),
        3 => Just(What::TakeAndRefund),
        1 => Just(What::Forget),
        1 => Just(What::Reconfigure),
    ];
    let call = (by, key, cost, what);
    vec(
        call.prop_map(|(by, key, cost, what)| Call {
            by,
            key,
            cost,
            what,
        }),
        250,
    )
}

fn replay<P: Machine<Granted = Granted>, M: Model, const N: usize>(
    policies: [(P, M::Rule); 2],
    model: impl Fn(M::Rule) -> M,
    when_full: WhenFull,
    seed: u64,
    calls: &[Call],
) -> Result<u64, TestCaseError> {
    let (policy, fresh) = (policies[0].0, model(policies[0].1));
    let rule = KeyedPolicy::new(policy).when_full(when_full).seed(seed);
    let mut table = Table::<P, M, N>::new(Keyed::new(rule), when_full, fresh);
    let mut turns = policies.into_iter().cycle().skip(1);
    let mut now = 1_000_u64;
    for call in calls {
        now = now.saturating_add_signed(call.by);
        match call.what {
            What::Take => table.take(call.key, now, call.cost).map(|_| ()),
            What::TakeAndRefund => table.take_and_refund(call.key, now, call.cost),
            What::Forget => table.forget(call.key),
            What::Reconfigure => {
                let (policy, rule) = turns.next().expect("it never ends");
                table.reconfigure(now, policy, rule);
                Ok(())
            }
        }?;
    }
    Ok(calls.len() as u64)
}

fn decides_as_a_map<const N: usize>() {
    let regulars = u16::try_from(N).unwrap() * 3 / 2 + 2;
    let limit = || (1_u32..4, 1_u64..300, 1_u32..4);
    let inputs = (limit(), limit(), any::<u64>(), 0_usize..4, calls(regulars));
    // Each plays three machines, and the map is slow.
    play_one_in(
        8,
        &format!("{N} places"),
        inputs,
        |(one, other, seed, mode, calls)| {
            let mode = MODES[mode];
            let both = [one, other];
            let config =
                |(count, period, burst)| TokenBucket::new(count, nanos(period)).burst(burst);
            let level = |(count, period, burst)| bucket::Rule::tokens(count, period, burst);
            let wide = both.map(|limit| (config(limit).build().unwrap(), level(limit)));
            let compact =
                both.map(|limit| (config(limit).compact().build().unwrap(), level(limit)));
            let windows = both.map(|(_, period, limit)| {
                let window = FixedWindow::new(limit, nanos(period)).build().unwrap();
                (window, window::Rule::new(limit, period, None))
            });
            Ok(
                replay::<TokenBucket, _, N>(wide, Bucket::new, mode, seed, &calls)?
                    + replay::<CompactBucket, _, N>(compact, Bucket::new, mode, seed, &calls)?
                    + replay::<FixedWindow, _, N>(windows, Window::new, mode, seed, &calls)?,
            )
        },
    );
}

#[test]
fn one_place() {
    decides_as_a_map::<1>();
}

#[test]
fn two_places() {
    decides_as_a_map::<2>();
}

#[test]
fn seven_places() {
    decides_as_a_map::<7>();
}

#[test]
fn sixteen_places() {
    decides_as_a_map::<16>();
}

#[test]
fn sixty_four_places() {
    decides_as_a_map::<64>();
}

/// All histories of six steps of three keys.
fn explore<const N: usize>(table: &Table<TokenBucket, Bucket, N>, now: u64, depth: usize) -> u64 {
    if depth == 0 {
        return 0;
    }
    let mut count = 0;
    for key in 0..3 {
        let mut next = table.clone();
        let _granted_or_denied = next.take(key, now, 1).unwrap();
        count += 1 + explore(&next, now, depth - 1);
    }
    let mut next = table.clone();
    next.forget(0).unwrap();
    count += 1 + explore(&next, now, depth - 1);
    for by in 1..=2 {
        count += explore(table, now + by, depth - 1);
    }
    count
}

#[test]
fn every_history_of_tiny_tables() {
    let mut count = 0;
    for when_full in MODES {
        for (period, burst) in [(1, 2), (2, 1), (2, 2), (3, 2)] {
            let policy = TokenBucket::new(1, nanos(period))
                .burst(burst)
                .build()
                .unwrap();
            let rule = KeyedPolicy::new(policy).when_full(when_full);
            let fresh = Bucket::new(bucket::Rule::tokens(1, period, burst));
            let one = Table::<_, _, 1>::new(Keyed::new(rule), when_full, fresh.clone());
            let two = Table::<_, _, 2>::new(Keyed::new(rule), when_full, fresh);
            count += explore(&one, 10, 6) + explore(&two, 10, 6);
        }
    }
    println!("tiny tables: {count} steps agreed");
}

const ONE_A_SECOND: TokenBucket = policy!(TokenBucket::per_second(1));

/// A punished key stays punished, whatever a flood of others does.
#[test]
fn a_flood_never_resets_a_key_that_is_being_limited() {
    for when_full in MODES {
        let rule = KeyedPolicy::new(ONE_A_SECOND).when_full(when_full).seed(7);
        let mut table: Keyed<u32, TokenBucket, 64> = Keyed::new(rule);
        let start = Instant::from_secs(1);
        assert!(table.try_acquire(0, start).is_ok());
        for key in 1..100_000 {
            let now = start + nanos(u64::from(key) * 9_999);
            let _ = table.try_acquire(key, now);
            assert!(
                table.try_acquire(0, now).is_err(),
                "reset by {key}, {when_full:?}"
            );
        }
        assert!(table.try_acquire(0, start + secs(1)).is_ok());
    }
}

/// All newcomers to a full table together pass what one key passes.
#[test]
fn a_flood_passes_no_more_than_one_keys_share() {
    const POLICY: TokenBucket = policy!(TokenBucket::per_minute(5));
    let mut table: Keyed<u32, TokenBucket, 16> = Keyed::new(KeyedPolicy::new(POLICY));
    let start = Instant::from_secs(1);
    for key in 0..16 {
        assert!(table.try_acquire_n(key, start, 5).is_ok());
    }
    let flood = 16..10_016;
    let passed = flood
        .clone()
        .filter(|key| table.try_acquire(*key, start).is_ok())
        .count();
    assert_eq!(passed, 5);
    assert_eq!(table.places().crowded(), 10_000);
    // Nor do they lock each other out for ever: one more each twelve seconds.
    let later = start + secs(12);
    for key in 0..16 {
        assert!(table.try_acquire(key, later).is_ok());
    }
    assert_eq!(
        flood
            .filter(|key| table.try_acquire(*key, later).is_ok())
            .count(),
        1
    );
}

/// A place at rest is taken again without any sweep, so a table serves any number of keys.
#[test]
fn places_at_rest_are_reused() {
    let mut table: Keyed<u64, TokenBucket, 16> =
        Keyed::new(KeyedPolicy::new(ONE_A_SECOND).when_full(WhenFull::Deny));
    for second in 1..2_000 {
        let now = Instant::from_secs(second);
        for key in 0..16 {
            assert!(table.try_acquire(second * 100 + key, now).is_ok());
        }
        assert!(table.try_acquire(second * 100 + 99, now).is_err());
        assert_eq!(table.places().active(table.rule(), now), 16);
    }
    assert_eq!(table.places().crowded(), 1_999);
}

/// A clock that jumps far back leaves places that look taken for years; they heal when others
/// come, and are free again after one longest wait.
#[test]
fn a_clock_that_jumped_back_keeps_no_place_taken() {
    fn check<P: Policy>(policy: P) {
        let rule = KeyedPolicy::new(policy).when_full(WhenFull::Deny);
        let mut table: Keyed<u16, P, 2> = Keyed::new(rule);
        let before = Instant::from_secs(1_000_000);
        assert!(table.try_acquire(1, before).is_ok());
        assert!(table.try_acquire(2, before).is_ok());
        let after = Instant::from_secs(10);
        assert_eq!(
            table.try_acquire(3, after).unwrap_err().retry_after(),
            Some(minutes(1))
        );
        assert!(table.try_acquire(3, after + minutes(1)).is_ok());
    }
    check(TokenBucket::per_minute(1).build().unwrap());
    check(TokenBucket::per_minute(1).compact().build().unwrap());
    check(FixedWindow::new(1, minutes(1)).build().unwrap());
}

/// A seed places keys elsewhere; what each key's limiter says does not depend on it.
#[test]
fn the_seed_changes_no_decision_while_there_is_room() {
    let mut tables = [0, 1, u64::MAX]
        .map(|seed| Keyed::<u16, TokenBucket, 64>::new(KeyedPolicy::new(ONE_A_SECOND).seed(seed)));
    for step in 0_u16..3_000 {
        let now = Instant::from_millis(1_000 + u64::from(step) * 100);
        // Ten keys, each twice in its two seconds.
        let key = step % 20 / 2;
        let said = tables.each_mut().map(|table| table.try_acquire(key, now));
        assert!(said.iter().all(|other| *other == said[0]));
    }
    assert!(tables.iter().all(|table| table.places().crowded() == 0));
}
