//! Services that call each other over HTTP, and all of them retry: what the last of them is asked.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use steadfast::backoff::Backoff;
use steadfast::call::{CallError, Observe};
use steadfast::event::CallEvent;
use steadfast::http::{RetriedBelow, header};
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::retry::{RetryBudget, RetryPolicy, StopReason};
use steadfast::shared::Shared;
use steadfast::time::secs;
use steadfast_std::Resilient;
use steadfast_std::call::{response_outcome, unavailable};
use tokio::net::{TcpListener, TcpStream};

/// What every layer does.
const FOUR: RetryPolicy = policy!(RetryPolicy::new(policy!(Backoff::immediate())).attempts(4));

/// The answer was not a good one, and this is what it was taken for.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bad(Outcome);

type Asked = Result<(), CallError<Bad>>;

/// One request on a connection of its own, and its answer as it came.
async fn answer_of(service: SocketAddr) -> Result<Response, Bad> {
    let broken = |_| Bad(Outcome::TRANSIENT);
    let lost = |_| Bad(Outcome::TRANSIENT);
    let stream = TcpStream::connect(service).await.map_err(lost)?;
    let (mut connection, driver) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
    tokio::spawn(driver);
    let request = Request::get("/").header("host", service.to_string());
    let request = request.body(Body::empty()).unwrap();
    let answer = connection.send_request(request).await.map_err(broken)?;
    Ok(answer.map(Body::new))
}

async fn ask_once(service: SocketAddr) -> Result<(), Bad> {
    let answer = answer_of(service).await?;
    match response_outcome(answer.status(), answer.headers()) {
        Outcome::Success => Ok(()),
        bad => Err(Bad(bad)),
    }
}

async fn ask(service: SocketAddr) -> Asked {
    ask_if(service, true, &Shared::budget(RetryBudget::standard())).await
}

async fn ask_if(service: SocketAddr, may_repeat: bool, budget: &Shared<RetryBudget>) -> Asked {
    (|| ask_once(service))
        .retry(&FOUR)
        .repeatable_if(may_repeat)
        .budget(budget)
        .judged_by(|answer| match answer {
            Ok(()) => Outcome::Success,
            Err(Bad(outcome)) => *outcome,
        })
        .call()
        .await
}

/// What a layer above is told of an answer that is handed on as it came.
#[derive(Default)]
struct Mark(OnceLock<RetriedBelow>);

impl Observe for Mark {
    fn ended(&self, event: &CallEvent<'_>) {
        if let Some(mark) = RetriedBelow::of_ended(event) {
            let _ = self.0.set(mark);
        }
    }
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

    /// One that has to ask the next, by a `POST` without a key.
    async fn that_posts_to(next: &Self) -> Self {
        let next = next.address;
        Self::answers(move || async move {
            let budget = Shared::budget(RetryBudget::standard());
            unavailable(&ask_if(next, false, &budget).await.unwrap_err())
        })
        .await
    }

    /// One that has to ask the next, and may retry once in all.
    async fn with_one_retry_before(next: &Self) -> Self {
        let next = next.address;
        let budget = policy!(RetryBudget::tokens(5).cost(5).timeout_cost(5));
        let budget = Arc::new(Shared::budget(budget));
        Self::answers(move || {
            let budget = Arc::clone(&budget);
            async move { unavailable(&ask_if(next, true, &budget).await.unwrap_err()) }
        })
        .await
    }

    /// A gateway, which hands on the last answer as it came.
    async fn that_hands_on(next: &Self) -> Self {
        let next = next.address;
        Self::answers(move || async move {
            let mark = Mark::default();
            let answer = (|| answer_of(next))
                .retry(&FOUR)
                .judged_by(|answer| match answer {
                    Ok(answer) => response_outcome(answer.status(), answer.headers()),
                    Err(Bad(outcome)) => *outcome,
                })
                .observed_by(&mark)
                .call()
                .await;
            let mut answer = answer.unwrap_or_else(|error| unavailable(&error));
            if let Some(mark) = mark.0.get() {
                let headers = answer.headers_mut();
                headers.insert(header::RETRIED_BELOW, mark.attempts().into());
            }
            answer
        })
        .await
    }

    /// The same as [`before`](Self::before), from before it told whoever asks that it retries.
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
async fn what_may_not_be_repeated_below_is_not_repeated_above() {
    let last = Service::says(StatusCode::SERVICE_UNAVAILABLE).await;
    let lower = Service::that_posts_to(&last).await;
    let middle = Service::before(&lower).await;
    assert_eq!(ask(middle.address).await.unwrap_err().attempts(), 1);
    let asked = [&middle, &lower, &last].map(Service::asked);
    assert_eq!(asked, [1, 1, 1]);
    // An answer that nobody takes for one that may pass: it may have been done.
    let last = Service::says(StatusCode::NOT_IMPLEMENTED).await;
    let lower = Service::that_posts_to(&last).await;
    assert_eq!(ask(lower.address).await.unwrap_err().attempts(), 1);
    assert_eq!((lower.asked(), last.asked()), (1, 1));
}

#[tokio::test]
async fn a_layer_whose_retry_budget_is_spent_is_not_retried() {
    let last = Service::says(StatusCode::SERVICE_UNAVAILABLE).await;
    let lower = Service::with_one_retry_before(&last).await;
    for asked in [(1, 2), (2, 3), (3, 4)] {
        assert_eq!(ask(lower.address).await.unwrap_err().attempts(), 1);
        assert_eq!((lower.asked(), last.asked()), asked);
    }
}

#[tokio::test]
async fn a_429_that_was_retried_below_is_handed_on_with_its_mark_and_its_wait() {
    let last = Service::answers(|| async {
        let headers = [(header::RETRIED_BELOW, "4"), (header::RETRY_AFTER, "100")];
        (StatusCode::TOO_MANY_REQUESTS, headers).into_response()
    })
    .await;
    let lower = Service::before(&last).await;
    let middle = Service::before(&lower).await;
    let answer = answer_of(lower.address).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()[header::RETRIED_BELOW], "1");
    assert_eq!(answer.headers()[header::RETRY_AFTER], "100");
    let asked = answer_of(last.address).await.unwrap();
    let retry_after = Some(secs(100));
    assert_eq!(
        response_outcome(asked.status(), asked.headers()),
        Outcome::ThrottledBelow { retry_after }
    );
    assert_eq!(ask(middle.address).await.unwrap_err().attempts(), 1);
    let asked = [&middle, &lower, &last].map(Service::asked);
    assert_eq!(asked, [1, 2, 3]);
}

#[tokio::test]
async fn an_answer_that_is_handed_on_as_it_came_tells_of_its_attempts() {
    for status in [503, 429] {
        let last = Service::says(StatusCode::from_u16(status).unwrap()).await;
        let gateway = Service::that_hands_on(&last).await;
        let middle = Service::before(&gateway).await;
        let answer = answer_of(gateway.address).await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()[header::RETRIED_BELOW], "4");
        assert_eq!(ask(middle.address).await.unwrap_err().attempts(), 1);
        let asked = [&middle, &gateway, &last].map(Service::asked);
        assert_eq!(asked, [1, 2, 8], "{status}");
    }
    let last = Service::says(StatusCode::OK).await;
    let gateway = Service::that_hands_on(&last).await;
    let answer = answer_of(gateway.address).await.unwrap();
    assert!(!answer.headers().contains_key(header::RETRIED_BELOW));
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
