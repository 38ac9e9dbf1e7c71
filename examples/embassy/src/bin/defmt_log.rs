//! What the library's values look like in a defmt log: the frames go out by semihosting, the
//! texts stay in the ELF file on the PC, and `defmt-print` puts them together.
//!
//! `defmt_log.txt` beside this file is what `defmt-print` then writes.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::panic::PanicInfo;

use cortex_m_rt::entry;
// Where the frames go.
use defmt_semihosting as _;
use steadfast::event::{LimitEvent, LimitOutcome};
use steadfast::http::{LimitName, RetryAfter};
use steadfast::limit::{AcquireError, Denied, RateLimiter, TokenBucket};
use steadfast::policy;
use steadfast::time::{Duration, Instant, micros, millis, nanos, secs};

const RADIO: TokenBucket = policy!(TokenBucket::per_second(5).burst(2).reserve_ahead(secs(1)));

#[entry]
fn main() -> ! {
    let mut radio = RateLimiter::new(RADIO);
    let now = Instant::from_millis(1_500);

    defmt::info!("at {}: {}", now, radio.standing(now));
    defmt::info!("two: {}", radio.try_acquire_n(now, 2).map(|yes| yes.cost()));
    let third = radio.try_acquire(now);
    defmt::info!("a third: {}", third);
    let reserved = radio.reserve(now, 1, secs(1));
    defmt::info!("a third, later: {}", reserved.map(|yes| yes.at()));
    defmt::warn!("three at once: {}", radio.try_acquire_n(now, 3));

    let event = LimitEvent {
        limit: "radio",
        outcome: LimitOutcome::of::<TokenBucket>(&third),
        cost: 1,
        at: now,
    };
    defmt::info!("event: {}", event);
    defmt::info!("retry after: {}", third.err().and_then(retry_after));
    let mistake = TokenBucket::per_second(0).build();
    defmt::error!("policy: {}", mistake.err());
    defmt::error!("waiting: {}", AcquireError::QueueFull { capacity: 8 });
    defmt::info!("name: {}", LimitName::new("radio"));

    let told = [
        Duration::ZERO,
        nanos(7),
        micros(1),
        nanos(1_234),
        millis(200),
        nanos(548_913_689),
        nanos(1_000_001),
        millis(1_500),
        nanos(1_000_000_001),
        secs(90),
        Duration::MAX,
    ];
    defmt::info!("durations: {}", told);

    let well = third
        == Err(Denied::RateLimited {
            retry_after: millis(200),
        });
    steadfast_embassy::exit(well)
}

fn retry_after(denied: Denied) -> Option<RetryAfter> {
    denied.retry_after().map(RetryAfter::new)
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    steadfast_embassy::panicked(info)
}
