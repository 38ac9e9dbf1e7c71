//! Who watches the calls to the partner: metrics, an alarm, and what the breaker has done.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use steadfast::call::Observe;
use steadfast::event::{BreakerEvent, BreakerOutcome, FallbackEvent, RetryEvent};
use steadfast::fallback::{FallbackAlarm, FallbackMeter, FallbackMeterState};
use steadfast::policy;
use steadfast::time::{Instant, minutes};
use steadfast_std::Target;
use steadfast_std::call::CallMetrics;

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
}

impl Watch {
    pub fn new(metrics: CallMetrics, say: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            metrics,
            say: Box::new(say),
            meter: Mutex::new(FallbackMeter::QUIET),
        }
    }

    pub fn status(&self, now: Instant) -> Value {
        let mut meter = self.meter();
        // The alarm also ends when nobody asks any more.
        let edge = METER.check(&mut meter, now);
        let totals = METER.totals(&meter, now);
        let alarm = METER.is_raised(&meter);
        drop(meter);
        self.tell(edge);
        json!({
            "answers": totals.calls,
            "degraded": totals.failures,
            "alarm": alarm,
        })
    }

    pub fn gauge(&self, target: &Target, now: Instant) {
        self.metrics.gauge(target, now);
    }

    fn meter(&self) -> MutexGuard<'_, FallbackMeterState<6>> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, edge: Option<FallbackAlarm>) {
        match edge {
            Some(FallbackAlarm::Raised) => {
                (self.say)("shipping: half of the answers are fallbacks");
            }
            Some(FallbackAlarm::Cleared) => (self.say)("shipping: most answers are live again"),
            None => {}
        }
    }
}

impl Observe for Watch {
    fn attempted(&self, event: &RetryEvent<'_>) {
        self.metrics.attempted(event);
    }

    fn guarded(&self, event: &BreakerEvent<'_>) {
        self.metrics.guarded(event);
        if let BreakerOutcome::Changed(transition) = event.outcome {
            (self.say)(&format!("{}: breaker {transition}", event.breaker));
        }
    }

    fn served(&self, event: &FallbackEvent<'_>) {
        self.metrics.served(event);
        let edge = METER.record(&mut self.meter(), event.at, event.is_degraded());
        self.tell(edge);
    }
}
