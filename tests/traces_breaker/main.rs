//! What another library's own tests expect of windows and breakers: Resilience4j's
//! `FixedSizeSlidingWindowMetricsTest`, `CircuitBreakerMetricsTest`, `SlidingTimeWindowMetricsTest` and
//! `CircuitBreakerStateMachineTest`, as facts. One part of it a file.
//!
//! Overruled, and by what:
//!
//! - **Half-open is not judged by a rate** once all its calls are back. Any failure, and any slow
//!   probe, reopens at once; so many successes close. So "fail, succeed, succeed, succeed closes at
//!   25 %" and "three slow and one fast open at 75 %" end at the first failure or slow probe here,
//!   and there is no least number of calls in half-open.
//! - **Durations are not added up.** A call is slow or not; there is no total and no average.
//! - **Too few calls have no rate of -1**: they are not judged, and the counts are told as they are.
//! - **Rejected calls are not counted by the machine**; whoever is rejected has the answer in hand.
//! - **There is no longest time in half-open**; each probe has a lease instead.
//! - **A probe that is ignored has been answered**, and counts as one that worked, where theirs gives
//!   its permit back. Their rows end in the same phases.
//! - **From closed to half-open there is no verb**, so nothing to refuse.

mod calls;
mod states;
mod windows;

use steadfast::window::{Call, Totals};

const S: Call = Call::GOOD;
const E: Call = Call::FAILED;
const SLOW_S: Call = Call {
    failed: false,
    slow: true,
};
const SLOW_E: Call = Call {
    failed: true,
    slow: true,
};

fn totals(calls: u32, failures: u32, slow: u32) -> Totals {
    Totals {
        calls,
        failures,
        slow,
    }
}
