//! Who is told what a limit did: closures, counters, logs, and the list of who is denied most.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::{Request, Response, StatusCode};
use steadfast::event::{LimitEvent, LimitOutcome};
use steadfast::limit::{Denied, FixedWindow, Shadow, TokenBucket, WhenFull};
use steadfast::time::{Instant, minutes, secs};
use steadfast::{limit_name, policy};
use steadfast_std::RateLimitLayer;
use steadfast_std::rate_limit::{
    Everyone, Head, Key, Limited, MostDenied, Observe, PeerAddr, RefusedBy, WithoutKey,
};
use tower::{Layer, Service, service_fn};

const ONCE: FixedWindow = policy!(FixedWindow::new(1, minutes(15)));

type Inner = tower::util::BoxCloneService<Request<Body>, Response<Body>, Infallible>;

fn welcome() -> Inner {
    Inner::new(service_fn(|_| async {
        Ok(Response::new(Body::from("welcome")))
    }))
}

fn from(peer: &str) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    let address = PeerAddr(format!("{peer}:1").parse().unwrap());
    request.extensions_mut().insert(address);
    request
}

async fn ask<S>(service: &mut S, request: Request<Body>) -> Response<Body>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    service.call(request).await.unwrap()
}

/// What was observed: limit, outcome and key of each event.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observe for Seen {
    fn observe(&self, event: &LimitEvent<'_>, key: Option<&Key<'_>>) {
        let key = key.map_or_else(|| "-".to_owned(), ToString::to_string);
        let line = format!("{} {} {key}", event.limit, event.outcome.label());
        self.0.lock().unwrap().push(line);
    }
}

fn is_critical(head: Head<'_>) -> bool {
    head.uri.path() == "/critical"
}

#[tokio::test]
async fn every_outcome_is_told_with_its_limit_and_key() {
    let seen = Seen::default();
    let layer = RateLimitLayer::per_client(ONCE)
        .named(limit_name!("login"))
        .exempt(is_critical)
        .observed_by(seen.clone());
    let mut service = layer.layer(welcome());
    ask(&mut service, from("192.0.2.1")).await;
    ask(&mut service, from("192.0.2.1")).await;
    assert_eq!(
        seen.take(),
        ["login granted 192.0.2.1", "login denied 192.0.2.1"]
    );

    let mut critical = from("192.0.2.1");
    *critical.uri_mut() = "/critical".parse().unwrap();
    let answer = ask(&mut service, critical).await;
    assert_eq!(answer.status(), 200);
    assert!(!answer.headers().contains_key("x-ratelimit-limit"));
    assert_eq!(seen.take(), ["login exempt 192.0.2.1"]);

    let nobody = || Request::new(Body::empty());
    assert_eq!(ask(&mut service, nobody()).await.status(), 500);
    assert_eq!(seen.take(), ["login without_key -"]);
    let mut lenient = layer
        .clone()
        .without_key(WithoutKey::Exempt)
        .layer(welcome());
    assert_eq!(ask(&mut lenient, nobody()).await.status(), 200);
    assert_eq!(seen.take(), ["login exempt -"]);

    let small = layer.places(8, WhenFull::Deny).unwrap();
    let mut small = small.layer(welcome());
    for client in 0..9 {
        ask(&mut small, from(&format!("192.0.2.{client}"))).await;
    }
    assert_eq!(seen.take()[8], "login store_full 192.0.2.8");
}

#[tokio::test]
async fn an_outer_limit_tells_of_the_refund_and_the_answer_names_who_refused() {
    let seen = Seen::default();
    let inner = RateLimitLayer::per_client(ONCE)
        .named(limit_name!("client"))
        .observed_by(seen.clone());
    let everyone = RateLimitLayer::per_key(policy!(TokenBucket::per_minute(5)), Everyone)
        .named(limit_name!("global"))
        .observed_by(seen.clone());
    let mut service = everyone.layer(inner.layer(welcome()));
    ask(&mut service, from("192.0.2.1")).await;
    seen.take();
    let answer = ask(&mut service, from("192.0.2.1")).await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    let refused: &RefusedBy = answer.extensions().get().unwrap();
    assert_eq!(refused.limit, "client");
    assert!(matches!(refused.denied, Denied::RateLimited { .. }));
    assert_eq!(
        seen.take(),
        [
            "global granted everyone",
            "client denied 192.0.2.1",
            "global refunded -"
        ]
    );
    // So one client that is denied takes nothing from the others.
    for _ in 0..100 {
        ask(&mut service, from("192.0.2.1")).await;
    }
    for client in 2..6 {
        let answer = ask(&mut service, from(&format!("192.0.2.{client}"))).await;
        assert_eq!(answer.status(), 200);
    }
    let answer = ask(&mut service, from("192.0.2.6")).await;
    assert_eq!(answer.status(), 429, "five for everyone");
    let refused: &RefusedBy = answer.extensions().get().unwrap();
    assert_eq!(refused.limit, "global");
}

#[tokio::test]
async fn a_limit_on_trial_passes_all_and_tells_the_client_nothing() {
    let seen = Seen::default();
    let layer = RateLimitLayer::per_client(Shadow(ONCE))
        .named(limit_name!("trial"))
        .observed_by(seen.clone());
    let mut service = layer.layer(welcome());
    let answers = [
        ask(&mut service, from("192.0.2.1")).await,
        ask(&mut service, from("192.0.2.1")).await,
    ];
    assert!(answers.iter().all(|answer| answer.status() == 200));
    let told = |answer: &Response<Body>| answer.headers().contains_key("ratelimit");
    assert!(!answers.iter().any(told), "neither before nor after");
    assert_eq!(
        seen.take(),
        ["trial granted 192.0.2.1", "trial would_deny 192.0.2.1"]
    );
}

#[tokio::test]
async fn a_layer_that_degrades_passes_on_what_is_denied_and_says_so() {
    let seen = Seen::default();
    let service = service_fn(|request: Request<Body>| async move {
        let limited: Option<&Limited> = request.extensions().get();
        let body = limited.map_or("all", |limited| limited.limit.as_str());
        Ok::<_, Infallible>(Response::new(Body::from(body.to_owned())))
    });
    let mut service = RateLimitLayer::per_client(ONCE)
        .named(limit_name!("search"))
        .degrade()
        .observed_by(seen.clone())
        .layer(service);
    for (body, remaining) in [
        ("all", "r=0;t=9"),
        ("search", "r=0;t=9"),
        ("search", "r=0;t=9"),
    ] {
        let answer = ask(&mut service, from("192.0.2.1")).await;
        assert_eq!(answer.status(), 200);
        let told = answer.headers()["ratelimit"].to_str().unwrap().to_owned();
        assert!(told.contains(remaining), "{told}");
        let bytes = axum::body::to_bytes(answer.into_body(), 100).await.unwrap();
        assert_eq!(bytes, body);
    }
    assert_eq!(seen.take()[1..], ["search degraded 192.0.2.1"; 2]);
}

#[tokio::test]
async fn by_default_a_client_has_a_hundred_requests_a_minute() {
    let mut service = RateLimitLayer::default().layer(welcome());
    for _ in 0..100 {
        assert_eq!(ask(&mut service, from("192.0.2.1")).await.status(), 200);
    }
    let answer = ask(&mut service, from("192.0.2.1")).await;
    assert_eq!(answer.status(), 429);
    assert_eq!(
        answer.headers()["ratelimit-policy"],
        r#""default";q=100;w=60"#
    );
}

fn event(limit: &str, outcome: LimitOutcome) -> LimitEvent<'_> {
    LimitEvent {
        limit,
        outcome,
        cost: 1,
        at: Instant::ZERO,
    }
}

const NO: LimitOutcome = LimitOutcome::Denied(Denied::RateLimited {
    retry_after: secs(1),
});

/// The bounds of the algorithm's paper, on a stream in which a few keys stand out.
#[test]
fn the_most_denied_are_found_among_ninety_thousand_others() {
    const CAPACITY: usize = 50;
    const DENIALS: u64 = 100_000;

    let most = MostDenied::new(CAPACITY);
    let mut truth = std::collections::HashMap::new();
    for turn in 0..DENIALS {
        // Every tenth denial hits one of three; the others are all different.
        let key = if turn % 10 == 0 {
            turn / 10 % 3
        } else {
            turn + 1_000
        };
        *truth.entry(key.to_string()).or_insert(0_u64) += 1;
        most.observe(&event("login", NO), Some(&Key::Number(key)));
    }
    let list = most.snapshot();
    assert_eq!(list.len(), CAPACITY);
    assert!(list.is_sorted_by(|one, other| one.at_least >= other.at_least));
    for (key, times) in truth {
        let found = list.iter().find(|who| who.key == key);
        if times > DENIALS / CAPACITY as u64 {
            assert!(found.is_some(), "{key} was denied {times} times");
        }
        if let Some(found) = found {
            assert!((found.at_least..=found.at_most).contains(&times), "{key}");
        }
    }
    let three: Vec<_> = list[..3].iter().map(|who| who.key.as_str()).collect();
    assert!(
        ["0", "1", "2"].iter().all(|key| three.contains(key)),
        "{three:?}"
    );
    most.reset();
    assert_eq!(most.snapshot(), []);
}

#[test]
fn who_passes_is_not_among_the_most_denied_and_limits_are_apart() {
    let most = MostDenied::new(2);
    let key = Key::Text("alice".into());
    most.observe(&event("login", LimitOutcome::Granted), Some(&key));
    most.observe(&event("login", LimitOutcome::Exempt), Some(&key));
    assert_eq!(most.snapshot(), []);
    most.observe(&event("login", NO), Some(&key));
    most.observe(&event("orders", NO), Some(&key));
    most.observe(&event("orders", NO), Some(&key));
    let LimitOutcome::Denied(denied) = NO else {
        panic!("it is a no");
    };
    // It may have done nothing.
    most.observe(
        &event("orders", LimitOutcome::DeniedShared(denied)),
        Some(&key),
    );
    let list = most.snapshot();
    let shown: Vec<_> = list
        .iter()
        .map(|who| {
            (
                who.limit.as_str(),
                who.key.as_str(),
                who.at_least,
                who.at_most,
            )
        })
        .collect();
    assert_eq!(shown, [("orders", "alice", 2, 2), ("login", "alice", 1, 1)]);

    let trial = MostDenied::new(2);
    trial.observe(&event("trial", LimitOutcome::WouldDeny(denied)), Some(&key));
    assert!(!trial.snapshot()[0].enforced);

    let none = MostDenied::new(0);
    none.observe(&event("login", NO), None);
    assert_eq!(none.snapshot(), []);
}

#[cfg(feature = "metrics")]
mod counted {
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};
    use steadfast_std::rate_limit::Metrics;

    use super::*;

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
}

#[cfg(feature = "tracing")]
mod logged {
    use std::io::Write;

    use steadfast_std::rate_limit::{PerBearerToken, Traced};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_denial_is_a_line_with_its_limit_its_wait_and_no_secret() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .finish();
        let _here = tracing::subscriber::set_default(subscriber);
        let mut service = RateLimitLayer::per_key(ONCE, PerBearerToken)
            .named(limit_name!("orders"))
            .observed_by(Traced)
            .layer(welcome());
        for _ in 0..2 {
            let mut request = Request::new(Body::empty());
            let token = "Bearer s3cr3t".parse().unwrap();
            request.headers_mut().insert("authorization", token);
            ask(&mut service, request).await;
        }
        ask(&mut service, Request::new(Body::empty())).await;
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2, "a grant is only a trace:\n{text}");
        assert!(!text.contains("s3cr3t"), "{text}");
        for word in [
            " INFO steadfast::rate_limit: denied",
            "limit=\"orders\"",
            "outcome=\"denied\"",
            "key=secret-",
            "cost=1",
            "retry_after_ms=900000",
        ] {
            assert!(lines[0].contains(word), "{word} is not in {}", lines[0]);
        }
        assert!(lines[1].contains(" WARN steadfast::rate_limit: nothing to limit by"));
        assert!(lines[1].contains("outcome=\"without_key\""));
    }
}
