//! Rate limiting as a tower layer, over requests of the `http` crate.
//!
//! [`RateLimitLayer::per_client`] limits each client by its address, [`RateLimitLayer::per_key`]
//! by whatever a [`KeyOf`] finds in the request. The headers go on every answer; a denied request
//! is answered 429 without reaching the service.
//!
//! # Who the client is
//!
//! The address of the socket. The server must put it beside the request, as axum does when it is
//! started with `into_make_service_with_connect_info::<SocketAddr>()` (feature `axum`), or as a
//! [`PeerAddr`] extension. `X-Forwarded-For` is read only if the socket's address is a proxy that
//! you trust ([`PerClient::trust`]), since anyone can write it. IPv6 addresses are grouped by /64,
//! the least that one customer has. Some have more: a /48 is 65,536 of them. Who has that many can
//! also fill a table of 65,536 places with one request each, and while that lasts, newcomers share
//! one limiter. A second layer with wider [`PerClient::prefixes`] around the first, and a table
//! sized for what you expect ([`RateLimitLayer::places`]), answer that;
//! [`KeyedLimiter::crowded`](crate::KeyedLimiter::crowded) counts it.
//!
//! # Several limits
//!
//! Layers nest. Each has a table of its own, so they are not one transaction: where an inner limit
//! says no, the outer one is charged first and gives back its charge with the answer. The headers
//! show the limit nearest to saying no, and the IETF fields list them all.
//!
//! # Who sees it
//!
//! Every decision is an event for those who observe the layer ([`Observe`]): `Metrics` counts them
//! (feature `metrics`), `Traced` logs them (feature `tracing`), [`MostDenied`] keeps who is limited
//! most. An answer that a limit refused carries [`RefusedBy`], and its `RateLimit` field the name.
//!
//! # A request without a key
//!
//! Without an address, a token, a header: what happens then is [`WithoutKey`], by default an
//! answer that says what is missing. Such requests are never limited as one unless you ask for
//! that.

mod answer;
mod client;
mod key;
mod layer;
#[cfg(feature = "metrics")]
mod metrics;
mod most_denied;
mod network;
mod observe;
mod response;
#[cfg(feature = "tracing")]
mod traced;

pub use answer::{RefusedBy, put_headers, refuse};
pub use client::{Client, PeerAddr, PerClient};
pub use key::{Everyone, Head, Key, KeyOf, Missing, PerBearerToken, PerHeader, PerPath};
pub use layer::{KeyTable, Limited, RateLimit, RateLimitLayer, WithoutKey};
#[cfg(feature = "metrics")]
pub use metrics::Metrics;
pub use most_denied::{MostDenied, Offender};
pub use network::{Network, NetworkError};
pub use observe::Observe;
pub use response::ResponseFuture;
#[cfg(feature = "tracing")]
pub use traced::Traced;
