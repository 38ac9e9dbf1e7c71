//! A radio gateway that limits what it sends and what each node may send it, asked from its main
//! loop and from the tick interrupt.
//!
//! It runs for two seconds of the board's time, then checks its own story: what passed is the
//! burst and the rate times the time that went by, to the message, whoever asked.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use steadfast::limit::{KeyedPolicy, Places, RateLimiter, TokenBucket};
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{Clock, Instant, ManualClock, millis};
use steadfast_firmware::board::{self, println};

/// Five messages a second, up to ten at once, whoever sends them.
static RADIO: Shared<RateLimiter<TokenBucket>> = Shared::new(RateLimiter::new(policy!(
    TokenBucket::per_second(5).burst(10)
)));

/// Each node may send two messages a second, up to four at once. The rule is constant and stays
/// in flash; the table is all zeros and takes RAM only.
const PER_NODE: KeyedPolicy<TokenBucket> =
    KeyedPolicy::new(policy!(TokenBucket::per_second(2).burst(4)));
static NODES: Shared<Places<u16, TokenBucket, 16>> = Shared::places();

/// The time since the start: the tick interrupt moves it, everyone reads it.
static UPTIME: ManualClock = ManualClock::new(Instant::ZERO);

/// Ticks so far, and how many messages of its own the interrupt has sent. Only the interrupt
/// writes them, so a load and a store are enough on a core without compare-and-swap.
static TICKS: AtomicU32 = AtomicU32::new(0);
static BEACONS: AtomicU32 = AtomicU32::new(0);

const TICKS_A_SECOND: u32 = 100;
const RUN_TICKS: u32 = 2 * TICKS_A_SECOND;
const CHATTY_NODE: u16 = 0x1A;

steadfast_firmware::on_tick!(tick);

fn tick() {
    UPTIME.advance(millis(10));
    let tick = TICKS.load(Relaxed).wrapping_add(1);
    TICKS.store(tick, Relaxed);

    // Every third tick the interrupt has something to send, too.
    if tick <= RUN_TICKS && tick.is_multiple_of(3) && RADIO.try_acquire(UPTIME.now()).is_ok() {
        BEACONS.store(BEACONS.load(Relaxed).wrapping_add(1), Relaxed);
    }
}

#[board::entry]
fn main() -> ! {
    if !board::start_clock(TICKS_A_SECOND) {
        println!("the clock did not start");
        board::exit(false);
    }

    let mut sent = 0_u32;
    let mut heard_chatty = 0_u32;
    let mut heard_quiet = 0_u32;
    let mut refused_quiet = 0_u32;
    let mut seen = 0;
    let mut told = false;
    loop {
        board::wait_for_interrupt();
        let tick = TICKS.load(Relaxed);
        if tick == seen {
            continue;
        }
        seen = tick;
        if tick > RUN_TICKS {
            break;
        }
        let now = UPTIME.now();

        // The main loop sends as much as it may.
        loop {
            match RADIO.try_acquire(now) {
                Ok(_) => sent = sent.wrapping_add(1),
                Err(denied) => {
                    if !told {
                        println!("tick {}: radio {}", tick, denied);
                        told = true;
                    }
                    break;
                }
            }
        }

        // One node sends in every tick, ten others once a second.
        if NODES.try_acquire(&PER_NODE, CHATTY_NODE, now).is_ok() {
            heard_chatty = heard_chatty.wrapping_add(1);
        }
        let quiet = tick % TICKS_A_SECOND;
        if quiet < 10 {
            match NODES.try_acquire(&PER_NODE, quiet as u16, now) {
                Ok(_) => heard_quiet = heard_quiet.wrapping_add(1),
                Err(_) => refused_quiet = refused_quiet.wrapping_add(1),
            }
        }
    }

    let beacons = BEACONS.load(Relaxed);
    println!(
        "radio: {} sent by the main loop, {} by the interrupt",
        sent, beacons
    );
    println!("node {:#x}: {} heard", CHATTY_NODE, heard_chatty);
    println!(
        "ten quiet nodes: {} heard, {} refused",
        heard_quiet, refused_quiet
    );

    // From the first tick to the last are 1.99 s: ten at once, then one each 200 ms makes nine
    // more; for a node four at once, then one each 500 ms makes three more.
    let well = sent.wrapping_add(beacons) == 19
        && beacons > 0
        && heard_chatty == 7
        && heard_quiet == 20
        && refused_quiet == 0;
    board::end(well)
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    board::panicked(info)
}
