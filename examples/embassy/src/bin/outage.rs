//! Two tasks that fetch over a link which garbles, hangs, loses its carrier and comes back.
//!
//! Each call has up to three attempts of 40 ms within 150 ms. Both tasks share one breaker: after
//! three failed calls in a row nobody dials for 400 ms. The display shows its last good answer
//! meanwhile, while it is younger than a second. A task that is cancelled in the middle of a probe
//! leaves room for the next. The timeline at the end is compared with what must be, line by line.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::cell::Cell;
use core::fmt;
use core::future::pending;
use core::panic::PanicInfo;

use cortex_m_semihosting::hprintln;
use embassy_executor::Spawner;
use embassy_time::{Ticker, Timer, with_timeout};
use steadfast::backoff::{Backoff, Jitter};
use steadfast::breaker::{Breaker, FastBreaker, Phase};
use steadfast::call::{Attempt, Call, CallError, Observe};
use steadfast::event::{BreakerEvent, BreakerOutcome, RetryEvent};
use steadfast::fallback::{Freshness, LastGood};
use steadfast::policy;
use steadfast::random::SharedRandom;
use steadfast::retry::RetryPolicy;
use steadfast::shared::Shared;
use steadfast::time::{Clock, Duration, EmbassyTime, Instant, millis};
use steadfast_embassy::timeline::{Event, Timeline};

/// The far side of the link. While all is well a call costs it two loads.
static GATEWAY: FastBreaker = FastBreaker::new(policy!(
    Breaker::consecutive(3).open_for(millis(400)).close_after(2)
));

/// Up to three attempts; up to 20 ms before the second, up to 40 ms before the third.
const RETRY: RetryPolicy = policy!(
    RetryPolicy::new(policy!(
        Backoff::exponential(millis(20))
            .cap(millis(200))
            .jitter(Jitter::Full)
    ))
    .attempts(3)
);
const ATTEMPT: Duration = millis(40);
const WHOLE: Duration = millis(150);

/// Where the jitter comes from. On a board, seed it with what tells the board from others.
static DICE: SharedRandom = SharedRandom::new(0x1a2b);

/// What the display last got.
static TEMPERATURE: Shared<LastGood<i16>> =
    Shared::last_good(policy!(Freshness::up_to(millis(1_000))));

/// What the link does instead of an answer.
#[derive(Clone, Copy, Debug)]
enum LinkError {
    Garbled,
    NoCarrier,
}

/// One exchange over the link. It takes 10 ms where nothing is wrong.
async fn exchange(attempt: Attempt) -> Result<i16, LinkError> {
    match EmbassyTime.now().as_nanos() / 1_000_000 {
        350..450 if attempt.number == 1 => {
            Timer::after_millis(5).await;
            Err(LinkError::Garbled)
        }
        550..1_050 => pending().await,
        1_050..1_500 => {
            Timer::after_millis(5).await;
            Err(LinkError::NoCarrier)
        }
        _ => {
            Timer::after_millis(10).await;
            Ok(21)
        }
    }
}

/// What became of a task's call, or of the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// It was answered, by so many attempts.
    Answered(u32),
    /// So many attempts came to nothing.
    Failed(u32),
    /// The breaker said no, and nobody waited.
    Refused,
    /// There is what was answered so many milliseconds after the start.
    Kept(u64),
    /// And now there is nothing.
    Nothing,
    /// It was cancelled in the middle of an attempt.
    Left,
    /// The breaker changed.
    Turned(Phase, Phase),
}
use What::{Answered, Failed, Kept, Left, Nothing, Refused, Turned};

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answered(1) => f.write_str("is answered"),
            Answered(attempts) => write!(f, "is answered, by attempt {attempts}"),
            Failed(1) => f.write_str("gives up after one attempt"),
            Failed(attempts) => write!(f, "gives up after {attempts} attempts"),
            Refused => f.write_str("is refused at once"),
            Kept(ms) => write!(f, "shows the answer of {ms} ms"),
            Nothing => f.write_str("shows nothing, that answer is too old"),
            Left => f.write_str("is cancelled in the middle of a probe"),
            Turned(from, to) => write!(f, "{from} -> {to}"),
        }
    }
}

static TIMELINE: Timeline<What, 40> = Timeline::new();

fn note(who: &'static str, what: What) {
    TIMELINE.note(Event::at(EmbassyTime.now(), who, what));
}

/// Sees what happens inside a call.
struct Story {
    who: &'static str,
    attempts: Cell<u32>,
}

impl Story {
    const fn of(who: &'static str) -> Self {
        Self {
            who,
            attempts: Cell::new(0),
        }
    }
}

impl Observe for Story {
    fn attempted(&self, event: &RetryEvent<'_>) {
        self.attempts.set(event.attempt);
    }

    fn guarded(&self, event: &BreakerEvent<'_>) {
        match event.outcome {
            BreakerOutcome::Rejected(_) => note(self.who, Refused),
            BreakerOutcome::Changed(change) => note("breaker", Turned(change.from, change.to)),
            _ => {}
        }
    }
}

/// Shows the temperature, every 200 ms, and would rather show an old one than none.
#[embassy_executor::task]
async fn display(starts_at: Instant) {
    Timer::at(starts_at.into()).await;
    let mut ticker = Ticker::every(millis(200).into());
    for _ in 0..11 {
        let story = Story::of("display");
        let shown = Call::told(exchange, EmbassyTime, &DICE)
            .retry(&RETRY)
            .attempt_timeout(ATTEMPT)
            .guarded_by(&GATEWAY)
            .within(WHOLE)
            .observed_by(&story)
            .or_stale(&TEMPERATURE)
            .call()
            .await;
        let now = EmbassyTime.now();
        note(
            "display",
            match shown {
                Ok(served) if served.is_degraded() => {
                    Kept((now - served.age).as_nanos() / 1_000_000)
                }
                Ok(_) => Answered(story.attempts.get()),
                Err(_) => Nothing,
            },
        );
        ticker.next().await;
    }
}

/// Sends a line every 200 ms. What does not get through is not worth keeping.
#[embassy_executor::task]
async fn logger(starts_at: Instant) {
    Timer::at(starts_at.into()).await;
    let mut ticker = Ticker::every(millis(200).into());
    for _ in 0..10 {
        let story = Story::of("logger");
        let sent = Call::told(exchange, EmbassyTime, &DICE)
            .retry(&RETRY)
            .attempt_timeout(ATTEMPT)
            .guarded_by(&GATEWAY)
            .within(WHOLE)
            .observed_by(&story)
            .call()
            .await;
        match sent {
            Ok(_) => note("logger", Answered(story.attempts.get())),
            // The story has noted it.
            Err(CallError::Rejected { .. }) => {}
            Err(error) => note("logger", Failed(error.attempts())),
        }
        ticker.next().await;
    }
}

/// Comes when a probe may go, and is dropped before the probe is over.
#[embassy_executor::task]
async fn hasty(starts_at: Instant) {
    Timer::at(starts_at.into()).await;
    let story = Story::of("hasty");
    let call = Call::told(exchange, EmbassyTime, &DICE)
        .guarded_by(&GATEWAY)
        .observed_by(&story)
        .call();
    if with_timeout(millis(3).into(), call).await.is_err() {
        note("hasty", Left);
    }
}

/// What must be. Where attempts were repeated, chance has spread the times.
const EXPECTED: [Event<What>; 31] = [
    Event::at_ms(110, "display", Answered(1)),
    Event::at_ms(210, "logger", Answered(1)),
    Event::at_ms(310, "display", Answered(1)),
    // Garbled at 405 ms.
    Event::between_ms(415, 435, "logger", Answered(2)),
    Event::at_ms(510, "display", Answered(1)),
    // Each attempt hangs and is cut after 40 ms, or by the end of the whole at 150 ms.
    Event::between_ms(720, 750, "logger", Failed(3)),
    Event::between_ms(820, 850, "display", Kept(510)),
    Event::between_ms(920, 950, "breaker", Turned(Phase::Closed, Phase::Open)),
    Event::between_ms(920, 950, "logger", Failed(3)),
    Event::at_ms(1_000, "logger", Refused),
    // Went at 900 ms, when it was closed: that this failed too changes nothing.
    Event::between_ms(1_020, 1_050, "display", Kept(510)),
    Event::at_ms(1_100, "display", Refused),
    Event::at_ms(1_100, "display", Kept(510)),
    Event::at_ms(1_200, "logger", Refused),
    Event::at_ms(1_300, "display", Refused),
    Event::at_ms(1_300, "display", Kept(510)),
    // 400 ms after it has opened. Without room for another probe the logger would be refused.
    Event::at_ms(1_360, "breaker", Turned(Phase::Open, Phase::HalfOpen)),
    Event::at_ms(1_363, "hasty", Left),
    // A probe is one attempt.
    Event::at_ms(1_405, "breaker", Turned(Phase::HalfOpen, Phase::Open)),
    Event::at_ms(1_405, "logger", Failed(1)),
    Event::at_ms(1_500, "display", Refused),
    Event::at_ms(1_500, "display", Kept(510)),
    Event::at_ms(1_600, "logger", Refused),
    Event::at_ms(1_700, "display", Refused),
    Event::at_ms(1_700, "display", Nothing),
    Event::at_ms(1_800, "logger", Refused),
    // The link is back since 1,500 ms; two probes that work close the breaker.
    Event::at_ms(1_900, "breaker", Turned(Phase::Open, Phase::HalfOpen)),
    Event::at_ms(1_910, "display", Answered(1)),
    Event::at_ms(2_010, "breaker", Turned(Phase::HalfOpen, Phase::Closed)),
    Event::at_ms(2_010, "logger", Answered(1)),
    Event::at_ms(2_110, "display", Answered(1)),
];

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    if !steadfast_embassy::start_time() {
        hprintln!("the time did not start");
        steadfast_embassy::exit(false);
    }
    let (Ok(display), Ok(logger), Ok(hasty)) = (
        display(Instant::from_millis(100)),
        logger(Instant::from_millis(200)),
        hasty(Instant::from_millis(1_360)),
    ) else {
        hprintln!("there are more tasks than room for them");
        steadfast_embassy::exit(false);
    };
    spawner.spawn(display);
    spawner.spawn(logger);
    spawner.spawn(hasty);
    Timer::at(Instant::from_millis(2_200).into()).await;

    let standing = GATEWAY.standing(EmbassyTime.now());
    let at_rest = standing.phase == Phase::Closed && standing.totals.failures == 0;
    let well = TIMELINE.print_beside(&EXPECTED) && at_rest && standing.probes_out == 0;
    hprintln!(
        "{}",
        if well {
            "as it should be"
        } else {
            "NOT as it should be"
        }
    );
    steadfast_embassy::exit(well);
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    steadfast_embassy::panicked(info)
}
