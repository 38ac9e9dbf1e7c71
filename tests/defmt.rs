//! Every public value of the library can be logged by defmt.
//!
//! That this compiles is the test; what a log then says, `examples/embassy` shows on a board.

#![cfg(feature = "defmt-v1")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use steadfast::ConfigError;
use steadfast::event::{LimitEvent, LimitOutcome};
use steadfast::http::{
    BufferTooSmall, ItemError, ItemName, LimitItem, LimitItems, LimitName, ListError, NameError,
    QuotaPolicy, Refusal, RetryAfter, ServerQuota, ServiceLimit, XRateLimit,
};
use steadfast::limit::placement::Mixer;
use steadfast::limit::{
    AcquireError, AllOf, AnyGranted, AnyPolicy, AnyState, CompactBucket, CompactBucketConfig,
    CompactBucketState, Denied, DeniedBy, FixedWindow, FixedWindowConfig, FixedWindowState,
    Granted, IntervalBucket, IntervalBucketConfig, IntervalBucketState, KeyedPolicy, QueueFull,
    RateLimiter, ServerHold, ServerHoldConfig, ServerHoldState, Shadow, Shadowed,
    SlidingWindowCounter, SlidingWindowCounterConfig, SlidingWindowCounterState, SlidingWindowLog,
    SlidingWindowLogConfig, SlidingWindowLogState, Standing, Ticket, TokenBucket,
    TokenBucketConfig, TokenBucketState, WhenFull,
};
use steadfast::time::{Duration, Instant, TooLong};

const fn loggable<T: defmt::Format>() {}

/// Asserts of each type that it is a `Format`, and yields their names.
macro_rules! loggable {
    ($($name:ident $(<$($of:tt),+>)?),+ $(,)?) => {{
        $(loggable::<$name $(<$($of),+>)?>();)+
        [$(stringify!($name)),+]
    }};
}

/// Not values: what holds limiters, locks, tables, queues and clocks.
const HOLDERS: [&str; 15] = [
    "AtomicRateLimiter",
    "Clocked",
    "EmbassyTime",
    "FnClock",
    "Keyed",
    "Layered",
    "Live",
    "ManualClock",
    "Message",
    "Named",
    "OfKey",
    "Places",
    "Queued",
    "Shared",
    "StaticWaitQueue",
];

/// The public structs and enums of the sources.
fn declared(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("the sources are readable").path();
        if path.is_dir() {
            declared(&path, names);
            continue;
        }
        let text = fs::read_to_string(&path).expect("the sources are text");
        for line in text.lines() {
            let declaration = line
                .strip_prefix("pub struct ")
                .or_else(|| line.strip_prefix("pub enum "));
            if let Some(rest) = declaration {
                let end = rest.find(|c: char| !c.is_alphanumeric());
                names.insert(rest[..end.unwrap_or(rest.len())].to_owned());
            }
        }
    }
}

#[test]
fn every_public_value_can_be_logged() {
    let values = loggable![
        AcquireError,
        AllOf<TokenBucket, FixedWindow>,
        AnyGranted,
        AnyPolicy,
        AnyState,
        BufferTooSmall,
        CompactBucket,
        CompactBucketConfig,
        CompactBucketState,
        ConfigError,
        Denied,
        DeniedBy,
        Duration,
        FixedWindow,
        FixedWindowConfig,
        FixedWindowState,
        Granted,
        Instant,
        IntervalBucket,
        IntervalBucketConfig,
        IntervalBucketState,
        ItemError,
        ItemName<'static>,
        KeyedPolicy<TokenBucket>,
        LimitEvent<'static>,
        LimitItem<'static>,
        LimitItems<'static>,
        LimitName<'static>,
        LimitOutcome,
        ListError,
        Mixer,
        NameError,
        QueueFull,
        QuotaPolicy<'static>,
        RateLimiter<AnyPolicy>,
        Refusal,
        RetryAfter,
        ServerHold,
        ServerHoldConfig,
        ServerHoldState,
        ServerQuota,
        ServiceLimit<'static>,
        Shadow<TokenBucket>,
        Shadowed<Granted>,
        SlidingWindowCounter,
        SlidingWindowCounterConfig,
        SlidingWindowCounterState,
        SlidingWindowLog<4>,
        SlidingWindowLogConfig<4>,
        SlidingWindowLogState<4>,
        Standing,
        Ticket,
        TokenBucket,
        TokenBucketConfig,
        TokenBucketState,
        TooLong,
        WhenFull,
        XRateLimit,
    ];

    let mut names = BTreeSet::new();
    declared(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut names,
    );
    let listed: BTreeSet<String> = values
        .iter()
        .chain(&HOLDERS)
        .map(|&name| name.into())
        .collect();
    let forgotten: Vec<_> = names.difference(&listed).collect();
    assert!(
        forgotten.is_empty(),
        "neither logged nor holders: {forgotten:?}"
    );
    let gone: Vec<_> = listed.difference(&names).collect();
    assert!(gone.is_empty(), "listed and not there: {gone:?}");
}
