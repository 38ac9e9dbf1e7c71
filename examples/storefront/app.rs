//! The shop: its routes, and what protects them.

use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::limits::Guard;
use crate::login::login;
use crate::orders::order;
use crate::shipping::{self, Shipping};

/// A login is two short strings, and an order not much more.
const LARGEST_BODY: usize = 4 * 1024;

/// The shop's routes. The outermost limit is the last one, and is asked first.
fn routes(guard: Guard, shipping: Arc<Shipping>) -> Router {
    // `route_layer`, so that a GET, which is answered 405, costs nothing.
    let login = post(login)
        .route_layer(guard.login.clone())
        .route_layer(guard.global.clone());
    let orders = post(order)
        .route_layer(guard.orders.clone())
        .route_layer(guard.orders_per_address.clone())
        .route_layer(guard.global.clone());
    let accounts = guard.accounts.clone();
    let quotes = get(shipping::shipping).route_layer(guard.global.clone());
    let partner = Router::new()
        .route("/shipping/{order}", quotes)
        .route("/status", get(shipping::status))
        .with_state(Arc::clone(&shipping));
    let for_the_operator = Router::new()
        .route("/metrics", get(metrics))
        .route("/most-denied", get(most_denied))
        .with_state(Arc::new(Watched { guard, shipping }));
    Router::new()
        .route("/login", login)
        .route("/orders", orders)
        .with_state(accounts)
        // Outside every limit: a load balancer that is told 429 takes the server out.
        .route("/health", get(health))
        .merge(partner)
        // A server on the open net keeps these two, and `/status`, on a port of their own.
        .merge(for_the_operator)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

/// What whoever is on call looks at.
struct Watched {
    guard: Guard,
    shipping: Arc<Shipping>,
}

/// In the text format of Prometheus.
async fn metrics(State(watched): State<Arc<Watched>>) -> Response {
    let metrics = watched.guard.metrics(|| watched.shipping.gauge());
    let headers = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (headers, metrics).into_response()
}

/// Who is denied most, most first; users by a hash of their token.
async fn most_denied(State(watched): State<Arc<Watched>>) -> Json<Value> {
    let list = watched.guard.most_denied.snapshot();
    let list = list.iter();
    Json(
        list.map(|who| {
            json!({
                "limit": who.limit,
                "key": who.key,
                "denied": who.at_least,
                "denied_at_most": who.at_most,
                "enforced": who.enforced,
            })
        })
        .collect(),
    )
}

/// How long requests that have begun may take once the shop closes. A client that sends nothing
/// more would otherwise keep it open; one that waits for a quote has its answer before.
const CLOSING: Duration = shipping::WHOLE
    .to_core()
    .saturating_add(Duration::from_secs(1));

/// Serves the shop on `listener` until `stop`. (A server on the open net has timeouts for slow
/// headers and bodies as well, its own or its proxy's.)
pub async fn serve(
    listener: TcpListener,
    guard: Guard,
    shipping: Shipping,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (closing, closed) = oneshot::channel();
    let stop = async {
        stop.await;
        let _ = closing.send(());
    };
    let shipping = Arc::new(shipping);
    // They end with it.
    let mut upkeep = JoinSet::new();
    upkeep.spawn(guard.upkeep());
    upkeep.spawn(Arc::clone(&shipping).upkeep());
    // Connect info is what tells the limiter who is asking.
    let service = routes(guard, shipping).into_make_service_with_connect_info::<SocketAddr>();
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
pub fn what_to_try(address: SocketAddr, partner: SocketAddr, file: &str) -> String {
    format!(
        "\
The storefront listens on http://{address}. Stop it with Ctrl-C.
Its shipping partner listens on http://{partner}.

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

What does sending it cost? Then let the partner fail, and ask again (it can be ok, slow, hang, fail,
flaky, limited, reset):

  curl http://{address}/shipping/7
  curl http://{partner}/mode -H 'content-type: application/json' -d '{{\"mode\":\"fail\"}}'
  for i in $(seq 6); do curl http://{address}/shipping/7; echo; done
  curl http://{address}/status

Its breaker is open for 30 s then, whatever the partner does, and closes after three quotes that
work. Start the shop anew to try another fault at once.

What limits and calls have done, for Prometheus and for whoever is on call:

  curl http://{address}/metrics
  curl http://{address}/most-denied

Edit the limits while the shop runs; it says what has changed, or what is wrong:

  {file}
"
    )
}
