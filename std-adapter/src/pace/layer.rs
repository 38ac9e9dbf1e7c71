//! The layer, the service that it makes, and the future of an answer.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;
use steadfast::limit::{Policy, ServerHold};
use steadfast::time::Duration;
use tower_layer::Layer;
use tower_service::Service;

use super::PaceError;
use super::gate::{Gate, Paced, Rules, Timed, Turn};

/// Sends a client's calls at a pace, and obeys what the server says; see [the module](super).
///
/// All services that one layer makes, and all its clones, share one limit, one queue and one hold.
/// It takes any kind of request; the answer must be an [`http::Response`]. A client whose answers
/// are its own type is mapped first: for reqwest,
/// `ServiceExt::map_response(client, http::Response::from)`.
///
/// What starts a new limit and a new queue, for those who are given this layer from then on, is
/// [`obeying`](Self::obeying) and [`max_queued`](Self::max_queued). [`max_wait`](Self::max_wait)
/// does not: two clones of a layer may differ in it and share the rest.
///
/// ```
/// use steadfast::{limit::TokenBucket, policy, time::secs};
/// use steadfast_std::{PaceLayer, ThreadTime, block_on};
/// use tower::{Layer, Service, service_fn};
///
/// // `ThreadTime` waits only inside `block_on`. With tokio: `TokioTime::new()`.
/// let pace = PaceLayer::new(policy!(TokenBucket::per_second(5).burst(10)), ThreadTime)
///     .max_wait(secs(10));
/// let mut client = pace.layer(service_fn(|_request: &str| async {
///     Ok::<_, std::io::Error>(http::Response::new("welcome"))
/// }));
/// let answer = block_on(client.call("GET /")).unwrap();
/// assert_eq!(*answer.body(), "welcome");
/// ```
#[derive(Debug)]
pub struct PaceLayer<P: Policy, T> {
    gate: Arc<Gate<P, T>>,
    policy: P,
    time: T,
    rules: Rules,
}

impl<P: Paced, T: Timed> PaceLayer<P, T> {
    /// Lets calls go as `policy` allows.
    ///
    /// A policy that allows a burst sends one after every idle time, and after every hold. A burst
    /// of 1 keeps calls apart at all times. But a timer that ends late (tokio's by up to two
    /// milliseconds) loses what the bucket could not hold in the meantime, at each call: for the
    /// full rate, let the burst be 1 and what comes in within two milliseconds, so 2 for up to 500
    /// a second.
    pub fn new(policy: P, time: T) -> Self {
        let rules = Rules::STANDARD;
        Self {
            gate: Arc::new(Gate::new(policy, time.clone(), rules)),
            policy,
            time,
            rules,
        }
    }

    /// How long a call may wait, from when it is made: 30 s unless said otherwise. With zero it
    /// goes at once or not at all. Keeps limit and queue.
    #[must_use]
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.rules.max_wait = max_wait;
        self
    }

    /// How many calls may wait at a time: 1,024 unless said otherwise. Starts a new queue and a new
    /// limit.
    #[must_use]
    pub fn max_queued(mut self, max_queued: usize) -> Self {
        self.rules.max_queued = max_queued;
        self.renewed()
    }

    /// How the server is obeyed: [`ServerHold::STANDARD`] unless said otherwise, which is to hold
    /// after refusals for up to a day, and not to spread. Starts a new queue and a new limit.
    ///
    /// ```
    /// use steadfast::limit::{ServerHold, TokenBucket};
    /// use steadfast::{policy, time::hours};
    /// use steadfast_std::{PaceLayer, ThreadTime};
    ///
    /// let pace = PaceLayer::new(policy!(TokenBucket::per_second(5)), ThreadTime)
    ///     .obeying(policy!(ServerHold::new(hours(1)).spread()));
    /// # let _ = pace;
    /// ```
    #[must_use]
    pub fn obeying(mut self, hold: ServerHold) -> Self {
        self.rules.hold = hold;
        self.renewed()
    }

    fn renewed(mut self) -> Self {
        self.gate = Arc::new(Gate::new(self.policy, self.time.clone(), self.rules));
        self
    }

    /// How many calls wait.
    pub fn waiting(&self) -> usize {
        self.gate.waiting()
    }

    /// For how long from now on the server has asked for silence; zero if it has not.
    pub fn held_for(&self) -> Duration {
        self.gate.held_for()
    }

    /// Forgets what the server has said, for an operator who knows better. Calls that wait go as the
    /// limit alone lets them, from now on.
    pub fn release(&self) {
        self.gate.release();
    }
}

impl<P: Policy, T: Clone> Clone for PaceLayer<P, T> {
    fn clone(&self) -> Self {
        Self {
            gate: Arc::clone(&self.gate),
            policy: self.policy,
            time: self.time.clone(),
            rules: self.rules,
        }
    }
}

impl<S, P: Policy, T> Layer<S> for PaceLayer<P, T> {
    type Service = Pace<S, P, T>;

    fn layer(&self, service: S) -> Self::Service {
        Pace {
            service,
            gate: Arc::clone(&self.gate),
            max_wait: self.rules.max_wait,
        }
    }
}

/// A service whose calls go at a pace; made by [`PaceLayer`].
#[derive(Debug)]
pub struct Pace<S, P: Policy, T> {
    service: S,
    gate: Arc<Gate<P, T>>,
    max_wait: Duration,
}

impl<S: Clone, P: Policy, T> Clone for Pace<S, P, T> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            gate: Arc::clone(&self.gate),
            max_wait: self.max_wait,
        }
    }
}

impl<S, P, T, Req, Body> Service<Req> for Pace<S, P, T>
where
    S: Service<Req, Response = Response<Body>> + Clone,
    P: Paced,
    T: Timed,
{
    type Response = Response<Body>;
    type Error = PaceError<S::Error>;
    type Future = ResponseFuture<S, Req, P, T>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(context).map_err(PaceError::Service)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        ResponseFuture::start(&self.gate, self.max_wait, &mut self.service, request)
    }
}

pin_project! {
    /// The answer to a paced call.
    ///
    /// `Send` where the service behind the layer, its future, and the request are.
    #[must_use = "a call that has to wait does so when its future is polled"]
    pub struct ResponseFuture<S: Service<Req>, Req, P: Policy, T> {
        #[pin]
        state: State<S, Req, P, T>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S: Service<Req>, Req, P: Policy, T> {
        Waiting {
            turn: Turn<P, T>,
            // The one that was ready.
            service: S,
            // Taken when its turn has come.
            request: Option<Req>,
        },
        Sent {
            #[pin]
            answer: S::Future,
            gate: Arc<Gate<P, T>>,
        },
        // Taken when it is polled.
        Refused { error: Option<PaceError<S::Error>> },
    }
}

impl<S: Service<Req> + Clone, Req, P: Paced, T: Timed> ResponseFuture<S, Req, P, T> {
    /// Sends the request, or waits. `service` is ready.
    pub(super) fn start(
        gate: &Arc<Gate<P, T>>,
        max_wait: Duration,
        service: &mut S,
        request: Req,
    ) -> Self {
        let state = match gate.come(max_wait) {
            Ok(None) => State::Sent {
                answer: service.call(request),
                gate: Arc::clone(gate),
            },
            Ok(Some(turn)) => {
                // A clone need not be ready, so it stays and the ready one goes.
                let clone = service.clone();
                State::Waiting {
                    turn,
                    service: mem::replace(service, clone),
                    request: Some(request),
                }
            }
            Err(error) => return Self::refused(error),
        };
        Self { state }
    }

    pub(super) fn refused(error: PaceError<S::Error>) -> Self {
        Self {
            state: State::Refused { error: Some(error) },
        }
    }
}

impl<S, Req, Body, P, T> Future for ResponseFuture<S, Req, P, T>
where
    S: Service<Req, Response = Response<Body>>,
    P: Paced,
    T: Timed,
{
    type Output = Result<Response<Body>, PaceError<S::Error>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let sent = match state.as_mut().project() {
                StateProjection::Waiting {
                    turn,
                    service,
                    request,
                } => {
                    ready!(turn.poll(context))?;
                    let Some(request) = request.take() else {
                        panic!("a finished future was polled again");
                    };
                    State::Sent {
                        answer: service.call(request),
                        gate: turn.gate(),
                    }
                }
                StateProjection::Sent { answer, gate } => {
                    let response = ready!(answer.poll(context)).map_err(PaceError::Service)?;
                    gate.record(response.status(), response.headers());
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Refused { error } => match error.take() {
                    Some(error) => return Poll::Ready(Err(error)),
                    None => panic!("a finished future was polled again"),
                },
            };
            state.set(sent);
        }
    }
}
