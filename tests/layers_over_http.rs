//! Services that call each other over HTTP, and all of them retry: what the last of them is asked.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use steadfast::backoff::Backoff;
use steadfast::call::CallError;
use steadfast::http::header;
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::retry::{RetryPolicy, StopReason};
use steadfast_std::Resilient;
use steadfast_std::call::{response_outcome, unavailable};
use tokio::net::{TcpListener, TcpStream};

/// What every layer does.
const FOUR: RetryPolicy = policy!(RetryPolicy::new(policy!(Backoff::immediate())).attempts(4));

/// The answer was not a good one, and this is what it was taken for.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bad(Outcome);

type Asked = Result<(), CallError<Bad>>;

/// One request on a connection of its own.
async fn ask_once(service: SocketAddr) -> Result<(), Bad> {
    let broken = |_| Bad(Outcome::TRANSIENT);
    let lost = |_| Bad(Outcome::TRANSIENT);
    let stream = TcpStream::connect(service).await.map_err(lost)?;
    let (mut connection, driver) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
    tokio::spawn(driver);
    let request = Request::get("/").header("host", service.to_string());
    let request = request.body(Body::empty()).unwrap();
    let answer = connection.send_request(request).await.map_err(broken)?;
    match response_outcome(answer.status(), answer.headers()) {
        Outcome::Success => Ok(()),
        bad => Err(Bad(bad)),
    }
}

async fn ask(service: SocketAddr) -> Asked {
    (|| ask_once(service))
        .retry(&FOUR)
        .judged_by(|answer| match answer {
            Ok(()) => Outcome::Success,
            Err(Bad(outcome)) => *outcome,
        })
        .call()
        .await
}

/// A service, and how often it was asked.
struct Service {
    address: SocketAddr,
    asked: Arc<AtomicU32>,
}

impl Service {
    async fn answers<F>(answer: impl Fn() -> F + Clone + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Response> + Send,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        let routes = Router::new().fallback(move || {
            count.fetch_add(1, Ordering::Relaxed);
            answer()
        });
        tokio::spawn(async { axum::serve(listener, routes).await });
        Self { address, asked }
    }

    async fn says(status: StatusCode) -> Self {
        Self::answers(move || async move { status.into_response() }).await
    }

    /// One that has to ask the next.
    async fn before(next: &Self) -> Self {
        let next = next.address;
        Self::answers(move || async move {
            match ask(next).await {
                Ok(()) => StatusCode::OK.into_response(),
                Err(error) => unavailable(&error),
            }
        })
        .await
    }

    /// The same, from before it told whoever asks that it retries.
    async fn of_old_before(next: &Self) -> Self {
        let next = next.address;
        Self::answers(move || async move {
            let mut answer: Response = unavailable(&ask(next).await.unwrap_err());
            answer.headers_mut().remove(header::RETRIED_BELOW).unwrap();
            answer
        })
        .await
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn two_layers_that_retry_make_four_requests_and_not_sixteen() {
    // Down, of a status that nobody knows, and too busy.
    for status in [503, 529, 429] {
        let last = Service::says(StatusCode::from_u16(status).unwrap()).await;
        let lower = Service::before(&last).await;
        let error = ask(lower.address).await.unwrap_err();
        assert_eq!((lower.asked(), last.asked()), (1, 4), "{status}");
        assert_eq!(
            error,
            CallError::Failed {
                error: Bad(Outcome::Exhausted),
                attempts: 1,
                stopped: StopReason::RetriedBelow,
                outcome: Outcome::Exhausted,
            }
        );
    }
}

#[tokio::test]
async fn nor_do_three_make_more() {
    let last = Service::says(StatusCode::SERVICE_UNAVAILABLE).await;
    let lower = Service::before(&last).await;
    let middle = Service::before(&lower).await;
    assert_eq!(ask(middle.address).await.unwrap_err().attempts(), 1);
    let asked = [&middle, &lower, &last].map(Service::asked);
    assert_eq!(asked, [1, 1, 4]);
}

#[tokio::test]
async fn a_layer_that_does_not_tell_is_retried() {
    let last = Service::says(StatusCode::SERVICE_UNAVAILABLE).await;
    let lower = Service::of_old_before(&last).await;
    assert_eq!(ask(lower.address).await.unwrap_err().attempts(), 4);
    assert_eq!((lower.asked(), last.asked()), (4, 16));
}

#[tokio::test]
async fn a_layer_that_was_asked_once_below_is_retried() {
    let last = Service::says(StatusCode::NOT_IMPLEMENTED).await;
    let lower = Service::before(&last).await;
    // 501 would be so again below, but above it is a 502 of a service that may recover.
    assert_eq!(ask(lower.address).await.unwrap_err().attempts(), 4);
    assert_eq!((lower.asked(), last.asked()), (4, 4));
}

#[tokio::test]
async fn a_good_answer_passes_all_layers() {
    let last = Service::says(StatusCode::OK).await;
    let lower = Service::before(&last).await;
    let middle = Service::before(&lower).await;
    assert_eq!(ask(middle.address).await, Ok(()));
    let asked = [&middle, &lower, &last].map(Service::asked);
    assert_eq!(asked, [1; 3]);
}
