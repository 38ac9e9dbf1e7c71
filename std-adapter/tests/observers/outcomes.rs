//! What an observer hears of each request, and what the client and the service are told.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::{Request, Response, StatusCode};
use steadfast::event::LimitEvent;
use steadfast::limit::{Denied, Shadow, TokenBucket, WhenFull};
use steadfast::{limit_name, policy};
use steadfast_std::RateLimitLayer;
use steadfast_std::rate_limit::{Everyone, Head, Key, Limited, Observe, RefusedBy, WithoutKey};
use tower::{Layer, service_fn};

use crate::welcome::welcome;
use crate::{ONCE, ask, from};

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
