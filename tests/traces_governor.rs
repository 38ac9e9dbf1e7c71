//! The histories that governor 0.10.4 tests itself with, and what comes of them here.
//!
//! Where our rules say otherwise the test asserts our outcome, beside the row's own:
//!
//! - `retain_recent`, `shrink_to_fit`, `len`: a table here has no sweep and never grows. A key that
//!   is full again holds no information, so its place is free from that instant on. governor keeps
//!   it for one more interval. What there is to count is `active`.
//! - `Display`: a no here tells the wait, and no instant of a clock of its own.
//! - `InsufficientCapacity` tells the cost as well.
//! - Quotas whose interval is no whole number of nanoseconds are rounded there; here rates are
//!   exact. So a step of one interval is rounded up to the next nanosecond.
//! - `until_ready` waits in a queue here, first come, first served.

use std::future::{Ready, ready};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use proptest::prelude::*;
use steadfast::limit::{
    AcquireError, AtomicRateLimiter, Clocked, CompactBucket, Denied, Keyed, KeyedPolicy, Places,
    Policy, Queued, RateLimiter, StaticWaitQueue, TokenBucket, WhenFull,
};
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{Clock, Duration, Instant, ManualClock, Sleep, millis, nanos, secs};

const START: Instant = Instant::from_secs(1_000);

/// Milliseconds after the start, cost, allowed.
type Row = (u64, u32, bool);

/// To an owner, in a critical section, and in an atomic word.
fn check(config: steadfast::limit::TokenBucketConfig, rows: &[Row]) {
    let policy = config.build().unwrap();
    let mut owned = RateLimiter::new(policy);
    let shared = Shared::new(RateLimiter::new(policy));
    let atomic = AtomicRateLimiter::new(config.compact().build().unwrap());
    for &(at, cost, allowed) in rows {
        let now = START + millis(at);
        assert_eq!(
            owned.try_acquire_n(now, cost).is_ok(),
            allowed,
            "at {at} ms"
        );
        assert_eq!(shared.try_acquire_n(now, cost).is_ok(), allowed);
        assert_eq!(atomic.try_acquire_n(now, cost).is_ok(), allowed);
    }
}

#[test]
fn rejects_too_many() {
    let at = |ms, allowed| (ms, 1, allowed);
    check(
        TokenBucket::per_second(2),
        &[
            at(0, true),
            at(1, true),
            at(2, false),
            at(1_002, true),
            at(1_003, true),
            at(1_004, false),
        ],
    );
}

/// governor's issues 107 and 249.
#[test]
fn no_free_cell_after_idle() {
    let five = |ms| [[(ms, 1, true); 5].as_slice(), &[(ms, 1, false)]].concat();
    check(TokenBucket::per_second(5), &[five(0), five(2_000)].concat());
}

#[test]
fn rejects_too_many_of_two() {
    check(
        TokenBucket::per_second(4),
        &[
            (0, 2, true),
            (0, 2, true),
            (1, 2, false),
            (1_001, 2, true),
            (1_002, 2, true),
            (1_003, 2, false),
        ],
    );
}

/// However long one waits, and whatever is there.
#[test]
fn insufficient_capacity() {
    let mut limiter = RateLimiter::new(policy!(TokenBucket::per_second(5)));
    for after in [0, 3, 23] {
        let now = START + secs(after);
        for cost in [15, 7, 6] {
            assert_eq!(
                limiter.try_acquire_n(now, cost),
                Err(Denied::CostAboveCapacity { cost, capacity: 5 })
            );
        }
        assert!(limiter.try_acquire_n(now, 5).is_ok());
    }
}

/// Twenty threads at one instant, each for one.
#[test]
fn twenty_threads() {
    const POLICY: TokenBucket = policy!(TokenBucket::per_second(20));
    const WORD: CompactBucket = policy!(TokenBucket::per_second(20).compact());
    fn check(ask: impl Fn(Instant) -> bool + Sync) {
        let passed = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| passed.fetch_add(ask(START).into(), Relaxed));
            }
        });
        assert_eq!(passed.into_inner(), 20);
        assert!(!ask(START + millis(2)));
        assert!(ask(START + millis(1_000)));
    }
    let shared = Shared::new(RateLimiter::new(POLICY));
    check(|now| shared.try_acquire(now).is_ok());
    let live = Shared::live(RateLimiter::new(POLICY));
    check(|now| live.try_acquire(now).is_ok());
    let atomic = AtomicRateLimiter::new(WORD);
    check(|now| atomic.try_acquire(now).is_ok());
    // Keyed, all on one key.
    let rule = KeyedPolicy::new(POLICY);
    let table: Shared<Places<u8, TokenBucket, 4>> = Shared::places();
    check(|now| table.try_acquire(&rule, 1, now).is_ok());
}

#[test]
fn who_waits_as_told_is_let_in() {
    let mut limiter = RateLimiter::new(policy!(TokenBucket::per_second(5)));
    let mut now = START;
    let mut waited = 0;
    for _ in 0..20 {
        now = now + millis(1);
        if let Err(denied) = limiter.try_acquire(now) {
            waited += 1;
            now = now + denied.retry_after().unwrap();
            assert!(limiter.try_acquire(now).is_ok());
        }
    }
    // Twenty took five at once, and one each 200 ms after them.
    assert_eq!(waited, 15);
    assert_eq!(now, START + millis(1 + 15 * 200));
}

#[test]
fn remaining_of_four_a_second() {
    let mut limiter = RateLimiter::new(policy!(TokenBucket::per_second(4)));
    for left in [3, 2, 1, 0] {
        assert!(limiter.try_acquire(START).is_ok());
        assert_eq!(limiter.standing(START).remaining, left);
    }
    assert!(limiter.try_acquire(START).is_err());
}

#[test]
fn remaining_of_one_each_90_ms() {
    let mut limiter = RateLimiter::new(policy!(TokenBucket::new(1, millis(90)).burst(2)));
    for now in [START, START + secs(120)] {
        for left in [1, 0] {
            assert!(limiter.try_acquire(now).is_ok());
            assert_eq!(limiter.available(now), left);
        }
        assert!(limiter.try_acquire(now).is_err());
    }
}

/// Theirs reads "rate-limited until Nanos(1s)".
#[test]
fn a_no_as_text() {
    let mut limiter = RateLimiter::new(policy!(TokenBucket::per_second(1)));
    assert!(limiter.try_acquire(START).is_ok());
    let denied = limiter.try_acquire(START).unwrap_err();
    assert_eq!(denied.to_string(), "rate limited, retry after 1s");
}

proptest! {
    /// What was configured can be read from the limiter: the burst, and how long it takes to fill.
    #[test]
    fn a_quota_is_told_as_it_was_configured(count in 1_u32..10_000, burst in 1_u32..10_000) {
        let policy = TokenBucket::per_second(count).burst(burst).build().unwrap();
        let limiter = RateLimiter::new(policy);
        prop_assert_eq!(limiter.policy(), &policy);
        prop_assert_eq!(policy.capacity(), burst);
        let window = (u64::from(burst) * 1_000_000_000).div_ceil(u64::from(count));
        prop_assert_eq!(limiter.standing(START).window, nanos(window));
        let (policy, state) = limiter.into_parts();
        let again = RateLimiter::from_parts(policy, state);
        prop_assert_eq!(again.standing(START).limit, burst);
    }

    #[test]
    fn accurate_not_until(
        capacity in 1_u32..10_000,
        extra in 1_u64..10_000,
        parts in 1_u64..10_000,
    ) {
        wait_is_accurate(capacity, extra, parts)?;
    }
}

/// What their tests once failed with.
#[test]
fn accurate_not_until_regressions() {
    for (capacity, extra, parts) in [(1, 1, 50), (1_239, 1, 16)] {
        wait_is_accurate(capacity, extra, parts).unwrap();
    }
}

/// Drained, then one each interval; then a no, whose wait is not a moment too long or too short.
fn wait_is_accurate(capacity: u32, extra: u64, parts: u64) -> Result<(), TestCaseError> {
    let mut limiter = RateLimiter::new(TokenBucket::per_second(capacity).build().unwrap());
    prop_assert!(limiter.try_acquire_n(START, capacity).is_ok());
    let interval = 1_000_000_000_u64.div_ceil(u64::from(capacity));
    let mut now = START;
    for _ in 0..extra {
        now = now + nanos(interval);
        prop_assert!(limiter.try_acquire(now).is_ok());
    }
    let wait = limiter.try_acquire(now).unwrap_err().retry_after().unwrap();
    for part in 1..=parts {
        let early = now + nanos(part * wait.as_nanos() / (parts + 1));
        prop_assert!(limiter.try_acquire(early).is_err());
    }
    prop_assert!(limiter.try_acquire(now + wait - nanos(1)).is_err());
    prop_assert!(limiter.try_acquire(now + wait).is_ok());
    Ok(())
}

/// Theirs keeps all three at 800 ms, two at 2,000 ms, one at 2,200 ms and none at 2,800 ms: each
/// for one interval longer than it takes to be full again.
#[test]
fn retain() {
    let policy = policy!(TokenBucket::per_second(1));
    let rule = KeyedPolicy::new(policy).when_full(WhenFull::Deny);
    let mut table: Keyed<&str, TokenBucket, 3> = Keyed::new(rule);
    for (key, at) in [("foo", 0), ("bar", 200), ("baz", 800)] {
        assert!(table.try_acquire(key, START + millis(at)).is_ok());
    }
    for (at, active) in [
        (800, 3),
        (999, 3),
        (1_000, 2),
        (1_199, 2),
        (1_200, 1),
        (1_799, 1),
        (1_800, 0),
        (2_000, 0),
    ] {
        let now = START + millis(at);
        assert_eq!(table.places().active(&rule, now), active, "at {at} ms");
        // So many newcomers find a place, without a sweep.
        let mut table = table.clone();
        let newcomers = ["one", "two", "three", "four"];
        let placed = newcomers
            .iter()
            .filter(|key| table.try_acquire(key, now).is_ok());
        assert_eq!(placed.count(), 3 - active);
    }
}

#[test]
fn retain_and_shrink() {
    let rule = KeyedPolicy::new(policy!(TokenBucket::per_second(20)));
    let mut table: Keyed<&str, TokenBucket, 8> = Keyed::new(rule);
    assert!(table.try_acquire_n("long", START, 10).is_ok());
    assert!(table.try_acquire("short", START).is_ok());
    assert_eq!(table.places().active(&rule, START), 2);
    assert_eq!(table.places().active(&rule, START + millis(300)), 1);
}

#[test]
fn length() {
    let rule = KeyedPolicy::new(policy!(TokenBucket::per_second(1)));
    let mut table: Keyed<&str, TokenBucket, 8> = Keyed::new(rule);
    assert_eq!(table.places().active(&rule, START), 0);
    for (key, length) in [("foo", 1), ("bar", 2), ("baz", 3)] {
        assert!(table.try_acquire(key, START).is_ok());
        assert_eq!(table.places().active(&rule, START), length);
    }
}

/// The clock jumps to the end of every sleep.
struct Timer(ManualClock);

impl Clock for Timer {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl Sleep for Timer {
    type Future = Ready<()>;

    fn sleep(&self, duration: Duration) -> Self::Future {
        self.0.advance(duration);
        ready(())
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
}

/// They wait at least 100 ms of real time. Here it is exactly that, on a clock that is moved.
#[test]
fn until_ready() {
    const TEN: CompactBucket = policy!(TokenBucket::per_second(10).compact());
    let until = |cost, used| {
        let (limiter, timer) = (AtomicRateLimiter::new(TEN), Timer(ManualClock::new(START)));
        assert!(limiter.try_acquire_n(START, used).is_ok());
        let queued = Queued::new(&limiter, &timer, StaticWaitQueue::<4>::new());
        let said = block_on(queued.acquire_by(cost, Instant::MAX));
        said.map(|_| timer.now().since(START))
    };
    assert_eq!(until(1, 10), Ok(millis(100)));
    assert_eq!(until(5, 6), Ok(millis(100)));
    assert_eq!(until(4, 6), Ok(Duration::ZERO));
    let denied = Denied::CostAboveCapacity {
        cost: 11,
        capacity: 10,
    };
    assert_eq!(until(11, 0), Err(AcquireError::Denied(denied)));
}

/// governor's issue 203: an interval below a nanosecond was rounded to none. Two threads, two
/// million calls, none denied; and the burst is no larger for it.
#[test]
fn a_rate_above_one_each_nanosecond() {
    const RATE: u32 = 1_000_000_001;
    const POLICY: TokenBucket = policy!(TokenBucket::per_second(RATE));
    static CLOCK: ManualClock = ManualClock::new(START);
    let limiter = Shared::new(RateLimiter::new(POLICY));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let limiter = Clocked::new(&limiter, &CLOCK);
                for _ in 0..1_000_000 {
                    assert!(limiter.try_acquire().is_ok());
                }
            });
        }
    });
    assert_eq!(limiter.available(START), RATE - 2_000_000);
    assert!(limiter.try_acquire_n(START, RATE - 2_000_000).is_ok());
    assert!(limiter.try_acquire(START).is_err());
    assert_eq!(limiter.available(START + secs(1)), RATE);
}
