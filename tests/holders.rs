//! Whoever holds the state, the decision is the policy's: one owner, a critical section, an
//! atomic word, a clock of its own. And among real threads none is granted twice or lost.

mod model;

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use model::policies::{exact_compact_buckets, fixed_windows, token_buckets};
use model::schedule::play;
use proptest::prelude::*;
use steadfast::limit::{
    AtomicRateLimiter, Clocked, CompactBucket, Denied, FixedWindow, Granted, Limiter, Policy,
    RateLimiter, Reserve, TokenBucket,
};
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{Duration, Instant, ManualClock, secs};

type Said = Result<Granted, Denied>;

/// A limiter with its clock, which is set before each call.
struct OnTime<L>(Clocked<L, ManualClock>);

impl<L> OnTime<L> {
    fn new(limiter: L) -> Self {
        Self(Clocked::new(limiter, ManualClock::new(Instant::ZERO)))
    }
}

impl<L: Limiter<Granted = Granted>> Limiter for OnTime<L> {
    type Granted = Granted;

    fn try_acquire_n(&self, now: Instant, cost: u32) -> Said {
        self.0.clock().set(now);
        match cost {
            1 => self.0.try_acquire(),
            _ => self.0.try_acquire_n(cost),
        }
    }

    fn refund(&self, now: Instant, granted: &Granted) {
        self.0.clock().set(now);
        self.0.refund(granted);
    }
}

/// How far time moves, what is asked, its cost, and which earlier grant is meant.
type Call = (i64, u8, u32, usize);

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let by = (any::<i64>(), 0_u32..64).prop_map(|(by, shift)| by >> shift);
    let cost = (any::<u32>(), 0_u32..32).prop_map(|(cost, shift)| cost >> shift);
    prop::collection::vec((by, any::<u8>(), cost, any::<usize>()), 50)
}

/// Half of 2^63 ns, so that steps lead both ways.
const MIDDLE: Instant = Instant::from_nanos(1 << 62);

fn moved(now: Instant, by: i64) -> Instant {
    Instant::from_nanos(now.as_nanos().saturating_add_signed(by))
}

/// Plays `calls` to the policy by hand, to an owner, and to each of `others`.
fn hold_alike<P: Policy<Granted = Granted>>(
    policy: P,
    calls: &[Call],
    others: &[&dyn Limiter<Granted = Granted>],
    look: impl Fn(&RateLimiter<P>, Instant) -> Result<(), TestCaseError>,
) -> Result<u64, TestCaseError> {
    let mut state = P::FULL;
    let mut owned = RateLimiter::new(policy);
    let mut now = MIDDLE;
    let mut grants: Vec<Granted> = Vec::new();
    for &(by, kind, cost, pick) in calls {
        if kind % 3 == 0 {
            now = moved(now, by);
        }
        if kind < 60 && !grants.is_empty() {
            let granted = grants.swap_remove(pick % grants.len());
            policy.refund(&mut state, now, &granted);
            owned.refund(now, &granted);
            for other in others {
                other.refund(now, &granted);
            }
        } else {
            let cost = if kind < 160 { 1 } else { cost };
            let peeked = owned.peek(now, cost);
            let said = policy.decide(&mut state, now, cost);
            prop_assert_eq!(peeked, said.map(|_| ()));
            prop_assert_eq!(owned.try_acquire_n(now, cost), said);
            for other in others {
                prop_assert_eq!(other.try_acquire_n(now, cost), said);
            }
            grants.extend(said.ok());
        }
        let standing = policy.standing(&state, now);
        prop_assert_eq!(owned.standing(now), standing);
        prop_assert_eq!(owned.available(now), standing.remaining);
        look(&owned, now)?;
    }
    Ok(calls.len() as u64)
}

fn shared_alike<P: Policy<Granted = Granted>>(
    policy: P,
    calls: &[Call],
) -> Result<u64, TestCaseError> {
    let limiter = RateLimiter::new(policy);
    let shared = Shared::new(limiter.clone());
    let clocked = OnTime::new(Shared::new(limiter));
    hold_alike(policy, calls, &[&shared, &clocked], |owned, now| {
        prop_assert_eq!(shared.standing(now), owned.standing(now));
        prop_assert_eq!(shared.available(now), owned.available(now));
        prop_assert_eq!(shared.peek(now, 1), owned.peek(now, 1));
        Ok(())
    })
}

#[test]
fn owned_shared_and_clocked_decide_as_the_policy() {
    let inputs = (token_buckets(), fixed_windows(), calls());
    play(
        "owned, shared and clocked",
        inputs,
        |((bucket, _), (window, _), calls)| {
            Ok(shared_alike(bucket, &calls)? + shared_alike(window, &calls)?)
        },
    );
}

#[test]
fn an_atomic_word_decides_as_the_policy() {
    play(
        "atomic",
        (exact_compact_buckets(), calls()),
        |((policy, _), calls)| {
            let atomic = AtomicRateLimiter::new(policy);
            let clocked = OnTime::new(AtomicRateLimiter::new(policy));
            hold_alike(policy, &calls, &[&atomic, &clocked], |owned, now| {
                prop_assert_eq!(atomic.standing(now), owned.standing(now));
                prop_assert_eq!(atomic.available(now), owned.available(now));
                prop_assert_eq!(atomic.peek(now, 1), owned.peek(now, 1));
                Ok(())
            })
        },
    );
}

#[test]
fn reservations_are_the_policys_too() {
    play(
        "reservations",
        (token_buckets(), calls()),
        |((policy, _), calls)| {
            let mut state = TokenBucket::FULL;
            let mut owned = RateLimiter::new(policy);
            let shared = Shared::new(owned.clone());
            let mut now = MIDDLE;
            let mut last: Option<Granted> = None;
            for &(by, kind, cost, _) in &calls {
                if kind % 3 == 0 {
                    now = moved(now, by);
                }
                if let (0..60, Some(granted)) = (kind, last.take()) {
                    policy.cancel(&mut state, now, &granted);
                    owned.cancel(now, &granted);
                    shared.cancel(now, &granted);
                }
                let said = policy.reserve(&mut state, now, cost, Duration::MAX);
                prop_assert_eq!(owned.reserve(now, cost, Duration::MAX), said);
                prop_assert_eq!(shared.reserve(now, cost, Duration::MAX), said);
                prop_assert_eq!(shared.standing(now), policy.standing(&state, now));
                last = said.ok();
            }
            Ok(calls.len() as u64)
        },
    );
}

const BURST: u32 = 2_000_000;

/// Four threads take and give back at one instant. What they kept and what is left must be the
/// burst, to the token. Then time moves on, and what the next second is worth is granted once.
fn nothing_is_lost_among_threads(limiter: &(dyn Limiter<Granted = Granted> + Sync)) {
    const THREADS: u32 = 4;
    let start = Instant::from_secs(10);
    let kept = AtomicU32::new(0);
    let together = Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (kept, together) = (&kept, &together);
            scope.spawn(move || {
                together.wait();
                for call in 0..250_000 {
                    let granted = limiter.try_acquire_n(start, 1 + thread % 2).unwrap();
                    if call % 3 == 0 {
                        limiter.refund(start, &granted);
                    } else {
                        kept.fetch_add(granted.cost(), Relaxed);
                    }
                }
                // All that is left, one by one.
                together.wait();
                while limiter.try_acquire_n(start, 1).is_ok() {
                    kept.fetch_add(1, Relaxed);
                }
                // What the next second brings.
                together.wait();
                while limiter.try_acquire_n(start + secs(1), 1).is_ok() {
                    kept.fetch_add(1, Relaxed);
                }
            });
        }
    });
    assert_eq!(kept.into_inner(), BURST + BURST / 10);
}

#[test]
fn among_threads_a_critical_section_loses_nothing() {
    const POLICY: TokenBucket = policy!(TokenBucket::per_second(BURST / 10).burst(BURST));
    nothing_is_lost_among_threads(&Shared::new(RateLimiter::new(POLICY)));
}

#[test]
fn among_threads_an_atomic_word_loses_nothing() {
    const POLICY: CompactBucket =
        policy!(TokenBucket::per_second(BURST / 10).burst(BURST).compact());
    nothing_is_lost_among_threads(&AtomicRateLimiter::new(POLICY));
}

/// A window gives nothing for a second of its minute, and all of it when it turns.
#[test]
fn among_threads_a_window_is_spent_once() {
    const POLICY: FixedWindow = policy!(FixedWindow::new(100_000, secs(60)));
    static WINDOW: Shared<RateLimiter<FixedWindow>> = Shared::new(RateLimiter::new(POLICY));
    for window in 0..3 {
        let now = Instant::from_secs(60 * window);
        let passed = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for call in 0..100_000 {
                        let now = now + secs(call % 60);
                        passed.fetch_add(WINDOW.try_acquire(now).is_ok().into(), Relaxed);
                    }
                });
            }
        });
        assert_eq!(passed.into_inner(), 100_000);
    }
}
