//! A limiter a node on a CAN bus, and a full table on a device that nobody looks at.
//!
//! A broken node sends under an id of its own for every frame. The table has 16 places and never
//! grows: the ids that find no place share one limiter, whoever has a place notices nothing, and
//! when the flood is over the places are free again without anybody's doing. That it happened is
//! in a count, which goes out with the heartbeat.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::panic::PanicInfo;

use steadfast::limit::{KeyedPolicy, Places, TokenBucket};
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{Duration, Instant, millis, secs};
use steadfast_firmware::board::{self, println};

/// One frame a second from each node, up to four at once.
const PER_NODE: KeyedPolicy<TokenBucket> =
    KeyedPolicy::new(policy!(TokenBucket::per_second(1).burst(4)));
static NODES: Shared<Places<u16, TokenBucket, 16>> = Shared::places();

/// Eight controllers send once a second, all through the flood.
const CONTROLLERS: core::ops::Range<u16> = 0x10..0x18;
/// A door sends every three seconds. In between it is at rest, so its place is not its own.
const DOOR: u16 = 0x30;
/// The broken node's ids: one frame each.
const FLOOD: core::ops::Range<u16> = 0x400..0x7E8;

const TICK: Duration = millis(10);
const TICKS_A_SECOND: u32 = 100;
/// Seconds of the run.
const FLOOD_FROM: u32 = 5;
const FLOOD_UNTIL: u32 = 15;
const END: u32 = 25;

/// Who sent, and what became of it.
#[derive(Default)]
struct Heard {
    passed: u32,
    refused: u32,
}

impl Heard {
    fn frame(&mut self, node: u16, now: Instant) {
        match NODES.try_acquire(&PER_NODE, node, now) {
            Ok(_) => self.passed = self.passed.wrapping_add(1),
            Err(_) => self.refused = self.refused.wrapping_add(1),
        }
    }
}

/// What a heartbeat frame would carry: keys with a place, and how often one found none.
fn heartbeat(now: Instant) -> (usize, u32) {
    // `None` only from inside itself.
    NODES
        .with(|places| (places.active(&PER_NODE, now), places.crowded()))
        .unwrap_or_default()
}

#[board::entry]
fn main() -> ! {
    let mut controllers = Heard::default();
    let mut door = Heard::default();
    let mut door_after = Heard::default();
    let mut flood = Heard::default();
    let mut ids = FLOOD;
    let mut now = Instant::ZERO;

    // The device's own time, tick by tick; `limiter` shows it moved by an interrupt.
    for tick in 0..END * TICKS_A_SECOND {
        now = now + TICK;
        let (second, part) = (tick / TICKS_A_SECOND, tick % TICKS_A_SECOND);
        // On the bus the lower id goes first.
        if let Some(node) = CONTROLLERS.clone().nth(part as usize) {
            controllers.frame(node, now);
        }
        if second.is_multiple_of(3) && part == 50 {
            let heard = if second < FLOOD_UNTIL {
                &mut door
            } else {
                &mut door_after
            };
            heard.frame(DOOR, now);
        }
        if (FLOOD_FROM..FLOOD_UNTIL).contains(&second)
            && let Some(node) = ids.next()
        {
            flood.frame(node, now);
        }
        if part == 99 && second.is_multiple_of(5) {
            let (active, crowded) = heartbeat(now);
            println!("{second:>2} s: {active:>2} of 16 places taken, none found {crowded} times");
        }
    }
    let (active, crowded) = heartbeat(now + secs(4));

    for (name, heard) in [
        ("controllers", &controllers),
        ("flood", &flood),
        ("door, until then", &door),
        ("door, afterwards", &door_after),
    ] {
        println!("{name}: {} heard, {} refused", heard.passed, heard.refused);
    }

    // Eight places for the flood, each for one frame a second, and one limiter for all the rest:
    // at most four at once and one a second more.
    let flood_at_most = (8 + 1) * (FLOOD_UNTIL - FLOOD_FROM) + 4;
    let well = controllers.passed == END * 8
        && controllers.refused == 0
        && flood.passed <= flood_at_most
        && flood.passed + flood.refused == FLOOD.len() as u32
        && crowded >= flood.refused + door.refused
        && door_after.refused == 0
        && active == 0;
    board::end(well)
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    board::panicked(info)
}
