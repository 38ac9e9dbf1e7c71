//! One request to the partner, over a connection of its own.

use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1::handshake;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use steadfast::http::{RemainingTime, header};
use steadfast::outcome::Outcome;
use steadfast::time::Duration;
use steadfast_std::call::response_outcome;
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
    /// The question cannot be put, so it was not sent.
    Request(String),
    /// No connection, or it broke.
    Connection(String),
    /// The partner said no, and what that means by its headers too: when to come back, say.
    Status(StatusCode, Outcome),
    /// Nobody can read the answer.
    Unreadable(String),
}

impl PartnerError {
    /// What it means to retry, breaker and fallback. The only no that a user is to hear is that
    /// there is no such order.
    pub fn outcome(&self) -> Outcome {
        match self {
            // No failure of the partner, and no answer of it either.
            Self::Request(_) => Outcome::Rejected,
            Self::Connection(_) => Outcome::TRANSIENT,
            Self::Status(StatusCode::NOT_FOUND, _) => Outcome::Ignored,
            // "Moved", "log in first": there is no quote, and whoever asked for one is not to blame.
            Self::Status(_, Outcome::Success | Outcome::Ignored) | Self::Unreadable(_) => {
                Outcome::Failure
            }
            Self::Status(_, outcome) => *outcome,
        }
    }
}

impl fmt::Display for PartnerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(error) => write!(f, "the question to the partner: {error}"),
            Self::Connection(error) => write!(f, "the connection to the partner: {error}"),
            Self::Status(status, _) => write!(f, "the partner answered {status}"),
            Self::Unreadable(error) => write!(f, "the partner's answer: {error}"),
        }
    }
}

/// Asks for a quote, and tells the partner how long there is time.
pub async fn fetch(
    partner: SocketAddr,
    order: u32,
    remaining: Duration,
) -> Result<Quote, PartnerError> {
    let request = request(partner, order, remaining)?;
    let broken = |error: &dyn fmt::Display| PartnerError::Connection(error.to_string());
    let stream = TcpStream::connect(partner).await.map_err(|e| broken(&e))?;
    let (mut connection, driver) = handshake(TokioIo::new(stream))
        .await
        .map_err(|e| broken(&e))?;
    // Gone with this request, also when it is dropped in the middle.
    let _driver = Aborted(tokio::spawn(driver).abort_handle());

    let answer = connection
        .send_request(request)
        .await
        .map_err(|e| broken(&e))?;
    let (head, body) = answer.into_parts();
    if head.status != StatusCode::OK {
        let outcome = response_outcome(head.status, &head.headers);
        return Err(PartnerError::Status(head.status, outcome));
    }
    let body = Limited::new(body, LARGEST_ANSWER)
        .collect()
        .await
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                PartnerError::Unreadable(format!("it is longer than {LARGEST_ANSWER} bytes"))
            } else {
                broken(&error)
            }
        })?
        .to_bytes();
    serde_json::from_slice(&body).map_err(|error| PartnerError::Unreadable(error.to_string()))
}

fn request(
    partner: SocketAddr,
    order: u32,
    remaining: Duration,
) -> Result<Request<Empty<Bytes>>, PartnerError> {
    let wrong = |error: &dyn fmt::Display| PartnerError::Request(error.to_string());
    let mut buffer = [0; RemainingTime::MAX_LEN];
    let remaining = RemainingTime::new(remaining)
        .write_millis(&mut buffer)
        .map_err(|e| wrong(&e))?;
    Request::get(format!("/quotes/{order}"))
        .header(HOST, partner.to_string())
        .header(header::REMAINING_TIME_MS, remaining)
        .body(Empty::new())
        .map_err(|e| wrong(&e))
}

/// A task that ends with whoever started it.
struct Aborted(AbortHandle);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}
