//! What users see of fallbacks, one pattern a file.

mod alarm;
mod chain;
mod kept;
mod outage;
mod parts;
mod queue;
mod switch;
mod waiting;

use steadfast::ConfigError;
use steadfast::fallback::{
    Aged, DeferredQueue, DeferredTicket, FallbackMeter, FallbackMeterState, Freshness, LastGood,
    LastGoodState, Missed, Served, Source, StaleCache,
};
use steadfast::limit::MAX_WAIT;
use steadfast::time::{Duration, Instant, minutes, nanos, secs};

const NOW: Instant = Instant::from_secs(1_000);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Error {
    NoConnection,
    OutOfStock,
}

const DOWN: Result<u32, Error> = Err(Error::NoConnection);

fn aged(value: u32, age: Duration) -> Aged<u32> {
    Aged {
        value,
        age,
        is_fresh: false,
    }
}

fn missed(sources: &[Source]) -> Missed {
    sources
        .iter()
        .fold(Missed::NONE, |all, &source| all.with(source))
}

/// A stage that must not be asked.
fn never<T>() -> T {
    panic!("this stage was asked")
}

#[track_caller]
fn refuses<T: std::fmt::Debug>(built: Result<T, ConfigError>, text: &str) {
    assert_eq!(built.unwrap_err().to_string(), text);
}

#[test]
fn what_cannot_be_is_refused() {
    refuses(
        Freshness::up_to(Duration::ZERO).build(),
        "max_age = 0s, allowed 1ns..=4611686018.427387904s",
    );
    refuses(
        Freshness::up_to(MAX_WAIT + nanos(1)).build(),
        "max_age = 4611686018.427387905s, allowed 1ns..=4611686018.427387904s",
    );
    refuses(
        Freshness::up_to(secs(1)).fresh_for(secs(2)).build(),
        "fresh_for = 2s, allowed 0s..=1s",
    );
    let meter = || FallbackMeter::<4>::over(minutes(1));
    refuses(
        meter().raised_at(0).build(),
        "raised_at (permille) = 0, allowed 1..=1000",
    );
    refuses(
        meter().raised_at(1_001).build(),
        "raised_at (permille) = 1001, allowed 1..=1000",
    );
    refuses(
        meter().cleared_below(501).build(),
        "cleared_below (permille) = 501, allowed 1..=500",
    );
    refuses(
        meter().cleared_below(0).build(),
        "cleared_below (permille) = 0, allowed 1..=500",
    );
    refuses(
        meter().min_answers(0).build(),
        "min_answers = 0, allowed 1..=4294967295",
    );
    assert!(FallbackMeter::<4>::over(Duration::ZERO).build().is_err());

    assert!(
        Freshness::up_to(MAX_WAIT)
            .fresh_for(MAX_WAIT)
            .build()
            .is_ok()
    );
    assert_eq!(Freshness::STANDARD.max_age(), minutes(5));
    assert_eq!(Freshness::STANDARD.fresh_for(), Duration::ZERO);
}

#[test]
#[cfg(target_pointer_width = "64")]
fn sizes_are_as_documented() {
    assert_eq!(size_of::<Missed>(), 1);
    assert_eq!(size_of::<Freshness>(), 16);
    assert_eq!(
        size_of::<LastGood<u64>>(),
        16 + size_of::<LastGoodState<u64>>()
    );
    assert_eq!(size_of::<DeferredTicket>(), 16);
    let growth = size_of::<DeferredQueue<u64, 9>>() - size_of::<DeferredQueue<u64, 1>>();
    assert_eq!(growth / 8, 8 + 40);
    let growth = size_of::<StaleCache<u64, u64, 9>>() - size_of::<StaleCache<u64, u64, 1>>();
    assert_eq!(growth / 8, 8 + 8 + 16);
    assert_eq!(size_of::<FallbackMeter<6>>(), 24);
    assert_eq!(size_of::<FallbackMeterState<6>>(), 12 * 6 + 32);
    assert_eq!(size_of::<Served<u64>>(), 24);
}
