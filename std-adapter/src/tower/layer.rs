//! The layer, the service that it makes, and the future of an answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use steadfast::ConfigError;
use steadfast::http::LimitName;
use steadfast::limit::{Standing, WhenFull};
use tower_layer::Layer;
use tower_service::Service;

use super::answer;
use super::client::{Client, WithoutAddress, client_of};
use crate::{KeyedLimiter, Stored};

/// Limits each client of a service; see [the module](super).
///
/// All services that one layer makes, and all its clones, share one table.
///
/// ```
/// use axum::{Router, routing::post};
/// use steadfast::{limit::FixedWindow, policy, time::minutes};
/// use steadfast_std::RateLimitLayer;
///
/// let limit = RateLimitLayer::per_client(policy!(FixedWindow::new(10, minutes(15))));
/// let app: Router = Router::new().route("/login", post(|| async { "welcome" }).layer(limit));
/// ```
#[derive(Debug)]
pub struct RateLimitLayer<P: Stored> {
    limiter: Arc<KeyedLimiter<Option<Client>, P>>,
    name: LimitName<'static>,
    without_address: WithoutAddress,
}

impl<P: Stored> RateLimitLayer<P> {
    /// How many places a layer has unless [`places`](Self::places) says otherwise: 65,536, for
    /// about 43,000 clients that are active at once; 2 MiB for most policies.
    pub const PLACES: usize = 1 << 16;

    /// Limits each client by its peer address.
    ///
    /// # Panics
    ///
    /// Never: [`PLACES`](Self::PLACES) is in range.
    pub fn per_client(policy: P) -> Self {
        let limiter = KeyedLimiter::new(policy, Self::PLACES).expect("PLACES is in range");
        Self {
            limiter: Arc::new(limiter),
            name: LimitName::DEFAULT,
            without_address: WithoutAddress::default(),
        }
    }

    /// A table of another size, with what happens when it is full. Choose about 1.5 places for
    /// each client that is active at once. Starts a new table.
    ///
    /// # Errors
    ///
    /// As [`KeyedLimiter::new`].
    pub fn places(mut self, places: usize, when_full: WhenFull) -> Result<Self, ConfigError> {
        let policy = *self.limiter.policy();
        self.limiter = Arc::new(KeyedLimiter::new(policy, places)?.when_full(when_full));
        Ok(self)
    }

    /// What the limit is called in the `RateLimit` header; `"default"` unless named.
    #[must_use]
    pub fn named(mut self, name: LimitName<'static>) -> Self {
        self.name = name;
        self
    }

    /// What happens to a request without a peer address.
    #[must_use]
    pub fn without_address(mut self, without_address: WithoutAddress) -> Self {
        self.without_address = without_address;
        self
    }

    /// The table, for gauges and for forgetting a client.
    pub fn limiter(&self) -> &KeyedLimiter<Option<Client>, P> {
        &self.limiter
    }
}

impl<P: Stored> Clone for RateLimitLayer<P> {
    fn clone(&self) -> Self {
        Self {
            limiter: Arc::clone(&self.limiter),
            name: self.name,
            without_address: self.without_address,
        }
    }
}

impl<S, P: Stored> Layer<S> for RateLimitLayer<P> {
    type Service = RateLimit<S, P>;

    fn layer(&self, service: S) -> Self::Service {
        RateLimit {
            service,
            limit: self.clone(),
        }
    }
}

/// A service whose clients are limited; made by [`RateLimitLayer`].
#[derive(Debug)]
pub struct RateLimit<S, P: Stored> {
    service: S,
    limit: RateLimitLayer<P>,
}

impl<S: Clone, P: Stored> Clone for RateLimit<S, P> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            limit: self.limit.clone(),
        }
    }
}

impl<S, P, ReqBody, ResBody> Service<Request<ReqBody>> for RateLimit<S, P>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    P: Stored,
    ResBody: From<String>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let client = client_of(&request);
        if client.is_none() {
            match self.limit.without_address {
                WithoutAddress::Refuse => {
                    return ResponseFuture::refused(answer::no_address());
                }
                WithoutAddress::Exempt => {
                    return ResponseFuture::passed(self.service.call(request), None);
                }
                WithoutAddress::ShareOne => {}
            }
        }
        let checked = self.limit.limiter.check(&client, 1);
        let name = self.limit.name;
        match checked.decision {
            Ok(_) => {
                let headers = Some((name, checked.standing));
                ResponseFuture::passed(self.service.call(request), headers)
            }
            Err(denied) => {
                ResponseFuture::refused(answer::refuse(name, &checked.standing, &denied))
            }
        }
    }
}

pin_project! {
    /// The answer of a limited service.
    #[derive(Debug)]
    pub struct ResponseFuture<F, B> {
        #[pin]
        state: State<F, B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = StateProjection]
    enum State<F, B> {
        Passed {
            #[pin]
            answer: F,
            headers: Option<(LimitName<'static>, Standing)>,
        },
        // Taken when it is polled.
        Refused { answer: Option<Response<B>> },
    }
}

impl<F, B> ResponseFuture<F, B> {
    fn passed(answer: F, headers: Option<(LimitName<'static>, Standing)>) -> Self {
        Self {
            state: State::Passed { answer, headers },
        }
    }

    fn refused(answer: Response<B>) -> Self {
        Self {
            state: State::Refused {
                answer: Some(answer),
            },
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Passed { answer, headers } => {
                let mut response = ready!(answer.poll(context))?;
                if let Some((name, standing)) = headers {
                    answer::put_headers(response.headers_mut(), *name, standing, None);
                }
                Poll::Ready(Ok(response))
            }
            StateProjection::Refused { answer } => match answer.take() {
                Some(response) => Poll::Ready(Ok(response)),
                None => panic!("a finished future was polled again"),
            },
        }
    }
}
