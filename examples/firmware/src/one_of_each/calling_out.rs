//! Calling out: one of each machine, each taken through one call that times out.

use core::cell::Cell;
use core::hint::black_box;

use critical_section::Mutex;
use steadfast::breaker::{Breaker, Breakers, Rate};
use steadfast::fallback::{DeferredQueue, FallbackMeter, Freshness, LastGood, StaleCache, primary};
use steadfast::fault::{FaultPlan, Faults};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::random::SharedRandom;
use steadfast::retry::{Retry, RetryBudget, RetryPolicy, Step};
use steadfast::shared::Shared;
use steadfast::time::{Duration, Instant, millis, minutes, secs};
use steadfast::window::{CountWindow, TimeWindow};

const RETRIES: RetryPolicy = RetryPolicy::standard();
static SESSION: Mutex<Cell<Retry>> = Mutex::new(Cell::new(RETRIES.start(Instant::ZERO)));
static PURSE: Shared<RetryBudget> = Shared::budget(RetryBudget::standard());
static DICE: SharedRandom = SharedRandom::new(7);

static ROW: Shared<Breaker> = Shared::breaker(Breaker::standard());
static BY_CALLS: Shared<Breaker<Rate<CountWindow<2>>>> =
    Shared::breaker(policy!(Breaker::rate_over_calls::<2>(64)));
static BY_TIME: Shared<Breaker<Rate<TimeWindow<10>>>> = Shared::breaker(policy!(
    Breaker::rate_over_time::<10>(minutes(1)).slow_percent(50, millis(20))
));
static NODES: Shared<Breakers<u16, 8>> = Shared::breakers(Breaker::sensitive());

static LAST: Shared<LastGood<u32>> = Shared::last_good(Freshness::STANDARD);
static CACHE: Shared<StaleCache<u16, u32, 8>> = Shared::stale_cache(Freshness::STANDARD);
static LATER: Shared<DeferredQueue<u32, 8>> = Shared::deferred_queue();
static METER: Shared<FallbackMeter<6>> =
    Shared::fallback_meter(policy!(FallbackMeter::over(secs(60))));

static PHASES: [(Duration, Faults); 1] = [(secs(10), policy!(Faults::of().errors(50)))];
const PLAN: FaultPlan = policy!(FaultPlan::phases(&PHASES));

/// Takes each through one call.
#[inline]
pub fn ask(now: Instant) -> bool {
    let outcome = black_box(Outcome::TimedOut);
    step(now, outcome) & breakers(now, outcome) & fallbacks(now)
}

#[inline]
fn step(now: Instant, outcome: Outcome) -> bool {
    critical_section::with(|cs| {
        let mut retry = SESSION.borrow(cs).get();
        let step = retry.step(&RETRIES, now, outcome, &PURSE, &mut &DICE);
        SESSION.borrow(cs).set(retry);
        matches!(step, Step::RetryAt(_))
    })
}

#[inline]
fn breakers(now: Instant, outcome: Outcome) -> bool {
    let key = black_box(1);
    let mut changed = false;
    if let Ok(permit) = ROW.try_enter(now) {
        changed |= ROW.record(now, permit, outcome).is_some();
    }
    if let Ok(permit) = BY_CALLS.try_enter(now) {
        changed |= BY_CALLS.record(now, permit, outcome).is_some();
    }
    if let Ok(permit) = BY_TIME.try_enter(now) {
        changed |= BY_TIME.record(now, permit, outcome).is_some();
    }
    if let Ok(permit) = NODES.try_enter(key, now) {
        changed |= NODES.record(key, now, permit, outcome).is_some();
    }
    changed
}

#[inline]
fn fallbacks(now: Instant) -> bool {
    let fault = black_box(PLAN).draw(now, &mut &DICE).fault;
    let answer: Result<u32, u32> = black_box(fault.outcome().map_or(Ok(1), |_| Err(1)));
    let served = primary(answer)
        .backed_by(&LAST, now)
        .backed_by(CACHE.at(black_box(1)), now)
        .or_defer(|| LATER.push(black_box(1), now).map(|_| 2))
        .or_default(|| 0);
    if let Some(work) = LATER.begin(now, secs(30)) {
        LATER.done(work.ticket);
    }
    METER.record(now, served.is_degraded()).is_some()
}
