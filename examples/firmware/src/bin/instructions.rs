//! How many instructions a yes and a no of each machine take, counted in QEMU with
//! `-icount shift=0`.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::cell::Cell;
use core::hint::black_box;
use core::panic::PanicInfo;

use critical_section::Mutex;
use steadfast::http::ServerQuota;
use steadfast::limit::{
    CompactBucket, FixedWindow, IntervalBucket, KeyedPolicy, LeakyBucket, Places, Policy,
    RateLimiter, ServerHold, ServerHoldState, SlidingWindowCounter, SlidingWindowLog, TokenBucket,
};
use steadfast::policy;
use steadfast::shared::{Live, Shared};
use steadfast::time::{Duration, Instant, hours, micros, millis, secs};
use steadfast_firmware::bench::Bench;
use steadfast_firmware::board;

/// Seven a minute leaves a fraction of a nanosecond in each sum; five a second does not, and the
/// compiler sees that.
const ODD: TokenBucket = policy!(TokenBucket::per_minute(7).burst(2_000));
const EVEN: TokenBucket = policy!(TokenBucket::per_second(5).burst(2_000));
const OWING: TokenBucket = policy!(TokenBucket::per_second(5).burst(2_000).debt_up_to(secs(60)));
const LINE: LeakyBucket = policy!(LeakyBucket::spacing(millis(50), 2_000));
const COMPACT: CompactBucket = policy!(TokenBucket::per_minute(7).burst(2_000).compact());
const WINDOW: FixedWindow = policy!(FixedWindow::new(2_000, hours(1)));
const ALIGNED: FixedWindow = policy!(FixedWindow::new(2_000, hours(1)).aligned());
const COUNTER: SlidingWindowCounter = policy!(SlidingWindowCounter::new(2_000, hours(1)));
/// It holds eight, so the burst is one a microsecond.
const LOG: SlidingWindowLog<8> = policy!(SlidingWindowLog::new(8, micros(7)));
const INTERVAL: IntervalBucket = policy!(IntervalBucket::new(2_000, hours(1)));
const PER_NODE: KeyedPolicy<TokenBucket> = KeyedPolicy::new(ODD);

static SHARED_ODD: Shared<RateLimiter<TokenBucket>> = Shared::new(RateLimiter::new(ODD));
static SHARED_ANY_COST: Shared<RateLimiter<TokenBucket>> = Shared::new(RateLimiter::new(ODD));
static SHARED_EVEN: Shared<RateLimiter<TokenBucket>> = Shared::new(RateLimiter::new(EVEN));
static SHARED_OWING: Shared<RateLimiter<TokenBucket>> = Shared::new(RateLimiter::new(OWING));
static SHARED_LINE: Shared<RateLimiter<LeakyBucket>> = Shared::new(RateLimiter::new(LINE));
static LIVE: Shared<Live<TokenBucket>> = Shared::live(RateLimiter::new(ODD));
static SHARED_COMPACT: Shared<RateLimiter<CompactBucket>> = Shared::new(RateLimiter::new(COMPACT));
static SHARED_WINDOW: Shared<RateLimiter<FixedWindow>> = Shared::new(RateLimiter::new(WINDOW));
static SHARED_ALIGNED: Shared<RateLimiter<FixedWindow>> = Shared::new(RateLimiter::new(ALIGNED));
static SHARED_COUNTER: Shared<RateLimiter<SlidingWindowCounter>> =
    Shared::new(RateLimiter::new(COUNTER));
static SHARED_LOG: Shared<RateLimiter<SlidingWindowLog<8>>> = Shared::new(RateLimiter::new(LOG));
static SHARED_INTERVAL: Shared<RateLimiter<IntervalBucket>> =
    Shared::new(RateLimiter::new(INTERVAL));
static SHARED_NODES: Shared<Places<u16, TokenBucket, 16>> = Shared::places();
static SHARED_MANY: Shared<Places<u16, TokenBucket, 64>> = Shared::places();
static HOLD: Mutex<Cell<ServerHoldState>> = Mutex::new(Cell::new(ServerHold::FULL));

steadfast_firmware::asks! {
    section: |now| critical_section::with(|_| now == Instant::ZERO);
    limiter: |now| SHARED_ODD.try_acquire(now).is_ok();
    limiter_even: |now| SHARED_EVEN.try_acquire(now).is_ok();
    limiter_wait: |now| SHARED_ANY_COST.try_acquire_n(now, black_box(1)).is_ok();
    charge: |now| SHARED_OWING.charge(now, black_box(1)) == 0;
    leaky: |now| SHARED_LINE.reserve(now, 1, hours(1)).is_ok();
    live: |now| LIVE.try_acquire(now).is_ok();
    compact: |now| SHARED_COMPACT.try_acquire(now).is_ok();
    window: |now| SHARED_WINDOW.try_acquire(now).is_ok();
    window_aligned: |now| SHARED_ALIGNED.try_acquire(now).is_ok();
    counter: |now| SHARED_COUNTER.try_acquire(now).is_ok();
    log: |now| SHARED_LOG.try_acquire(now).is_ok();
    interval: |now| SHARED_INTERVAL.try_acquire(now).is_ok();
    keyed_16: |now| SHARED_NODES.try_acquire(&PER_NODE, black_box(9), now).is_ok();
    keyed_64: |now| SHARED_MANY.try_acquire(&PER_NODE, black_box(9), now).is_ok();
    hold: |now| critical_section::with(|cs| {
        let mut state = HOLD.borrow(cs).get();
        let said = ServerHold::STANDARD.decide(&mut state, now, 1).is_ok();
        HOLD.borrow(cs).set(state);
        said
    });
}

/// A server says that nobody is to come for a minute.
fn refused(now: Instant) {
    let quota = ServerQuota::new(now).header("Retry-After", "60");
    critical_section::with(|cs| {
        let mut state = HOLD.borrow(cs).get();
        ServerHold::STANDARD.record(&mut state, now, 429, &quota);
        HOLD.borrow(cs).set(state);
    });
}

#[inline(never)]
fn own(limiter: &mut RateLimiter<TokenBucket>, now: Instant) -> bool {
    limiter.try_acquire(now).is_ok()
}

#[board::entry]
fn main() -> ! {
    let mut bench = Bench::new();
    bench.always("section", false, section);
    let mut odd = RateLimiter::new(black_box(ODD));
    bench.machine("own", |now| own(&mut odd, now));
    let mut even = RateLimiter::new(black_box(EVEN));
    bench.machine("own_even", |now| own(&mut even, now));
    bench.machine("limiter", limiter);
    bench.machine("limiter_even", limiter_even);
    bench.machine("limiter_wait", limiter_wait);
    bench.machine("charge", charge);
    bench.machine("leaky", leaky);
    bench.machine("live", live);
    bench.machine("compact", compact);
    bench.machine("window", window);
    bench.machine("window_aligned", window_aligned);
    bench.machine("counter", counter);
    // Each pushes the eighth before it out.
    bench.machine_with("log", micros(1), log, |now, ask| while ask(now) {});
    bench.machine("interval", interval);
    bench.machine("keyed_16", keyed_16);
    bench.machine("keyed_64", keyed_64);
    bench.machine_with("hold", Duration::ZERO, hold, |now, _| refused(now));
    bench.end()
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    board::panicked(info)
}
