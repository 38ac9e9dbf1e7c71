//! A limiter a key.

use std::hash::{BuildHasher, RandomState};
use std::hint::black_box;
use std::net::IpAddr;

use governor::clock::MonotonicClock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter as Governor};
use steadfast::limit::CompactBucket;
use steadfast::time::{Clock, millis};
use steadfast_std::{CoarseClock, KeyedLimiter, SystemClock};

use crate::floor::Walk;
use crate::keys::{Key, along, below, random_keys, random_walk};
use crate::memory::bytes_of;
use crate::policies::{Policies, both};
use crate::table::Table;

type Ours<K, C, S> = KeyedLimiter<K, CompactBucket, C, S>;
type Peer<K> = Governor<
    K,
    DashMapStateStore<K, ahash::RandomState>,
    MonotonicClock,
    NoOpMiddleware<std::time::Instant>,
>;

const TEN_THOUSAND: usize = 10_000;
const MILLION: usize = 1_000_000;

/// What is to be reached with ten thousand keys, and with a million.
type Aims = [Option<f64>; 2];

pub fn speed(table: &mut Table) {
    speed_of::<u64>(table, [Some(0.65), Some(0.35)]);
    speed_of::<IpAddr>(table, [None; 2]);
    speed_of::<String>(table, [None; 2]);
}

fn speed_of<K: Key>(table: &mut Table, [small, large]: Aims) {
    heading::<K>("random keys, the system's monotonic clock", PEER);
    let [yes, no] = both();
    for (count, aim) in [(1, None), (TEN_THOUSAND, small), (MILLION, large)] {
        let keys = random_keys::<K>(count);
        let walk = random_walk(&keys);
        let peer = governor(yes.governor, &keys);
        let std = ours(&yes, &keys, SystemClock, RandomState::new());
        beside(table, &yes, "SipHash", aim, &std, &peer, &walk);
        drop(std);
        let fold = ours(&yes, &keys, SystemClock, fold_hash());
        beside(table, &yes, "foldhash", aim, &fold, &peer, &walk);
    }
    let keys = random_keys::<K>(TEN_THOUSAND);
    let walk = random_walk(&keys);
    let peer = governor(no.governor, &keys);
    let fold = ours(&no, &keys, SystemClock, fold_hash());
    beside(table, &no, "foldhash", None, &fold, &peer, &walk);
}

/// The same on a clock that is read for us, beside the peer on the system's: what a limiter gains
/// that can do with a millisecond.
pub fn coarsely(table: &mut Table) {
    coarsely_of::<u64>(table, [Some(0.35), Some(0.18)]);
    coarsely_of::<IpAddr>(table, [None; 2]);
    coarsely_of::<String>(table, [None; 2]);
}

fn coarsely_of<K: Key>(table: &mut Table, [small, large]: Aims) {
    heading::<K>(
        "random keys, CoarseClock of 1 ms",
        "governor, dashmap, ahash, on the system's monotonic clock",
    );
    let [yes, _] = both();
    let clock = CoarseClock::new(millis(1)).unwrap();
    for (count, aim) in [(TEN_THOUSAND, small), (MILLION, large)] {
        let keys = random_keys::<K>(count);
        let walk = random_walk(&keys);
        let peer = governor(yes.governor, &keys);
        let fold = ours(&yes, &keys, clock.clone(), fold_hash());
        beside(table, &yes, "foldhash", aim, &fold, &peer, &walk);
    }
}

pub fn two_threads(table: &mut Table) {
    two_threads_of::<u64>(table, [Some(0.5), Some(0.28)]);
    two_threads_of::<IpAddr>(table, [None; 2]);
    two_threads_of::<String>(table, [None; 2]);
}

/// Both threads go through the same keys, half of the walk apart.
fn two_threads_of<K: Key>(table: &mut Table, [small, large]: Aims) {
    heading::<K>(
        "two threads, random keys, the system's monotonic clock",
        PEER,
    );
    let [yes, _] = both();
    for (count, aim) in [(TEN_THOUSAND, small), (MILLION, large)] {
        let keys = random_keys::<K>(count);
        let walk = random_walk(&keys);
        let peer = governor(yes.governor, &keys);
        let ours = ours(&yes, &keys, SystemClock, fold_hash());
        let begin = [0, walk.len() / 2];
        table.row_of_two(
            &name(&yes, count, "foldhash"),
            aim,
            yes.yes,
            begin.map(|from| along(&walk, from, |key| black_box(&ours).try_acquire(key).is_ok())),
            begin.map(|from| along(&walk, from, |key| black_box(&peer).check_key(key).is_ok())),
        );
        assert_nearly_all(ours.active(), count);
    }
}

/// A million keys beside one read of as much memory, each read waiting for the one before.
pub fn one_read(table: &mut Table) {
    heading::<u64>(
        "random keys, the system's monotonic clock",
        "one read of as much memory",
    );
    let [yes, _] = both();
    let keys = random_keys::<u64>(MILLION);
    let walk = random_walk(&keys);
    let (fold, bytes) = bytes_of(|| ours(&yes, &keys, SystemClock, fold_hash()));
    let mut index = 0;
    let mut reads = Walk::new(bytes, |end| {
        index += 1;
        below(3, index, end)
    });
    table.row(
        &name(&yes, MILLION, "foldhash"),
        None,
        true,
        along(&walk, 0, |key| black_box(&fold).try_acquire(key).is_ok()),
        move |calls| {
            (0..calls).for_each(|_| reads.step());
            black_box(&reads);
            calls
        },
    );
}

pub fn memory(table: &mut Table) {
    memory_of::<u64>(table, Some(24.0));
    memory_of::<IpAddr>(table, None);
    memory_of::<String>(table, None);
}

fn memory_of<K: Key>(table: &mut Table, aim: Option<f64>) {
    heading::<K>("1.5 places a key", PEER);
    let [yes, _] = both();
    // A hash map doubles, so what a key costs there depends on how full it happens to be.
    for (count, aim) in [(900_000, None), (MILLION, aim)] {
        let keys = random_keys::<K>(count);
        let (ours, ours_bytes) = bytes_of(|| ours(&yes, &keys, SystemClock, RandomState::new()));
        let (peer, peer_bytes) = bytes_of(|| governor(yes.governor, &keys));
        assert_eq!(peer.len(), count);
        assert_nearly_all(ours.active(), count);
        let each = [ours_bytes, peer_bytes].map(|bytes| bytes as f64 / count as f64);
        table.bytes(&format!("a key, {count} keys"), each, aim);
    }
}

const PEER: &str = "governor, dashmap, ahash";

fn heading<K: Key>(how: &str, peer: &str) {
    let what = format!("KeyedLimiter<{}, CompactBucket>, {how}", K::KIND);
    Table::section(&what, peer);
}

fn name(given: &Policies, keys: usize, hash: &str) -> String {
    format!("{}, {keys} keys, {hash}", given.answer)
}

fn fold_hash() -> foldhash::quality::RandomState {
    foldhash::quality::RandomState::default()
}

/// Our limiter, after a first call for each of `keys`.
fn ours<K: Key, C, S>(given: &Policies, keys: &[K], clock: C, hasher: S) -> Ours<K, C, S>
where
    C: Clock,
    S: BuildHasher,
{
    let policy = given.ours.compact().build().unwrap();
    let places = keys.len() * 3 / 2;
    let limiter =
        KeyedLimiter::with_clock_and_hasher(policy, places.max(1), clock, hasher).unwrap();
    assert!(keys.iter().all(|key| limiter.try_acquire(key).is_ok()));
    limiter
}

/// The peer's, likewise.
fn governor<K: Key>(quota: Quota, keys: &[K]) -> Peer<K> {
    let limiter =
        Governor::dashmap_with_clock_and_hasher(quota, MonotonicClock, ahash::RandomState::new());
    assert!(keys.iter().all(|key| limiter.check_key(key).is_ok()));
    limiter
}

/// One call after another in the order of `walk`.
fn beside<K: Key, C: Clock, S: BuildHasher>(
    table: &mut Table,
    given: &Policies,
    hash: &str,
    aim: Option<f64>,
    ours: &Ours<K, C, S>,
    peer: &Peer<K>,
    walk: &[K],
) {
    table.row(
        &name(given, peer.len(), hash),
        aim,
        given.yes,
        along(walk, 0, |key| black_box(ours).try_acquire(key).is_ok()),
        along(walk, 0, |key| black_box(peer).check_key(key).is_ok()),
    );
    assert_nearly_all(ours.active(), peer.len());
}

/// At 1.5 places a key, now and then one key in a million finds its sixteen places taken.
fn assert_nearly_all(active: usize, keys: usize) {
    assert!(keys - active <= keys / 100_000, "{active} of {keys} keys");
}
