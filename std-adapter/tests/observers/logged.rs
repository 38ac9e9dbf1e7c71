//! Decisions logged as events of `tracing`.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::Request;
use steadfast::limit_name;
use steadfast_std::RateLimitLayer;
use steadfast_std::rate_limit::{PerBearerToken, Traced};
use tower::Layer;

use crate::welcome::welcome;
use crate::{ONCE, ask};

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
