//! A thermometer on a bus that hangs: a breaker keeps the main loop from waiting for it, and the
//! last reading serves meanwhile, with its age.
//!
//! A read from a bus that hangs takes 25 ms until its timeout, in which the device does nothing
//! else. After three of them the breaker opens and the bus is left alone, longer each time; when
//! it is well again, a probe finds out. What is displayed always says how old it is, and when it is
//! too old, that there is none.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::cell::Cell;
use core::fmt;
use core::panic::PanicInfo;

use steadfast::breaker::{Breaker, Phase};
use steadfast::call::{Attempt, Call, Observe};
use steadfast::event::{BreakerEvent, BreakerOutcome, RetryEvent};
use steadfast::fallback::{Freshness, LastGood, Served, Source};
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{BlockingSleep, Clock, Duration, Instant, ManualClock, millis, secs};
use steadfast_firmware::board::{self, println};

/// Three failures in a row open it for half a second, and longer each time it reopens; two reads
/// that work close it.
static BUS: Shared<Breaker> = Shared::breaker(policy!(
    Breaker::consecutive(3)
        .open_for(millis(500))
        .growing_to(secs(2))
        .close_after(2)
));

/// A temperature is of use for four seconds.
static LAST: Shared<LastGood<Decidegrees>> = Shared::last_good(policy!(Freshness::up_to(MAX_AGE)));
const MAX_AGE: Duration = secs(4);

/// The device's own time; `limiter` shows it moved by an interrupt.
static UPTIME: ManualClock = ManualClock::new(Instant::ZERO);

const CYCLE: Duration = millis(100);
const CYCLES: u32 = 150;
/// How long a read waits for a bus that hangs.
const TIMEOUT: Duration = millis(25);

/// Tenths of a degree; `None` is what is displayed when nobody knows.
type Decidegrees = Option<i16>;

/// The device, which has nothing else to do while it waits.
struct Device;

impl Clock for Device {
    fn now(&self) -> Instant {
        UPTIME.now()
    }
}

impl BlockingSleep for Device {
    fn sleep_blocking(&self, duration: Duration) {
        UPTIME.advance(duration);
    }
}

/// The bus as the story has it: two reads fail by chance, later it hangs for six seconds.
fn read_bus(_: Attempt) -> Result<Decidegrees, &'static str> {
    let at = UPTIME.now().since(Instant::ZERO);
    let hangs = (millis(1_000)..millis(1_200)).contains(&at) || (secs(3)..secs(9)).contains(&at);
    if hangs {
        UPTIME.advance(TIMEOUT);
        return Err("the bus hangs");
    }
    // A tenth of a degree a second.
    Ok(Some(200 + (at.as_nanos() / 1_000_000_000) as i16))
}

/// A reading, or the last one, or that there is none.
fn temperature(tally: &Tally) -> Served<Decidegrees> {
    // A read is not repeated, so no chance is drawn.
    Call::blocking(read_bus, Device, || 0)
        .guarded_by(&BUS)
        .observed_by(tally)
        .or_stale(&LAST)
        .or_else(|| None)
        .call_blocking()
}

/// What became of the reads.
#[derive(Default)]
struct Tally {
    /// Reads that waited for the timeout.
    waited: Cell<u32>,
    /// Reads that the breaker left out.
    left_out: Cell<u32>,
    opened: Cell<u32>,
    closed: Cell<u32>,
}

impl Observe for Tally {
    fn attempted(&self, event: &RetryEvent<'_>) {
        let waited = u32::from(event.outcome.is_failure());
        self.waited.set(self.waited.get().wrapping_add(waited));
    }

    fn guarded(&self, event: &BreakerEvent<'_>) {
        if let BreakerOutcome::Changed(transition) = event.outcome {
            println!("{}: bus {}", Seconds(event.at), transition);
        }
        let count = match event.outcome.label() {
            "rejected" => &self.left_out,
            "opened" => &self.opened,
            "closed" => &self.closed,
            _ => return,
        };
        count.set(count.get().wrapping_add(1));
    }
}

#[board::entry]
fn main() -> ! {
    let tally = Tally::default();
    let (mut good, mut stale, mut none) = (0_u32, 0_u32, 0_u32);
    let mut well = true;
    let mut shown = None;

    for cycle in 1..=CYCLES {
        // The cycle begins on time if the one before took no longer than it may.
        let begin = Instant::ZERO + CYCLE.saturating_mul(u64::from(cycle));
        well &= UPTIME.now() < begin;
        UPTIME.set(begin);

        let served = temperature(&tally);
        match served.source {
            Source::Primary => good = good.wrapping_add(1),
            Source::Stale => stale = stale.wrapping_add(1),
            _ => none = none.wrapping_add(1),
        }
        // It says how old it is, and nothing too old is shown.
        well &= served.value.is_some() == (served.source != Source::Default);
        well &= served.is_degraded() == (served.source != Source::Primary);
        well &= served.age < MAX_AGE;
        let second = begin.since(Instant::ZERO).as_nanos() / 1_000_000_000;
        if shown != Some((served.source, second)) {
            shown = Some((served.source, second));
            if served.is_degraded() {
                display(&served);
            }
        }
    }

    println!("{good} readings, {stale} from before, {none} times none");
    let (waited, left_out) = (tally.waited.get(), tally.left_out.get());
    let (opened, closed) = (tally.opened.get(), tally.closed.get());
    println!("{waited} reads waited for the timeout, {left_out} left out;");
    println!("opened {opened} times, closed {closed} times");
    let lost = TIMEOUT.saturating_mul(u64::from(waited));
    println!("{lost} lost on the bus, of the 60 cycles in which it hung");

    // Two glitches that open nothing; three reads open it, and each probe until the bus is well
    // reopens it. 60 cycles long it hung, and soon after it is closed.
    well &= closed == 1 && BUS.phase(UPTIME.now()) == Phase::Closed;
    well &= waited == 2 + 3 + (opened - 1) && opened > 1;
    well &= lost < millis(300);
    well &= none > 0 && good > CYCLES - 2 - 60 - 25;
    board::end(well && good + stale + none == CYCLES)
}

fn display(served: &Served<Decidegrees>) {
    let at = UPTIME.now();
    match served.value {
        Some(tenths) => println!(
            "{}: {}.{} degrees, {} ago",
            Seconds(at),
            tenths / 10,
            tenths % 10,
            served.age
        ),
        None => println!("{}: no reading", Seconds(at)),
    }
}

/// An instant as a log has it.
struct Seconds(Instant);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.since(Instant::ZERO).as_nanos() / 1_000_000;
        write!(f, "{:>2}.{:03} s", millis / 1_000, millis % 1_000)
    }
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    board::panicked(info)
}
