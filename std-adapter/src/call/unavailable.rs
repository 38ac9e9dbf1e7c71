//! The answer to a client whose request needed a call that came to nothing.

use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use steadfast::call::CallError;
use steadfast::http::{Unavailable, header};

const RETRIED_BELOW: HeaderName = HeaderName::from_static(header::RETRIED_BELOW);

/// Status, `Retry-After` and JSON body of a call that came to nothing: 503 if the breaker refused it
/// or the other side asks for fewer calls, 504 if time ran out, 502 if it failed;
/// [`Unavailable`] has the details. What went wrong inside is not told; log it.
///
/// After more than one attempt it says so in `retried-below`, by which a client that judges by
/// [`response_outcome`](super::response_outcome) does not retry it all once more; and after one that
/// is not to be made again, as of a `POST` without a key. A call whose last answer comes back as `Ok`,
/// a 503 say, is no error. Let the operation make an `Err` of it; or, to hand it on as it came, set the
/// header to what [`RetriedBelow::of_ended`](steadfast::http::RetriedBelow::of_ended) says.
///
/// Where there is a fallback, answer that instead.
///
/// ```
/// use axum::response::Response;
/// use steadfast::call::CallError;
/// use steadfast_std::call::unavailable;
///
/// fn answer(quote: Result<String, CallError<std::io::Error>>) -> Result<String, Response> {
///     quote.map_err(|error| unavailable(&error))
/// }
/// ```
pub fn unavailable<B: From<String>, E>(error: &CallError<E>) -> Response<B> {
    let answer = Unavailable::new(error);
    let mut buffer = [0; Unavailable::MAX_BODY_LEN];
    let body = answer.write_body(&mut buffer).unwrap_or_default();
    let mut response = Response::new(B::from(body.to_owned()));
    *response.status_mut() =
        StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(Unavailable::CONTENT_TYPE),
    );
    if let Some(wait) = answer.retry_after() {
        headers.insert(RETRY_AFTER, wait.secs().into());
    }
    if let Some(below) = answer.retried_below() {
        headers.insert(RETRIED_BELOW, below.attempts().into());
    }
    response
}
