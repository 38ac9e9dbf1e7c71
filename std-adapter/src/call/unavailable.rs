//! The answer to a client whose request needed a call that came to nothing.

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use steadfast::call::CallError;
use steadfast::http::Unavailable;

/// Status, `Retry-After` and JSON body of a call that came to nothing: 503 if the breaker refused
/// it, 504 if time ran out, 502 if it failed. What went wrong inside is not told; log it.
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
    response
}
