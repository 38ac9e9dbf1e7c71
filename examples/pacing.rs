//! A client that paces itself: it sends no faster than was agreed on, and heeds `Retry-After`.
//!
//! ```sh
//! cargo run --example pacing
//! ```
//!
//! A server on a free port answers the sixth request with 429 and `Retry-After: 2`. Twelve tasks
//! call it at once, and none of them knows of the others. The first four leave at once, then one
//! every 200 ms; after the refusal nobody sends for two seconds. Whoever was refused tries again
//! through the same layer, up to three times in all, and waits its turn like the others.

use std::convert::Infallible;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use hyper::body::Incoming;
use hyper::client::conn::http1::handshake;
use hyper::header::{HOST, RETRY_AFTER};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use steadfast::call::timeout;
use steadfast::limit::TokenBucket;
use steadfast::policy;
use steadfast::time::{Duration, secs};
use steadfast_std::{PaceLayer, TokioTime};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, ServiceExt, service_fn};

/// What was agreed on: five a second, four at once after a pause.
const AGREED: TokenBucket = policy!(TokenBucket::per_second(5).burst(4));

/// How often a call is sent before it is given up.
const ATTEMPTS: u32 = 3;

/// How long the server may take until its answer begins; the wait for the turn is not in it.
const PATIENCE: Duration = secs(5);

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let api = serve().await?;
    let pace = PaceLayer::new(AGREED, TokioTime::new()).max_wait(secs(10));
    let client = pace.layer(service_fn(send));

    let start = Instant::now();
    let calls: Vec<_> = (1..=12)
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move {
                for _ in 0..ATTEMPTS {
                    // A call that cannot go within ten seconds fails with how long it would take.
                    let answer = client.clone().oneshot(api).await;
                    let answer = answer.map_err(|error| format!("call {number}: {error}"))?;
                    let after = start.elapsed().as_millis();
                    println!("{after:>5} ms  call {number:>2}: {}", answer.status());
                    if answer.status() != StatusCode::TOO_MANY_REQUESTS {
                        return Ok(());
                    }
                }
                Err::<(), Failure>(format!("call {number} was refused {ATTEMPTS} times").into())
            })
        })
        .collect();
    for call in calls {
        call.await??;
    }
    Ok(())
}

/// Sends it when its turn has come, and does not wait for ever if there is no answer then.
async fn send(api: SocketAddr) -> Result<Response<Incoming>, Failure> {
    timeout(&TokioTime::of_process(), PATIENCE, ask(api)).await?
}

/// One request on a connection of its own. A real client keeps its connections.
async fn ask(api: SocketAddr) -> Result<Response<Incoming>, Failure> {
    let stream = TcpStream::connect(api).await?;
    let (mut connection, driver) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(driver);
    let request = Request::get("/").header(HOST, api.to_string());
    Ok(connection
        .send_request(request.body(String::new())?)
        .await?)
}

/// The other side.
async fn serve() -> Result<SocketAddr, Failure> {
    let count = Arc::new(AtomicU32::new(0));
    let answer = move || {
        let number = count.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            Ok::<_, Infallible>(if number == 6 {
                (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "2")]).into_response()
            } else {
                "welcome".into_response()
            })
        }
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let app = Router::new().route("/", get(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}
