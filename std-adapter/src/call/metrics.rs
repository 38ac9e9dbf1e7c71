//! What became of calls, as metrics.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use steadfast::breaker::{Phase, Trip};
use steadfast::call::Observe;
use steadfast::event::{
    BreakerEvent, BreakerOutcome, CallEvent, CallOutcome, FallbackEvent, RetryEvent,
};
use steadfast::outcome::Outcome;
use steadfast::retry::Step;
use steadfast::time::Instant;

use super::Target;

/// Counts what became of calls by the `metrics` facade, for whatever recorder the program has
/// installed.
///
/// | name | kind | labels |
/// |---|---|---|
/// | `steadfast_calls_total` | counter: how whole calls ended | `target`, `result` |
/// | `steadfast_call_seconds` | histogram: how long a whole call took, retries included | `target` |
/// | `steadfast_call_attempts_total` | counter | `target`, `outcome` |
/// | `steadfast_call_steps_total` | counter: was it tried again, or why not | `target`, `step` |
/// | `steadfast_call_attempt_seconds` | histogram: how long an attempt took | `target` |
/// | `steadfast_call_retry_delay_seconds` | histogram | `target` |
/// | `steadfast_breaker_events_total` | counter | `target`, `event` |
/// | `steadfast_breaker_state` | gauge: 0 passes, 1 half-open, 2 refuses | `target` |
/// | `steadfast_retry_budget_available` | gauge: what the target's retry budget has left, see [`gauge`](Self::gauge) | `target` |
/// | `steadfast_fallback_answers_total` | counter | `target`, `source` |
/// | `steadfast_fallback_stages_total` | counter | `target`, `stage` |
///
/// `result` is one of [`CallOutcome::LABELS`], `outcome` of [`Outcome::LABELS`], `step` of
/// [`Step::LABELS`], `event` of [`BreakerOutcome::LABELS`], `source` of [`FallbackEvent::LABELS`],
/// `stage` of [`FallbackEvent::COUNTERS`]. These names stay. The retry rate is the steps `retry`
/// among all attempts; the share of fallbacks is all sources but `primary` among all answers. Every
/// call that was begun is among the results once, also one that nobody waited for; an attempt that
/// was dropped is not among the attempts.
///
/// The series are registered here, once, so that a call allocates nothing for them: install the
/// recorder first. They are 65 for a target, and one for its budget; a recorder keeps them as long
/// as it lives. So make one for each service that the program knows by name, never for each name
/// that comes from outside ([`Targets`](super::Targets)): those share one. The gauges are of the
/// target that has this name; those that share one have no gauge, and are counted.
///
/// ```
/// use steadfast_std::call::CallMetrics;
///
/// let shipping = CallMetrics::of("shipping");
/// // ... .observed_by(&shipping)
/// ```
#[derive(Clone)]
pub struct CallMetrics {
    target: String,
    calls: [(&'static str, Counter); CallOutcome::LABELS.len()],
    call_times: Histogram,
    attempts: [(&'static str, Counter); Outcome::LABELS.len()],
    steps: [(&'static str, Counter); Step::LABELS.len()],
    attempt_times: Histogram,
    delays: Histogram,
    breaker: [(&'static str, Counter); BreakerOutcome::LABELS.len()],
    state: Gauge,
    answers: [(&'static str, Counter); FallbackEvent::LABELS.len()],
    stages: [(&'static str, Counter); FallbackEvent::COUNTERS.len()],
}

impl CallMetrics {
    /// Registers the series of the target with this name.
    pub fn of(target: &str) -> Self {
        let name = || target.to_owned();
        Self {
            calls: CallOutcome::LABELS.map(|result| {
                let labels = [("target", name()), ("result", result.to_owned())];
                (result, counter!("steadfast_calls_total", &labels))
            }),
            call_times: histogram!("steadfast_call_seconds", "target" => name()),
            attempts: Outcome::LABELS.map(|outcome| {
                let labels = [("target", name()), ("outcome", outcome.to_owned())];
                (outcome, counter!("steadfast_call_attempts_total", &labels))
            }),
            steps: Step::LABELS.map(|step| {
                let labels = [("target", name()), ("step", step.to_owned())];
                (step, counter!("steadfast_call_steps_total", &labels))
            }),
            attempt_times: histogram!("steadfast_call_attempt_seconds", "target" => name()),
            delays: histogram!("steadfast_call_retry_delay_seconds", "target" => name()),
            breaker: BreakerOutcome::LABELS.map(|event| {
                let labels = [("target", name()), ("event", event.to_owned())];
                (event, counter!("steadfast_breaker_events_total", &labels))
            }),
            state: gauge!("steadfast_breaker_state", "target" => name()),
            answers: FallbackEvent::LABELS.map(|source| {
                let labels = [("target", name()), ("source", source.to_owned())];
                (
                    source,
                    counter!("steadfast_fallback_answers_total", &labels),
                )
            }),
            stages: FallbackEvent::COUNTERS.map(|stage| {
                let labels = [("target", name()), ("stage", stage.to_owned())];
                (stage, counter!("steadfast_fallback_stages_total", &labels))
            }),
            target: name(),
        }
    }

    /// Brings the gauges of the target with this name up to date; of another, it does nothing. For
    /// when the metrics are asked for: an open time ends without anybody having called, and nothing
    /// else tells what the budget has left, so that until then there is no series of it.
    ///
    /// That is in the budget's own units, as
    /// [`budget_available`](Target::budget_available) has it: tokens; of a ratio thousandths of a
    /// retry, of a throttle thousandths of a token ([`RetryBudget`](steadfast::retry::RetryBudget)).
    /// A standard budget is full at 500, and below 5 there are no retries.
    ///
    /// Takes the breaker's lock and the budget's, one after the other, and what the recorder does to
    /// register a series that it knows.
    ///
    /// ```
    /// # #[cfg(feature = "tokio")]
    /// # {
    /// use steadfast::breaker::Breaker;
    /// use steadfast::retry::RetryBudget;
    /// use steadfast::time::Clock;
    /// use steadfast_std::call::CallMetrics;
    /// use steadfast_std::{Target, TokioTime};
    ///
    /// static SHIPPING: Target = Target::new("shipping", Breaker::standard(), RetryBudget::standard());
    ///
    /// let metrics = CallMetrics::of("shipping");
    /// // steadfast_retry_budget_available{target="shipping"} 500
    /// metrics.gauge(&SHIPPING, TokioTime::of_process().now());
    /// # }
    /// ```
    pub fn gauge<T: Trip, const PROBES: usize>(&self, target: &Target<T, PROBES>, now: Instant) {
        if target.name() != self.target {
            return;
        }
        self.set_state(target.standing(now).phase);
        gauge!("steadfast_retry_budget_available", "target" => self.target.clone())
            .set(f64::from(target.budget_available(now)));
    }

    fn set_state(&self, phase: Phase) {
        self.state.set(match phase {
            Phase::Open | Phase::ForcedOpen => 2.0,
            Phase::HalfOpen => 1.0,
            Phase::Closed | Phase::ForcedClosed | Phase::Disabled | Phase::ObserveOnly => 0.0,
        });
    }
}

impl std::fmt::Debug for CallMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("CallMetrics").field(&self.target).finish()
    }
}

impl Observe for CallMetrics {
    fn attempted(&self, event: &RetryEvent<'_>) {
        count(&self.attempts, event.outcome.label());
        count(&self.steps, event.step.label());
        self.attempt_times
            .record(event.took.to_core().as_secs_f64());
        if let Some(delay) = event.delay() {
            self.delays.record(delay.to_core().as_secs_f64());
        }
    }

    fn guarded(&self, event: &BreakerEvent<'_>) {
        count(&self.breaker, event.outcome.label());
        if let BreakerOutcome::Changed(transition) = event.outcome
            && !transition.is_trial()
            && event.breaker == self.target
        {
            self.set_state(transition.to);
        }
    }

    fn served(&self, event: &FallbackEvent<'_>) {
        count(&self.answers, event.label());
        for stage in event.counters() {
            count(&self.stages, stage);
        }
    }

    fn ended(&self, event: &CallEvent<'_>) {
        count(&self.calls, event.outcome.label());
        self.call_times.record(event.took.to_core().as_secs_f64());
    }
}

fn count(counters: &[(&'static str, Counter)], label: &str) {
    let counter = counters.iter().find(|(known, _)| *known == label);
    if let Some((_, counter)) = counter {
        counter.increment(1);
    }
}
