//! The shop: its routes, and what protects them.

use std::future::Future;
use std::net::SocketAddr;

use axum::Json;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use steadfast::http::LimitName;
use steadfast::limit::FixedWindow;
use steadfast::time::minutes;
use steadfast::{limit_name, policy};
use steadfast_std::RateLimitLayer;
use tokio::net::TcpListener;

use crate::users;

/// What a password guesser gets: ten tries, then a quarter of an hour of nothing.
pub const LOGIN: FixedWindow = policy!(FixedWindow::new(10, minutes(15)));

const LOGIN_NAME: LimitName<'static> = limit_name!("login");

/// A login is two short strings; nobody has to send more.
const LARGEST_BODY: usize = 4 * 1024;

fn routes() -> Router {
    let login_limit = RateLimitLayer::per_client(LOGIN).named(LOGIN_NAME);
    Router::new()
        // `route_layer`, so that a GET, which is answered 405, does not cost an attempt.
        .route("/login", post(login).route_layer(login_limit))
        // Outside every limit: a load balancer that is told 429 takes the server out.
        .route("/health", get(health))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

/// Serves the shop on `listener` until `stop`.
pub async fn serve(
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    // Connect info is what tells the limiter who is asking.
    let service = routes().into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(stop)
        .await
}

#[derive(Deserialize)]
struct Credentials {
    user: String,
    password: String,
}

async fn login(credentials: Result<Json<Credentials>, JsonRejection>) -> (StatusCode, Json<Value>) {
    let Json(Credentials { user, password }) = match credentials {
        Ok(credentials) => credentials,
        Err(rejection) => {
            let problem = json!({
                "error": "bad_request",
                "message": format!(
                    "Send JSON like {{\"user\":\"...\",\"password\":\"...\"}}. {}",
                    rejection.body_text()
                ),
            });
            return (rejection.status(), Json(problem));
        }
    };
    if users::knows(&user, &password) {
        (StatusCode::OK, Json(json!({ "welcome": user })))
    } else {
        let problem = json!({
            "error": "wrong_credentials",
            "message": "The user or the password is wrong.",
        });
        (StatusCode::UNAUTHORIZED, Json(problem))
    }
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
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
"
    )
}
