//! Decisions counted as series of the `metrics` facade.

use axum::body::Body;
use http::Request;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use steadfast_std::RateLimitLayer;
use steadfast_std::rate_limit::Metrics;
use tower::Layer;

use crate::welcome::welcome;
use crate::{ONCE, ask, from};

#[tokio::test]
async fn decisions_are_counted_under_names_that_stay() {
    let recorder = DebuggingRecorder::new();
    let snapshots = recorder.snapshotter();
    let (metrics, layer) = metrics::with_local_recorder(&recorder, || {
        let metrics = Metrics::of("login");
        let layer = RateLimitLayer::per_client(ONCE).observed_by(metrics.clone());
        (metrics, layer)
    });
    let mut service = layer.layer(welcome());
    for _ in 0..4 {
        ask(&mut service, from("192.0.2.1")).await;
    }
    ask(&mut service, Request::new(Body::empty())).await;
    metrics::with_local_recorder(&recorder, || metrics.gauge(layer.limiter()));

    let mut seen: Vec<_> = snapshots
        .snapshot()
        .into_vec()
        .into_iter()
        .map(|(key, _, _, value)| {
            let labels: Vec<_> = key.key().labels().map(metrics::Label::value).collect();
            let value = match value {
                DebugValue::Counter(count) => count.to_string(),
                DebugValue::Gauge(value) => value.to_string(),
                DebugValue::Histogram(waits) => {
                    assert!(waits.iter().all(|wait| (800.0..=900.0).contains(&**wait)));
                    format!("{} waits", waits.len())
                }
            };
            format!("{}{{{}}} {value}", key.key().name(), labels.join(","))
        })
        .collect();
    seen.sort();
    let decisions = "steadfast_rate_limit_decisions_total";
    let mut expected = [
        format!("{decisions}{{login,granted}} 1"),
        format!("{decisions}{{login,denied}} 3"),
        format!("{decisions}{{login,without_key}} 1"),
        format!("{decisions}{{login,exempt}} 0"),
        format!("{decisions}{{login,refunded}} 0"),
        format!("{decisions}{{login,store_full}} 0"),
        format!("{decisions}{{login,denied_shared}} 0"),
        format!("{decisions}{{login,degraded}} 0"),
        format!("{decisions}{{login,would_deny}} 0"),
        "steadfast_rate_limit_retry_after_seconds{login} 3 waits".to_owned(),
        "steadfast_rate_limit_active_keys{login} 1".to_owned(),
        "steadfast_rate_limit_places{login} 65536".to_owned(),
        "steadfast_rate_limit_crowded_total{login} 0".to_owned(),
        "steadfast_rate_limit_evicted_total{login} 0".to_owned(),
    ];
    expected.sort();
    assert_eq!(seen, expected);
}
