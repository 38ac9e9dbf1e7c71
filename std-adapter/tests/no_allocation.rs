//! A decision allocates nothing, in any ring: counted, not claimed.

use steadfast::limit::{
    AnyPolicy, AtomicRateLimiter, Clocked, CompactBucket, FixedWindow, Keyed, KeyedPolicy,
    RateLimiter, TokenBucket,
};
use steadfast::shared::Shared;
use steadfast::time::{Instant, millis, secs};
use steadfast::{ConfigError, policy};
use steadfast_std::{KeyedLimiter, LiveLimiter, Quotas, Stored, SystemClock};

mod counting;
use counting::Counting;

#[global_allocator]
static HEAP: Counting = Counting;

const BUCKET: TokenBucket = policy!(TokenBucket::per_second(7).burst(3).reserve_ahead(secs(1)));
const COMPACT: CompactBucket = policy!(TokenBucket::per_second(7).burst(3).compact());
const WINDOW: FixedWindow = policy!(FixedWindow::new(3, millis(100)));

/// How often `work` asks for memory.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = (Counting::allocations(), Counting::bytes());
    work();
    assert_eq!(Counting::bytes(), before.1, "nothing is kept");
    Counting::allocations() - before.0
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
    assert_eq!(allocations(|| ()), 0);
}

#[test]
fn rings_1_and_2_never_allocate() {
    let shared = Shared::new(RateLimiter::new(BUCKET));
    let atomic = Clocked::new(AtomicRateLimiter::new(COMPACT), SystemClock);
    let mut keyed: Keyed<u64, TokenBucket, 64> = Keyed::new(KeyedPolicy::new(BUCKET));
    let mut alone = RateLimiter::new(BUCKET);
    // The first use sets up what the process keeps: the clock's start, the critical section.
    let _ = (atomic.try_acquire(), shared.try_acquire(Instant::ZERO));
    let counted = allocations(|| {
        for tick in 0..1_000_u64 {
            let now = Instant::from_millis(tick * 37);
            let _ = alone.try_acquire_n(now, 2);
            if let Ok(reserved) = alone.reserve(now, 1, secs(1)) {
                alone.cancel(now, &reserved);
            }
            let _ = alone.standing(now);
            let _ = shared.try_acquire(now);
            let _ = keyed.try_acquire(tick % 100, now);
            if let Ok(granted) = atomic.try_acquire() {
                atomic.refund(&granted);
            }
        }
        let faster = TokenBucket::per_second(9).build();
        let _ = faster.map(|faster| alone.reconfigure(Instant::from_secs(40), faster));
    });
    assert_eq!(counted, 0);
}

fn ring_3_never_allocates<P: Stored>(policy: P) -> Result<(), ConfigError> {
    let limiter: KeyedLimiter<str, _> = KeyedLimiter::new(policy, 64)?;
    let keys: Vec<String> = (0..200).map(|key| format!("user {key}")).collect();
    let _ = limiter.try_acquire("the first");
    let counted = allocations(|| {
        for key in keys.iter().cycle().take(2_000) {
            // Known keys and newcomers alike, in a table that is too small for all of them.
            let _ = limiter.try_acquire(key);
            let _ = limiter.check(key, 2);
            let _ = limiter.standing(key);
        }
    });
    assert_eq!(counted, 0);
    Ok(())
}

#[test]
fn quotas_that_change_allocate_only_when_they_change() -> Result<(), ConfigError> {
    let quotas = Quotas::new(AnyPolicy::from(BUCKET)).own("user 1", AnyPolicy::from(WINDOW));
    let limiter = LiveLimiter::new(quotas, 64)?;
    let keys: Vec<String> = (0..200).map(|key| format!("user {key}")).collect();
    let _ = limiter.try_acquire("the first");
    let counted = allocations(|| {
        for key in keys.iter().cycle().take(2_000) {
            if let Ok(granted) = limiter.try_acquire(key.as_str()) {
                limiter.refund(key.as_str(), &granted);
            }
            let _ = limiter.check(key.as_str(), 2);
        }
    });
    assert_eq!(counted, 0);
    Ok(())
}

#[test]
fn ring_3_never_allocates_for_known_keys_nor_for_new_ones() -> Result<(), ConfigError> {
    ring_3_never_allocates(COMPACT)?;
    ring_3_never_allocates(BUCKET)?;
    ring_3_never_allocates(WINDOW)
}

/// Whoever watches: once a limit is known to the recorder, and a key to the list.
#[cfg(all(feature = "metrics", feature = "tracing"))]
#[test]
fn to_be_observed_allocates_nothing() -> Result<(), ConfigError> {
    use metrics_util::debugging::DebuggingRecorder;
    use steadfast_std::rate_limit::{Key, Metrics, MostDenied, Observe, Traced};

    let limiter: KeyedLimiter<str, _> = KeyedLimiter::new(WINDOW, 64)?;
    let recorder = DebuggingRecorder::new();
    let metrics = metrics::with_local_recorder(&recorder, || Metrics::of("orders"));
    let most_denied = MostDenied::new(4);
    let observers: [&dyn Observe; 3] = [&metrics, &most_denied, &Traced];
    let alice = Key::Text("alice".into());
    let ask = || {
        let event = limiter.check("alice", 1).event("orders", 1);
        for observer in observers {
            observer.observe(&event, Some(&alice));
        }
        event.outcome.label()
    };
    let first: Vec<_> = (0..4).map(|_| ask()).collect();
    assert_eq!(first, ["granted", "granted", "granted", "denied"]);
    // A histogram keeps what it is given in blocks, which it asks for as they fill up; so of the
    // denials only a few are counted, within its first.
    let counted = allocations(|| {
        for _ in 0..10 {
            ask();
        }
    });
    assert_eq!(counted, 0);
    Ok(())
}
