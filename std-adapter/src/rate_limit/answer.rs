//! What a limiter's answer looks like over HTTP: the core's words, put into header maps.

use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use steadfast::http::{LimitName, QuotaPolicy, Refusal, ServiceLimit, XRateLimit};
use steadfast::limit::{Denied, Standing};

use super::key::Missing;
use crate::unix_time::unix_now;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Says on an answer where the limiter stands, as [`RateLimitLayer`](super::RateLimitLayer) does.
///
/// An answer that already carries the headers of another limit keeps the X headers of the one
/// nearest to saying no (of two that are equally near the one that is full again later); the IETF
/// fields list both. A [`Denied::StoreFull`] has none, since nobody's limit was asked.
pub fn put_headers(
    headers: &mut HeaderMap,
    name: LimitName<'_>,
    standing: &Standing,
    denied: Option<&Denied>,
) {
    if let Some(Denied::StoreFull { .. }) = denied {
        return;
    }
    let numbers = XRateLimit::new(standing, unix_now());
    let there = |name| -> Option<u64> { headers.get(name)?.to_str().ok()?.parse().ok() };
    let other_is_nearer = match (there(REMAINING), there(RESET)) {
        (Some(remaining), Some(reset)) => {
            let ours = u64::from(numbers.remaining);
            remaining < ours || remaining == ours && reset >= numbers.reset
        }
        _ => false,
    };
    if !other_is_nearer {
        headers.insert(LIMIT, numbers.limit.into());
        headers.insert(REMAINING, numbers.remaining.into());
        headers.insert(RESET, numbers.reset.into());
    }
    let mut buffer = [0; QuotaPolicy::MAX_LEN];
    append(
        headers,
        POLICY,
        QuotaPolicy::from_standing(name, standing).write(&mut buffer),
    );
    let item = match denied {
        Some(Denied::RateLimited { retry_after }) => {
            ServiceLimit::denied(name, standing, *retry_after)
        }
        _ => ServiceLimit::granted(name, standing),
    };
    let mut buffer = [0; ServiceLimit::MAX_LEN];
    append(headers, RATE_LIMIT, item.write(&mut buffer));
}

/// In the extensions of an answer: which limit refused the request, for logs. A limit outside
/// gives back its charge when it sees it.
///
/// ```
/// # use http::Response;
/// use steadfast_std::rate_limit::RefusedBy;
///
/// fn log<B>(answer: &Response<B>) {
///     if let Some(RefusedBy { limit, denied, .. }) = answer.extensions().get() {
///         eprintln!("{limit}: {denied}");
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedBy {
    /// The limit's name.
    pub limit: String,
    /// What it said.
    pub denied: Denied,
}

pub(super) fn was_refused<B>(response: &Response<B>) -> bool {
    response.extensions().get::<RefusedBy>().is_some()
}

/// The answer to a request that was denied: status, `Retry-After`, headers and body, as
/// [`RateLimitLayer`](super::RateLimitLayer) gives it. For a handler that asks a
/// [`KeyedLimiter`](crate::KeyedLimiter) itself.
///
/// ```
/// use axum::response::Response;
/// use steadfast::{limit::TokenBucket, limit_name};
/// use steadfast_std::{KeyedLimiter, rate_limit::refuse};
///
/// fn order(limiter: &KeyedLimiter<str, TokenBucket>, user: &str) -> Result<(), Response> {
///     let asked = limiter.check(user, 1);
///     match asked.decision {
///         Ok(_) => Ok(()),
///         Err(denied) => Err(refuse(limit_name!("orders"), &asked.standing, &denied)),
///     }
/// }
/// ```
pub fn refuse<B: From<String>>(
    name: LimitName<'_>,
    standing: &Standing,
    denied: &Denied,
) -> Response<B> {
    let refusal = Refusal::new(denied);
    let mut buffer = [0; Refusal::MAX_BODY_LEN];
    let body = refusal.write_body(&mut buffer).unwrap_or_default();
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::TOO_MANY_REQUESTS);
    let mut response = json(status, body);
    response.extensions_mut().insert(RefusedBy {
        limit: name.as_str().to_owned(),
        denied: *denied,
    });
    if let Some(wait) = refusal.retry_after() {
        response
            .headers_mut()
            .insert(RETRY_AFTER, wait.secs().into());
    }
    put_headers(response.headers_mut(), name, standing, Some(denied));
    response
}

/// The answer to a request that has nothing to be limited by.
pub(super) fn missing<B: From<String>>(missing: Missing) -> Response<B> {
    let Missing {
        status,
        error,
        message,
    } = missing;
    json(
        status,
        &format!("{{\"error\":\"{error}\",\"message\":\"{message}\"}}"),
    )
}

fn json<B: From<String>>(status: StatusCode, body: &str) -> Response<B> {
    let mut response = Response::new(B::from(body.to_owned()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static(Refusal::CONTENT_TYPE),
    );
    response
}

/// One more item of a list field. What cannot be written is left out: the buffers above take
/// every item, and a name is checked to be a header value.
fn append<E>(headers: &mut HeaderMap, field: HeaderName, item: Result<&str, E>) {
    if let Ok(Ok(value)) = item.map(HeaderValue::from_str) {
        headers.append(field, value);
    }
}
