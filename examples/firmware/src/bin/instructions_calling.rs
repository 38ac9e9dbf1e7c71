//! How many instructions calling out takes: a breaker's permit and the result recorded, a delay, a
//! retry.
//!
//! Apart from `instructions`, for the reason that `instructions_combined` gives.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::cell::Cell;
use core::hint::black_box;
use core::panic::PanicInfo;

use critical_section::Mutex;
use steadfast::backoff::{Backoff, BackoffState};
use steadfast::breaker::{Breaker, BreakerState, CircuitBreaker, FastBreaker, Rate, Trip};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::random::SharedRandom;
use steadfast::retry::{NoBudget, Retry, RetryPolicy, Step};
use steadfast::shared::Shared;
use steadfast::time::{Duration, Instant, hours, minutes};
use steadfast::window::{CountWindow, TimeWindow};
use steadfast_firmware::bench::Bench;
use steadfast_firmware::board;

const ROW: Breaker = Breaker::standard();
const RETRIES: RetryPolicy = RetryPolicy::standard();

static ENTERED: Shared<Breaker> = Shared::breaker(ROW);
static CALLED: Shared<Breaker> = Shared::breaker(ROW);
static UNDER: Shared<BreakerState> = Shared::breaker_state(BreakerState::CLOSED);
static CALLED_FAST: FastBreaker = FastBreaker::new(ROW);
static BY_CALLS: Shared<Breaker<Rate<CountWindow<2>>>> =
    Shared::breaker(policy!(Breaker::rate_over_calls::<2>(64)));
static BY_TIME: Shared<Breaker<Rate<TimeWindow<10>>>> =
    Shared::breaker(policy!(Breaker::rate_over_time::<10>(minutes(1))));
static DELAYS: Mutex<Cell<BackoffState>> = Mutex::new(Cell::new(BackoffState::START));
static SESSION: Mutex<Cell<Retry>> = Mutex::new(Cell::new(RETRIES.start(Instant::ZERO)));
static DICE: SharedRandom = SharedRandom::new(7);

/// What a call brought, which the compiler cannot know.
fn outcome() -> Outcome {
    Outcome::of(&black_box(Ok::<u32, u32>(1)))
}

steadfast_firmware::asks! {
    breaker_enter: |now| ENTERED.try_enter(now).is_ok();
    breaker: |now| match CALLED.try_enter(now) {
        Ok(permit) => {
            CALLED.record(now, permit, outcome());
            true
        }
        Err(_) => false,
    };
    breaker_under: |now| match UNDER.under(&ROW).try_enter(|| now) {
        Ok(permit) => {
            UNDER.under(&ROW).record(|| now, permit, outcome());
            true
        }
        Err(_) => false,
    };
    breaker_fast: |now| match CALLED_FAST.try_enter(|| now) {
        Ok(permit) => {
            CALLED_FAST.record(|| now, permit, outcome());
            true
        }
        Err(_) => false,
    };
    breaker_calls: |now| match BY_CALLS.try_enter(now) {
        Ok(permit) => {
            BY_CALLS.record(now, permit, outcome());
            true
        }
        Err(_) => false,
    };
    breaker_time: |now| match BY_TIME.try_enter(now) {
        Ok(permit) => {
            BY_TIME.record(now, permit, outcome());
            true
        }
        Err(_) => false,
    };
    backoff: |_now| critical_section::with(|cs| {
        let mut state = DELAYS.borrow(cs).get();
        let delay = Backoff::standard().next_delay(&mut state, &mut &DICE);
        DELAYS.borrow(cs).set(state);
        delay < black_box(Duration::MAX)
    });
    retry: |now| critical_section::with(|cs| {
        let mut retry = RETRIES.start(now);
        let outcome = black_box(Outcome::TRANSIENT);
        let step = retry.step(&RETRIES, now, outcome, &NoBudget, &mut &DICE);
        SESSION.borrow(cs).set(retry);
        matches!(step, Step::RetryAt(_))
    });
}

/// Open for longer than a thousand noes take.
fn open<T: Trip>(breaker: &Shared<Breaker<T>>, now: Instant) {
    breaker.with_state(|policy, state| policy.force_open_for(state, now, hours(1)));
}

#[board::entry]
fn main() -> ! {
    let mut bench = Bench::new();
    bench.machine_with("breaker_enter", Duration::ZERO, breaker_enter, |now, _| {
        open(&ENTERED, now);
    });
    bench.machine_with("breaker", Duration::ZERO, breaker, |now, _| {
        open(&CALLED, now);
    });
    bench.machine_with("breaker_under", Duration::ZERO, breaker_under, |now, _| {
        let held = |policy: &Breaker, state: &mut BreakerState| {
            policy.force_open_for(state, now, hours(1));
        };
        UNDER.under(&ROW).with_state(held);
    });
    bench.machine_with("breaker_fast", Duration::ZERO, breaker_fast, |now, _| {
        CALLED_FAST.with_state(|policy, state| policy.force_open_for(state, now, hours(1)));
    });
    bench.machine_with("breaker_calls", Duration::ZERO, breaker_calls, |now, _| {
        open(&BY_CALLS, now);
    });
    bench.machine_with("breaker_time", Duration::ZERO, breaker_time, |now, _| {
        open(&BY_TIME, now);
    });
    bench.always("backoff", true, backoff);
    bench.always("retry", true, retry);
    bench.end()
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    board::panicked(info)
}
