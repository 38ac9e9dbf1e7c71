//! A limiter a key.

use std::hash::{BuildHasher, RandomState};
use std::hint::black_box;

use governor::clock::MonotonicClock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter as Governor};
use steadfast::limit::{CompactBucket, placement::Mixer};
use steadfast::time::{Clock, millis};
use steadfast_std::{CoarseClock, KeyedLimiter, SystemClock};

use crate::floor::Walk;
use crate::memory::bytes_of;
use crate::policies::{Policies, both};
use crate::table::Table;

type Ours<C, S> = KeyedLimiter<u64, CompactBucket, C, S>;
type Peer = Governor<
    u64,
    DashMapStateStore<u64, ahash::RandomState>,
    MonotonicClock,
    NoOpMiddleware<std::time::Instant>,
>;

const MILLION: usize = 1_000_000;

/// How many calls go by before the order of keys repeats.
const WALK: usize = 1 << 22;

pub fn speed(table: &mut Table) {
    Table::section(
        "KeyedLimiter<u64, CompactBucket>, random keys, the system's monotonic clock",
        "governor, dashmap, ahash",
    );
    let [yes, no] = both();
    for (count, aim) in [(1, None), (10_000, Some(0.65)), (MILLION, Some(0.35))] {
        let keys = random_keys(count);
        let walk = random_walk(&keys);
        let peer = governor(yes.governor, &keys);
        let std = ours(&yes, &keys, SystemClock, RandomState::new());
        beside(table, &yes, "SipHash", aim, &std, &peer, &walk);
        drop(std);
        let fold = ours(&yes, &keys, SystemClock, fold_hash());
        beside(table, &yes, "foldhash", aim, &fold, &peer, &walk);
    }
    let keys = random_keys(10_000);
    let walk = random_walk(&keys);
    let peer = governor(no.governor, &keys);
    let fold = ours(&no, &keys, SystemClock, fold_hash());
    beside(table, &no, "foldhash", None, &fold, &peer, &walk);
}

/// The same on a clock that is read for us, beside the peer on the system's: what a limiter gains
/// that can do with a millisecond.
pub fn coarsely(table: &mut Table) {
    Table::section(
        "KeyedLimiter<u64, CompactBucket>, random keys, CoarseClock of 1 ms",
        "governor, dashmap, ahash, on the system's monotonic clock",
    );
    let [yes, _] = both();
    let clock = CoarseClock::new(millis(1)).unwrap();
    for (count, aim) in [(10_000, 0.35), (MILLION, 0.18)] {
        let keys = random_keys(count);
        let walk = random_walk(&keys);
        let peer = governor(yes.governor, &keys);
        let fold = ours(&yes, &keys, clock.clone(), fold_hash());
        beside(table, &yes, "foldhash", Some(aim), &fold, &peer, &walk);
    }
}

fn fold_hash() -> foldhash::quality::RandomState {
    foldhash::quality::RandomState::default()
}

/// A million keys beside one read of as much memory, each read waiting for the one before.
pub fn one_read(table: &mut Table) {
    Table::section(
        "KeyedLimiter<u64, CompactBucket>, random keys, the system's monotonic clock",
        "one read of as much memory",
    );
    let [yes, _] = both();
    let keys = random_keys(MILLION);
    let walk = random_walk(&keys);
    let (fold, bytes) = bytes_of(|| ours(&yes, &keys, SystemClock, fold_hash()));
    let mut index = 0;
    let mut reads = Walk::new(bytes, |below| {
        index += 1;
        (scramble(3, index) % below as u64) as usize
    });
    table.row(
        &format!("a yes, {MILLION} keys, foldhash"),
        None,
        true,
        along(&walk, |key| black_box(&fold).try_acquire(key).is_ok()),
        move |calls| {
            (0..calls).for_each(|_| reads.step());
            black_box(&reads);
            calls
        },
    );
}

pub fn memory(table: &mut Table) {
    Table::section(
        "KeyedLimiter<u64, CompactBucket>, 1.5 places a key",
        "governor, dashmap, ahash",
    );
    let [yes, _] = both();
    // A hash map doubles, so what a key costs there depends on how full it happens to be.
    for (count, aim) in [(900_000, None), (MILLION, Some(24.0))] {
        let keys = random_keys(count);
        let (ours, ours_bytes) = bytes_of(|| ours(&yes, &keys, SystemClock, RandomState::new()));
        let (peer, peer_bytes) = bytes_of(|| governor(yes.governor, &keys));
        assert_eq!(peer.len(), count);
        assert_nearly_all(ours.active(), count);
        let each = [ours_bytes, peer_bytes].map(|bytes| bytes as f64 / count as f64);
        table.bytes(&format!("a key, {count} keys"), each, aim);
    }
}

/// Our limiter, after a first call for each of `keys`.
fn ours<C, S>(given: &Policies, keys: &[u64], clock: C, hasher: S) -> Ours<C, S>
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
fn governor(quota: Quota, keys: &[u64]) -> Peer {
    let limiter =
        Governor::dashmap_with_clock_and_hasher(quota, MonotonicClock, ahash::RandomState::new());
    assert!(keys.iter().all(|key| limiter.check_key(key).is_ok()));
    limiter
}

/// One call after another in the order of `walk`.
fn beside<C: Clock, S: BuildHasher>(
    table: &mut Table,
    given: &Policies,
    hash: &str,
    aim: Option<f64>,
    ours: &Ours<C, S>,
    peer: &Peer,
    walk: &[u64],
) {
    table.row(
        &format!("{}, {} keys, {hash}", given.answer, peer.len()),
        aim,
        given.yes,
        along(walk, |key| black_box(ours).try_acquire(key).is_ok()),
        along(walk, |key| black_box(peer).check_key(key).is_ok()),
    );
    assert_nearly_all(ours.active(), peer.len());
}

/// At 1.5 places a key, now and then one key in a million finds its sixteen places taken.
fn assert_nearly_all(active: usize, keys: usize) {
    assert!(keys - active <= keys / 100_000, "{active} of {keys} keys");
}

fn along<'a>(
    walk: &'a [u64],
    mut ask: impl FnMut(&u64) -> bool + 'a,
) -> impl FnMut(usize) -> usize {
    let mut from = 0;
    move |calls| {
        if from + calls > walk.len() {
            from = 0;
        }
        let part = &walk[from..from + calls];
        from += calls;
        part.iter().filter(|key| ask(key)).count()
    }
}

fn random_keys(count: usize) -> Vec<u64> {
    (0..count as u64).map(|index| scramble(1, index)).collect()
}

fn random_walk(keys: &[u64]) -> Vec<u64> {
    (0..WALK as u64)
        .map(|step| keys[(scramble(2, step) % keys.len() as u64) as usize])
        .collect()
}

fn scramble(seed: u64, index: u64) -> u64 {
    let mut mixer = Mixer::new(seed);
    std::hash::Hasher::write_u64(&mut mixer, index);
    std::hash::Hasher::finish(&mixer)
}
