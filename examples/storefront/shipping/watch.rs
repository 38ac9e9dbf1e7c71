//! Who watches the calls to the partner: metrics, an alarm, and what the breaker has done.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use steadfast::breaker::Transition;
use steadfast::call::Observe;
use steadfast::event::{BreakerEvent, BreakerOutcome, CallEvent, FallbackEvent, RetryEvent};
use steadfast::fallback::{FallbackAlarm, FallbackMeter, FallbackMeterState};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::time::{Instant, minutes};
use steadfast_std::Target;
use steadfast_std::call::CallMetrics;

use super::client::PartnerError;

/// An alarm when half of the answers of a minute are not the partner's.
const METER: FallbackMeter<6> = policy!(
    FallbackMeter::over(minutes(1))
        .raised_at(500)
        .min_answers(10)
);

pub struct Watch {
    metrics: CallMetrics,
    /// What is worth a line, as it happens.
    say: Box<dyn Fn(&str) + Send + Sync>,
    meter: Mutex<FallbackMeterState<6>>,
    /// What the breaker has done last, and when.
    last_transition: Mutex<Option<(Instant, Transition)>>,
}

impl Watch {
    pub fn new(metrics: CallMetrics, say: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            metrics,
            say: Box::new(say),
            meter: Mutex::new(FallbackMeter::QUIET),
            last_transition: Mutex::new(None),
        }
    }

    /// Is shown each attempt, and says why it failed if it did.
    pub fn tried(&self, event: &RetryEvent<'_>, error: Option<&PartnerError>) {
        if matches!(event.outcome, Outcome::Success | Outcome::Ignored) {
            return;
        }
        match error {
            Some(error) => (self.say)(&format!("{event}: {error}")),
            None => (self.say)(&format!("{event}: no answer in time")),
        }
    }

    pub fn last_transition(&self) -> Option<(Instant, Transition)> {
        *locked(&self.last_transition)
    }

    pub fn status(&self, now: Instant) -> Value {
        let meter = locked(&self.meter);
        let totals = METER.totals(&meter, now);
        json!({
            "answers": totals.calls,
            "degraded": totals.failures,
            "alarm": METER.is_raised(&meter),
        })
    }

    /// Ends the alarm if there are no answers any more; for now and then.
    pub fn check(&self, now: Instant) {
        self.change(now, |meter| METER.check(meter, now));
    }

    pub fn gauge(&self, target: &Target, now: Instant) {
        self.metrics.gauge(target, now);
    }

    /// Says what has become of the alarm by `change`.
    fn change(
        &self,
        now: Instant,
        change: impl FnOnce(&mut FallbackMeterState<6>) -> Option<FallbackAlarm>,
    ) {
        let mut meter = locked(&self.meter);
        let edge = change(&mut meter);
        let answers = METER.totals(&meter, now).calls;
        drop(meter);
        match edge {
            Some(FallbackAlarm::Raised) => {
                (self.say)("shipping: half of the answers or more are fallbacks");
            }
            Some(FallbackAlarm::Cleared) if answers == 0 => {
                (self.say)("shipping: no answers for a minute, so the alarm ends");
            }
            Some(FallbackAlarm::Cleared) => (self.say)("shipping: most answers are live again"),
            None => {}
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Observe for Watch {
    fn attempted(&self, event: &RetryEvent<'_>) {
        self.metrics.attempted(event);
    }

    fn guarded(&self, event: &BreakerEvent<'_>) {
        self.metrics.guarded(event);
        if let BreakerOutcome::Changed(transition) = event.outcome {
            *locked(&self.last_transition) = Some((event.at, transition));
            (self.say)(&format!("{}: breaker {transition}", event.breaker));
        }
    }

    fn served(&self, event: &FallbackEvent<'_>) {
        self.metrics.served(event);
        self.change(event.at, |meter| {
            METER.record(meter, event.at, event.is_degraded())
        });
    }

    fn ended(&self, event: &CallEvent<'_>) {
        self.metrics.ended(event);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use steadfast::fallback::{Missed, Source};
    use steadfast::time::{Duration, secs};

    use super::*;

    const START: Instant = Instant::from_secs(1_000);

    fn watch() -> (Watch, Arc<Mutex<Vec<String>>>) {
        let said = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&said);
        let metrics = CallMetrics::of("shipping");
        let watch = Watch::new(metrics, move |line| locked(&lines).push(line.to_owned()));
        (watch, said)
    }

    fn answers(watch: &Watch, at: Instant, source: Source, count: u32) {
        for _ in 0..count {
            watch.served(&FallbackEvent {
                operation: "shipping",
                source: Some(source),
                missed: Missed::NONE,
                age: Duration::ZERO,
                at,
            });
        }
    }

    #[test]
    fn an_alarm_that_ends_for_want_of_answers_does_not_claim_that_they_are_live() {
        let (watch, said) = watch();
        answers(&watch, START, Source::Default, 10);
        let raised = "shipping: half of the answers or more are fallbacks";
        assert_eq!(*locked(&said), [raised]);
        watch.check(START + secs(30));
        assert_eq!(*locked(&said), [raised], "there are still answers");
        watch.check(START + minutes(2));
        watch.check(START + minutes(3));
        let ended = "shipping: no answers for a minute, so the alarm ends";
        assert_eq!(*locked(&said), [raised, ended]);
    }

    #[test]
    fn an_alarm_ends_when_most_answers_are_live() {
        let (watch, said) = watch();
        answers(&watch, START, Source::Stale, 10);
        answers(&watch, START, Source::Primary, 11);
        let live = "shipping: most answers are live again";
        assert_eq!(locked(&said).last().unwrap(), live);
    }

    #[test]
    fn to_look_at_the_status_changes_nothing() {
        let (watch, said) = watch();
        answers(&watch, START, Source::Default, 10);
        let later = START + minutes(2);
        let status = json!({ "answers": 0, "degraded": 0, "alarm": true });
        assert_eq!(watch.status(later), status);
        assert_eq!(watch.status(later), status);
        assert_eq!(locked(&said).len(), 1);
        watch.check(later);
        assert_eq!(watch.status(later)["alarm"], false);
    }
}
