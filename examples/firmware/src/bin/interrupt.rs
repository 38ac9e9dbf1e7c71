//! One limiter between the main loop and an interrupt, a million times: nothing hangs, and no
//! count is lost.
//!
//! Both ask as fast as they can, so the bucket is never full after its first burst. Then what the
//! two got together is the burst and the rate times the time that went by, to the token; and
//! interrupts do land inside the main loop's calls, which is counted too.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use steadfast::limit::{RateLimiter, TokenBucket};
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::Instant;
use steadfast_firmware::board::{self, println};

/// No whole number of nanoseconds a token, so that a lost fraction would show as well.
const RATE: u32 = 700_001;
const BURST: u32 = 50;

static PULSES: Shared<RateLimiter<TokenBucket>> = Shared::new(RateLimiter::new(policy!(
    TokenBucket::per_second(RATE).burst(BURST)
)));

const OPERATIONS: u32 = 1_000_000;
const TICKS_A_SECOND: u32 = 100_000;
const ASKED_A_TICK: u32 = 4;
/// How many interrupts must have landed inside a call of the main loop, or nothing was tried.
const LANDED_AT_LEAST: u32 = 1_000;

/// Only the interrupt writes these two, and only the main loop the third: a load and a store are
/// enough on a core without compare-and-swap.
static TICKS: AtomicU32 = AtomicU32::new(0);
static INTERRUPT_GOT: AtomicU32 = AtomicU32::new(0);
static OVER: AtomicBool = AtomicBool::new(false);
/// Both write this one, around the same calls and without a critical section: it loses counts.
static UNGUARDED: AtomicU32 = AtomicU32::new(0);

steadfast_firmware::on_tick!(tick);

fn tick() {
    if OVER.load(Relaxed) {
        return;
    }
    TICKS.store(TICKS.load(Relaxed).wrapping_add(1), Relaxed);
    UNGUARDED.store(UNGUARDED.load(Relaxed).wrapping_add(ASKED_A_TICK), Relaxed);
    for _ in 0..ASKED_A_TICK {
        if PULSES.try_acquire(board::now()).is_ok() {
            let got = INTERRUPT_GOT.load(Relaxed).wrapping_add(1);
            INTERRUPT_GOT.store(got, Relaxed);
        }
    }
}

#[board::entry]
fn main() -> ! {
    // The bucket starts full, and the clock has not: so what it fills with counts from zero.
    let mut got = 0_u32;
    while PULSES.try_acquire(Instant::ZERO).is_ok() {
        got = got.wrapping_add(1);
    }
    let mut well = got == BURST && board::start_clock(TICKS_A_SECOND);

    let mut asked = 0_u32;
    let mut landed = 0_u32;
    while well && asked.wrapping_add(by_interrupt()) < OPERATIONS {
        let now = board::now();
        let ticks = TICKS.load(Relaxed);
        let unguarded = UNGUARDED.load(Relaxed);
        let said = PULSES.try_acquire(now);
        UNGUARDED.store(unguarded.wrapping_add(1), Relaxed);
        landed = landed.wrapping_add(u32::from(TICKS.load(Relaxed) != ticks));
        got = got.wrapping_add(u32::from(said.is_ok()));
        asked = asked.wrapping_add(1);
        // Of varied length, or the interrupts might always fall on the same place of this loop.
        for _ in 0..asked % 13 {
            core::hint::spin_loop();
        }
    }
    OVER.store(true, Relaxed);

    // What has come in since the last yes.
    let end = board::now();
    while PULSES.try_acquire(end).is_ok() {
        got = got.wrapping_add(1);
    }

    let operations = asked.wrapping_add(by_interrupt());
    let lost = operations.wrapping_sub(UNGUARDED.load(Relaxed));
    let interrupt_got = INTERRUPT_GOT.load(Relaxed);
    let both = got.wrapping_add(interrupt_got);
    let refilled = end.as_nanos().wrapping_mul(u64::from(RATE)) / 1_000_000_000;
    let allowed = u64::from(BURST).wrapping_add(refilled);
    println!("main loop: {asked} asked, {got} granted");
    println!(
        "interrupt: {} asked, {interrupt_got} granted",
        by_interrupt()
    );
    println!("{landed} interrupts inside a call of the main loop");
    println!("a count that both keep without a critical section lost {lost}");
    println!("{operations} operations, {both} granted, {allowed} allowed");

    well &= u64::from(both) == allowed && interrupt_got > 0;
    well &= landed >= LANDED_AT_LEAST && lost > 0;
    board::end(well)
}

fn by_interrupt() -> u32 {
    TICKS.load(Relaxed).wrapping_mul(ASKED_A_TICK)
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    board::panicked(info)
}
