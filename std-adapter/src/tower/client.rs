//! Which client a request comes from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// A client, as far as limiting goes: one IPv4 address, or one /64 of IPv6.
///
/// ```
/// use steadfast_std::tower::Client;
///
/// let of = |address: &str| Client::from_ip(address.parse().unwrap());
/// assert_eq!(of("2001:db8::1"), of("2001:db8::2"));
/// assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
/// // An IPv4 address that came in over an IPv6 socket is that IPv4 address.
/// assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// The first 64 bits of an IPv6 address.
    V6(u64),
}

impl Client {
    /// The client behind an address.
    pub fn from_ip(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

/// The address of the socket that a request came in on. Servers other than axum's put it into a
/// request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

/// What happens to a request that no peer address was put beside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WithoutAddress {
    /// It is answered 500: the server was started without addresses.
    #[default]
    Refuse,
    /// All such requests are limited as one client.
    ShareOne,
    /// It passes, without headers.
    Exempt,
}

/// The client of a request, if its address is known.
pub(super) fn client_of<B>(request: &http::Request<B>) -> Option<Client> {
    let extensions = request.extensions();
    if let Some(PeerAddr(address)) = extensions.get() {
        return Some(Client::from_ip(address.ip()));
    }
    #[cfg(feature = "axum")]
    if let Some(axum::extract::ConnectInfo(address)) =
        extensions.get::<axum::extract::ConnectInfo<SocketAddr>>()
    {
        return Some(Client::from_ip(address.ip()));
    }
    None
}
