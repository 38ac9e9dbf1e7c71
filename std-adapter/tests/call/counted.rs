//! Calls as series of the `metrics` facade.

use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use steadfast::breaker::{Breaker, CircuitBreaker};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::retry::{Budget, RetryBudget};
use steadfast::time::{Instant, secs};
use steadfast_std::Target;
use steadfast_std::call::CallMetrics;

use crate::bad_minute::a_bad_minute;

#[tokio::test(start_paused = true)]
async fn calls_are_counted_under_names_that_stay() {
    let recorder = DebuggingRecorder::new();
    let snapshots = recorder.snapshotter();
    let metrics = metrics::with_local_recorder(&recorder, || CallMetrics::of("partner"));
    a_bad_minute(&metrics).await;
    let mut seen: Vec<_> = snapshots
        .snapshot()
        .into_vec()
        .into_iter()
        .filter_map(|(key, _, _, value)| {
            let key = key.key();
            let labels: Vec<_> = key.labels().map(metrics::Label::value).collect();
            let name = key.name().strip_prefix("steadfast_").unwrap();
            match value {
                DebugValue::Counter(0) => None,
                DebugValue::Counter(count) => Some(format!("{name} {labels:?} {count}")),
                DebugValue::Gauge(value) => Some(format!("{name} {labels:?} {value}")),
                DebugValue::Histogram(values) => {
                    let values: Vec<_> = values.iter().map(|value| value.0).collect();
                    Some(format!("{name} {labels:?} {values:?}"))
                }
            }
        })
        .collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            r#"breaker_events_total ["partner", "closed"] 1"#,
            r#"breaker_events_total ["partner", "failure"] 3"#,
            r#"breaker_events_total ["partner", "half_opened"] 1"#,
            r#"breaker_events_total ["partner", "opened"] 1"#,
            r#"breaker_events_total ["partner", "rejected"] 1"#,
            r#"breaker_events_total ["partner", "success"] 1"#,
            r#"breaker_state ["partner"] 0"#,
            r#"call_attempt_seconds ["partner"] [0.03, 0.03, 0.01, 0.03]"#,
            r#"call_attempts_total ["partner", "success"] 1"#,
            r#"call_attempts_total ["partner", "transient"] 3"#,
            r#"call_retry_delay_seconds ["partner"] [0.1]"#,
            r#"call_seconds ["partner"] [0.16, 0.0, 0.01, 0.03]"#,
            r#"call_steps_total ["partner", "attempts_spent"] 1"#,
            r#"call_steps_total ["partner", "breaker_opened"] 1"#,
            r#"call_steps_total ["partner", "retry"] 1"#,
            r#"call_steps_total ["partner", "succeeded"] 1"#,
            r#"calls_total ["partner", "failure"] 2"#,
            r#"calls_total ["partner", "rejected"] 1"#,
            r#"calls_total ["partner", "success"] 1"#,
            r#"fallback_answers_total ["partner", "default"] 1"#,
            r#"fallback_stages_total ["partner", "primary_failure"] 1"#,
        ]
    );
}

/// Of several breakers that one is told of, the one with its name has the gauge.
#[test]
fn the_gauge_is_of_the_breaker_with_the_name() {
    const NOW: Instant = Instant::from_secs(60);
    let target = |name| Target::new(name, Breaker::standard(), RetryBudget::standard());
    let recorder = DebuggingRecorder::new();
    let snapshots = recorder.snapshotter();
    let metrics = metrics::with_local_recorder(&recorder, || CallMetrics::of("hooks"));
    // Reading it sets it back to zero.
    let gauge = || {
        let mut gauges = snapshots.snapshot().into_vec().into_iter();
        gauges.find_map(|(_, _, _, value)| match value {
            DebugValue::Gauge(value) => Some(value.0),
            _ => None,
        })
    };
    let (own, other) = (target("hooks"), target("one.example"));
    own.by_hand(NOW, &metrics, |breaker, state| {
        breaker.force_open(state, NOW)
    });
    let told = other.by_hand(NOW, &metrics, |breaker, state| breaker.disable(state, NOW));
    assert!(told.is_some());
    assert_eq!(gauge(), Some(2.0));
    // Nothing changed, so nobody is told.
    let again = own.by_hand(NOW, &metrics, |breaker, state| {
        breaker.force_open(state, NOW)
    });
    assert_eq!((again, gauge()), (None, Some(0.0)));
}

/// In the units of the budget, of the target with the name and of no other, in one series.
#[test]
fn what_a_budget_has_left_is_a_gauge_of_the_target_with_the_name() {
    const NOW: Instant = Instant::from_secs(60);
    const THROTTLE: RetryBudget = policy!(RetryBudget::throttle(10, 100));
    let recorder = DebuggingRecorder::new();
    let snapshots = recorder.snapshotter();
    // How many series there are, and what is left.
    let seen = || {
        let series = snapshots.snapshot().into_vec();
        let left = series.iter().find_map(|(key, _, _, value)| {
            let is_it = key.key().name() == "steadfast_retry_budget_available";
            match value {
                DebugValue::Gauge(value) if is_it => Some(value.0),
                _ => None,
            }
        });
        (series.len(), left)
    };
    metrics::with_local_recorder(&recorder, || {
        let metrics = CallMetrics::of("hooks");
        assert_eq!(seen(), (65, None), "nobody has looked");
        let other = Target::new("one.example", Breaker::standard(), RetryBudget::standard());
        metrics.gauge(&other, NOW);
        assert_eq!(seen(), (65, None), "it is another's");
        let own = Target::new("hooks", Breaker::standard(), RetryBudget::standard());
        metrics.gauge(&own, NOW);
        assert_eq!(seen(), (66, Some(500.0)));
        let _ = own.withdraw(NOW, Outcome::TRANSIENT).unwrap();
        let _ = own.withdraw(NOW, Outcome::TimedOut).unwrap();
        metrics.gauge(&own, NOW);
        metrics.gauge(&other, NOW);
        assert_eq!(seen(), (66, Some(485.0)));
        let throttled = Target::new("hooks", Breaker::standard(), THROTTLE);
        throttled.failed(NOW);
        metrics.gauge(&throttled, NOW);
        assert_eq!(seen(), (66, Some(9_000.0)));
    });
}

/// An open time ends without a call.
#[test]
fn to_gauge_a_target_tells_that_its_open_time_is_over() {
    const NOW: Instant = Instant::from_secs(60);
    let recorder = DebuggingRecorder::new();
    let snapshots = recorder.snapshotter();
    let state = |metrics: &CallMetrics, target: &Target, at| {
        metrics.gauge(target, at);
        let mut series = snapshots.snapshot().into_vec().into_iter();
        series.find_map(|(key, _, _, value)| match value {
            DebugValue::Gauge(value) if key.key().name() == "steadfast_breaker_state" => {
                Some(value.0)
            }
            _ => None,
        })
    };
    metrics::with_local_recorder(&recorder, || {
        let metrics = CallMetrics::of("partner");
        let target = crate::target();
        for _ in 0..2 {
            let call = target.enter(|| NOW).unwrap();
            call.record(|| NOW, Outcome::TimedOut);
        }
        assert_eq!(state(&metrics, &target, NOW), Some(2.0));
        let over = NOW + secs(1);
        assert_eq!(state(&metrics, &target, over), Some(1.0));
    });
}
