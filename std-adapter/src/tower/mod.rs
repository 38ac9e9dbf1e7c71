//! Rate limiting as a tower layer, over requests of the `http` crate.
//!
//! [`RateLimitLayer::per_client`] limits each client by its peer address. The headers go on every
//! answer; a denied request is answered 429 without reaching the service.
//!
//! # Who the client is
//!
//! The address of the socket, and nothing that the request says about itself: `X-Forwarded-For`
//! and the like are not read, since anyone can write them. IPv6 addresses are grouped by /64,
//! which is what one customer has. The server must put the address beside the request, as axum
//! does when it is started with `into_make_service_with_connect_info::<SocketAddr>()` (feature
//! `axum`), or as a [`PeerAddr`] extension. What happens when there is none is
//! [`WithoutAddress`]: by default an answer of 500 that says so, so that a server that was started
//! without addresses is noticed at once and not limited as one client.
//!
//! Behind a proxy every request has the proxy's address. There, ask a
//! [`KeyedLimiter`](crate::KeyedLimiter) in the handler by a key that you trust, and answer with
//! [`refuse`].

mod answer;
mod client;
mod layer;

pub use answer::{put_headers, refuse};
pub use client::{Client, PeerAddr, WithoutAddress};
pub use layer::{RateLimit, RateLimitLayer, ResponseFuture};
