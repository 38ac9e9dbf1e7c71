//! How many instructions a yes and a no take, counted in QEMU with `-icount shift=0`.
//!
//! Each figure is that of a function of the firmware which asks the machine, from its call to
//! its return; what the loop around it takes is measured with an empty function and subtracted.
//! The same question is asked a thousand times, which makes the count exact to the instruction.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;
use core::panic::PanicInfo;

use steadfast::limit::{
    CompactBucket, FixedWindow, IntervalBucket, KeyedPolicy, Places, RateLimiter,
    SlidingWindowCounter, TokenBucket,
};
use steadfast::policy;
use steadfast::shared::{Live, Shared};
use steadfast::time::{Duration, Instant, hours};
use steadfast_firmware::board::{self, InstructionCounter, println};

const TIMES: u32 = 1_000;

/// Seven a minute leaves a fraction of a nanosecond in each sum; five a second does not, and the
/// compiler sees that.
const ODD: TokenBucket = policy!(TokenBucket::per_minute(7).burst(2_000));
const EVEN: TokenBucket = policy!(TokenBucket::per_second(5).burst(2_000));
const COMPACT: CompactBucket = policy!(TokenBucket::per_minute(7).burst(2_000).compact());
const WINDOW: FixedWindow = policy!(FixedWindow::new(2_000, hours(1)));
const COUNTER: SlidingWindowCounter = policy!(SlidingWindowCounter::new(2_000, hours(1)));
const INTERVAL: IntervalBucket = policy!(IntervalBucket::new(2_000, hours(1)));
const PER_NODE: KeyedPolicy<TokenBucket> = KeyedPolicy::new(ODD);

static SHARED_ODD: Shared<RateLimiter<TokenBucket>> = Shared::new(RateLimiter::new(ODD));
static SHARED_EVEN: Shared<RateLimiter<TokenBucket>> = Shared::new(RateLimiter::new(EVEN));
static LIVE_ODD: Shared<Live<TokenBucket>> = Shared::live(RateLimiter::new(ODD));
static SHARED_COMPACT: Shared<RateLimiter<CompactBucket>> = Shared::new(RateLimiter::new(COMPACT));
static SHARED_WINDOW: Shared<RateLimiter<FixedWindow>> = Shared::new(RateLimiter::new(WINDOW));
static SHARED_COUNTER: Shared<RateLimiter<SlidingWindowCounter>> =
    Shared::new(RateLimiter::new(COUNTER));
static SHARED_INTERVAL: Shared<RateLimiter<IntervalBucket>> =
    Shared::new(RateLimiter::new(INTERVAL));
static SHARED_NODES: Shared<Places<u16, TokenBucket, 16>> = Shared::places();
static SHARED_MANY: Shared<Places<u16, TokenBucket, 64>> = Shared::places();

/// Defines the function that is measured: never inlined, so that it is what firmware calls.
macro_rules! asks {
    ($name:ident, |$now:ident| $ask:expr) => {
        #[inline(never)]
        fn $name($now: Instant) -> bool {
            $ask
        }
    };
}

asks!(nothing, |now| now == Instant::ZERO);
asks!(critical_section, |now| critical_section::with(
    |_| now == Instant::ZERO
));
asks!(shared_odd, |now| SHARED_ODD.try_acquire(now).is_ok());
asks!(shared_even, |now| SHARED_EVEN.try_acquire(now).is_ok());
asks!(live_odd, |now| LIVE_ODD.try_acquire(now).is_ok());
asks!(shared_compact, |now| SHARED_COMPACT
    .try_acquire(now)
    .is_ok());
asks!(shared_window, |now| SHARED_WINDOW.try_acquire(now).is_ok());
asks!(shared_counter, |now| SHARED_COUNTER
    .try_acquire(now)
    .is_ok());
asks!(shared_interval, |now| SHARED_INTERVAL
    .try_acquire(now)
    .is_ok());
asks!(shared_node, |now| SHARED_NODES
    .try_acquire(&PER_NODE, black_box(9), now)
    .is_ok());
asks!(shared_many, |now| SHARED_MANY
    .try_acquire(&PER_NODE, black_box(9), now)
    .is_ok());

#[inline(never)]
fn own(limiter: &mut RateLimiter<TokenBucket>, now: Instant) -> bool {
    limiter.try_acquire(now).is_ok()
}

/// Measures one machine after the other.
struct Bench {
    counter: InstructionCounter,
    /// What the loop takes without a machine in it.
    loops: u32,
    well: bool,
}

impl Bench {
    /// Asks a thousand times, each time `apart` later than the last; what one question took.
    #[inline(never)]
    fn each<F: FnMut(Instant) -> bool>(
        &mut self,
        now: &mut Instant,
        apart: Duration,
        expected: bool,
        ask: &mut F,
    ) -> u32 {
        let mut others = 0_u32;
        let all = self.counter.count(|| {
            for _ in 0..TIMES {
                *now = *now + apart;
                others = others.wrapping_add(u32::from(ask(*now) != expected));
            }
        });
        self.well &= others == 0 && all.is_some();
        let all = all.unwrap_or(0).wrapping_sub(self.loops);
        all.wrapping_add(TIMES / 2) / TIMES
    }

    /// Prints what a yes takes of a machine at rest, of one in the middle of a burst, and what a
    /// no takes.
    fn machine<F: FnMut(Instant) -> bool>(&mut self, name: &str, mut ask: F) {
        let mut now = Instant::from_secs(1_000);
        let at_rest = self.each(&mut now, hours(2), true, &mut ask);
        let in_burst = self.each(&mut now, Duration::ZERO, true, &mut ask);
        while ask(now) {}
        let no = self.each(&mut now, Duration::ZERO, false, &mut ask);
        println!("{}: {} {} {}", name, at_rest, in_burst, no);
    }
}

#[board::entry]
fn main() -> ! {
    let Some(counter) = InstructionCounter::start() else {
        println!("the timer is taken");
        board::exit(false);
    };
    let mut bench = Bench {
        counter,
        loops: 0,
        well: true,
    };
    let mut now = Instant::ZERO;
    let loop_alone = bench.each(&mut now, hours(2), false, &mut nothing);
    bench.loops = loop_alone.wrapping_mul(TIMES);

    let section = bench.each(&mut now, hours(2), false, &mut critical_section);
    println!("critical section: {} {} {}", section, section, section);
    let mut odd = RateLimiter::new(black_box(ODD));
    bench.machine("token bucket, 7 a minute", |now| own(&mut odd, now));
    let mut even = RateLimiter::new(black_box(EVEN));
    bench.machine("token bucket, 5 a second", |now| own(&mut even, now));
    bench.machine("token bucket, 7 a minute, shared", shared_odd);
    bench.machine("token bucket, 5 a second, shared", shared_even);
    bench.machine("token bucket, 7 a minute, live", live_odd);
    bench.machine("compact bucket, shared", shared_compact);
    bench.machine("fixed window, shared", shared_window);
    bench.machine("sliding window counter, shared", shared_counter);
    bench.machine("interval bucket, shared", shared_interval);
    bench.machine("key in 16 places, shared", shared_node);
    bench.machine("key in 64 places, shared", shared_many);
    board::exit(bench.well)
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    board::panicked(info)
}
