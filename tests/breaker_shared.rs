//! A breaker by shared reference: the fast one, guards, and a policy that stays with the caller.

mod counting_lock;
mod model;

use counting_lock::Counting;
use model::schedule::play;
use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::breaker::{
    Breaker, BreakerState, CircuitBreaker, Consecutive, FastBreaker, Locked, Permit, Phase,
    Rejected, Trip,
};
use steadfast::outcome::Outcome;
use steadfast::shared::Shared;
use steadfast::time::{Instant, nanos, secs};
use steadfast::window::Totals;

const BAD: Outcome = Outcome::TRANSIENT;
const NOW: Instant = Instant::from_secs(100_000);
const STANDARD: Breaker = Breaker::standard();

fn no_clock() -> Instant {
    panic!("the time is read")
}

#[test]
fn while_all_is_well_a_fast_breaker_takes_no_lock_and_reads_no_clock() {
    let lock = Counting::new(BreakerState::CLOSED);
    let breaker = FastBreaker::<Consecutive, 1, _>::with_lock(STANDARD, &lock);
    // The first call of all asks the lock.
    let first = breaker.try_enter(|| NOW).unwrap();
    breaker.cancel(first);
    assert_eq!(lock.taken(), 1);
    for outcome in [Outcome::Success, Outcome::Success] {
        let permit = breaker.try_enter(no_clock).unwrap();
        assert_eq!(breaker.record(no_clock, permit, outcome), None);
        drop(breaker.enter(no_clock).unwrap());
    }
    assert_eq!(lock.taken(), 1);
    // A failure takes it, and the success after that; then all is well again.
    for outcome in [BAD, Outcome::Success] {
        let permit = breaker.try_enter(no_clock).unwrap();
        assert_eq!(breaker.record(|| NOW, permit, outcome), None);
    }
    assert_eq!(lock.taken(), 3);
    let permit = breaker.try_enter(no_clock).unwrap();
    assert_eq!(breaker.record(no_clock, permit, Outcome::Success), None);
    assert_eq!(breaker.standing(NOW).totals, Totals::NONE);
}

/// The same calls, the same answers: a fast breaker is the machine.
fn as_the_machine<T: Trip, const P: usize>(
    breaker: Breaker<T, P>,
    good_of_8: u8,
    steps: &[(u8, u8, u8)],
) -> Result<u64, TestCaseError> {
    let lock = Counting::new(BreakerState::CLOSED);
    let fast = FastBreaker::<T, P, _>::with_lock(breaker, &lock);
    let mut state = BreakerState::CLOSED;
    let mut out: Vec<(Permit, Permit)> = Vec::new();
    let mut now = NOW;
    for &(act, forward, pick) in steps {
        now = now + nanos(u64::from(forward % 4));
        let picked = usize::from(pick) % out.len().max(1);
        match act {
            0..=99 => {
                let (one, other) = (fast.try_enter(|| now), breaker.try_enter(&mut state, now));
                prop_assert_eq!(one.is_ok(), other.is_ok());
                prop_assert_eq!(one.err(), other.err());
                if let (Ok(one), Ok(other)) = (one, other) {
                    prop_assert_eq!(one.is_probe(), other.is_probe());
                    prop_assert_eq!(one.generation(), other.generation());
                    out.push((one, other));
                }
            }
            100..=219 if !out.is_empty() => {
                let (one, other) = out.remove(picked);
                let outcome = match act % 8 {
                    worked if worked < good_of_8 => Outcome::Success,
                    7 => Outcome::Ignored,
                    _ => BAD,
                };
                let said = fast.record(|| now, one, outcome);
                prop_assert_eq!(said, breaker.record(&mut state, now, other, outcome));
            }
            220..=239 if !out.is_empty() => {
                let (one, other) = out.remove(picked);
                fast.cancel(one);
                breaker.cancel(&mut state, other);
            }
            240..=247 => {
                let _ =
                    fast.with_state(|breaker, state| breaker.force_open_for(state, now, nanos(3)));
                let _ = breaker.force_open_for(&mut state, now, nanos(3));
            }
            248..=250 => {
                let _ = fast.with_state(|breaker, state| breaker.observe_only(state, now));
                let _ = breaker.observe_only(&mut state, now);
            }
            251..=253 => {
                let _ = fast.with_state(|breaker, state| breaker.disable(state, now));
                let _ = breaker.disable(&mut state, now);
            }
            _ => {
                let _ = fast.with_state(|breaker, state| breaker.reset(state, now));
                let _ = breaker.reset(&mut state, now);
            }
        }
        prop_assert_eq!(fast.phase(now), breaker.phase(&state, now));
        prop_assert_eq!(fast.standing(now), breaker.standing(&state, now));
    }
    Ok(steps.len() as u64)
}

#[test]
fn a_fast_breaker_says_what_the_machine_says() {
    let inputs = (1_u32..=3, 3_u8..=6, vec(any::<(u8, u8, u8)>(), 50..=100));
    play("fast breaker", inputs, |(count, good, steps)| {
        let times = |config: steadfast::breaker::BreakerConfig<_, 2>| {
            config
                .open_for(nanos(5))
                .probe_lease(nanos(7))
                .close_after(count)
        };
        let row = times(Breaker::consecutive(count).probes::<2>());
        let calls = Breaker::rate_over_calls::<1>(4 + 2 * count)
            .min_calls(1 + count)
            .open_for(nanos(5))
            .probe_lease(nanos(7));
        let time = Breaker::rate_over_time::<3>(nanos(u64::from(9 * count)))
            .failures_percent(40)
            .min_calls(2 + count)
            .open_for(nanos(5))
            .probe_lease(nanos(7));
        let (slow_calls, slow_time) = (
            calls.slow_percent(50, nanos(2)),
            time.slow_percent(60, nanos(2)),
        );
        Ok(as_the_machine(row.build().unwrap(), 3, &steps)?
            + as_the_machine(calls.build().unwrap(), good, &steps)?
            + as_the_machine(time.build().unwrap(), good, &steps)?
            + as_the_machine(slow_calls.build().unwrap(), good, &steps)?
            + as_the_machine(slow_time.build().unwrap(), good, &steps)?)
    });
}

#[test]
fn a_guard_that_is_dropped_by_a_panic_frees_its_probe() {
    static MAIL: Shared<Breaker> = Shared::breaker(Breaker::sensitive());
    for _ in 0..3 {
        let permit = MAIL.try_enter(NOW).unwrap();
        MAIL.record(NOW, permit, BAD);
    }
    let later = NOW + secs(15);
    let panicked = std::panic::catch_unwind(|| {
        let _call = MAIL.enter(|| later).unwrap();
        assert_eq!(MAIL.standing(later).probes_out, 1);
        std::panic::resume_unwind(Box::new("the operation panics"));
    });
    assert!(panicked.is_err());
    assert_eq!(MAIL.standing(later).probes_out, 0);
    let call = MAIL.enter(|| later).unwrap();
    let told = call
        .record(|| later, Outcome::Success)
        .expect("one is enough");
    assert_eq!(told.to, Phase::Closed);
}

/// The state was changed and the word was not: it would say "forced open" and let calls pass.
#[test]
fn after_a_panic_under_the_lock_everybody_asks_the_lock() {
    struct InMutex(std::sync::Mutex<BreakerState>);
    impl Locked<BreakerState> for InMutex {
        fn with<R>(&self, work: impl FnOnce(&mut BreakerState) -> R) -> R {
            let lock = self.0.lock();
            work(&mut lock.unwrap_or_else(std::sync::PoisonError::into_inner))
        }
    }
    let lock = InMutex(std::sync::Mutex::new(BreakerState::CLOSED));
    let fast: FastBreaker<Consecutive, 1, InMutex> = FastBreaker::with_lock(STANDARD, lock);
    let permit = fast.try_enter(|| NOW).unwrap();
    fast.record(|| NOW, permit, Outcome::Success);
    let by_hand = std::panic::AssertUnwindSafe(|| {
        fast.with_state(|breaker, state| {
            let _ = breaker.force_open(state, NOW);
            assert!(NOW < Instant::ZERO, "a log line that panics");
        });
    });
    assert!(std::panic::catch_unwind(by_hand).is_err());
    assert_eq!(fast.phase(NOW), Phase::ForcedOpen);
    assert_eq!(fast.try_enter(|| NOW), Err(Rejected::ForcedOpen));
}

/// Three holders of one machine.
#[test]
fn a_state_under_a_policy_of_the_callers_answers_as_the_others_do() {
    static STATE: Shared<BreakerState> = Shared::breaker_state(BreakerState::CLOSED);
    let whole = Shared::breaker(STANDARD);
    let under = STATE.under(&STANDARD);
    let mut now = NOW;
    let mut probes = 0;
    for step in 0..400_u64 {
        now = now + secs(step % 7);
        let outcome = if step % 50 < 20 {
            BAD
        } else {
            Outcome::Success
        };
        let (one, other) = (under.enter(|| now), whole.enter(|| now));
        match (one, other) {
            (Ok(one), Ok(other)) if step % 11 > 0 => {
                probes += u32::from(one.permit().is_probe());
                assert_eq!(one.permit(), other.permit());
                assert_eq!(one.record(|| now, outcome), other.record(|| now, outcome));
            }
            // Given up.
            (Ok(_), Ok(_)) => {}
            (one, other) => assert_eq!(one.err(), other.err()),
        }
        assert_eq!(under.standing(now), whole.standing(now));
    }
    assert!(probes > 10, "it was half-open, too: {probes}");
    let by_hand = under.with_state(|breaker, state| breaker.force_open(state, now));
    assert_eq!(by_hand.map(|told| told.to), Some(Phase::ForcedOpen));
}
