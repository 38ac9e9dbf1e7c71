//! Whoever holds the state, the decision is the policy's: one owner, a critical section, an
//! atomic word, a clock of its own. And among real threads none is granted twice or lost.

mod model;

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use model::policies::{any_policies, exact_compact_buckets, fixed_windows, token_buckets};
use model::schedule::play;
use proptest::prelude::*;
use steadfast::limit::{
    AnyPolicy, AtomicRateLimiter, Clocked, CompactBucket, Denied, FixedWindow, Granted, Keyed,
    KeyedPolicy, Limiter, Places, Policy, RateLimiter, Reconfigure, Reserve, Standing, TokenBucket,
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

    fn peek(&self, now: Instant, cost: u32) -> Result<(), Denied> {
        self.0.clock().set(now);
        self.0.peek(cost)
    }

    fn standing(&self, now: Instant) -> Standing {
        self.0.clock().set(now);
        self.0.standing()
    }

    fn available(&self, now: Instant) -> u32 {
        self.0.clock().set(now);
        self.0.available()
    }
}

impl<L: Reconfigure<Granted = Granted>> Reconfigure for OnTime<L> {
    type Policy = L::Policy;

    fn reconfigure(&self, now: Instant, policy: L::Policy) {
        self.0.clock().set(now);
        self.0.reconfigure(policy);
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
                prop_assert_eq!(other.peek(now, cost), peeked);
                prop_assert_eq!(other.try_acquire_n(now, cost), said);
            }
            grants.extend(said.ok());
        }
        let standing = policy.standing(&state, now);
        prop_assert_eq!(owned.standing(now), standing);
        prop_assert_eq!(owned.available(now), standing.remaining);
        for other in others {
            prop_assert_eq!(other.standing(now), standing);
            prop_assert_eq!(other.available(now), standing.remaining);
        }
    }
    Ok(calls.len() as u64)
}

/// A table whose only key is the limiter.
type OneKey<P> = Shared<Places<u8, P, 1>>;

fn shared_alike<P: Policy<Granted = Granted>>(
    policy: P,
    calls: &[Call],
) -> Result<u64, TestCaseError> {
    let limiter = RateLimiter::new(policy);
    let shared = Shared::new(limiter.clone());
    let live = Shared::live(limiter.clone());
    let clocked = OnTime::new(Shared::new(limiter));
    let rule = KeyedPolicy::new(policy);
    let table: OneKey<P> = Shared::places();
    let live_table: Shared<Keyed<u8, P, 1>> = Shared::keyed(rule);
    let some = Some(Shared::new(RateLimiter::new(policy)));
    let optional = Unwrapped(some);
    hold_alike(
        policy,
        calls,
        &[
            &shared,
            &live,
            &clocked,
            &table.of(&rule, 7),
            &live_table.of(7),
            &optional,
        ],
    )
}

/// A limiter that may be none, and is one.
struct Unwrapped<L>(Option<L>);

impl<L: Limiter<Granted = Granted>> Limiter for Unwrapped<L> {
    type Granted = Granted;

    fn try_acquire_n(&self, now: Instant, cost: u32) -> Said {
        let said = self.0.try_acquire_n(now, cost);
        said.map(|granted| granted.expect("there is a limiter"))
    }

    fn refund(&self, now: Instant, granted: &Granted) {
        self.0.refund(now, &Some(*granted));
    }

    fn peek(&self, now: Instant, cost: u32) -> Result<(), Denied> {
        self.0.peek(now, cost)
    }

    fn standing(&self, now: Instant) -> Standing {
        self.0.standing(now)
    }

    fn available(&self, now: Instant) -> u32 {
        self.0.available(now)
    }
}

#[test]
fn every_holder_decides_as_the_policy() {
    let inputs = (token_buckets(), fixed_windows(), calls());
    play(
        "owned, shared, live, clocked and keyed",
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
            hold_alike(policy, &calls, &[&atomic, &clocked])
        },
    );
}

/// Nobody's limit says yes to all, and has no headers of its own.
#[test]
fn no_limiter_is_exempt() {
    let none: Option<&Shared<RateLimiter<TokenBucket>>> = None;
    let said = none.try_acquire_n(MIDDLE, u32::MAX);
    assert!(matches!(said, Ok(None)));
    none.refund(MIDDLE, &None);
    assert_eq!(none.peek(MIDDLE, u32::MAX), Ok(()));
    assert_eq!(none.available(MIDDLE), u32::MAX);
    assert!(none.standing(MIDDLE).is_unlimited());
}

/// Forms that are reconfigured on the way, each its own way.
#[test]
fn every_holder_is_reconfigured_as_the_policy() {
    let inputs = (
        any_policies(),
        any_policies(),
        exact_compact_buckets(),
        exact_compact_buckets(),
        calls(),
    );
    play(
        "reconfigured",
        inputs,
        |(one, other, word, other_word, calls)| {
            let words = reconfigured_alike([word.0, other_word.0], &calls)?;
            atomic_reconfigured_alike([word.0, other_word.0], &calls)?;
            Ok(words + reconfigured_alike([one.0, other.0], &calls)?)
        },
    );
}

fn reconfigured_alike<P: Policy<Granted: PartialEq>>(
    policies: [P; 2],
    calls: &[Call],
) -> Result<u64, TestCaseError> {
    let mut policy = policies[0];
    let mut state = P::FULL;
    let mut owned = RateLimiter::new(policy);
    let mut shared = Shared::new(owned.clone());
    let live = Shared::live(owned.clone());
    let clocked = Clocked::new(&live, ManualClock::new(MIDDLE));
    let mut table: Keyed<u8, P, 1> = Keyed::new(KeyedPolicy::new(policy));
    let live_table: Shared<Keyed<u8, P, 1>> = Shared::keyed(KeyedPolicy::new(policy));
    let (places, mut rule): (OneKey<P>, _) = (Shared::places(), KeyedPolicy::new(policy));
    let mut now = MIDDLE;
    for &(by, kind, cost, pick) in calls {
        if kind % 3 == 0 {
            now = moved(now, by);
        }
        if kind < 60 {
            let new = policies[pick % 2];
            policy.reconfigure(&mut state, now, &new);
            policy = new;
            owned.reconfigure(now, new);
            shared.reconfigure(now, new);
            // One by its clock, so that the form is reconfigured once.
            clocked.clock().set(now);
            clocked.reconfigure(new);
            table.reconfigure(now, new);
            live_table.reconfigure(now, new);
            rule = places
                .with(|places| places.reconfigure(&rule, now, new))
                .expect("not from inside");
        } else {
            let said = policy.decide(&mut state, now, cost);
            prop_assert_eq!(owned.try_acquire_n(now, cost), said);
            prop_assert_eq!(shared.try_acquire_n(now, cost), said);
            prop_assert_eq!(live.try_acquire_n(now, cost), said);
            prop_assert_eq!(table.try_acquire_n(7, now, cost), said);
            prop_assert_eq!(live_table.try_acquire_n(7, now, cost), said);
            prop_assert_eq!(places.try_acquire_n(&rule, 7, now, cost), said);
        }
        let standing = policy.standing(&state, now);
        prop_assert_eq!(owned.standing(now), standing);
        prop_assert_eq!(shared.standing(now), standing);
        prop_assert_eq!(live.standing(now), standing);
        prop_assert_eq!(table.standing(7, now), standing);
        prop_assert_eq!(table.available(7, now), standing.remaining);
        prop_assert_eq!(live_table.of(7).standing(now), standing);
        prop_assert_eq!(places.of(&rule, 7).standing(now), standing);
        prop_assert_eq!(live.policy().capacity(), policy.capacity());
        prop_assert_eq!(live_table.rule().policy().capacity(), policy.capacity());
    }
    Ok(calls.len() as u64)
}

fn atomic_reconfigured_alike(
    policies: [CompactBucket; 2],
    calls: &[Call],
) -> Result<(), TestCaseError> {
    let mut owned = RateLimiter::new(policies[0]);
    let mut atomic = AtomicRateLimiter::new(policies[0]);
    let mut now = MIDDLE;
    for &(by, kind, cost, pick) in calls {
        if kind % 3 == 0 {
            now = moved(now, by);
        }
        match kind {
            0..50 => {
                owned.reconfigure(now, policies[pick % 2]);
                atomic.reconfigure(now, policies[pick % 2]);
            }
            // Goes on where the owner stands.
            50..60 => atomic = owned.clone().into(),
            _ => {
                let said = owned.try_acquire_n(now, cost);
                prop_assert_eq!(atomic.try_acquire_n(now, cost), said);
            }
        }
        prop_assert_eq!(atomic.standing(now), owned.standing(now));
        prop_assert_eq!(atomic.policy(), owned.policy());
    }
    Ok(())
}

#[test]
fn reservations_and_debts_are_the_policys_too() {
    play(
        "reservations and debts",
        (token_buckets(), calls()),
        |((policy, _), calls)| {
            let mut state = TokenBucket::FULL;
            let mut owned = RateLimiter::new(policy);
            let shared = Shared::new(owned.clone());
            let live = Shared::live(owned.clone());
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
                    live.cancel(now, &granted);
                }
                if kind > 200 {
                    let beyond = policy.charge(&mut state, now, cost);
                    prop_assert_eq!(owned.charge(now, cost), beyond);
                    prop_assert_eq!(shared.charge(now, cost), beyond);
                    prop_assert_eq!(live.charge(now, cost), beyond);
                }
                let said = policy.reserve(&mut state, now, cost, Duration::MAX);
                prop_assert_eq!(owned.reserve(now, cost, Duration::MAX), said);
                prop_assert_eq!(shared.reserve(now, cost, Duration::MAX), said);
                prop_assert_eq!(live.reserve(now, cost, Duration::MAX), said);
                prop_assert_eq!(live.standing(now), policy.standing(&state, now));
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

/// While another thread reconfigures, at another rate each time and the same burst, what passes at
/// one instant is the burst: nobody decides by one policy on the state of another.
#[test]
fn among_threads_a_reconfiguration_loses_nothing() {
    const SLOW: AnyPolicy =
        AnyPolicy::TokenBucket(policy!(TokenBucket::per_second(5).burst(BURST)));
    const FAST: AnyPolicy =
        AnyPolicy::TokenBucket(policy!(TokenBucket::per_second(200_000).burst(BURST)));
    let limiter = Shared::live(RateLimiter::new(SLOW));
    let now = Instant::from_secs(10);
    let passed = AtomicU32::new(0);
    let taking = AtomicU32::new(3);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut own = 0;
                while limiter.try_acquire_n(now, 10).is_ok() {
                    own += 10;
                }
                passed.fetch_add(own, Relaxed);
                taking.fetch_sub(1, Relaxed);
            });
        }
        scope.spawn(|| {
            while taking.load(Relaxed) > 0 {
                limiter.reconfigure(now, FAST);
                limiter.reconfigure(now, SLOW);
            }
        });
    });
    assert_eq!(passed.into_inner(), BURST);
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
