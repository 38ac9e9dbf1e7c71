//! By what a request is limited: a key, and where in the request it is found.

use std::borrow::Cow;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use http::header::{AUTHORIZATION, HeaderName};
use http::{Extensions, HeaderMap, Method, Request, StatusCode, Uri};

use super::client::Client;

/// The part of a request that a key is found in: everything but the body.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path and query.
    pub uri: &'a Uri,
    /// The headers, as the client or a proxy wrote them.
    pub headers: &'a HeaderMap,
    /// What the server put beside the request, the peer address for one.
    pub extensions: &'a Extensions,
}

impl<'a> Head<'a> {
    pub(super) fn of<B>(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

/// What requests are limited by. Two requests with equal keys share a limiter.
///
/// Shown (`Display`, `Debug`), a secret is not itself, see [`Key::Secret`]; a text is cut off after
/// 100 characters, and its control characters are escaped.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Key<'a> {
    /// A network client.
    Client(Client),
    /// A user, a path.
    Text(Cow<'a, str>),
    /// A token or an API key. Shown as `secret-` and a hash of it, which differs from process to
    /// process.
    Secret(Cow<'a, [u8]>),
    /// A number of yours, such as an account's.
    Number(u64),
    /// All requests together.
    Everyone,
}

/// In characters.
const LONGEST_SHOWN: usize = 100;

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        match self {
            Self::Client(client) => write!(f, "{client}"),
            Self::Text(text) => {
                let shown = text.chars().take(LONGEST_SHOWN);
                for character in shown.clone() {
                    // Whoever chooses the text must not write lines of a log.
                    if character.is_control() {
                        write!(f, "{}", character.escape_default())?;
                    } else {
                        write!(f, "{character}")?;
                    }
                }
                let all = shown.map(char::len_utf8).sum::<usize>() == text.len();
                f.write_str(if all { "" } else { "\u{2026}" })
            }
            Self::Secret(secret) => write!(f, "secret-{:016x}", SEED.hash_one(secret)),
            Self::Number(number) => write!(f, "{number}"),
            Self::Everyone => f.write_str("everyone"),
        }
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// Finds the key of a request.
///
/// [`PerClient`](super::PerClient), [`PerBearerToken`], [`PerHeader`], [`PerPath`] and [`Everyone`]
/// come with this crate; a closure from [`Head`] to `Option<Key>` is one too, if its type is written out:
///
/// ```
/// use steadfast::{limit::TokenBucket, policy};
/// use steadfast_std::RateLimitLayer;
/// use steadfast_std::rate_limit::{Head, Key};
///
/// /// What an authentication layer left beside the request.
/// #[derive(Clone)]
/// struct Account(u64);
///
/// fn account(head: Head<'_>) -> Option<Key<'_>> {
///     Some(Key::Number(head.extensions.get::<Account>()?.0))
/// }
///
/// let layer = RateLimitLayer::per_key(policy!(TokenBucket::per_minute(100)), account);
/// ```
pub trait KeyOf {
    /// The key, or `None` if the request has none;
    /// [`WithoutKey`](super::WithoutKey) then says what happens.
    fn key_of<'a>(&self, head: Head<'a>) -> Option<Key<'a>>;

    /// The answer to a request without a key, if such are refused.
    fn missing(&self) -> Missing {
        Missing {
            status: StatusCode::BAD_REQUEST,
            error: "no_key",
            message: "This request carries nothing to limit it by.",
        }
    }
}

/// How a request without a key is refused: a status, a code for programs, a sentence for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The status.
    pub status: StatusCode,
    /// The body's `error`; plain ASCII without quotes.
    pub error: &'static str,
    /// The body's `message`; plain ASCII without quotes.
    pub message: &'static str,
}

impl<F: for<'a> Fn(Head<'a>) -> Option<Key<'a>>> KeyOf for F {
    fn key_of<'a>(&self, head: Head<'a>) -> Option<Key<'a>> {
        self(head)
    }
}

/// Limits by the token of `Authorization: Bearer ...` (RFC 6750).
///
/// The token is not checked here: put the limit behind what checks it, or anybody can have as
/// many limits as they invent tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerBearerToken;

impl KeyOf for PerBearerToken {
    fn key_of<'a>(&self, head: Head<'a>) -> Option<Key<'a>> {
        let value = head.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        let token = token.trim_matches(' ');
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
            return None;
        }
        Some(Key::Secret(Cow::Borrowed(token.as_bytes())))
    }

    fn missing(&self) -> Missing {
        Missing {
            status: StatusCode::UNAUTHORIZED,
            error: "no_bearer_token",
            message: "Send a token: Authorization: Bearer ...",
        }
    }
}

/// Limits by the value of a header, such as an API key. The first one counts, whatever its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerHeader(pub HeaderName);

impl KeyOf for PerHeader {
    fn key_of<'a>(&self, head: Head<'a>) -> Option<Key<'a>> {
        let value = head.headers.get(&self.0)?.as_bytes();
        (!value.is_empty()).then_some(Key::Secret(Cow::Borrowed(value)))
    }
}

/// Limits each path, without its query, for all clients together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerPath;

impl KeyOf for PerPath {
    fn key_of<'a>(&self, head: Head<'a>) -> Option<Key<'a>> {
        Some(Key::Text(Cow::Borrowed(head.uri.path())))
    }
}

/// Limits all requests as one: a global limit, which protects what stands behind the server rather
/// than one client from another.
///
/// Put it outside the limits by key, and where those deny, it gives back what it charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Everyone;

impl KeyOf for Everyone {
    fn key_of<'a>(&self, _: Head<'a>) -> Option<Key<'a>> {
        Some(Key::Everyone)
    }
}
