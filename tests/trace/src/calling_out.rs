//! The machines of calling out: delays, retries, windows, breakers, deadlines, fallbacks, faults.

use steadfast::backoff::{Backoff, BackoffConfig, Jitter};
use steadfast::breaker::{Breaker, Recovery, Stakes, Traffic};
use steadfast::fallback::{FallbackMeter, Freshness};
use steadfast::fault::{FaultPlan, Faults};
use steadfast::policy;
use steadfast::retry::{NoBudget, RetryBudget, RetryPolicy};
use steadfast::time::{Duration, hours, micros, millis, minutes, nanos, secs};
use steadfast::window::{CountWindow, TimeWindow};

use crate::machines::machines;
use crate::retry::Purse;
use crate::{backoff, breaker, budget, call, deadline, fallback, fault, retry, window};

/// One schedule with each jitter.
macro_rules! jittered {
    ($config:expr) => {{
        const CONFIG: BackoffConfig = $config;
        &[
            policy!(CONFIG),
            policy!(CONFIG.jitter(Jitter::Full)),
            policy!(CONFIG.jitter(Jitter::Equal)),
            policy!(CONFIG.jitter(Jitter::Decorrelated)),
            policy!(CONFIG.jitter(Jitter::Proportional { permille: 333 })),
            policy!(CONFIG.jitter(Jitter::Additive)),
        ]
    }};
}

machines! {
    MACHINES:
    "chance" => backoff::play_random;
    "backoff, immediate and fixed" => |stage| backoff::play(stage, &[
        policy!(Backoff::immediate().jitter(Jitter::Equal)),
        policy!(Backoff::fixed(nanos(1)).jitter(Jitter::Full)),
        policy!(Backoff::fixed(secs(7)).jitter(Jitter::Decorrelated)),
        policy!(Backoff::fixed(millis(333)).cap(millis(333)).jitter(Jitter::Additive)),
        policy!(Backoff::fixed(secs(1)).cap(secs(1)).jitter(Jitter::Proportional { permille: 7 })),
    ]);
    "backoff, linear" => |stage| backoff::play(
        stage, jittered!(Backoff::linear(nanos(333_333_333)).cap(secs(2))));
    "backoff, exponential" => |stage| backoff::play(
        stage, jittered!(Backoff::exponential(millis(200)).factor(3).cap(secs(10))));
    "backoff, by a ratio" => |stage| backoff::play(
        stage, jittered!(Backoff::exponential(nanos(100_000_007)).factor_ratio(16, 10)
            .cap(secs(1))));
    "backoff, fibonacci" => |stage| backoff::play(
        stage, jittered!(Backoff::fibonacci(millis(70)).cap(millis(500))));
    "backoff, a table" => |stage| backoff::play(
        stage, jittered!(Backoff::table(&DELAYS).cap(secs(4))));
    "retries" => |stage| retry::play(stage, &POLICIES, &NoBudget);
    "retries, tokens" => |stage| retry::play(
        stage, &POLICIES, &Purse::new(policy!(RetryBudget::tokens(30).first_success_adds(5))));
    "retries, a share" => |stage| retry::play(
        stage, &POLICIES, &Purse::new(policy!(RetryBudget::ratio(20, secs(10))
            .min_retries_per_second(1))));
    "retries, throttled" => |stage| retry::play(
        stage, &POLICIES, &Purse::new(policy!(RetryBudget::throttle(12, 2_500))));
    "retry budget of tokens" => |stage| budget::play(stage, &[
        policy!(RetryBudget::tokens(100).cost(7).timeout_cost(13).first_success_adds(3)),
        RetryBudget::standard(),
        policy!(RetryBudget::tokens(20)),
    ]);
    "retry budget, a share" => |stage| budget::play(stage, &[
        policy!(RetryBudget::ratio(50, minutes(10)).min_retries_per_second(0)),
        RetryBudget::one_in_five(),
        policy!(RetryBudget::ratio(70, nanos(999_999_937)).min_retries_per_second(0)),
    ]);
    "retry budget, a throttle" => |stage| budget::play(stage, &[
        policy!(RetryBudget::throttle(10, 900)),
        policy!(RetryBudget::throttle(4_294_967, 1)),
        policy!(RetryBudget::throttle(3, 3_000)),
    ]);
    "count window" => |stage| window::play::<CountWindow<3>>(stage, &[
        policy!(CountWindow::new(96)),
        policy!(CountWindow::new(33)),
        policy!(CountWindow::new(1)),
    ]);
    "time window" => |stage| window::play::<TimeWindow<7>>(stage, &[
        policy!(TimeWindow::new(secs(10))),
        policy!(TimeWindow::new(hours(3))),
        policy!(TimeWindow::new(nanos(7))),
    ]);
    "breaker" => |stage| breaker::play(stage, &[
        policy!(Breaker::consecutive(2).open_for(nanos(2_000_000_011)).close_after(2)),
        Breaker::sensitive(),
        Breaker::advised(Traffic::Low, Recovery::Slow, Stakes::Low),
    ], 0);
    "breaker, rate over calls" => |stage| breaker::play(stage, &[
        policy!(Breaker::rate_over_calls::<2>(40).min_calls(5).failures_percent(33)
            .open_for(secs(3)).close_after(1)),
        policy!(Breaker::rate_over_calls::<2>(7).open_for(millis(700)).close_after(2)),
    ], 0);
    "breaker, rate over time" => |stage| breaker::play(stage, &[
        policy!(Breaker::rate_over_time::<10>(secs(60)).min_calls(6).failures_percent(40)
            .open_for(secs(3)).close_after(1)),
        policy!(Breaker::rate_over_time::<10>(nanos(999_999_937)).min_calls(3).close_after(2)),
    ], 0);
    "breaker, slow calls" => |stage| breaker::play(stage, &[
        policy!(Breaker::rate_over_calls::<1>(32).min_calls(4).failures_percent(70)
            .slow_percent(5, millis(1)).open_for(minutes(3)).close_after(3)),
        policy!(Breaker::rate_over_calls::<1>(9).min_calls(2).failures_percent(90)
            .slow_percent(25, millis(50)).open_for(minutes(2)).close_after(2)),
    ], 0);
    "breaker, open longer each time, with jitter" => |stage| breaker::play(stage, &[
        policy!(Breaker::consecutive(1).open_for(nanos(700_000_001)).growing_to(minutes(5)).open_jitter_percent(33)
            .close_after(2)),
        policy!(Breaker::consecutive(2).open_for(secs(1)).growing_to(hours(24)).open_jitter_percent(100).close_after(3)),
    ], 0);
    "breaker of five probes" => |stage| breaker::play(stage, &[
        policy!(Breaker::consecutive(1).open_for(secs(1)).close_after(6).probes::<5>()
            .probe_lease(secs(5))),
        policy!(Breaker::consecutive(2).open_for(millis(1)).close_after(2).probes::<5>()),
    ], 0);
    "breaker by hand" => |stage| breaker::play(stage, &[
        policy!(Breaker::consecutive(2).open_for(secs(30)).close_after(2)),
        policy!(Breaker::consecutive(1).open_for(minutes(2)).close_after(1)),
    ], 24);
    "breaker read without a lock" => |stage| breaker::play_fast(
        stage, policy!(Breaker::consecutive(3).open_for(secs(2)).close_after(2).probes::<2>()));
    "breaker read without a lock, timed" => |stage| breaker::play_fast(
        stage, policy!(Breaker::rate_over_time::<4>(minutes(2)).min_calls(3)
            .slow_percent(50, secs(1)).open_for(secs(2)).close_after(1)));
    "8 breakers by target" => |stage| breaker::play_by_target::<8>(
        stage, policy!(Breaker::consecutive(1).open_for(secs(20)).close_after(1)));
    "deadline in headers" => deadline::play;
    "stale cache of 8" => |stage| fallback::play_cache::<8>(
        stage, policy!(Freshness::up_to(minutes(30)).fresh_for(secs(3))));
    "last good answer" => |stage| fallback::play_last_good(
        stage, policy!(Freshness::up_to(millis(1)).fresh_for(micros(1))));
    "deferred queue of 8" => fallback::play_queue::<8>;
    "fallback meter" => |stage| fallback::play_meter::<6>(
        stage, policy!(FallbackMeter::over(secs(60)).raised_at(600).cleared_below(400)
            .min_answers(4)));
    "faults" => |stage| fault::play(stage, &[
        FaultPlan::NONE,
        policy!(FaultPlan::phases(&PHASES)),
        policy!(FaultPlan::phases(&PHASES).starting(steadfast::time::Instant::from_secs(100_000))),
    ]);
    "calls" => |stage| call::play(
        stage,
        &policy!(RetryPolicy::new(Backoff::standard()).attempts(3).max_server_delay(secs(2))),
        &breaker::fast(policy!(Breaker::consecutive(3).open_for(secs(2)).close_after(1))));
}

static DELAYS: [Duration; 4] = [nanos(1), millis(500), Duration::ZERO, secs(5)];

const POLICIES: [RetryPolicy; 4] = [
    RetryPolicy::standard(),
    policy!(
        RetryPolicy::new(PATIENT)
            .attempts(9)
            .max_elapsed(minutes(5))
            .max_server_delay(secs(20))
    ),
    policy!(
        RetryPolicy::new(LISTED)
            .attempts(u32::MAX)
            .max_elapsed(secs(2))
    ),
    RetryPolicy::background(),
];
const PATIENT: Backoff = policy!(
    Backoff::exponential(millis(300))
        .cap(secs(20))
        .jitter(Jitter::Decorrelated)
);
const LISTED: Backoff = policy!(Backoff::table(&DELAYS).jitter(Jitter::Equal));

static PHASES: [(Duration, Faults); 4] = [
    (Duration::ZERO, SLOW),
    (hours(10), DOWN),
    (
        hours(50),
        policy!(Faults::of().errors(333).resets(333).hangs(333)),
    ),
    (hours(90), Faults::NONE),
];
const SLOW: Faults = policy!(
    Faults::of()
        .errors(300)
        .hangs(20)
        .latency(millis(20))
        .latency_up_to(nanos(999_999_937))
);
const DOWN: Faults = policy!(Faults::of().resets(900).hangs(100));
