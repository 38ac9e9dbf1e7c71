//! The layer, the service that it makes, and the future of an answer.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use steadfast::ConfigError;
use steadfast::http::LimitName;
use steadfast::limit::{Standing, WhenFull};
use steadfast::time::{Clock, Instant};
use tower_layer::Layer;
use tower_service::Service;

use super::answer;
use super::client::PerClient;
use super::key::{Head, Key, KeyOf};
use crate::{KeyedLimiter, Stored};

/// Limits the requests to a service, each client's or each key's by themselves; see
/// [the module](super).
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
pub struct RateLimitLayer<P: Stored, E = PerClient> {
    limiter: Arc<KeyedLimiter<u64, P>>,
    /// Hashes keys of whatever kind to what the table is asked by.
    hasher: RandomState,
    key_of: Arc<E>,
    name: LimitName<'static>,
    without_key: WithoutKey,
}

/// What happens to a request without a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WithoutKey {
    /// It is refused, as [`KeyOf::missing`] says.
    #[default]
    Refuse,
    /// All such requests are limited as one.
    ShareOne,
    /// It passes, without headers.
    Exempt,
}

impl<P: Stored> RateLimitLayer<P> {
    /// Limits each client by its peer address. Behind a proxy all clients have the proxy's:
    /// there, say whom to trust by [`per_key`](Self::per_key) and [`PerClient::trust`].
    pub fn per_client(policy: P) -> Self {
        Self::per_key(policy, PerClient::new())
    }
}

impl<P: Stored, E: KeyOf> RateLimitLayer<P, E> {
    /// How many places a layer has unless [`places`](Self::places) says otherwise: 65,536, for
    /// about 43,000 keys that are active at once; 2 MiB for most policies.
    pub const PLACES: usize = 1 << 16;

    /// Limits each key by itself.
    ///
    /// # Panics
    ///
    /// Never: [`PLACES`](Self::PLACES) is in range.
    pub fn per_key(policy: P, key_of: E) -> Self {
        let limiter = KeyedLimiter::new(policy, Self::PLACES).expect("PLACES is in range");
        Self {
            limiter: Arc::new(limiter),
            hasher: RandomState::new(),
            key_of: Arc::new(key_of),
            name: LimitName::DEFAULT,
            without_key: WithoutKey::default(),
        }
    }

    /// A table of another size, with what happens when it is full. Choose about 1.5 places for
    /// each key that is active at once. Starts a new table.
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

    /// What happens to a request without a key.
    #[must_use]
    pub fn without_key(mut self, without_key: WithoutKey) -> Self {
        self.without_key = without_key;
        self
    }

    /// Forgets a key: its limiter is full again. True if it had a place.
    pub fn forget(&self, key: &Key<'_>) -> bool {
        self.limiter.forget(&self.hash(Some(key)))
    }

    /// The table, for gauges.
    pub fn limiter(&self) -> &KeyedLimiter<u64, P> {
        &self.limiter
    }

    fn hash(&self, key: Option<&Key<'_>>) -> u64 {
        self.hasher.hash_one(key)
    }
}

impl<P: Stored, E> Clone for RateLimitLayer<P, E> {
    fn clone(&self) -> Self {
        Self {
            limiter: Arc::clone(&self.limiter),
            hasher: self.hasher.clone(),
            key_of: Arc::clone(&self.key_of),
            name: self.name,
            without_key: self.without_key,
        }
    }
}

impl<S, P: Stored, E> Layer<S> for RateLimitLayer<P, E> {
    type Service = RateLimit<S, P, E>;

    fn layer(&self, service: S) -> Self::Service {
        RateLimit {
            service,
            limit: self.clone(),
        }
    }
}

/// A service whose clients are limited; made by [`RateLimitLayer`].
#[derive(Debug)]
pub struct RateLimit<S, P: Stored, E = PerClient> {
    service: S,
    limit: RateLimitLayer<P, E>,
}

impl<S: Clone, P: Stored, E> Clone for RateLimit<S, P, E> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            limit: self.limit.clone(),
        }
    }
}

impl<S, P, E, ReqBody, ResBody> Service<Request<ReqBody>> for RateLimit<S, P, E>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    P: Stored,
    E: KeyOf,
    ResBody: From<String>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody, P>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let limit = &self.limit;
        let key = limit.key_of.key_of(Head::of(&request));
        if key.is_none() {
            match limit.without_key {
                WithoutKey::Refuse => {
                    return ResponseFuture::refused(answer::missing(limit.key_of.missing()));
                }
                WithoutKey::Exempt => {
                    return ResponseFuture::passed(self.service.call(request), None);
                }
                WithoutKey::ShareOne => {}
            }
        }
        let hash = limit.hash(key.as_ref());
        let checked = limit.limiter.check(&hash, 1);
        let (name, standing) = (limit.name, checked.standing);
        match checked.decision {
            Ok(granted) => {
                let charge = Charge {
                    limiter: Arc::clone(&limit.limiter),
                    hash,
                    granted,
                    name,
                    standing,
                    at: checked.now,
                };
                ResponseFuture::passed(self.service.call(request), Some(charge))
            }
            Err(denied) => ResponseFuture::refused(answer::refuse(name, &standing, &denied)),
        }
    }
}

/// What a request that passed was charged, until its answer is there.
#[derive(Debug)]
struct Charge<P: Stored> {
    limiter: Arc<KeyedLimiter<u64, P>>,
    hash: u64,
    granted: P::Granted,
    name: LimitName<'static>,
    standing: Standing,
    at: Instant,
}

impl<P: Stored> Charge<P> {
    /// Puts the headers on the answer. If another limit behind this one said no, the charge is
    /// given back: nothing was done for it.
    fn settle<B>(&mut self, response: &mut Response<B>) {
        if answer::was_refused(response) {
            self.limiter.refund(&self.hash, &self.granted);
            self.standing = self.limiter.standing(&self.hash);
        } else {
            // The handler took its time, and the limiter was refilling.
            let passed = self.limiter.clock().now().since(self.at);
            self.standing.full_in = self.standing.full_in - passed;
        }
        answer::put_headers(response.headers_mut(), self.name, &self.standing, None);
    }
}

pin_project! {
    /// The answer of a limited service.
    #[derive(Debug)]
    pub struct ResponseFuture<F, B, P: Stored> {
        #[pin]
        state: State<F, B, P>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = StateProjection]
    enum State<F, B, P: Stored> {
        Passed {
            #[pin]
            answer: F,
            charge: Option<Charge<P>>,
        },
        // Taken when it is polled.
        Refused { answer: Option<Response<B>> },
    }
}

impl<F, B, P: Stored> ResponseFuture<F, B, P> {
    fn passed(answer: F, charge: Option<Charge<P>>) -> Self {
        Self {
            state: State::Passed { answer, charge },
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

impl<F, B, P, E> Future for ResponseFuture<F, B, P>
where
    F: Future<Output = Result<Response<B>, E>>,
    P: Stored,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Passed { answer, charge } => {
                let mut response = ready!(answer.poll(context))?;
                if let Some(charge) = charge {
                    charge.settle(&mut response);
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
