//! The rate limiters: one of each algorithm, and a keyed table, each asked for one.

use core::cell::Cell;
use core::hint::black_box;

use critical_section::Mutex;
use steadfast::http::ServerQuota;
use steadfast::limit::{
    AllOf, CompactBucket, FixedWindow, IntervalBucket, KeyedPolicy, LeakyBucket, Places, Policy,
    RateLimiter, ServerHold, ServerHoldState, Shadow, SlidingWindowCounter, SlidingWindowLog,
    TokenBucket,
};
use steadfast::time::{Instant, millis, minutes, secs};
use steadfast::{policy, shared::Shared};

static RADIO: Shared<RateLimiter<TokenBucket>> = Shared::new(RateLimiter::new(policy!(
    TokenBucket::per_second(5).burst(10)
)));
static MODEM: Shared<RateLimiter<CompactBucket>> = Shared::new(RateLimiter::new(policy!(
    TokenBucket::per_second(5).burst(10).compact()
)));
static LOGIN: Shared<RateLimiter<FixedWindow>> =
    Shared::new(RateLimiter::new(policy!(FixedWindow::new(10, minutes(15)))));
static SEARCH: Shared<RateLimiter<SlidingWindowLog<8>>> = Shared::new(RateLimiter::new(policy!(
    SlidingWindowLog::new(8, secs(60))
)));
static UPLOAD: Shared<RateLimiter<SlidingWindowCounter>> = Shared::new(RateLimiter::new(policy!(
    SlidingWindowCounter::new(50, secs(60))
)));
static BATCH: Shared<RateLimiter<IntervalBucket>> = Shared::new(RateLimiter::new(policy!(
    IntervalBucket::new(10, secs(1)).capacity(100)
)));
static BEACON: Shared<RateLimiter<LeakyBucket>> = Shared::new(RateLimiter::new(policy!(
    LeakyBucket::spacing(millis(50), 2)
)));
static SMS: Shared<RateLimiter<AllOf<TokenBucket, FixedWindow>>> =
    Shared::new(RateLimiter::new(AllOf(
        policy!(TokenBucket::per_second(1)),
        policy!(FixedWindow::new(20, minutes(60))),
    )));
static TRIAL: Shared<RateLimiter<Shadow<TokenBucket>>> = Shared::new(RateLimiter::new(Shadow(
    policy!(TokenBucket::per_second(3)),
)));
const PER_NODE: KeyedPolicy<TokenBucket> =
    KeyedPolicy::new(policy!(TokenBucket::per_second(2).burst(4)));
static NODES: Shared<Places<u16, TokenBucket, 16>> = Shared::places();

static HOLD: Mutex<Cell<ServerHoldState>> = Mutex::new(Cell::new(ServerHold::FULL));

/// An answer of a server recorded, and asked for one.
fn hold(now: Instant) -> bool {
    critical_section::with(|cs| {
        let mut state = HOLD.borrow(cs).get();
        let quota = black_box(ServerQuota::new(now));
        ServerHold::STANDARD.record(&mut state, now, black_box(429), &quota);
        let said = ServerHold::STANDARD.decide(&mut state, now, 1).is_ok();
        HOLD.borrow(cs).set(state);
        said
    })
}

/// Asks each for one.
#[inline]
pub fn ask(now: Instant) -> bool {
    RADIO.try_acquire(now).is_ok()
        & MODEM.try_acquire(now).is_ok()
        & LOGIN.try_acquire(now).is_ok()
        & SEARCH.try_acquire(now).is_ok()
        & UPLOAD.try_acquire(now).is_ok()
        & BATCH.try_acquire(now).is_ok()
        & BEACON.reserve(now, 1, secs(1)).is_ok()
        & SMS.try_acquire(now).is_ok()
        & TRIAL.try_acquire(now).is_ok_and(|said| said.would_pass())
        & NODES.try_acquire(&PER_NODE, black_box(1), now).is_ok()
        & hold(now)
}
