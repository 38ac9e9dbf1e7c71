//! What an answer of HTTP means to retry and breaker, and which requests may be sent twice.

use crate::outcome::Outcome;
use crate::time::Duration;

/// The outcome of an answer, by its status and what its `Retry-After` says
/// ([`RetryAfter::parse`](super::RetryAfter::parse)).
///
/// | status | outcome | why |
/// |---|---|---|
/// | 1xx, 2xx, 3xx | [`Success`](Outcome::Success) | the server has answered what it was asked |
/// | 408, 425, 429 | [`Throttled`](Outcome::Throttled) | worth a retry, and yet no fault of the server |
/// | other 4xx | [`Ignored`](Outcome::Ignored) | the request is at fault, and would be again |
/// | 501, 505 | [`Failure`](Outcome::Failure) | a fault that stays |
/// | other 5xx | [`Transient`](Outcome::Transient) | a fault that may pass |
/// | below 100, above 599 | [`Failure`](Outcome::Failure) | no status: RFC 9110, section 15, takes it as 5xx |
///
/// A 5xx that nobody has heard of, 520 say, is taken as 500: RFC 9110, section 15. So is 529, by which
/// some say that they are overloaded; [`ServerHold`](crate::limit::ServerHold) takes it as a 503.
///
/// Whether an answer has come at all is not in here: no connection is [`Outcome::TRANSIENT`], and
/// no answer in time [`Outcome::TimedOut`]. `Retry-After` counts where the outcome has a place for
/// it.
///
/// ```
/// use steadfast::http::http_outcome;
/// use steadfast::{outcome::Outcome, time::secs};
///
/// assert_eq!(http_outcome(200, None), Outcome::Success);
/// assert_eq!(http_outcome(404, None), Outcome::Ignored);
/// let wait = Some(secs(120));
/// assert_eq!(http_outcome(503, wait), Outcome::Transient { retry_after: wait });
/// assert_eq!(http_outcome(529, wait), http_outcome(503, wait));
/// ```
pub const fn http_outcome(status: u16, retry_after: Option<Duration>) -> Outcome {
    match status {
        100..=399 => Outcome::Success,
        408 | 425 | 429 => Outcome::Throttled { retry_after },
        400..=499 => Outcome::Ignored,
        500 | 502..=504 | 506..=599 => Outcome::Transient { retry_after },
        _ => Outcome::Failure,
    }
}

/// Does sending a request with this method twice do no more than sending it once?
///
/// True for `GET`, `HEAD`, `OPTIONS`, `TRACE`, `PUT` and `DELETE`: RFC 9110, section 9.2.2. Methods
/// are told apart by their case, and of what is not known nothing is promised.
///
/// ```
/// use steadfast::http::is_idempotent;
///
/// assert!(is_idempotent("PUT"));
/// assert!(!is_idempotent("POST"));
/// assert!(!is_idempotent("put"));
/// ```
pub const fn is_idempotent(method: &str) -> bool {
    matches!(
        method.as_bytes(),
        b"GET" | b"HEAD" | b"OPTIONS" | b"TRACE" | b"PUT" | b"DELETE"
    )
}

/// May a request be sent again? If its method [is idempotent](is_idempotent), or if it carries an
/// idempotency key, by which the server knows it again.
///
/// If not, the session is [`not_repeatable`](crate::retry::Retry::not_repeatable).
///
/// ```
/// use steadfast::http::may_repeat;
///
/// assert!(may_repeat("GET", false));
/// assert!(!may_repeat("POST", false));
/// assert!(may_repeat("POST", true));
/// ```
pub const fn may_repeat(method: &str, has_idempotency_key: bool) -> bool {
    has_idempotency_key || is_idempotent(method)
}
