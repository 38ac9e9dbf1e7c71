//! What an answer of HTTP means, read from its status and its headers.

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use steadfast::http::{RetriedBelow, RetryAfter, header, http_outcome};
use steadfast::outcome::Outcome;

use crate::unix_time::unix_time_of;

/// The outcome of an answer, for `judged_by`: of its status, by [`http_outcome`]; of its
/// `Retry-After`, as seconds or as a date, which is read against the answer's own `Date`; and of
/// `retried-below`, by which a layer below says that it has retried already, or that nobody is to
/// ([`RetriedBelow`]).
///
/// What cannot be read counts as absent, and of a header that is there twice the first counts. It
/// does not know of the request: one that may not be sent twice
/// ([`may_repeat`](steadfast::http::may_repeat)) is a call that is `not_repeatable`, which holds for
/// a lost connection too.
///
/// ```
/// use http::Response;
/// use steadfast::{outcome::Outcome, time::secs};
/// use steadfast_std::call::response_outcome;
///
/// // Of any client whose answers have the types of `http`: hyper, reqwest, tower.
/// let busy = Response::builder().status(503).header("retry-after", "7").body(())?;
/// let wait = Some(secs(7));
/// let outcome = response_outcome(busy.status(), busy.headers());
/// assert_eq!(outcome, Outcome::Transient { retry_after: wait });
///
/// let retried = Response::builder().status(503).header("retried-below", "4").body(())?;
/// let outcome = response_outcome(retried.status(), retried.headers());
/// assert_eq!(outcome, Outcome::Exhausted);
/// # Ok::<(), http::Error>(())
/// ```
pub fn response_outcome(status: StatusCode, headers: &HeaderMap) -> Outcome {
    let retry_after = headers
        .get(RETRY_AFTER)
        .and_then(|value| RetryAfter::parse(value.to_str().ok()?, unix_time_of(headers)));
    let outcome = http_outcome(status.as_u16(), retry_after);
    headers
        .get(header::RETRIED_BELOW)
        .and_then(|value| RetriedBelow::parse(value.to_str().ok()?))
        .map_or(outcome, |below| below.outcome(outcome))
}
