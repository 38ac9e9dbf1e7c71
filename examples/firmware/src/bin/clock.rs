//! Clocks that wrap, that wrap while they are read, and that have not started yet.
//!
//! The first parts are played with counters made up here, which wrap at every moment that there
//! is; each is also read in the plain way, to show that the plain way goes wrong. The last part is
//! the board's own clock.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::cell::Cell;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use steadfast::limit::{RateLimiter, TokenBucket};
use steadfast::policy;
use steadfast::time::{Duration, Instant, millis, secs};
use steadfast_firmware::board::{self, println};
use steadfast_firmware::counter::{self, DownCounter, Rounds};

const RADIO: TokenBucket = policy!(TokenBucket::per_second(5).burst(10));

/// As often as every board's timer can.
const TICKS_A_SECOND: u32 = 100_000;

static TICKS: AtomicU32 = AtomicU32::new(0);

steadfast_firmware::on_tick!(tick);

fn tick() {
    TICKS.store(TICKS.load(Relaxed).wrapping_add(1), Relaxed);
}

/// Before the clock runs, time stands still at zero: the burst passes, and nothing more.
fn not_started(radio: &mut RateLimiter<TokenBucket>) -> bool {
    let passed = (0..1_000).filter(|_| radio.try_acquire(board::now()).is_ok());
    let passed = passed.count();
    println!("before the clock starts: {passed} of 1000 pass");
    let denied = radio.try_acquire(board::now()).err();
    passed == 10
        && board::now() == Instant::ZERO
        && denied.and_then(|denied| denied.retry_after()) == Some(millis(200))
}

/// A down-counter that goes on by a tick with every so many accesses.
struct Made {
    reload: u32,
    accesses: u32,
    accesses_a_tick: u32,
    flag: bool,
}

impl Made {
    /// The truth, which the reader has to find out.
    const fn ticks(&self) -> u64 {
        (self.accesses / self.accesses_a_tick) as u64
    }

    fn stands_at(&self) -> u32 {
        let period = u64::from(self.reload) + 1;
        self.reload - (self.ticks() % period) as u32
    }

    fn access(&mut self) {
        let before = self.stands_at();
        self.accesses += 1;
        self.flag |= before != 0 && self.stands_at() == 0;
    }
}

impl DownCounter for Made {
    fn value(&mut self) -> u32 {
        self.access();
        self.stands_at()
    }

    fn came_to_zero(&mut self) -> bool {
        self.access();
        core::mem::take(&mut self.flag)
    }
}

/// Every way in which a short counter can wrap around the accesses of a reading.
fn wraps_while_read() -> bool {
    let (mut readings, mut wrong, mut wrong_if_read_once) = (0_u32, 0_u32, 0_u32);
    for (reload, accesses_a_tick) in (3..12).flat_map(|reload| [(reload, 1), (reload, 2)]) {
        let made = || Made {
            reload,
            accesses: 0,
            accesses_a_tick,
            flag: false,
        };

        let (mut counter, mut rounds) = (made(), Rounds::new(reload));
        for _ in 0..500 {
            let before = counter.ticks();
            let ticks = rounds.ticks(&mut counter);
            readings += 1;
            wrong += u32::from(!(before..=counter.ticks()).contains(&ticks));
        }

        let (mut counter, mut rounds) = (made(), 0);
        for _ in 0..500 {
            let before = counter.ticks();
            let value = counter.value();
            rounds += u64::from(counter.came_to_zero());
            let ticks = rounds * (u64::from(reload) + 1) + u64::from(reload - value);
            wrong_if_read_once += u32::from(!(before..=counter.ticks()).contains(&ticks));
        }
    }
    println!("a counter that wraps while it is read: {wrong} of {readings} readings wrong");
    println!("  the same, read once: {wrong_if_read_once} wrong");
    wrong == 0 && wrong_if_read_once > 0
}

/// A 64-bit counter in two halves, read around the moment when the low one wraps.
fn halves_while_read() -> bool {
    let (mut wrong, mut wrong_if_read_once) = (0_u32, 0_u32);
    for start in 0xffff_fff0..0x1_0000_0004_u64 {
        let truth = Cell::new(start);
        let access = || {
            truth.set(truth.get() + 1);
            truth.get()
        };
        let (high, low) = (|| (access() >> 32) as u32, || access() as u32);

        let read = counter::halves(high, low);
        wrong += u32::from(!(start..=truth.get()).contains(&read));

        truth.set(start);
        let read = u64::from(high()) << 32 | u64::from(low());
        wrong_if_read_once += u32::from(!(start..=truth.get()).contains(&read));
    }
    println!("a counter in two halves: {wrong} readings wrong; read once: {wrong_if_read_once}");
    wrong == 0 && wrong_if_read_once > 0
}

/// A millisecond count of 32 bits, which wraps after 49.7 days, seen by a limiter: how many pass
/// in the ten seconds around the wrap, and how long it is silent at most.
fn around_the_wrap(mut now: impl FnMut(u32) -> Instant) -> (u32, Duration) {
    let mut radio = RateLimiter::new(RADIO);
    let (mut passed, mut silent, mut longest) = (0_u32, 0_u64, 0_u64);
    for ms in 0..10_000_u32 {
        if radio.try_acquire(now(ms.wrapping_sub(5_000))).is_ok() {
            passed += 1;
            silent = 0;
        } else {
            silent += 1;
            longest = longest.max(silent);
        }
    }
    (passed, millis(longest))
}

fn tick_count_wraps() -> bool {
    let mut so_far = u64::from(0_u32.wrapping_sub(5_000));
    let (passed, silent) = around_the_wrap(|ms| {
        so_far = counter::extended(so_far, ms);
        Instant::from_millis(so_far)
    });
    println!("a millisecond count that wraps: {passed} pass, silent for {silent} at most");

    let (passed_back, silent_back) = around_the_wrap(|ms| Instant::from_millis(u64::from(ms)));
    println!("  not extended, so time jumps back: {passed_back} pass, silent for {silent_back}");

    // Ten at once and five a second for 9.999 s. A jump back costs at most the longest wait, which
    // is 200 ms here, and gives nobody a second burst.
    passed == 10 + 49
        && silent < millis(200)
        && (passed - 2..=passed).contains(&passed_back)
        && silent_back < millis(400)
}

/// The board's own clock while its counter wraps a thousand times.
fn boards_own(radio: &mut RateLimiter<TokenBucket>) -> bool {
    if !board::start_clock(TICKS_A_SECOND) || board::start_clock(TICKS_A_SECOND) {
        println!("the clock did not start, or started twice");
        return false;
    }
    let period = Duration::from_nanos(1_000_000_000 / u64::from(TICKS_A_SECOND));
    let (mut readings, mut backwards, mut astray) = (0_u32, 0_u32, 0_u32);
    let mut last = Instant::ZERO;
    while TICKS.load(Relaxed) < 1_000 {
        let before = TICKS.load(Relaxed);
        let now = board::now();
        let after = TICKS.load(Relaxed);
        readings += 1;
        backwards += u32::from(now < last);
        last = now;
        // An interrupt that is due may come a little later than the reading.
        let at_least = Instant::ZERO + period.saturating_mul(u64::from(before));
        let at_most = Instant::ZERO + period.saturating_mul(u64::from(after) + 2);
        astray += u32::from(!(at_least..at_most).contains(&now));
    }
    println!("the board's clock, {readings} readings: {backwards} went back, {astray} astray");

    // What stood still goes on from there.
    let wait = millis(200);
    while board::now() < Instant::ZERO + wait {
        if radio
            .try_acquire(board::now() - Duration::from_nanos(1))
            .is_ok()
        {
            println!("passed too early");
            return false;
        }
        board::wait_for_interrupt();
    }
    let goes_on = radio.try_acquire(board::now()).is_ok();
    readings > 5_000 && backwards == 0 && astray == 0 && goes_on && last < Instant::ZERO + secs(1)
}

#[board::entry]
fn main() -> ! {
    let mut radio = RateLimiter::new(RADIO);
    let well = [
        not_started(&mut radio),
        wraps_while_read(),
        halves_while_read(),
        tick_count_wraps(),
        boards_own(&mut radio),
    ];
    board::end(well == [true; 5])
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    board::panicked(info)
}
