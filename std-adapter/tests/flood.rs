//! A flood of distinct keys: memory stays flat, no punished key gets away, and others are served.
//!
//! 10,000,000 keys through 100,000 places in release builds; a tenth of both in debug builds,
//! which are that much slower.

use std::cell::Cell;

use steadfast::limit::{
    CompactBucket, Denied, FixedWindow, FixedWindowState, Granted, Policy, Standing, TokenBucket,
    placement,
};
use steadfast::policy;
use steadfast::time::{Duration, Instant, ManualClock, minutes, nanos, secs};
use steadfast_std::{KeyedLimiter, LockedCell, Stored};

mod counting;
use counting::Counting;

#[global_allocator]
static HEAP: Counting = Counting;

const SCALE: u64 = if cfg!(debug_assertions) { 10 } else { 1 };
const KEYS: u64 = 10_000_000 / SCALE;
const PLACES: usize = 100_000 / SCALE as usize;
/// The flood lasts a minute.
const GAP: Duration = nanos(60_000_000_000 / KEYS);

/// Keys that refill fast: each of the flood's places is at rest again after 200 ms, so there is
/// always a place for a newcomer.
#[test]
fn a_flood_of_short_lived_keys_leaves_room_for_newcomers() {
    const POLICY: CompactBucket = policy!(TokenBucket::per_second(5).burst(10).compact());
    let clock = ManualClock::new(Instant::from_secs(1));
    let limiter: KeyedLimiter<u64, _, _> =
        KeyedLimiter::with_clock(POLICY, PLACES, &clock).unwrap();
    // The punished: keys at their limit, which ask again all the time.
    let punished: Vec<u64> = (0..100).map(|i| u64::MAX - i).collect();
    for key in &punished {
        assert!(limiter.try_acquire_n(key, 10).is_ok());
    }
    let mut admitted = vec![10_u64; punished.len()];
    let before = Counting::bytes();
    let allocations = Counting::allocations();
    for key in 0..KEYS {
        clock.advance(GAP);
        let _ = limiter.try_acquire(&key);
        if key % 50 == 0 {
            let which = (key / 50) as usize % punished.len();
            admitted[which] += u64::from(limiter.try_acquire(&punished[which]).is_ok());
        }
        if key % 1_000 == 0 {
            let newcomer = 1_000_000_000 + key;
            assert!(limiter.try_acquire(&newcomer).is_ok(), "newcomer at {key}");
        }
    }
    assert_eq!(Counting::bytes(), before, "bytes stay flat");
    assert_eq!(Counting::allocations(), allocations, "no call allocates");
    assert_eq!(limiter.crowded(), 0);
    for admitted in admitted {
        // Ten at the start and five a second for a minute: what was reset would pass more.
        assert!(admitted <= 10 + 300, "{admitted}");
    }
}

/// Keys that stay active for 15 minutes: the table fills, and the flood then passes one key's
/// share in all.
#[test]
fn a_flood_of_long_lived_keys_fills_the_table_and_resets_nobody() {
    const LOGIN: FixedWindow = policy!(FixedWindow::new(10, minutes(15)));
    let clock = ManualClock::new(Instant::from_secs(1));
    let limiter: KeyedLimiter<u64, _, _> = KeyedLimiter::with_clock(LOGIN, PLACES, &clock).unwrap();
    let punished: Vec<u64> = (0..100).map(|i| u64::MAX - i).collect();
    for key in &punished {
        assert!(limiter.try_acquire_n(key, 10).is_ok());
    }
    let regular = 4_000_000_000_u64;
    assert!(limiter.try_acquire(&regular).is_ok());
    let before = Counting::bytes();
    let allocations = Counting::allocations();
    let mut passed = 0_usize;
    for key in 0..KEYS {
        clock.advance(GAP);
        passed += usize::from(limiter.try_acquire(&key).is_ok());
        if key % 1_000 == 0 {
            for key in &punished {
                assert!(limiter.try_acquire(key).is_err(), "a punished key got away");
            }
        }
    }
    assert_eq!(Counting::bytes(), before, "bytes stay flat");
    assert_eq!(Counting::allocations(), allocations, "no call allocates");
    // Each place once, and the shared limiter's ten.
    assert!(passed <= PLACES + 10, "{passed}");
    assert!(limiter.crowded() > 0);
    // Whoever has a place notices nothing.
    assert!(limiter.try_acquire(&regular).is_ok());
    // A newcomer waits for the shared limiter or for a place, and is then served.
    let newcomer = 5_000_000_000_u64;
    let denied = limiter.try_acquire(&newcomer).unwrap_err();
    let wait = denied.retry_after().expect("waiting helps");
    assert!(wait <= minutes(15));
    clock.advance(wait);
    assert!(limiter.try_acquire(&newcomer).is_ok());
}

thread_local! {
    static EXAMINED: Cell<usize> = const { Cell::new(0) };
}

/// A window that counts how many places are examined for it. Every place of a newcomer's sets is
/// asked whether it needs mending.
#[derive(Clone, Copy, Debug)]
struct Watched(FixedWindow);

impl Stored for Watched {
    type Cell = LockedCell<FixedWindowState>;
}

impl Policy for Watched {
    type State = FixedWindowState;
    type Granted = Granted;
    const FULL: FixedWindowState = FixedWindow::FULL;

    fn decide(&self, state: &mut Self::State, now: Instant, cost: u32) -> Result<Granted, Denied> {
        self.0.decide(state, now, cost)
    }
    fn at_rest(&self, state: &Self::State, now: Instant) -> bool {
        self.0.at_rest(state, now)
    }
    fn rests_in(&self, state: &Self::State, now: Instant) -> Duration {
        self.0.rests_in(state, now)
    }
    fn mend(&self, state: &mut Self::State, now: Instant) {
        EXAMINED.set(EXAMINED.get() + 1);
        self.0.mend(state, now);
    }
    fn available(&self, state: &Self::State, now: Instant) -> u32 {
        self.0.available(state, now)
    }
    fn capacity(&self) -> u32 {
        self.0.capacity()
    }
    fn refund(&self, state: &mut Self::State, now: Instant, granted: &Granted) {
        self.0.refund(state, now, granted);
    }
    fn reconfigure(&self, state: &mut Self::State, now: Instant, new: &Self) {
        self.0.reconfigure(state, now, &new.0);
    }
    fn standing(&self, state: &Self::State, now: Instant) -> Standing {
        self.0.standing(state, now)
    }
}

/// How far a call looks does not depend on how large or how full the table is.
#[test]
fn a_call_examines_at_most_sixteen_places() {
    let clock = ManualClock::new(Instant::from_secs(1));
    let hourly = Watched(policy!(FixedWindow::new(1, secs(3_600))));
    let limiter: KeyedLimiter<u64, _, _> =
        KeyedLimiter::with_clock(hourly, PLACES, &clock).unwrap();
    let mut most = 0;
    for key in 0..2 * PLACES as u64 {
        EXAMINED.set(0);
        let _ = limiter.try_acquire(&key);
        most = most.max(EXAMINED.get());
    }
    assert!(limiter.crowded() > 0, "the table was filled");
    assert_eq!(most, placement::MAX_EXAMINED);
    assert_eq!(placement::MAX_EXAMINED, 16);
}
