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

use super::gate::{Gate, Paced, Rules, Timed};
use super::hosts::{Hosts, Places};
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
/// call looks at 16 places, whatever the size. If they are all needed, a newcomer takes one of a
/// host that is idle and held, and the shortest of these holds is forgotten: that host may be called
/// again before it asked for, at its pace, and if it refuses again it is held again. So nobody fills
/// the table by asking for silence on many names. If all 16 are being called, or not full again, the
/// newcomer is refused ([`PaceError::TooManyHosts`]). A host that takes a call and never answers
/// keeps its place for as long: put a timeout inside of this layer.
///
/// The longest hold is an hour here, unless said otherwise. What starts a new table, for those who
/// are given this layer from then on, is [`places`](Self::places), [`obeying`](Self::obeying) and
/// [`max_queued`](Self::max_queued). [`max_wait`](Self::max_wait) does not.
///
/// A place takes 16 bytes on a 64-bit machine, from the first call on, and a host with one its gate:
/// some hundred bytes, and its queue. Names are not kept, only their hashes.
///
/// ```
/// use http::Request;
/// use steadfast::{limit::TokenBucket, policy};
/// use steadfast_std::{PacePerHostLayer, ThreadTime, block_on};
/// use tower::{Layer, Service, service_fn};
///
/// // `ThreadTime` waits only inside `block_on`. With tokio: `TokioTime::new()`.
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
    places: Places,
}

impl<P: Paced, T: Timed> PacePerHostLayer<P, T> {
    /// How many places a layer has unless [`places`](Self::places) says otherwise: 4,096, for about
    /// 2,700 hosts that are called at once.
    pub const PLACES: usize = Places::STANDARD.get();

    /// The longest hold unless [`obeying`](Self::obeying) says otherwise.
    const HOLD: ServerHold = steadfast::policy!(ServerHold::new(hours(1)));

    /// Lets calls to each host go as `policy` allows.
    pub fn new(policy: P, time: T) -> Self {
        let rules = Rules {
            hold: Self::HOLD,
            ..Rules::STANDARD
        };
        let places = Places::STANDARD;
        Self {
            hosts: Arc::new(Hosts::new(policy, time, rules, places)),
            rules,
            places,
        }
    }

    /// A table of another size. Choose about 1.5 places for each host that is called at once.
    /// Starts a new table.
    ///
    /// # Errors
    ///
    /// If `places` is not in `1..=2^22`, which is a table of 64 MiB.
    pub fn places(mut self, places: usize) -> Result<Self, ConfigError> {
        self.places = Places::new(places)?;
        Ok(self.renewed())
    }

    /// How long a call may wait, from when it is made: 30 s unless said otherwise. With zero it
    /// goes at once or not at all. Keeps the table.
    #[must_use]
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.rules.max_wait = max_wait;
        self
    }

    /// How many calls may wait for each host: 1,024 unless said otherwise. Starts a new table.
    #[must_use]
    pub fn max_queued(mut self, max_queued: usize) -> Self {
        self.rules.max_queued = max_queued;
        self.renewed()
    }

    /// How each host is obeyed: for up to an hour after a refusal unless said otherwise, and
    /// without spreading. Starts a new table.
    #[must_use]
    pub fn obeying(mut self, hold: ServerHold) -> Self {
        self.rules.hold = hold;
        self.renewed()
    }

    fn renewed(mut self) -> Self {
        let (policy, time) = (self.hosts.policy(), self.hosts.time().clone());
        self.hosts = Arc::new(Hosts::new(policy, time, self.rules, self.places));
        self
    }

    /// For how long from now on a host has asked for silence; zero if it has not. `None` if it has
    /// no place: it has not been called, or not for long, or `host` names none.
    ///
    /// `host` is a name, with a port or without, or an address: `shop.example`,
    /// `shop.example:8443`, `https://shop.example/paid`, `::1`.
    pub fn held_for(&self, host: &str) -> Option<Duration> {
        Some(self.known(host)?.held_for())
    }

    /// Forgets what a host has said, for an operator who knows better. Calls that wait go as the
    /// limit alone lets them, from now on. `host` is as for [`held_for`](Self::held_for); false if
    /// it has no place.
    pub fn release(&self, host: &str) -> bool {
        let gate = self.known(host);
        gate.inspect(|gate| gate.release()).is_some()
    }

    /// How many hosts have a place that they need: those being called, not yet full again, or held.
    /// A table is full for some from about two thirds of its places on.
    ///
    /// Looks at the whole table, and locks it for that time.
    pub fn hosts_in_use(&self) -> usize {
        self.hosts.in_use()
    }

    fn known(&self, host: &str) -> Option<Arc<Gate<P, T>>> {
        let named = |text: &str| text.parse::<Uri>().ok().filter(|uri| uri.host().is_some());
        let uri = named(host).or_else(|| named(&format!("[{host}]")))?;
        self.hosts.known(uri.host()?)
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
