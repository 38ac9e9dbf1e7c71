//! What retries and circuit breakers elsewhere are known to get wrong, where no other test of this
//! package saw it when it was put in, or only a long model or a test of something else. The faults
//! are in `known_faults`, and the script `known-faults` puts them in.

mod simulated;

use std::future::{pending, ready};
use std::process::Command;
use std::thread;

use simulated::World;
use steadfast::backoff::{Backoff, BackoffConfig, Delays};
use steadfast::breaker::{Breaker, BreakerState, CircuitBreaker, FastBreaker, Phase};
use steadfast::call::Call;
use steadfast::limit::MAX_WAIT;
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::random::{Random, SharedRandom, SplitMix32};
use steadfast::retry::{RetryBudget, RetryPolicy};
use steadfast::shared::Shared;
use steadfast::time::{Clock, Duration, Instant, days, millis, nanos, secs};
use steadfast_std::{Target, Targets, ThreadRandom};

const BAD: Outcome = Outcome::TRANSIENT;
const NOW: Instant = Instant::from_secs(100_000);

/// Says whether a type is `Clone`, for types that are known where it is used.
struct Is<T>(core::marker::PhantomData<T>);

trait NotClone {
    const CLONE: bool = false;
}

impl<T> NotClone for Is<T> {}

impl<T: Clone> Is<T> {
    /// Found before the trait's, where it is there.
    const CLONE: bool = true;
}

#[test]
fn no_generator_can_be_copied_with_its_counter() {
    // A policy may be, and a mere name for a generator that lies elsewhere.
    let may_be = [Is::<Backoff>::CLONE, Is::<&SharedRandom>::CLONE];
    assert_eq!(may_be, [true; 2]);
    let own = [
        Is::<SplitMix32>::CLONE,
        Is::<SharedRandom>::CLONE,
        Is::<Delays<SplitMix32>>::CLONE,
        Is::<Call<(), (), SplitMix32>>::CLONE,
    ];
    assert_eq!(own, [false; 4]);
}

/// Serial numbers, addresses of one maker, and addresses that differ only in the maker.
#[test]
fn devices_with_neighbouring_seeds_draw_unrelated_delays() {
    let fleets: [fn(u64) -> u64; 3] = [
        |device| device,
        |device| 0x1a2b_3c4d_0000 + device,
        |device| device << 32 | 0x1a2b_3c4d,
    ];
    for (fleet, seed) in fleets.into_iter().enumerate() {
        for later in 0..3 {
            // The same delay of 1,000 devices in twenty parts of its 200 ms, or 400, or 800.
            let part = (millis(200).as_nanos() << later) / 20;
            let mut parts = [0; 20];
            let mut delays: Vec<_> = (0..1_000)
                .map(|device| {
                    let mut delays = Backoff::standard().delays(SplitMix32::new(seed(device)));
                    let delay = delays.nth(later).expect("no end").as_nanos();
                    parts[(delay / part) as usize] += 1;
                    delay
                })
                .collect();
            // 50 each, give or take 7.
            assert!(
                parts.iter().all(|count| (15..=85).contains(count)),
                "fleet {fleet}, delay {later}: {parts:?}"
            );
            delays.sort_unstable();
            delays.dedup();
            assert!(delays.len() > 990, "fleet {fleet}: {} delays", delays.len());
        }
    }
}

#[test]
fn a_generator_in_a_static_follows_the_seed_it_is_given() {
    static DICE: SharedRandom = SharedRandom::new(0);
    let drawn = |seed| {
        DICE.seed(seed);
        [(); 4].map(|()| (&DICE).next_u32())
    };
    assert_eq!(drawn(7), drawn(7));
    assert_ne!(drawn(7), drawn(8));
    let mut same = SplitMix32::new(8);
    assert_eq!(drawn(8), [(); 4].map(|()| same.next_u32()));
}

/// Said to the processes that a test starts: they draw.
const STARTED: &str = "STEADFAST_DRAWS";

/// What `draw` gives in each of two processes that this one starts for the test of this name; there
/// it is `None`.
fn two_starts(name: &str, draw: impl FnOnce() -> [u64; 4]) -> Option<[String; 2]> {
    if std::env::var_os(STARTED).is_some() {
        println!("drawn: {:?}", draw());
        return None;
    }
    Some([(); 2].map(|()| {
        let program = std::env::current_exe().expect("this program");
        let output = Command::new(program)
            .args(["--exact", name, "--nocapture", "--test-threads=1"])
            .env(STARTED, "")
            .output()
            .expect("it starts");
        let said = String::from_utf8(output.stdout).expect("text");
        let drawn = said.split("drawn: ").nth(1).expect("it has drawn");
        drawn.split(']').next().expect("a list").to_owned()
    }))
}

#[test]
fn threads_and_starts_of_a_program_draw_delays_of_their_own() {
    let draw = || [(); 4].map(|()| u64::from(ThreadRandom.next_u32()));
    let name = "threads_and_starts_of_a_program_draw_delays_of_their_own";
    let Some([one, other]) = two_starts(name, draw) else {
        return;
    };
    assert_ne!(one, other, "two starts");
    let [one, other] = [(); 2].map(|()| thread::spawn(draw).join().expect("it draws"));
    assert_ne!(one, other, "two threads");
}

/// Opens at one failure for 30 to 45 s.
const JITTERY: Breaker = policy!(
    Breaker::consecutive(1)
        .open_for(secs(30))
        .open_jitter_percent(50)
);

/// For how long a target opens, four times in a row.
fn open_times(target: &Target) -> [u64; 4] {
    let mut now = NOW;
    [(); 4].map(|()| {
        let permit = target.try_enter(|| now).unwrap();
        let _ = target.record(|| now, permit, BAD);
        let wait = target.standing(now).retry_after.expect("it is open");
        now = now + wait;
        wait.as_nanos()
    })
}

#[test]
fn a_target_in_a_static_opens_for_other_times_in_every_process() {
    static ONE: Target = Target::new("shipping", JITTERY, RetryBudget::standard());
    static OTHER: Target = Target::new("shipping", JITTERY, RetryBudget::standard());
    let name = "a_target_in_a_static_opens_for_other_times_in_every_process";
    let Some([one, other]) = two_starts(name, || open_times(&ONE)) else {
        return;
    };
    assert_ne!(one, other, "two starts");
    assert_ne!(open_times(&ONE), open_times(&OTHER), "two targets");
}

/// Whatever it is, and whether calls have passed before or not.
#[test]
fn a_target_follows_the_seed_it_is_given() {
    let seeded = |seed, calls| {
        let target = Target::new("shipping", JITTERY, RetryBudget::standard());
        for _ in 0..calls {
            let permit = target.try_enter(|| NOW).unwrap();
            let _ = target.record(|| NOW, permit, Outcome::Success);
        }
        target.with_breaker(|_, state| state.seed(seed));
        open_times(&target)
    };
    for seed in [0, 1, 7, u64::MAX] {
        assert_eq!(seeded(seed, 0), seeded(seed, 3), "seed {seed}");
    }
    assert_ne!(seeded(0, 0), seeded(1, 0));
    let named = |seed, name| {
        let mut targets = Targets::new(JITTERY, RetryBudget::standard(), 10).unwrap();
        targets.seed(seed);
        open_times(&targets.of(name, NOW))
    };
    assert_eq!(named(0, "node-1"), named(0, "node-1"));
    assert_ne!(named(0, "node-1"), named(1, "node-1"));
    assert_ne!(named(0, "node-1"), named(0, "node-2"));
}

#[test]
fn breakers_that_open_together_do_not_come_back_together() {
    let targets = Targets::new(JITTERY, RetryBudget::standard(), 10).unwrap();
    let mut waits: Vec<_> = (0..10)
        .map(|number| open_times(&targets.of(&format!("node-{number}"), NOW))[0])
        .collect();
    waits.sort_unstable();
    waits.dedup();
    assert_eq!(waits.len(), 10, "{waits:?}");
}

/// Up to the longest cap there is, and to any attempt.
#[test]
fn no_delay_overflows_whatever_the_factor_and_the_attempt() {
    let base = days(1) + nanos(1);
    let never_shorter = |config: BackoffConfig| {
        let policy = config.build().unwrap();
        let mut before = Duration::ZERO;
        for (attempt, delay) in (0..200).zip(policy.delays(|| 0)) {
            assert!(
                before <= delay && delay <= MAX_WAIT,
                "{config:?}, {attempt}"
            );
            assert_eq!(policy.nominal(attempt), delay, "{config:?}, {attempt}");
            before = delay;
        }
        for attempt in [1 << 16, 1 << 31, u32::MAX - 1, u32::MAX] {
            let delay = policy.nominal(attempt);
            assert!(
                before <= delay && delay <= MAX_WAIT,
                "{config:?}, {attempt}"
            );
            before = delay;
        }
    };
    for factor in [2, 3, 10, 1_000, u32::MAX] {
        never_shorter(Backoff::exponential(base).factor(factor));
        never_shorter(Backoff::exponential(nanos(1)).factor(factor));
    }
    never_shorter(Backoff::exponential(base).factor_ratio(16, 10));
    never_shorter(Backoff::exponential(base).factor_ratio(u32::MAX, 2));
    never_shorter(Backoff::linear(base));
    never_shorter(Backoff::linear(nanos(1)));
    never_shorter(Backoff::linear(nanos(1 << 61)));
    never_shorter(Backoff::fibonacci(base));
}

/// Opens at one failure for a second, and closes after two successes.
const WARY: Breaker = policy!(Breaker::consecutive(1).open_for(secs(1)).close_after(2));

/// The first probe of every half-open phase has the same place.
#[test]
fn a_probe_of_an_earlier_half_open_phase_changes_nothing() {
    let wary = Breaker::consecutive(1)
        .open_for(secs(1))
        .close_after(2)
        .probes::<2>()
        .build()
        .unwrap();
    for late in [Outcome::Success, BAD, Outcome::Cancelled] {
        let mut state = BreakerState::CLOSED;
        let permit = wary.try_enter(&mut state, NOW).unwrap();
        let _ = wary.record(&mut state, NOW, permit, BAD);
        let old = wary.try_enter(&mut state, NOW + secs(1)).unwrap();
        let fails = wary.try_enter(&mut state, NOW + secs(1)).unwrap();
        let _ = wary.record(&mut state, NOW + secs(1), fails, BAD);
        assert_eq!(wary.phase(&state, NOW + secs(1)), Phase::Open);

        let again = NOW + secs(2);
        let probe = wary.try_enter(&mut state, again).unwrap();
        let before = state;
        assert_eq!(wary.record(&mut state, again, old, late), None);
        wary.cancel(&mut state, old);
        assert_eq!(state, before, "{late:?}");
        assert_eq!(
            wary.record(&mut state, again, probe, Outcome::Success),
            None
        );
        assert_eq!(wary.standing(&state, again).totals.calls, 1);
    }
}

#[test]
fn a_failure_from_before_it_closed_does_not_open_it_again() {
    let mut state = BreakerState::CLOSED;
    let slow = WARY.try_enter(&mut state, NOW).unwrap();
    let permit = WARY.try_enter(&mut state, NOW).unwrap();
    let _ = WARY.record(&mut state, NOW, permit, BAD);
    let later = NOW + secs(1);
    let late_probe = WARY.try_enter(&mut state, later).unwrap();
    WARY.cancel(&mut state, late_probe);
    for _ in 0..2 {
        let probe = WARY.try_enter(&mut state, later).unwrap();
        let _ = WARY.record(&mut state, later, probe, Outcome::Success);
    }
    assert_eq!(WARY.phase(&state, later), Phase::Closed);
    for permit in [slow, late_probe] {
        assert_eq!(WARY.record(&mut state, later, permit, BAD), None);
    }
    assert_eq!(WARY.phase(&state, later), Phase::Closed);
}

/// The calls that pass without the lock are counted like all others: 24 good ones, then runs of
/// failures among good ones, recorded by a fast breaker and by the machine itself.
#[test]
fn a_fast_breaker_counts_over_calls_like_the_machine() {
    let half = Breaker::rate_over_calls::<1>(12)
        .min_calls(4)
        .open_for(secs(1))
        .build()
        .unwrap();
    let fast = FastBreaker::new(half);
    let mut state = BreakerState::CLOSED;
    let mut now = NOW;
    let mut random = SplitMix32::new(7);
    let mut opened = 0;
    for call in 0..10_000 {
        // One in four on average, and more for some hundred calls.
        let share = if call % 500 < 400 { 2 } else { 6 };
        let fails = call >= 24 && random.next_u32() % 10 < share;
        let outcome = if fails { BAD } else { Outcome::Success };
        let permits = (fast.try_enter(|| now), half.try_enter(&mut state, now));
        let (Ok(one), Ok(other)) = permits else {
            assert_eq!(permits.0.is_ok(), permits.1.is_ok(), "call {call}");
            now = now + secs(1);
            continue;
        };
        let told = fast.record(|| now, one, outcome);
        assert_eq!(
            told,
            half.record(&mut state, now, other, outcome),
            "call {call}"
        );
        assert_eq!(
            fast.standing(now),
            half.standing(&state, now),
            "call {call}"
        );
        opened += u32::from(told.is_some_and(|told| told.to == Phase::Open));
    }
    assert!(opened > 10, "it has opened {opened} times");
}

/// While an attempt is under way, and while it waits for the next one.
#[test]
fn a_call_that_is_dropped_frees_its_probe_and_its_timers() {
    const STEADY: RetryPolicy =
        policy!(RetryPolicy::new(policy!(Backoff::fixed(secs(9)))).attempts(4));
    // A call that is a probe as a whole waits for no other attempt.
    for (each_attempt, answers) in [(false, false), (true, false), (true, true)] {
        let world = World::new();
        let breaker = Shared::breaker(WARY);
        let down = || ready(Err::<(), _>("down"));
        let call = Call::new(down, &world, || 0).guarded_by(&breaker);
        assert!(world.run(call.call()).is_err());
        world.pass_at_once(secs(1));

        let operation = || async {
            world.pass(millis(10)).await;
            if !answers {
                pending::<()>().await;
            }
            // Not a word about the other side, so that it is half-open still.
            Err::<(), _>("throttled")
        };
        let call = Call::new(operation, &world, || 0)
            .retry(&STEADY)
            .judged_by(|_| Outcome::Throttled { retry_after: None })
            .attempt_timeout(secs(5));
        // Twice: it has begun, and 10 ms have passed.
        let dropped = if each_attempt {
            world.run_for(2, call.each_attempt_guarded_by(&breaker).call())
        } else {
            world.run_for(2, call.guarded_by(&breaker).call())
        };
        assert_eq!(dropped, None, "it was still under way");
        let out = breaker.standing(world.now()).probes_out;
        assert_eq!((out, world.sleepers()), (0, 0));
    }
}

#[test]
fn all_who_call_a_target_share_its_budget() {
    let budget = RetryBudget::tokens(10).cost(5).build().unwrap();
    let target = Target::new("partner", Breaker::standard(), budget);
    let policy = RetryPolicy::background();
    let mut granted = 0;
    for _ in 0..10 {
        let mut retry = policy.start(NOW);
        let step = retry.step(&policy, NOW, BAD, &target, &mut || 0);
        granted += u32::from(step.label() == "retry");
    }
    assert_eq!((granted, target.budget_available(NOW)), (2, 0));
}
