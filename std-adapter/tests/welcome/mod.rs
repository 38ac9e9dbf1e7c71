//! The service behind a limit: it answers every request with "welcome".

use std::convert::Infallible;

use axum::body::Body;
use http::{Request, Response};
use tower::service_fn;

pub type Inner = tower::util::BoxCloneService<Request<Body>, Response<Body>, Infallible>;

pub fn welcome() -> Inner {
    Inner::new(service_fn(|_| async {
        Ok(Response::new(Body::from("welcome")))
    }))
}
