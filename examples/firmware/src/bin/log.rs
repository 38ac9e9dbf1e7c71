//! Log messages limited per source: a sensor that fails a hundred times a second does not fill
//! the log, and does not keep the others out of it.
//!
//! What is left out is counted, and told with the next message of that source.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::fmt;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use steadfast::limit::{Keyed, KeyedPolicy, TokenBucket};
use steadfast::policy;
use steadfast::time::Instant;
use steadfast_firmware::board::{self, println};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Source {
    Radio,
    Sensor,
    Power,
}

/// One message every two seconds from each source, up to three at once.
const PER_SOURCE: KeyedPolicy<TokenBucket> =
    KeyedPolicy::new(policy!(TokenBucket::per_minute(30).burst(3)));

/// The log of the main loop. To log from interrupts too, share the table as `limiter` does.
struct Log {
    /// As many places as there are sources: so each always has its own.
    sources: Keyed<Source, TokenBucket, 3>,
    left_out: [u32; 3],
    shown: u32,
}

impl Log {
    const fn new() -> Self {
        Self {
            sources: Keyed::new(PER_SOURCE),
            left_out: [0; 3],
            shown: 0,
        }
    }

    /// The text is put together only if it is shown.
    fn say(&mut self, now: Instant, source: Source, text: fmt::Arguments<'_>) {
        let Some(left_out) = self.left_out.get_mut(source as usize) else {
            return;
        };
        if self.sources.try_acquire(source, now).is_err() {
            *left_out = left_out.saturating_add(1);
            return;
        }
        self.shown = self.shown.saturating_add(1);
        let at = now.as_nanos() / 1_000_000;
        match core::mem::take(left_out) {
            0 => println!("{at:>6} ms {source:?}: {text}"),
            more => println!("{at:>6} ms {source:?}: {text} ({more} more since the last)"),
        }
    }
}

const TICKS_A_SECOND: u32 = 100;
const RUN_TICKS: u32 = 5 * TICKS_A_SECOND;

static TICKS: AtomicU32 = AtomicU32::new(0);

steadfast_firmware::on_tick!(tick);

fn tick() {
    TICKS.store(TICKS.load(Relaxed).wrapping_add(1), Relaxed);
}

#[board::entry]
fn main() -> ! {
    let mut log = Log::new();
    let mut said = 0_u32;
    let mut well = board::start_clock(TICKS_A_SECOND);
    let mut seen = 0;
    while well && seen < RUN_TICKS {
        board::wait_for_interrupt();
        let tick = TICKS.load(Relaxed);
        if tick == seen {
            continue;
        }
        seen = tick;
        let mut say = |source, text: fmt::Arguments<'_>| {
            log.say(board::now(), source, text);
            said = said.wrapping_add(1);
        };
        say(Source::Sensor, format_args!("no answer at tick {tick}"));
        match tick {
            1 => say(Source::Power, format_args!("on battery")),
            250 => say(Source::Radio, format_args!("link lost")),
            400 => say(Source::Radio, format_args!("link up, channel {}", 11)),
            _ => {}
        }
    }

    // Three of the sensor's at once and two more in five seconds; all of the others'.
    let left_out = log.left_out.iter().sum::<u32>();
    println!("{said} said, {} shown, {left_out} not told yet", log.shown);
    well &= said == RUN_TICKS + 3 && log.shown == 3 + 2 + 3 && left_out < 2 * TICKS_A_SECOND;
    board::end(well)
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    board::panicked(info)
}
