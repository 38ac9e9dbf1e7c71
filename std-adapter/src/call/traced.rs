//! What became of calls, as events of the `tracing` crate.

use steadfast::breaker::Phase;
use steadfast::call::Observe;
use steadfast::event::{
    BreakerEvent, BreakerOutcome, CallEvent, CallOutcome, FallbackEvent, RetryEvent,
};
use steadfast::fallback::Source;
use steadfast::outcome::Outcome;
use steadfast::retry::Step;
use steadfast::time::Duration;
use tracing::{Level, event};

/// Logs what becomes of calls by `tracing`, under the target `steadfast::call`.
///
/// | what | level | fields |
/// |---|---|---|
/// | a breaker opens | `WARN` | `breaker`, `from`, `to`, `cause` |
/// | a breaker closes, or lets a probe pass | `INFO` | the same |
/// | an attempt fails and is tried again | `INFO` | `operation`, `attempt`, `max_attempts`, `outcome`, `took_ms`, `delay_ms` |
/// | an attempt fails and is the last | `WARN` | `operation`, `attempt`, `max_attempts`, `outcome`, `took_ms`, `reason` |
/// | the last is throttled | `INFO` | the same |
/// | it is answered by a no ([`Ignored`](Outcome::Ignored)), given up or never sent | `DEBUG` | the same |
/// | time ran out for a call, or it was given up so late that this counts | `WARN` | `operation`, `result`, `attempts`, `took_ms` |
/// | a call ends with an attempt that failed or was throttled, which has had its line | `INFO` | the same, and `reason` |
/// | it ends with a no, refused by the breaker, or given up | `DEBUG` | the same |
/// | an answer that is not the primary's | `INFO` | `operation`, `source`, `missed`, `age_ms` |
/// | no answer at all | `WARN` | `operation`, `source`, `missed`, `age_ms` |
/// | a breaker refuses a call | `DEBUG` | `breaker`, `retry_after_ms` |
/// | all that goes well | `TRACE` | |
///
/// Times are in milliseconds, rounded up. `result` is how a whole call ended, one of
/// [`CallOutcome::LABELS`], and stands in its last line, whatever is answered instead; `missed` is who
/// was asked in vain before the `source`. The operation's own error is not among the fields, since
/// it need not be printable; [`Call::notify`](steadfast::call::Call::notify) has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallTraced;

impl Observe for CallTraced {
    fn attempted(&self, event: &RetryEvent<'_>) {
        /// A level is part of where an event is written down, so each needs a line of its own.
        macro_rules! log {
            ($level:expr, $reason:expr, $message:literal) => {
                event!(
                    target: "steadfast::call",
                    $level,
                    operation = event.operation,
                    attempt = event.attempt,
                    max_attempts = event.max_attempts,
                    outcome = event.outcome.label(),
                    took_ms = millis(event.took),
                    delay_ms = event.delay().map(millis),
                    reason = $reason,
                    $message
                )
            };
        }
        match event.step {
            Step::RetryAt(_) => log!(Level::INFO, None::<&str>, "failed, and is tried again"),
            Step::Stop(reason) => match event.outcome {
                Outcome::Success => log!(Level::TRACE, None::<&str>, "answered"),
                Outcome::Ignored => log!(Level::DEBUG, Some(reason.label()), "answered no"),
                Outcome::Cancelled => log!(Level::DEBUG, Some(reason.label()), "given up"),
                Outcome::Rejected => log!(Level::DEBUG, Some(reason.label()), "not sent"),
                Outcome::Throttled { .. } | Outcome::ThrottledBelow { .. } => {
                    log!(Level::INFO, Some(reason.label()), "throttled");
                }
                _ => log!(Level::WARN, Some(reason.label()), "failed"),
            },
        }
    }

    fn guarded(&self, told: &BreakerEvent<'_>) {
        match told.outcome {
            BreakerOutcome::Recorded(outcome) => event!(
                target: "steadfast::call",
                Level::TRACE,
                breaker = told.breaker,
                outcome = outcome.label(),
                "recorded"
            ),
            BreakerOutcome::Rejected(rejected) => event!(
                target: "steadfast::call",
                Level::DEBUG,
                breaker = told.breaker,
                retry_after_ms = rejected.retry_after().map(millis),
                "refused: {rejected}"
            ),
            BreakerOutcome::Changed(transition) => {
                macro_rules! log {
                    ($level:expr) => {
                        event!(
                            target: "steadfast::call",
                            $level,
                            breaker = told.breaker,
                            from = transition.from.label(),
                            to = transition.to.label(),
                            cause = transition.cause.label(),
                            "{transition}"
                        )
                    };
                }
                match transition.to {
                    Phase::Open | Phase::ForcedOpen => log!(Level::WARN),
                    _ => log!(Level::INFO),
                }
            }
            // Outcomes of a later version of the core.
            _ => {}
        }
    }

    fn served(&self, told: &FallbackEvent<'_>) {
        macro_rules! log {
            ($level:expr, $message:literal) => {
                event!(
                    target: "steadfast::call",
                    $level,
                    operation = told.operation,
                    source = told.label(),
                    missed = (!told.missed.is_empty()).then(|| display(told.missed)),
                    age_ms = millis(told.age),
                    $message
                )
            };
        }
        match told.source {
            None => log!(Level::WARN, "no answer"),
            Some(Source::Primary) if told.is_degraded() => {
                log!(Level::INFO, "answered by what was no success");
            }
            Some(_) if told.is_degraded() => log!(Level::INFO, "answered by a fallback"),
            Some(_) => log!(Level::TRACE, "answered"),
        }
    }

    fn ended(&self, told: &CallEvent<'_>) {
        macro_rules! log {
            ($level:expr, $reason:expr, $message:literal) => {
                event!(
                    target: "steadfast::call",
                    $level,
                    operation = told.operation,
                    result = told.outcome.label(),
                    attempts = told.attempts,
                    took_ms = millis(told.took),
                    reason = $reason,
                    $message
                )
            };
        }
        let nothing = None::<&str>;
        match told.outcome {
            CallOutcome::Attempted { outcome, stopped } => {
                let reason = Some(stopped.label());
                match outcome {
                    Outcome::Success => log!(Level::TRACE, nothing, "the call was answered"),
                    Outcome::Ignored => log!(Level::DEBUG, reason, "the call was answered no"),
                    Outcome::Cancelled => log!(Level::DEBUG, reason, "the call was given up"),
                    Outcome::Rejected => log!(Level::DEBUG, reason, "the call was not sent"),
                    Outcome::Throttled { .. } | Outcome::ThrottledBelow { .. } => {
                        log!(Level::INFO, reason, "the call was throttled");
                    }
                    _ => log!(Level::INFO, reason, "the call failed"),
                }
            }
            CallOutcome::DeadlineExceeded => {
                log!(Level::WARN, nothing, "the deadline of the call has passed");
            }
            CallOutcome::Rejected(_) => log!(Level::DEBUG, nothing, "the call was refused"),
            CallOutcome::GivenUp(Outcome::TimedOut) => {
                log!(Level::WARN, nothing, "the call was given up late");
            }
            CallOutcome::GivenUp(_) => log!(Level::DEBUG, nothing, "the call was given up"),
            // Outcomes of a later version of the core.
            _ => {}
        }
    }
}

fn millis(duration: Duration) -> u64 {
    duration.as_nanos().div_ceil(1_000_000)
}
