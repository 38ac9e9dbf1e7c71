//! Which client a request comes from: the socket's address, or what trusted proxies say.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::StatusCode;

use super::key::{Head, Key, KeyOf, Missing};
use super::network::{Network, NetworkError};

/// A client, as far as limiting goes: one IPv4 address, or one /64 of IPv6, unless
/// [`PerClient`] groups them otherwise.
///
/// ```
/// use steadfast_std::rate_limit::Client;
///
/// let of = |address: &str| Client::from_ip(address.parse().unwrap());
/// assert_eq!(of("2001:db8::1"), of("2001:db8::2"));
/// assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
/// // An IPv4 address that came in over IPv6 or a translator is that IPv4 address.
/// assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
/// assert_eq!(of("64:ff9b::192.0.2.1"), of("192.0.2.1"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// An IPv4 address, the bits beyond the prefix zero.
    V4(Ipv4Addr),
    /// The first 64 bits of an IPv6 address, the bits beyond the prefix zero.
    V6(u64),
}

/// `64:ff9b::/96`, in which translators put all of IPv4 (RFC 6052).
const NAT64: u128 = 0x0064_ff9b_u128 << 96;

impl Client {
    /// The client behind an address: all of an IPv4 address, the /64 of an IPv6 one.
    pub fn from_ip(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let bits = address.to_bits();
                if bits >> 32 == NAT64 >> 32 {
                    return Self::V4(Ipv4Addr::from_bits(bits as u32));
                }
                Self::V6((bits >> 64) as u64)
            }
        }
    }

    /// Keeps the first so many bits.
    fn grouped(self, v4_prefix: u8, v6_prefix: u8) -> Self {
        match self {
            Self::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(v4_prefix)).unwrap_or(0);
                Self::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
            }
            Self::V6(bits) => {
                let mask = u64::MAX.checked_shl(64 - u32::from(v6_prefix)).unwrap_or(0);
                Self::V6(bits & mask)
            }
        }
    }
}

/// `192.0.2.1`; of an IPv6 network its first address, `2001:db8::`.
impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => write!(f, "{address}"),
            Self::V6(bits) => write!(f, "{}", Ipv6Addr::from_bits(u128::from(*bits) << 64)),
        }
    }
}

/// The address of the socket that a request came in on. Servers other than axum's put it into a
/// request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

/// Limits by the client's address: the socket's, unless that is a proxy you trust.
///
/// With [`trust`](Self::trust) the client is the rightmost address that is not a trusted proxy's,
/// reading `X-Forwarded-For` from the right, where each proxy appended whom it heard from. What
/// stands further left was written by the client, and nobody reads it. If the socket's address is
/// not trusted, the header is not read at all. An entry that is not an address ends the reading:
/// the client is then the trusted proxy that passed it on.
///
/// ```
/// use steadfast::{limit::TokenBucket, policy};
/// use steadfast_std::{RateLimitLayer, rate_limit::PerClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clients = PerClient::new().trust(["10.0.0.0/8", "::1"])?;
/// let layer = RateLimitLayer::per_key(policy!(TokenBucket::per_minute(100)), clients);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerClient {
    trusted: Vec<Network>,
    v4_prefix: u8,
    v6_prefix: u8,
}

impl PerClient {
    /// Each IPv4 address and each /64 of IPv6 by itself; no proxy is trusted.
    pub const fn new() -> Self {
        Self {
            trusted: Vec::new(),
            v4_prefix: 32,
            v6_prefix: 64,
        }
    }

    /// Trusts these proxies to say whom they heard from: addresses, or networks like `10.0.0.0/8`.
    ///
    /// # Errors
    ///
    /// [`NetworkError`] names the first one that cannot be read; none of them is then trusted.
    pub fn trust<'n>(
        mut self,
        proxies: impl IntoIterator<Item = &'n str>,
    ) -> Result<Self, NetworkError> {
        for proxy in proxies {
            self.trusted.push(proxy.parse()?);
        }
        Ok(self)
    }

    /// Groups addresses by so many leading bits: at most 32 of IPv4 and 64 of IPv6, larger ones
    /// count as these. A second, wider limit catches who has many networks: 24 and 48, say.
    #[must_use]
    pub fn prefixes(mut self, v4: u8, v6: u8) -> Self {
        self.v4_prefix = v4.min(32);
        self.v6_prefix = v6.min(64);
        self
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    fn client_of(&self, peer: IpAddr, head: Head<'_>) -> IpAddr {
        let mut client = peer.to_canonical();
        // From the right: the last line, and in it the last entry, is the nearest hop.
        let mut hops = head
            .headers
            .get_all("x-forwarded-for")
            .iter()
            .rev()
            .flat_map(|line| line.as_bytes().rsplit(|&byte| byte == b','));
        while self.trusts(client) {
            match hops.next().map(address_of) {
                Some(Some(hop)) => client = hop.to_canonical(),
                // Nobody further away is known, or what is said is not an address.
                _ => break,
            }
        }
        client
    }
}

impl Default for PerClient {
    fn default() -> Self {
        Self::new()
    }
}

/// An entry of `X-Forwarded-For`: an address, perhaps with a port.
fn address_of(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    text.parse()
        .ok()
        .or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()))
}

impl KeyOf for PerClient {
    fn key_of<'a>(&self, head: Head<'a>) -> Option<Key<'a>> {
        let peer = peer_of(head)?;
        let client = Client::from_ip(self.client_of(peer.ip(), head));
        Some(Key::Client(client.grouped(self.v4_prefix, self.v6_prefix)))
    }

    /// The server's mistake, not the client's.
    fn missing(&self) -> Missing {
        Missing {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            error: "no_peer_address",
            // Without the feature axum's address is beside the request, but cannot be seen.
            message: if cfg!(feature = "axum") {
                "The rate limiter was given no peer address. Serve with \
                 into_make_service_with_connect_info::<SocketAddr>(), or say what to do without \
                 one: RateLimitLayer::without_key."
            } else {
                "The rate limiter was given no peer address: steadfast-std was built without its \
                 feature axum, which reads the address that axum puts beside a request. Switch it \
                 on, or put a PeerAddr into the request's extensions, or say what to do without \
                 one: RateLimitLayer::without_key."
            },
        }
    }
}

fn peer_of(head: Head<'_>) -> Option<SocketAddr> {
    if let Some(PeerAddr(address)) = head.extensions.get() {
        return Some(*address);
    }
    #[cfg(feature = "axum")]
    if let Some(axum::extract::ConnectInfo(address)) = head.extensions.get() {
        return Some(*address);
    }
    None
}
