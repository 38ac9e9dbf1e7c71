//! A modem that redials: not all at once, not for ever, and not together with its neighbours.
//!
//! Two devices lose their carrier at the same moment, when the mast goes down. Their ids are
//! neighbours, and each seeds the jitter of its redials by its own. So they dial together once, and
//! never again. One deadline covers all attempts and the waits between; a redial that would come
//! after it is not waited for.
//!
//! The call blocks, as it does in firmware without an executor: the board's clock is the time, and
//! to sleep is to wait for interrupts. `Call::new` is the same sentence with `await`.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::fmt;
use core::panic::PanicInfo;

use steadfast::backoff::{Backoff, Jitter};
use steadfast::call::{Attempt, Call, CallError};
use steadfast::policy;
use steadfast::random::SplitMix32;
use steadfast::retry::{RetryPolicy, StopReason};
use steadfast::time::{BlockingSleep, Clock, Duration, Instant, millis, secs};
use steadfast_firmware::board::{self, println};

/// A second, twice as long each time, half a minute at most; of each the second half is chance.
const REDIAL: RetryPolicy = policy!(
    RetryPolicy::new(policy!(
        Backoff::exponential(secs(1))
            .cap(secs(30))
            .jitter(Jitter::Equal)
    ))
    .attempts(DIALS as u32)
);
const DIALS: usize = 10;

/// How long a device tries before it goes on without the network.
const PATIENCE: Duration = secs(60);
/// How long it takes to hear that there is no carrier.
const DIALLING: Duration = millis(700);
/// How long the mast is down after the devices have lost it.
const OUTAGE: Duration = secs(20);

const TICKS_A_SECOND: u32 = 100;
/// A sleep ends with the tick after its end.
const TICK: Duration = millis(10);

steadfast_firmware::on_tick!(nothing);

const fn nothing() {}

/// The board's clock, and sleeping by its interrupts.
struct Board;

impl Clock for Board {
    fn now(&self) -> Instant {
        board::now()
    }
}

impl BlockingSleep for Board {
    fn sleep_blocking(&self, duration: Duration) {
        let until = self.now() + duration;
        while self.now() < until {
            board::wait_for_interrupt();
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NoCarrier;

impl fmt::Display for NoCarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no carrier")
    }
}

/// When a device dialled, from when it lost its carrier.
type Dialled = [Option<Duration>; DIALS];

/// Dials until there is a carrier. The devices share this board, so each story begins anew.
fn connect(id: u16, outage: Duration) -> (Result<u32, CallError<NoCarrier>>, Dialled) {
    let lost = board::now();
    let mut dialled: Dialled = [None; DIALS];
    // A device's own: two seeds that are alike would dial together every time.
    let jitter = SplitMix32::new(id.into());
    let dial = |attempt: Attempt| {
        let since = board::now().since(lost);
        if let Some(place) = dialled.iter_mut().find(|place| place.is_none()) {
            *place = Some(since);
        }
        // A modem is told how long it may listen: what is left until the attempt's deadline.
        let may = attempt.deadline.remaining(board::now());
        Board.sleep_blocking(DIALLING.min(may));
        if since < outage {
            Err(NoCarrier)
        } else {
            Ok(attempt.number)
        }
    };
    let said = Call::blocking(dial, Board, jitter)
        .named("dial")
        .notify(|event, error| {
            if let (Some(error), Some(delay)) = (error, event.delay()) {
                println!(
                    "{id:#06x}: {error} at dial {}, again in {}",
                    event.attempt,
                    Tenths(delay)
                );
            }
        })
        .retry(&REDIAL)
        .attempt_timeout(secs(5))
        .within(PATIENCE)
        .call_blocking();
    (said, dialled)
}

#[board::entry]
fn main() -> ! {
    let mut well = board::start_clock(TICKS_A_SECOND);
    if !well {
        println!("the clock did not start");
        board::exit(false);
    }

    let (one, mut by_one) = connect(0x1A30, OUTAGE);
    let (other, by_other) = connect(0x1A31, OUTAGE);
    for (id, said) in [(0x1A30, &one), (0x1A31, &other)] {
        match said {
            Ok(dials) => println!("{id:#06x}: connected at dial {dials}"),
            Err(error) => println!("{id:#06x}: {error}"),
        }
        well &= matches!(said, Ok(2..));
    }

    // Together when the carrier is lost; from then on each by itself.
    well &= by_one.first().copied().flatten() < Some(TICK);
    well &= by_other.first().copied().flatten() < Some(TICK);
    let mut nearest = Duration::MAX;
    for place in by_one.iter_mut().skip(1) {
        let Some(dial) = place.take() else {
            continue;
        };
        for other in by_other.iter().skip(1).flatten() {
            nearest = nearest.min((dial - *other) + (*other - dial));
        }
    }
    println!("their redials are {} apart at least", Tenths(nearest));
    well &= nearest > millis(100) && nearest < PATIENCE;

    // The mast stays down: no dial after the deadline, and no sleep towards one.
    let began = board::now();
    let (said, dialled) = connect(0x1A32, Duration::MAX);
    let took = board::now().since(began);
    if let Err(error) = &said {
        println!("0x1a32: {error}, after {}", Tenths(took));
    }
    well &= took < PATIENCE;
    well &= dialled.iter().flatten().all(|dial| *dial < PATIENCE);
    well &= matches!(
        said,
        Err(CallError::Failed {
            stopped: StopReason::DeadlineTooNear { delay, left },
            ..
        }) if delay >= left
    );
    board::end(well)
}

/// A time to the tenth of a second, the same on every board.
struct Tenths(Duration);

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0.as_nanos() / 100_000_000;
        write!(f, "{}.{} s", tenths / 10, tenths % 10)
    }
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    board::panicked(info)
}
