//! Limits in front of a server that knows nothing of them: old code, in whatever language.
//!
//! ```sh
//! cargo run --example gateway                                 # tries itself
//! cargo run --example gateway -- 127.0.0.1:8080 127.0.0.1:80  # the old server, and where to listen
//! ```
//!
//! Each client has five requests a second here, and ten at once. What passes is handed on as it is,
//! with the client's address in `X-Forwarded-For`; what does not is answered 429 and never reaches
//! the old server. A client does not wait for ever for an old server that takes requests and does not
//! answer: after half a minute that is a 504.

use std::error::Error;
use std::fmt::Display;
use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use steadfast::call::timeout;
use steadfast::limit::TokenBucket;
use steadfast::policy;
use steadfast::time::{Duration, millis, secs};
use steadfast_std::{RateLimitLayer, TokioTime};
use tokio::net::{TcpListener, TcpStream};

const EACH_CLIENT: TokenBucket = policy!(TokenBucket::per_second(5).burst(10));

/// How long the old server may take until its answer begins. Its body may take longer.
const PATIENCE: Duration = secs(30);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next(), arguments.next()) {
        (Some(old), Some(listen)) => {
            serve(TcpListener::bind(&listen).await?, old.parse()?, PATIENCE).await?;
        }
        (None, _) => try_it().await?,
        _ => return Err("usage: gateway [OLD_SERVER LISTEN]".into()),
    }
    Ok(())
}

async fn serve(listener: TcpListener, old: SocketAddr, patience: Duration) -> std::io::Result<()> {
    let hand_on = move |ConnectInfo(client): ConnectInfo<SocketAddr>, request: Request| async move {
        let no_answer = |status: StatusCode, why: &dyn Display| {
            let message = format!("The server behind the gateway does not answer: {why}\n");
            (status, message).into_response()
        };
        let answer = hand_on(old, client, request);
        match timeout(&TokioTime::of_process(), patience, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => no_answer(StatusCode::BAD_GATEWAY, &error),
            Err(timed_out) => no_answer(StatusCode::GATEWAY_TIMEOUT, &timed_out),
        }
    };
    let gateway = Router::new()
        .fallback(hand_on)
        .layer(RateLimitLayer::per_client(EACH_CLIENT));
    let service = gateway.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await
}

/// One request on a connection of its own. A busy gateway keeps its connections.
async fn hand_on(
    old: SocketAddr,
    client: SocketAddr,
    mut request: Request,
) -> Result<Response, Box<dyn Error>> {
    let stream = TcpStream::connect(old).await?;
    let (mut connection, driver) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(driver);
    // What the client wrote there is not to be believed, so it is replaced.
    let address = HeaderValue::from_str(&client.ip().to_string())?;
    request.headers_mut().insert("x-forwarded-for", address);
    Ok(connection.send_request(request).await?.map(Body::new))
}

/// An old server, the gateway before it, and a client in a hurry.
async fn try_it() -> Result<(), Box<dyn Error>> {
    let anywhere = (Ipv4Addr::LOCALHOST, 0);
    let old = TcpListener::bind(anywhere).await?;
    let old_address = old.local_addr()?;
    let legacy = Router::new()
        .route("/", get(|| async { "I am old.\n" }))
        .route("/hangs", get(pending::<()>));
    tokio::spawn(async move { axum::serve(old, legacy).await });
    let listener = TcpListener::bind(anywhere).await?;
    let gateway = listener.local_addr()?;
    tokio::spawn(serve(listener, old_address, millis(300)));

    let client = SocketAddr::from(anywhere);
    let hangs = Request::get("/hangs")
        .header("host", "shop")
        .body(Body::empty())?;
    let time = TokioTime::of_process();
    let answer = timeout(&time, secs(20), hand_on(gateway, client, hangs)).await??;
    let status = answer.status();
    println!("the old server takes a request and does not answer: {status}");
    if status != StatusCode::GATEWAY_TIMEOUT {
        return Err(format!("expected 504, not {status}").into());
    }

    let mut passed = 0;
    for _ in 0..100 {
        let request = Request::get("/")
            .header("host", "shop")
            .body(Body::empty())?;
        let answer = hand_on(gateway, client, request).await?;
        passed += u32::from(answer.status() == StatusCode::OK);
    }
    println!("of 100 requests in a row the old server saw {passed}; the others were told 429");
    if (10..100).contains(&passed) {
        Ok(())
    } else {
        Err(format!("expected 10 and a few, not {passed}").into())
    }
}
