//! Transmissions spaced by a leaky bucket: it says when each may go, and the queue is bounded.
//!
//! The clock is one that gives `fugit` instants, as RTIC's monotonics do; the library's feature
//! `fugit-v0_6` converts them.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::panic::PanicInfo;

use steadfast::limit::{Granted, LeakyBucket, RateLimiter};
use steadfast::policy;
use steadfast::time::{Clock, Duration, Instant, millis, secs};
use steadfast_firmware::board::{self, println};

/// The time since the start in ticks of this board's counter.
type Uptime = fugit::Instant<u64, 1, { board::TICKS_A_SECOND as u64 }, fugit::kind::Monotonic>;

/// The monotonic: in RTIC it would be the one that the application makes.
struct Monotonic;

impl Monotonic {
    fn now() -> Uptime {
        Uptime::from_ticks(board::ticks())
    }
}

impl Clock for Monotonic {
    fn now(&self) -> Instant {
        Self::now().into()
    }
}

const SPACING: Duration = millis(50);
/// One goes at once, and so many wait.
const QUEUE: usize = 4;
const LINE: LeakyBucket = policy!(LeakyBucket::spacing(SPACING, QUEUE as u32));

/// The tick wakes the main loop; a one-shot timer set to `Granted::at` would do as well.
const TICKS_A_SECOND: u32 = 1_000;
const TICK: Duration = millis(1);

/// Packets come six at a time, a second apart.
const BATCHES: u64 = 5;
const BATCH: u32 = 6;

steadfast_firmware::on_tick!(nothing);

const fn nothing() {}

/// What waits for its departure, the earliest first.
struct Waiting {
    packets: [Option<(u32, Granted)>; QUEUE + 1],
}

impl Waiting {
    const fn new() -> Self {
        Self {
            packets: [None; QUEUE + 1],
        }
    }

    fn push(&mut self, number: u32, granted: Granted) -> bool {
        match self.packets.iter_mut().find(|place| place.is_none()) {
            Some(place) => {
                *place = Some((number, granted));
                true
            }
            None => false,
        }
    }

    fn pop_due(&mut self, now: Instant) -> Option<(u32, Granted)> {
        let (_, granted) = self.packets.first().copied().flatten()?;
        if granted.at() > now {
            return None;
        }
        let packet = self.packets.first_mut()?.take();
        self.packets.rotate_left(1);
        packet
    }

    fn pop_last(&mut self) -> Option<(u32, Granted)> {
        self.packets.iter_mut().rev().find_map(Option::take)
    }

    fn is_empty(&self) -> bool {
        self.packets.iter().all(Option::is_none)
    }
}

#[board::entry]
fn main() -> ! {
    let mut line = RateLimiter::new(LINE);
    let mut waiting = Waiting::new();
    let mut well = board::start_clock(TICKS_A_SECOND);
    let (mut sent, mut refused, mut withdrawn) = (0_u32, 0_u32, 0_u32);
    let mut last_sent = None;
    let mut number = 0_u32;
    let mut batches = 0;

    while well && (batches < BATCHES || !waiting.is_empty()) {
        let now = Monotonic.now();
        if batches < BATCHES && now >= Instant::ZERO + secs(batches) {
            for _ in 0..BATCH {
                number = number.wrapping_add(1);
                match line.reserve(now, 1, secs(1)) {
                    Ok(granted) => well &= waiting.push(number, granted),
                    Err(denied) => {
                        if batches == 0 {
                            println!("packet {number}: {denied}");
                        }
                        refused = refused.wrapping_add(1);
                    }
                }
            }
            // Now and then what was to go last is not wanted any more: its place comes back.
            if batches % 2 == 1
                && let Some((_, granted)) = waiting.pop_last()
            {
                line.cancel(now, &granted);
                withdrawn = withdrawn.wrapping_add(1);
                well &= line
                    .reserve(now, 1, secs(1))
                    .is_ok_and(|again| again.at() == granted.at() && waiting.push(number, again));
            }
            batches = batches.wrapping_add(1);
        }
        while let Some((number, granted)) = waiting.pop_due(now) {
            if batches == 1 {
                println!("{:>3} ms: packet {number}", now.as_nanos() / 1_000_000);
            }
            // Never early, at most a tick late, and never two closer than the spacing.
            well &= now.since(granted.at()) <= TICK;
            well &= last_sent.is_none_or(|last| granted.at().since(last) >= SPACING);
            last_sent = Some(granted.at());
            sent = sent.wrapping_add(1);
        }
        board::wait_for_interrupt();
    }

    println!("{sent} sent, {refused} refused, {withdrawn} withdrawn and given to another");
    well &= sent == 5 * BATCHES as u32 && refused == BATCHES as u32 && withdrawn == 2;
    board::end(well)
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    board::panicked(info)
}
