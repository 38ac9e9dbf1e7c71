//! A service that breaks, called with care: what is retried, when the breaker opens, and what its
//! callers get meanwhile.
//!
//! ```sh
//! cargo run --example calling
//! ```
//!
//! The faults are drawn from a seed, so each run tells the same story but for the jitter. It exits
//! with 1 if the story does not hold.

use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use steadfast::backoff::{Backoff, Jitter};
use steadfast::breaker::{Breaker, Phase};
use steadfast::fallback::Source;
use steadfast::fault::{Fault, FaultPlan, Faults};
use steadfast::http::may_repeat;
use steadfast::policy;
use steadfast::random::SplitMix32;
use steadfast::retry::{RetryBudget, RetryPolicy};
use steadfast::time::{Clock, Duration, Instant, millis};
use steadfast_std::{Resilient, StaleCache, Target, TokioTime};

/// Short delays, so that the story is soon told.
const RETRY: RetryPolicy = policy!(
    RetryPolicy::new(policy!(
        Backoff::exponential(millis(5))
            .cap(millis(50))
            .jitter(Jitter::Full)
    ))
    .attempts(3)
);

/// What all callers of the service share.
static PRICES: Target = Target::new(
    "prices",
    policy!(Breaker::consecutive(2).open_for(millis(100)).close_after(1)),
    RetryBudget::standard(),
);

/// The service fails one call in five; from 100 ms on it answers none; from 200 ms on it is well.
const PHASES: [(Duration, Faults); 3] = [
    (Duration::ZERO, policy!(Faults::of().errors(200))),
    (millis(100), policy!(Faults::of().hangs(1_000))),
    (millis(200), Faults::NONE),
];

struct Service {
    plan: FaultPlan<'static>,
    dice: Mutex<SplitMix32>,
}

impl Service {
    async fn price(&self, item: &'static str) -> Result<u32, Fault> {
        let injected = {
            let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
            self.plan.draw(TokioTime::of_process().now(), &mut *dice)
        };
        match injected.fault {
            Fault::None => Ok(u32::from(item.as_bytes()[0])),
            Fault::Hang => std::future::pending().await,
            fault => Err(fault),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let start = TokioTime::of_process().now();
    let Ok(plan) = FaultPlan::phases(&PHASES).starting(start).build() else {
        return ExitCode::FAILURE;
    };
    let service = Service {
        plan,
        dice: Mutex::new(SplitMix32::new(3)),
    };
    let Ok(cache) = StaleCache::standard(100) else {
        return ExitCode::FAILURE;
    };

    let (mut live, mut stale, mut default) = (0, 0, 0);
    let mut was_open = false;
    while TokioTime::of_process().now().since(start) < millis(500) {
        let price = (|| service.price("tea"))
            .retry(&RETRY)
            // A `POST` without an idempotency key would have one attempt.
            .repeatable_if(may_repeat("GET", false))
            .named("prices")
            .budget(&PRICES)
            .each_attempt_guarded_by(&PRICES)
            .attempt_timeout(millis(20))
            .within(millis(80))
            .notify(|event, error| {
                if !event.outcome.is_success() {
                    println!("{:>6}  {event}: {error:?}", since(start));
                }
            })
            .or_stale(cache.at("tea"))
            .or_else(|| 0)
            .call()
            .await;
        println!(
            "{:>6}  tea is {}, {}, {} old; the breaker is {}",
            since(start),
            price.value,
            price.source.label(),
            price.age,
            PRICES.standing(TokioTime::of_process().now()).phase,
        );
        match price.source {
            Source::Primary => live += 1,
            Source::Stale => stale += 1,
            _ => default += 1,
        }
        let phase = PRICES.standing(TokioTime::of_process().now()).phase;
        was_open |= phase == Phase::Open;
        tokio::time::sleep(millis(20).to_core()).await;
    }

    println!("{live} live answers, {stale} stale ones, {default} defaults");
    let phase = PRICES.standing(TokioTime::of_process().now()).phase;
    if live > 0 && stale + default > 0 && was_open && phase == Phase::Closed {
        ExitCode::SUCCESS
    } else {
        eprintln!("the story does not hold: the breaker was open: {was_open}, and is {phase}");
        ExitCode::FAILURE
    }
}

/// In milliseconds.
fn since(start: Instant) -> u64 {
    TokioTime::of_process().now().since(start).as_nanos() / 1_000_000
}
