//! The layer for a client that calls many hosts, and the service that it makes.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::uri::Authority;
use http::{HeaderMap, Request, Response, Uri, header};
use steadfast::ConfigError;
use steadfast::limit::{Policy, ServerHold};
use steadfast::time::{Duration, hours};
use tower_layer::Layer;
use tower_service::Service;

use super::gate::{Paced, Rules, Timed};
use super::hosts::Hosts;
use super::{PaceError, ResponseFuture};

/// Sends calls at a pace for each host, and obeys what each host says; see [the module](super).
///
/// For webhooks, a crawler, or whatever else calls hosts that others have named. Each host has a
/// limit, a queue and a hold of its own. A host is the name in the request's address, or else in
/// its `Host` header, whatever the port and the case of its letters. One server that goes by many
/// names is as many hosts: against somebody who aims at one by names of their own making, put a
/// [`PaceLayer`](super::PaceLayer) over all calls, too.
///
/// The table is bounded. A host that is idle, full again and not held gives its place up, and a
/// call looks at 16 places, whatever the size. When they are all needed, a newcomer is refused
/// ([`PaceError::TooManyHosts`]): sharing one gate among newcomers would let one of them silence the
/// others by a `Retry-After`. A host that asks for silence keeps its place for as long; so the
/// longest hold is an hour here unless said otherwise.
///
/// A place takes 16 bytes on a 64-bit machine, and a host with one its gate: some hundred bytes, and
/// its queue.
///
/// ```
/// use http::Request;
/// use steadfast::{limit::TokenBucket, policy};
/// use steadfast_std::{PacePerHostLayer, ThreadTime, block_on};
/// use tower::{Layer, Service, service_fn};
///
/// let webhooks = PacePerHostLayer::new(policy!(TokenBucket::per_second(2).burst(5)), ThreadTime);
/// let mut client = webhooks.layer(service_fn(|_: Request<()>| async {
///     Ok::<_, std::io::Error>(http::Response::new(()))
/// }));
/// let hook = Request::post("https://shop.example/paid").body(()).unwrap();
/// assert_eq!(block_on(client.call(hook)).unwrap().status(), 200);
/// ```
#[derive(Debug)]
pub struct PacePerHostLayer<P: Policy, T> {
    hosts: Arc<Hosts<P, T>>,
    rules: Rules,
    places: usize,
}

impl<P: Paced, T: Timed> PacePerHostLayer<P, T> {
    /// How many places a layer has unless [`places`](Self::places) says otherwise: 4,096, for about
    /// 2,700 hosts that are called at once.
    pub const PLACES: usize = 1 << 12;

    /// The longest hold unless [`obeying`](Self::obeying) says otherwise.
    const HOLD: ServerHold = steadfast::policy!(ServerHold::new(hours(1)));

    /// Lets calls to each host go as `policy` allows.
    ///
    /// # Panics
    ///
    /// Never: [`PLACES`](Self::PLACES) is in range.
    pub fn new(policy: P, time: T) -> Self {
        let rules = Rules {
            hold: Self::HOLD,
            ..Rules::STANDARD
        };
        let hosts = Hosts::new(policy, time, rules, Self::PLACES).expect("PLACES is in range");
        Self {
            hosts: Arc::new(hosts),
            rules,
            places: Self::PLACES,
        }
    }

    /// A table of another size. Choose about 1.5 places for each host that is called at once.
    /// Starts a new table.
    ///
    /// # Errors
    ///
    /// If `places` is not in `1..=2^32`.
    pub fn places(mut self, places: usize) -> Result<Self, ConfigError> {
        let (policy, time) = (self.hosts.policy(), self.hosts.time().clone());
        self.hosts = Arc::new(Hosts::new(policy, time, self.rules, places)?);
        self.places = places;
        Ok(self)
    }

    /// As [`PaceLayer::max_wait`](super::PaceLayer::max_wait).
    #[must_use]
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.rules.max_wait = max_wait;
        self
    }

    /// How many calls may wait for each host: 1,024 unless said otherwise. Starts a new table.
    #[must_use]
    pub fn max_waiting(mut self, max_waiting: usize) -> Self {
        self.rules.max_waiting = max_waiting;
        self.renewed()
    }

    /// How each host is obeyed: for up to an hour after a refusal unless said otherwise, and
    /// without spreading. Starts a new table.
    #[must_use]
    pub fn obeying(mut self, hold: ServerHold) -> Self {
        self.rules.hold = hold;
        self.renewed()
    }

    fn renewed(self) -> Self {
        let places = self.places;
        self.places(places).expect("the places were in range")
    }

    /// For how long from now on a host has asked for silence; zero if it has not.
    pub fn held_for(&self, host: &str) -> Duration {
        let gate = self.hosts.known(host);
        gate.map_or(Duration::ZERO, |gate| gate.held_for())
    }

    /// Forgets what a host has said, for an operator who knows better. Calls that wait already go
    /// when they would have gone.
    pub fn release(&self, host: &str) {
        if let Some(gate) = self.hosts.known(host) {
            gate.release();
        }
    }
}

impl<P: Policy, T> Clone for PacePerHostLayer<P, T> {
    fn clone(&self) -> Self {
        Self {
            hosts: Arc::clone(&self.hosts),
            rules: self.rules,
            places: self.places,
        }
    }
}

impl<S, P: Policy, T> Layer<S> for PacePerHostLayer<P, T> {
    type Service = PacePerHost<S, P, T>;

    fn layer(&self, service: S) -> Self::Service {
        PacePerHost {
            service,
            hosts: Arc::clone(&self.hosts),
            max_wait: self.rules.max_wait,
        }
    }
}

/// A service whose calls to each host go at a pace; made by [`PacePerHostLayer`].
#[derive(Debug)]
pub struct PacePerHost<S, P: Policy, T> {
    service: S,
    hosts: Arc<Hosts<P, T>>,
    max_wait: Duration,
}

impl<S: Clone, P: Policy, T> Clone for PacePerHost<S, P, T> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            hosts: Arc::clone(&self.hosts),
            max_wait: self.max_wait,
        }
    }
}

impl<S, P, T, ReqBody, ResBody> Service<Request<ReqBody>> for PacePerHost<S, P, T>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    P: Paced,
    T: Timed,
{
    type Response = Response<ResBody>;
    type Error = PaceError<S::Error>;
    type Future = ResponseFuture<S, Request<ReqBody>, P, T>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(context).map_err(PaceError::Service)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let hosts = &self.hosts;
        let gate = with_host(request.uri(), request.headers(), |host| hosts.gate_of(host));
        match gate {
            Some(Some(gate)) => {
                ResponseFuture::start(&gate, self.max_wait, &mut self.service, request)
            }
            Some(None) => ResponseFuture::refused(PaceError::TooManyHosts {
                places: hosts.places(),
            }),
            None => ResponseFuture::refused(PaceError::NoHost),
        }
    }
}

/// Hands on the host that a request goes to, if it names one.
fn with_host<R>(uri: &Uri, headers: &HeaderMap, look: impl FnOnce(&str) -> R) -> Option<R> {
    if let Some(host) = uri.host() {
        return Some(look(host));
    }
    let named = headers.get(header::HOST)?.as_bytes();
    let authority = Authority::try_from(named).ok()?;
    Some(look(authority.host()))
}
