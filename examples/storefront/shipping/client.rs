//! One request to the partner, over a connection of its own.

use std::fmt;
use std::net::SocketAddr;
use std::time::SystemTime;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1::handshake;
use hyper::header::{HOST, RETRY_AFTER};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use steadfast::http::{RemainingTime, RetryAfter, header, http_outcome};
use steadfast::outcome::Outcome;
use steadfast::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

/// A quote is a hundred bytes; a partner that sends more is not believed.
const LARGEST_ANSWER: usize = 4 * 1024;

/// What the partner asks for sending a parcel.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Quote {
    pub provider: String,
    #[serde(rename = "estimatedDays")]
    pub estimated_days: u32,
    #[serde(rename = "quote")]
    pub cents: Option<u32>,
}

/// Why there is no quote.
#[derive(Debug)]
pub enum PartnerError {
    /// No connection, or it broke.
    Connection(String),
    /// The partner said no, and perhaps when to come back.
    Status(StatusCode, Option<Duration>),
    /// Nobody can read the answer.
    Unreadable(String),
}

impl PartnerError {
    /// What it means to retry and breaker.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Connection(_) => Outcome::TRANSIENT,
            Self::Status(status, retry_after) => http_outcome(status.as_u16(), *retry_after),
            Self::Unreadable(_) => Outcome::Failure,
        }
    }
}

impl fmt::Display for PartnerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => write!(f, "the connection to the partner: {error}"),
            Self::Status(status, _) => write!(f, "the partner answered {status}"),
            Self::Unreadable(error) => write!(f, "the partner's answer: {error}"),
        }
    }
}

/// Asks for a quote, and tells the partner how long there is time.
pub async fn fetch(
    partner: SocketAddr,
    order: &str,
    remaining: Duration,
) -> Result<Quote, PartnerError> {
    let broken = |error: &dyn fmt::Display| PartnerError::Connection(error.to_string());
    let stream = TcpStream::connect(partner).await.map_err(|e| broken(&e))?;
    let (mut connection, driver) = handshake(TokioIo::new(stream))
        .await
        .map_err(|e| broken(&e))?;
    // Gone with this request, also when it is dropped in the middle.
    let _driver = Aborted(tokio::spawn(driver).abort_handle());

    let mut buffer = [0; RemainingTime::MAX_LEN];
    let remaining = RemainingTime::new(remaining)
        .write_millis(&mut buffer)
        .map_err(|e| broken(&e))?;
    let request = Request::get(format!("/quotes/{order}"))
        .header(HOST, partner.to_string())
        .header(header::REMAINING_TIME_MS, remaining)
        .body(Empty::<Bytes>::new())
        .map_err(|e| broken(&e))?;
    let answer = connection
        .send_request(request)
        .await
        .map_err(|e| broken(&e))?;
    let (head, body) = answer.into_parts();
    if head.status != StatusCode::OK {
        let retry_after = head.headers.get(RETRY_AFTER);
        let retry_after =
            retry_after.and_then(|value| RetryAfter::parse(value.to_str().ok()?, unix_now()));
        return Err(PartnerError::Status(head.status, retry_after));
    }
    let body = Limited::new(body, LARGEST_ANSWER)
        .collect()
        .await
        .map_err(|e| broken(&e))?
        .to_bytes();
    serde_json::from_slice(&body).map_err(|error| PartnerError::Unreadable(error.to_string()))
}

fn unix_now() -> Instant {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Instant::ZERO + Duration::from_core(since.unwrap_or_default())
}

/// A task that ends with whoever started it.
struct Aborted(AbortHandle);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}
