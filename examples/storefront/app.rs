//! The shop: its routes, and what protects them.

use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use steadfast_std::RateLimitLayer;
use steadfast_std::rate_limit::PerBearerToken;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::limits::{self, Accounts};
use crate::login::login;
use crate::orders::order;

/// A login is two short strings, and an order not much more.
const LARGEST_BODY: usize = 4 * 1024;

fn routes() -> Router {
    let per_address = RateLimitLayer::per_client(limits::LOGIN).named(limits::LOGIN_NAME);
    let per_user =
        RateLimitLayer::per_key(limits::ORDERS, PerBearerToken).named(limits::ORDERS_NAME);
    // `route_layer`, so that a GET, which is answered 405, costs nothing.
    Router::new()
        .route("/login", post(login).route_layer(per_address))
        .route("/orders", post(order).route_layer(per_user))
        // Outside every limit: a load balancer that is told 429 takes the server out.
        .route("/health", get(health))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(Arc::new(Accounts::new()))
}

/// How long requests that have begun may take once the shop closes. A client that sends nothing
/// more would otherwise keep it open.
const CLOSING: Duration = Duration::from_secs(5);

/// Serves the shop on `listener` until `stop`. (A server on the open net has timeouts for slow
/// headers and bodies as well, its own or its proxy's.)
pub async fn serve(
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (closing, closed) = oneshot::channel();
    let stop = async {
        stop.await;
        let _ = closing.send(());
    };
    // Connect info is what tells the limiter who is asking.
    let service = routes().into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(stop);
    let overdue = async {
        let _ = closed.await;
        tokio::time::sleep(CLOSING).await;
    };
    tokio::select! {
        done = serving.into_future() => done,
        () = overdue => Ok(()),
    }
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The answer to a body that is not what the route expects.
pub fn bad_request(expected: &str, rejection: &JsonRejection) -> Response {
    let message = format!("Send JSON like {expected}. {}", rejection.body_text());
    problem(rejection.status(), "bad_request", &message)
}

/// An error, for programs and for people.
pub fn problem(status: StatusCode, error: &str, message: &str) -> Response {
    let body = json!({ "error": error, "message": message });
    (status, Json(body)).into_response()
}

/// The greeting: what the server is and what to type.
pub fn what_to_try(address: SocketAddr) -> String {
    format!(
        "\
The storefront listens on http://{address}. Stop it with Ctrl-C.

A login that works (the other user is bob, \"battery staple\"):

  curl -i http://{address}/login -H 'content-type: application/json' \\
       -d '{{\"user\":\"alice\",\"password\":\"correct horse\"}}'

Guess passwords until the limiter stops you, at the eleventh login in all:

  for i in $(seq 12); do
    curl -s -o /dev/null -w '%{{http_code}}\\n' http://{address}/login \\
         -H 'content-type: application/json' -d '{{\"user\":\"alice\",\"password\":\"guess\"}}'
  done

Come from another address, and you are let in; the health check is never limited:

  curl -i --interface 127.0.0.2 http://{address}/login -H 'content-type: application/json' \\
       -d '{{\"user\":\"bob\",\"password\":\"battery staple\"}}'
  curl -i http://{address}/health

Order something; any bearer token names a user, and each has 100 orders a minute:

  curl -i http://{address}/orders -H 'authorization: Bearer carol' \\
       -H 'content-type: application/json' -d '{{\"item\":\"teapot\"}}'
"
    )
}
