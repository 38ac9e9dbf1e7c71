//! Every public value of the library can be logged by defmt.
//!
//! That this compiles is the test; what a log then says, `examples/embassy` shows on a board.

#![cfg(feature = "defmt-v1")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use steadfast::ConfigError;
use steadfast::backoff::{Backoff, BackoffConfig, BackoffState, Delays, Jitter};
use steadfast::breaker::{
    self, Breaker, BreakerConfig, BreakerState, Breakers, Cause, Consecutive, OverCalls, OverTime,
    Permit, Phase, Rate, Recovery, Rejected, Stakes, Traffic, Transition, UnderLock,
};
use steadfast::call::{Attempt, CallError, NoBreaker, TimedOut};
use steadfast::deadline::Deadline;
use steadfast::event::{
    BreakerEvent, BreakerOutcome, CallEvent, CallOutcome, FallbackEvent, LimitEvent, LimitOutcome,
    RetryEvent,
};
use steadfast::fallback::{
    Aged, Chain, DeferredFull, DeferredId, DeferredTicket, DeferredWork, FallbackAlarm,
    FallbackMeter, FallbackMeterConfig, FallbackMeterState, Freshness, FreshnessConfig, LastGood,
    LastGoodState, Missed, Part, Parts, Served, Source, Switched, SwitchedOff,
};
use steadfast::fault::{Fault, FaultPlan, FaultPlanConfig, Faults, FaultsConfig, Injected};
use steadfast::http::{
    BufferTooSmall, ItemError, ItemName, LimitItem, LimitItems, LimitName, ListError, NameError,
    QuotaPolicy, Refusal, RemainingTime, RetriedBelow, RetryAfter, ServerQuota, ServiceLimit,
    Unavailable, XRateLimit,
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
use steadfast::outcome::Outcome;
use steadfast::random::SplitMix32;
use steadfast::retry::{
    BudgetSpent, NoBudget, RatioBudgetConfig, Retry, RetryBudget, RetryBudgetState, RetryPolicy,
    RetryPolicyConfig, Step, StopReason, ThrottleConfig, TokenBudgetConfig, Withdrawn,
};
use steadfast::time::{Duration, Instant, TooLong};
use steadfast::window::{
    Call, CountWindow, CountWindowConfig, CountWindowState, Steady, TimeWindow, TimeWindowConfig,
    TimeWindowState, Totals,
};

type LastCalls = CountWindow<2>;

const fn loggable<T: defmt::Format>() {}

/// Asserts of each type that it is a `Format`, and yields their names.
macro_rules! loggable {
    ($($name:ident $(<$($of:tt),+>)?),+ $(,)?) => {{
        $(loggable::<$name $(<$($of),+>)?>();)+
        [$(stringify!($name)),+]
    }};
}

/// Not values: what holds limiters, breakers, locks, tables, queues and clocks, and calls that are
/// being put together.
const HOLDERS: [&str; 38] = [
    "AtKey",
    "AtomicRateLimiter",
    "Backed",
    "Blocking",
    "ByResult",
    "Clocked",
    "DeferredQueue",
    "EmbassyTime",
    "Entered",
    "FastBreaker",
    "FeatureSwitch",
    "Finished",
    "FnClock",
    "InSection",
    "Keyed",
    "Layered",
    "Live",
    "ManualClock",
    "Message",
    "Named",
    "NoMemory",
    "NoSecondary",
    "Notified",
    "OfKey",
    "OfTarget",
    "OrElse",
    "OrElseIfUnwell",
    "Places",
    "Plain",
    "Queued",
    "Shared",
    "SharedRandom",
    "SharedSteady",
    "StaleCache",
    "StaticWaitQueue",
    "Stripe",
    "Told",
    "Under",
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
#[expect(clippy::too_many_lines, reason = "a list")]
fn every_public_value_can_be_logged() {
    let values = loggable![
        AcquireError,
        Aged<u32>,
        AllOf<TokenBucket, FixedWindow>,
        AnyGranted,
        AnyPolicy,
        AnyState,
        Attempt,
        Backoff,
        BackoffConfig,
        BackoffState,
        Breaker,
        BreakerConfig<Consecutive>,
        BreakerEvent<'static>,
        BreakerOutcome,
        BreakerState,
        Breakers<u16, 4>,
        BudgetSpent,
        BufferTooSmall,
        Call,
        CallError<u32>,
        CallEvent<'static>,
        CallOutcome,
        Cause,
        Chain<u32, u32>,
        CompactBucket,
        CompactBucketConfig,
        CompactBucketState,
        ConfigError,
        Consecutive,
        CountWindow<2>,
        CountWindowConfig<2>,
        CountWindowState<2>,
        Deadline,
        DeferredFull<u32>,
        DeferredId,
        DeferredTicket,
        DeferredWork<u32>,
        Delays<SplitMix32>,
        Denied,
        DeniedBy,
        Duration,
        FallbackAlarm,
        FallbackEvent<'static>,
        FallbackMeter<2>,
        FallbackMeterConfig<2>,
        FallbackMeterState<2>,
        Fault,
        FaultPlan<'static>,
        FaultPlanConfig<'static>,
        Faults,
        FaultsConfig,
        FixedWindow,
        FixedWindowConfig,
        FixedWindowState,
        Freshness,
        FreshnessConfig,
        Granted,
        Injected,
        Instant,
        IntervalBucket,
        IntervalBucketConfig,
        IntervalBucketState,
        ItemError,
        ItemName<'static>,
        Jitter,
        KeyedPolicy<TokenBucket>,
        LastGood<u32>,
        LastGoodState<u32>,
        LimitEvent<'static>,
        LimitItem<'static>,
        LimitItems<'static>,
        LimitName<'static>,
        LimitOutcome,
        ListError,
        Missed,
        Mixer,
        NameError,
        NoBreaker,
        NoBudget,
        UnderLock,
        Outcome,
        OverCalls<2>,
        OverTime<2>,
        Part,
        Parts<'static, 2>,
        Permit,
        Phase,
        QueueFull,
        QuotaPolicy<'static>,
        Rate<LastCalls>,
        RateLimiter<AnyPolicy>,
        RatioBudgetConfig,
        Recovery,
        Refusal,
        Rejected,
        RemainingTime,
        RetriedBelow,
        Retry,
        RetryAfter,
        RetryBudget,
        RetryBudgetState,
        RetryEvent<'static>,
        RetryPolicy,
        RetryPolicyConfig,
        Served<u32>,
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
        Source,
        SplitMix32,
        Stakes,
        Standing,
        Steady,
        Step,
        StopReason,
        Switched,
        SwitchedOff,
        ThrottleConfig,
        Ticket,
        TimeWindow<2>,
        TimeWindowConfig<2>,
        TimeWindowState<2>,
        TimedOut,
        TokenBucket,
        TokenBucketConfig,
        TokenBucketState,
        TokenBudgetConfig,
        TooLong,
        Totals,
        Traffic,
        Transition,
        Unavailable,
        WhenFull,
        Withdrawn,
        XRateLimit,
    ];

    // Of one name with a limit's.
    loggable::<breaker::Standing>();

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
