//! The layer, and the service that it makes.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use steadfast::ConfigError;
use steadfast::event::{LimitEvent, LimitOutcome};
use steadfast::http::LimitName;
use steadfast::limit::{Denied, FixedWindow, WhenFull};
use steadfast::policy;
use steadfast::time::{Instant, minutes};
use tower_layer::Layer;
use tower_service::Service;

use super::answer;
use super::client::PerClient;
use super::key::{Head, Key, KeyOf};
use super::observe::Observe;
use super::response::{Passing, ResponseFuture};
use crate::{KeyedLimiter, LimiterByKey, Stored};

/// The table of a layer under one fixed policy.
pub type KeyTable<P> = KeyedLimiter<Key<'static>, P>;

/// Limits the requests to a service, each client's or each key's by themselves; see
/// [the module](super).
///
/// All services that one layer makes, and all its clones, share one table. `L` is the table:
/// a [`KeyTable`] under one policy, or a [`LiveLimiter`](crate::LiveLimiter) whose quotas change.
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
pub struct RateLimitLayer<L, E = PerClient> {
    limiter: Arc<L>,
    asking: Arc<Asking<E>>,
}

/// How a layer asks its limiter, and who is told.
struct Asking<E> {
    key_of: Arc<E>,
    name: LimitName<'static>,
    without_key: WithoutKey,
    exempt: Vec<Arc<IsExempt>>,
    degrades: bool,
    observers: Arc<[Arc<dyn Observe>]>,
}

type IsExempt = dyn Fn(Head<'_>) -> bool + Send + Sync;

/// What a request costs.
const COST: u32 = 1;

/// Among the extensions of a request that was denied and passes all the same, since its layer
/// [degrades](RateLimitLayer::degrade). Of two such layers that deny it, the inner one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limited {
    /// The limit that said no.
    pub limit: LimitName<'static>,
    /// What it said.
    pub denied: Denied,
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

impl<P: Stored> RateLimitLayer<KeyTable<P>> {
    /// Limits each client by its peer address. Behind a proxy all clients have the proxy's:
    /// there, say whom to trust by [`per_key`](Self::per_key) and [`PerClient::trust`].
    pub fn per_client(policy: P) -> Self {
        Self::per_key(policy, PerClient::new())
    }
}

/// A hundred requests in each window of 60 seconds, for each client by its peer address.
impl Default for RateLimitLayer<KeyTable<FixedWindow>> {
    fn default() -> Self {
        Self::per_client(policy!(FixedWindow::new(100, minutes(1))))
    }
}

impl<P: Stored, E> RateLimitLayer<KeyTable<P>, E> {
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
        Self::on(limiter, key_of)
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
}

impl<L, E> RateLimitLayer<L, E> {
    /// Limits each key by a limiter that may be shared, with other layers or with code that asks
    /// it directly.
    pub fn on(limiter: impl Into<Arc<L>>, key_of: E) -> Self {
        Self {
            limiter: limiter.into(),
            asking: Arc::new(Asking {
                key_of: Arc::new(key_of),
                name: LimitName::DEFAULT,
                without_key: WithoutKey::default(),
                exempt: Vec::new(),
                degrades: false,
                observers: Arc::new([]),
            }),
        }
    }

    /// The table, for gauges.
    pub fn limiter(&self) -> &L {
        &self.limiter
    }
}

impl<L, E> RateLimitLayer<L, E> {
    /// What the limit is called in the `RateLimit` header and in events; `"default"` unless named.
    #[must_use]
    pub fn named(self, name: LimitName<'static>) -> Self {
        self.with(|asking| asking.name = name)
    }

    /// What happens to a request without a key.
    #[must_use]
    pub fn without_key(self, without_key: WithoutKey) -> Self {
        self.with(|asking| asking.without_key = without_key)
    }

    /// Requests that this is true of pass uncounted and without headers: a health probe, a caller
    /// that must never be slowed down. Judge by what the request cannot make up, such as what an
    /// authentication layer has put into its extensions. Said twice, either suffices.
    #[must_use]
    pub fn exempt(self, is_exempt: impl Fn(Head<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.with(|asking| asking.exempt.push(Arc::new(is_exempt)))
    }

    /// Passes on what is denied, with [`Limited`] among the request's extensions, so that the
    /// service answers with less instead of an error: from a cache, or without the costly part.
    /// The headers tell the client as always.
    ///
    /// ```
    /// use axum::{Extension, Router, routing::get};
    /// use steadfast::{limit::TokenBucket, policy};
    /// use steadfast_std::{RateLimitLayer, rate_limit::Limited};
    ///
    /// async fn search(limited: Option<Extension<Limited>>) -> &'static str {
    ///     if limited.is_some() { "the ten best of yesterday" } else { "all of it" }
    /// }
    ///
    /// let layer = RateLimitLayer::per_client(policy!(TokenBucket::per_minute(10))).degrade();
    /// let app: Router = Router::new().route("/search", get(search).layer(layer));
    /// ```
    #[must_use]
    pub fn degrade(self) -> Self {
        self.with(|asking| asking.degrades = true)
    }

    /// Tells `observer` of every decision. Said twice, both are told.
    #[must_use]
    pub fn observed_by(self, observer: impl Observe + 'static) -> Self {
        self.with(|asking| {
            let there = asking.observers.iter().cloned();
            asking.observers = there.chain([Arc::new(observer) as _]).collect();
        })
    }

    fn with(mut self, change: impl FnOnce(&mut Asking<E>)) -> Self {
        change(Arc::make_mut(&mut self.asking));
        self
    }
}

impl<L: LimiterByKey, E> RateLimitLayer<L, E> {
    /// Forgets a key: its limiter is full again. True if it had a place.
    pub fn forget(&self, key: &Key<'_>) -> bool {
        self.limiter.forget_hashed(self.limiter.hash_of(key))
    }
}

impl<L, E> Clone for RateLimitLayer<L, E> {
    fn clone(&self) -> Self {
        Self {
            limiter: Arc::clone(&self.limiter),
            asking: Arc::clone(&self.asking),
        }
    }
}

impl<E> Asking<E> {
    /// What becomes of a request that is not counted; `None` if it is.
    fn uncounted(&self, head: Head<'_>, keyless: bool) -> Option<LimitOutcome> {
        if self.exempt.iter().any(|is_exempt| is_exempt(head)) {
            return Some(LimitOutcome::Exempt);
        }
        match self.without_key {
            WithoutKey::Refuse if keyless => Some(LimitOutcome::WithoutKey),
            WithoutKey::Exempt if keyless => Some(LimitOutcome::Exempt),
            _ => None,
        }
    }

    fn tell(&self, outcome: LimitOutcome, at: Instant, key: Option<&Key<'_>>) {
        let event = LimitEvent {
            limit: self.name.as_str(),
            outcome,
            cost: COST,
            at,
        };
        self.tell_all(&event, key);
    }

    fn tell_all(&self, event: &LimitEvent<'_>, key: Option<&Key<'_>>) {
        for observer in self.observers.iter() {
            observer.observe(event, key);
        }
    }
}

impl<E> Clone for Asking<E> {
    fn clone(&self) -> Self {
        Self {
            key_of: Arc::clone(&self.key_of),
            name: self.name,
            without_key: self.without_key,
            exempt: self.exempt.clone(),
            degrades: self.degrades,
            observers: Arc::clone(&self.observers),
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for Asking<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking")
            .field("key_of", &self.key_of)
            .field("name", &self.name)
            .field("without_key", &self.without_key)
            .finish_non_exhaustive()
    }
}

impl<S, L, E> Layer<S> for RateLimitLayer<L, E> {
    type Service = RateLimit<S, L, E>;

    fn layer(&self, service: S) -> Self::Service {
        RateLimit {
            service,
            limit: self.clone(),
        }
    }
}

/// A service whose clients are limited; made by [`RateLimitLayer`].
#[derive(Debug)]
pub struct RateLimit<S, L, E = PerClient> {
    service: S,
    limit: RateLimitLayer<L, E>,
}

impl<S: Clone, L, E> Clone for RateLimit<S, L, E> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            limit: self.limit.clone(),
        }
    }
}

impl<S, L, E, ReqBody, ResBody> Service<Request<ReqBody>> for RateLimit<S, L, E>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    L: LimiterByKey,
    E: KeyOf,
    ResBody: From<String>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody, L>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let RateLimitLayer { limiter, asking } = &self.limit;
        let head = Head::of(&request);
        let key = asking.key_of.key_of(head);
        if let Some(outcome) = asking.uncounted(head, key.is_none()) {
            asking.tell(outcome, limiter.now(), key.as_ref());
            return if outcome == LimitOutcome::WithoutKey {
                ResponseFuture::refused(answer::missing(asking.key_of.missing()))
            } else {
                ResponseFuture::passed(self.service.call(request), None)
            };
        }
        let hash = limiter.hash_of(key.as_ref().unwrap_or(&Key::Everyone));
        let checked = limiter.check_hashed(hash, COST);
        let mut event = checked.event(asking.name.as_str(), COST);
        if let Err(denied) = checked.decision
            && asking.degrades
        {
            event.outcome = LimitOutcome::Degraded(denied);
        }
        asking.tell_all(&event, key.as_ref());
        let (granted, denied) = match checked.decision {
            Ok(granted) => (Some(granted), None),
            Err(denied) if !asking.degrades => {
                let refusal = answer::refuse(asking.name, &checked.standing, &denied);
                return ResponseFuture::refused(refusal);
            }
            Err(denied) => (None, Some(denied)),
        };
        let passing = Passing {
            limiter: Arc::clone(limiter),
            hash,
            granted: granted.filter(|_| event.outcome == LimitOutcome::Granted),
            denied,
            cost: COST,
            name: asking.name,
            standing: checked.standing,
            at: checked.now,
            silent: !checked.enforced || checked.standing.is_unlimited(),
            observers: Arc::clone(&asking.observers),
        };
        if let Some(denied) = denied {
            let limit = asking.name;
            request.extensions_mut().insert(Limited { limit, denied });
        }
        ResponseFuture::passed(self.service.call(request), Some(passing))
    }
}
