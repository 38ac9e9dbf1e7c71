//! Who is told what a limit did: closures, counters, logs, and the list of who is denied most. One
//! part of it a file.

#[cfg(feature = "metrics")]
mod counted;
#[cfg(feature = "tracing")]
mod logged;
mod most_denied;
mod outcomes;
#[path = "../welcome/mod.rs"]
mod welcome;

use std::convert::Infallible;

use axum::body::Body;
use http::{Request, Response};
use steadfast::limit::FixedWindow;
use steadfast::policy;
use steadfast::time::minutes;
use steadfast_std::rate_limit::PeerAddr;
use tower::Service;

const ONCE: FixedWindow = policy!(FixedWindow::new(1, minutes(15)));

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
