//! Sensors that share a radio uplink and wait for their turn, on embassy's executor.
//!
//! The uplink carries ten frames a second, four at once at most. Three sensors want to send more
//! than that, an update needs four frames at once, and two tasks give up waiting. Everyone is
//! served in the order of coming; who is cancelled leaves the limiter as if it had never come. The
//! timeline at the end is compared with what must be, line by line.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::fmt;
use core::panic::PanicInfo;

use cortex_m_semihosting::hprintln;
use embassy_executor::Spawner;
use embassy_time::{Timer, with_timeout};
use steadfast::limit::{Queued, RateLimiter, StaticWaitQueue, TokenBucket, WaitQueue};
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{Clock, EmbassyTime, Instant, millis, secs};
use steadfast_embassy::timeline::{Event, Timeline};

/// The radio: ten frames a second, four at once, and up to eight tasks that wait.
static UPLINK: Queued<Shared<RateLimiter<TokenBucket>>, EmbassyTime, StaticWaitQueue<8>> =
    Queued::new(
        Shared::new(RateLimiter::new(policy!(
            TokenBucket::per_second(10).burst(4)
        ))),
        EmbassyTime,
        StaticWaitQueue::new(),
    );

/// What became of a task's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// The limiter said yes, to so many frames at once.
    Sent(u32),
    /// It was cancelled while it waited.
    Left,
    /// It was refused, which is not part of the story.
    Refused,
}
use What::{Left, Refused, Sent};

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sent(1) => f.write_str("sends a frame"),
            Sent(frames) => write!(f, "sends {frames} frames at once"),
            Left => f.write_str("is cancelled while it waits"),
            Refused => f.write_str("is refused"),
        }
    }
}

static TIMELINE: Timeline<What, 32> = Timeline::new();

fn note(who: &'static str, what: What) {
    TIMELINE.note(Event::at(EmbassyTime.now(), who, what));
}

/// Waits for the uplink, sends `frames`, and notes when.
async fn send(who: &'static str, frames: u32) {
    let granted = UPLINK.acquire_by(frames, Instant::MAX).await;
    note(who, granted.map_or(Refused, |granted| Sent(granted.cost())));
}

/// Four readings, each a frame; the next one is there 10 ms after the last was sent.
#[embassy_executor::task(pool_size = 3)]
async fn sensor(name: &'static str, starts_at: Instant) {
    Timer::at(starts_at.into()).await;
    for _ in 0..4 {
        send(name, 1).await;
        Timer::after_millis(10).await;
    }
}

/// Four frames, all or nothing. The sensors, who need one each, do not starve it.
#[embassy_executor::task]
async fn update(starts_at: Instant) {
    Timer::at(starts_at.into()).await;
    send("update", 4).await;
}

/// Does not wait longer than 200 ms, and is then dropped in the middle of the queue.
#[embassy_executor::task]
async fn hasty(starts_at: Instant) {
    Timer::at(starts_at.into()).await;
    if with_timeout(millis(200).into(), send("hasty", 1))
        .await
        .is_err()
    {
        note("hasty", Left);
    }
}

/// What must be. A frame each 100 ms once the four of the burst are gone.
const EXPECTED: [Event<What>; 16] = [
    Event::at_ms(100, "sensor A", Sent(1)),
    Event::at_ms(101, "sensor B", Sent(1)),
    Event::at_ms(102, "sensor C", Sent(1)),
    Event::at_ms(110, "sensor A", Sent(1)),
    // The burst is gone. Waiting since 111, 112 and 120 ms:
    Event::at_ms(200, "sensor B", Sent(1)),
    Event::at_ms(300, "sensor C", Sent(1)),
    Event::at_ms(400, "sensor A", Sent(1)),
    // Waiting since 250 ms, behind the update and sensor B.
    Event::at_ms(450, "hasty", Left),
    // Waiting since 150 ms; first in the queue since 400 ms, and four frames take 400 ms. Had the
    // sensors overtaken it, it would wait until they are done.
    Event::at_ms(800, "update", Sent(4)),
    // Waiting since 210, 310 and 410 ms. Had the hasty one taken anything, these would be later.
    Event::at_ms(900, "sensor B", Sent(1)),
    Event::at_ms(1_000, "sensor C", Sent(1)),
    Event::at_ms(1_100, "sensor A", Sent(1)),
    Event::at_ms(1_200, "sensor B", Sent(1)),
    Event::at_ms(1_300, "sensor C", Sent(1)),
    // Waited since 1,310 ms as the first, with the limiter's timer running.
    Event::at_ms(1_360, "main", Left),
    // Came at 1,370 ms. The frame that the cancelled one would have had is there on time.
    Event::at_ms(1_400, "main", Sent(1)),
];

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    if !steadfast_embassy::start_time() {
        hprintln!("the time did not start");
        steadfast_embassy::exit(false);
    }
    let (Ok(a), Ok(b), Ok(c), Ok(update), Ok(hasty)) = (
        sensor("sensor A", Instant::from_millis(100)),
        sensor("sensor B", Instant::from_millis(101)),
        sensor("sensor C", Instant::from_millis(102)),
        update(Instant::from_millis(150)),
        hasty(Instant::from_millis(250)),
    ) else {
        hprintln!("there are more tasks than room for them");
        steadfast_embassy::exit(false);
    };
    spawner.spawn(a);
    spawner.spawn(b);
    spawner.spawn(c);
    spawner.spawn(update);
    spawner.spawn(hasty);

    Timer::at(Instant::from_millis(1_310).into()).await;
    if with_timeout(millis(50).into(), send("main", 1))
        .await
        .is_err()
    {
        note("main", Left);
    }
    let nobody_waits = UPLINK.queue().is_empty();
    Timer::at(Instant::from_millis(1_370).into()).await;
    // If somebody stands in the way for ever, the timeline shows who.
    let _ = with_timeout(secs(1).into(), send("main", 1)).await;

    // What was sent is the burst and the rate times the time, to the frame; the rest is there
    // when the bucket is full again.
    let full_at = EmbassyTime.now() + millis(400);
    let full = UPLINK.limiter().available(full_at) == 4;

    let well = TIMELINE.print_beside(&EXPECTED) && nobody_waits && full;
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
