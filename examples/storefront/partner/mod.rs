//! The shipping partner: a second server, of somebody else, that breaks in every way there is when
//! it is told to.

mod line;

use std::future::IntoFuture;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use steadfast::fault::{Fault, Faults};
use steadfast::policy;
use steadfast::time::{millis, secs};
use steadfast_std::ThreadRandom;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::app::{bad_request, problem};
use line::{Cut, Lines};

/// How the partner is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Well.
    Ok,
    /// Answers after a second or more.
    Slow,
    /// Takes the call and never answers.
    Hang,
    /// Answers 503.
    Fail,
    /// Four of ten calls go wrong, one way or another.
    Flaky,
    /// Answers 429, and to come back in a second.
    Limited,
    /// Hangs up.
    Reset,
}

impl Mode {
    const ALL: [Self; 7] = [
        Self::Ok,
        Self::Slow,
        Self::Hang,
        Self::Fail,
        Self::Flaky,
        Self::Limited,
        Self::Reset,
    ];

    const fn faults(self) -> Faults {
        match self {
            Self::Ok | Self::Limited => Faults::NONE,
            Self::Slow => policy!(Faults::of().latency(secs(1)).latency_up_to(millis(1_500))),
            Self::Hang => policy!(Faults::of().hangs(1_000)),
            Self::Fail => policy!(Faults::of().errors(1_000)),
            Self::Flaky => policy!(
                Faults::of()
                    .errors(300)
                    .resets(100)
                    .latency_up_to(millis(100))
            ),
            Self::Reset => policy!(Faults::of().resets(1_000)),
        }
    }
}

/// Orders above this are not in its books.
pub const LAST_ORDER: u32 = 4_000_000_000;

/// What it is told, and what it has done.
#[derive(Default)]
struct Desk {
    /// An index into [`Mode::ALL`].
    mode: AtomicU8,
    calls: AtomicU64,
}

impl Desk {
    fn mode(&self) -> Mode {
        let index = usize::from(self.mode.load(Ordering::Relaxed));
        Mode::ALL.get(index).copied().unwrap_or(Mode::Ok)
    }
}

#[derive(Deserialize)]
struct Told {
    mode: Mode,
}

/// A partner that is running.
pub struct Partner {
    pub address: SocketAddr,
    server: JoinHandle<()>,
}

impl Partner {
    /// Opens on 127.0.0.1.
    pub async fn open(port: u16) -> Result<Self, String> {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(wanted).await.map_err(|error| {
            format!("the partner cannot listen on {wanted}: {error}. Try --partner-port N.")
        })?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let service = routes().into_make_service_with_connect_info::<Cut>();
        let serving = axum::serve(Lines(listener), service);
        let server = tokio::spawn(async {
            // It never ends by itself.
            let _ = serving.into_future().await;
        });
        Ok(Self { address, server })
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn routes() -> Router {
    Router::new()
        .route("/quotes/{order}", get(quote))
        .route("/mode", post(set_mode))
        .route("/calls", get(calls))
        .with_state(Arc::new(Desk::default()))
}

async fn set_mode(
    State(desk): State<Arc<Desk>>,
    told: Result<Json<Told>, JsonRejection>,
) -> Response {
    let Json(Told { mode }) = match told {
        Ok(told) => told,
        Err(rejection) => {
            let expected =
                r#"{"mode":"ok"}, or slow, hang, fail, flaky, limited, reset in the place of ok"#;
            return bad_request(expected, &rejection);
        }
    };
    let index = Mode::ALL.iter().position(|known| *known == mode);
    // There are seven.
    desk.mode
        .store(index.unwrap_or_default() as u8, Ordering::Relaxed);
    StatusCode::NO_CONTENT.into_response()
}

/// How often it was asked for a quote: what the shop's retries come to, on this side.
async fn calls(State(desk): State<Arc<Desk>>) -> Json<serde_json::Value> {
    Json(json!({ "calls": desk.calls.load(Ordering::Relaxed) }))
}

async fn quote(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    Path(order): Path<u32>,
) -> Response {
    desk.calls.fetch_add(1, Ordering::Relaxed);
    let mode = desk.mode();
    if mode == Mode::Limited {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let body = json!({ "error": "too_many_quotes" });
        return (status, [(RETRY_AFTER, "1")], Json(body)).into_response();
    }
    let injected = mode.faults().draw(&mut ThreadRandom);
    if injected.fault != Fault::Hang {
        tokio::time::sleep(injected.delay.to_core()).await;
    }
    match injected.fault {
        Fault::None => {}
        Fault::Hang => std::future::pending().await,
        Fault::Reset => cut.off(),
        _ => {
            let message = "The partner's own database is down.";
            return problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message);
        }
    }
    if (1..=LAST_ORDER).contains(&order) {
        let days = 1 + order % 3;
        let cents = 490 + order % 100;
        Json(json!({ "provider": "swift", "estimatedDays": days, "quote": cents })).into_response()
    } else {
        let message = format!("Orders are numbered from 1 to {LAST_ORDER}.");
        problem(StatusCode::NOT_FOUND, "no_such_order", &message)
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use tokio::net::TcpStream;

    use super::*;
    use crate::browser::Browser;

    /// What comes back until the connection ends.
    async fn told(line: &TcpStream) -> Vec<u8> {
        let mut all = Vec::new();
        let mut some = [0; 1024];
        loop {
            line.readable().await.unwrap();
            match line.try_read(&mut some) {
                Ok(0) => return all,
                Ok(length) => all.extend_from_slice(&some[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                    return all;
                }
            }
        }
    }

    #[tokio::test]
    async fn a_partner_that_hangs_up_answers_nothing_however_many_questions_wait() {
        let partner = Partner::open(0).await.unwrap();
        let mut operator = Browser::open(partner.address, Ipv4Addr::LOCALHOST)
            .await
            .unwrap();
        operator.set_mode("reset").await.unwrap();
        for questions in 1..=3 {
            let line = TcpStream::connect(partner.address).await.unwrap();
            line.writable().await.unwrap();
            let text = b"GET /quotes/7 HTTP/1.1\r\nhost: partner\r\n\r\n".repeat(questions);
            assert_eq!(line.try_write(&text).unwrap(), text.len());
            // A guard against a partner that is busy for ever, not a measurement.
            let all = tokio::time::timeout(std::time::Duration::from_secs(10), told(&line));
            assert_eq!(all.await.expect("it hangs up"), b"", "{questions}");
        }
        operator.set_mode("ok").await.unwrap();
        let quote = operator.get("/quotes/7").await.unwrap();
        assert_eq!(quote.status, StatusCode::OK);
    }
}
