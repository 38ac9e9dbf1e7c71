//! How a no is told over HTTP.

use super::text::Text;
use super::{BufferTooSmall, RetryAfter};
use crate::limit::Denied;

/// The answer to a denied request: status, `Retry-After` and a JSON body.
///
/// | denied | status | `Retry-After` | `error` in the body |
/// |---|---|---|---|
/// | [`RateLimited`](Denied::RateLimited) | 429 | yes | `rate_limit_exceeded` |
/// | [`StoreFull`](Denied::StoreFull) | 503 | yes | `store_full` |
/// | [`CostAboveCapacity`](Denied::CostAboveCapacity) | 422 | no | `cost_above_capacity` |
///
/// A full store is the server's trouble: this client has exceeded nothing. A cost above the
/// capacity can never pass, so neither 429 nor 503, which clients answer by trying again, would be
/// true; 422 says that the request itself must change. Where the cost is the size of the content,
/// 413 says so better: the status is a suggestion, the body fits either.
///
/// ```
/// use steadfast::{http::Refusal, limit::Denied, time::millis};
///
/// let refusal = Refusal::new(&Denied::RateLimited { retry_after: millis(44_001) });
/// let mut buffer = [0; Refusal::MAX_BODY_LEN];
/// assert_eq!(refusal.status(), 429);
/// assert_eq!(
///     refusal.write_body(&mut buffer)?,
///     concat!(
///         r#"{"error":"rate_limit_exceeded","#,
///         r#""message":"You have exceeded your quota. Try again in 45 seconds.","#,
///         r#""retry_after":45}"#,
///     ),
/// );
/// # Ok::<(), steadfast::http::BufferTooSmall>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Refusal(Denied);

impl Refusal {
    /// What [`write_body`](Self::write_body) writes, for the `Content-Type` header.
    pub const CONTENT_TYPE: &'static str = "application/json";

    /// The bytes that [`write_body`](Self::write_body) needs at most.
    pub const MAX_BODY_LEN: usize = 177;

    /// The answer that tells of `denied`.
    pub const fn new(denied: &Denied) -> Self {
        Self(*denied)
    }

    /// The status code that suits: 429, 503 or 422.
    pub const fn status(&self) -> u16 {
        match self.0 {
            Denied::RateLimited { .. } => 429,
            Denied::StoreFull { .. } => 503,
            Denied::CostAboveCapacity { .. } => 422,
        }
    }

    /// The `Retry-After` header; `None` if waiting does not help, and then leave it out.
    pub const fn retry_after(&self) -> Option<RetryAfter> {
        match self.0.retry_after() {
            Some(wait) => Some(RetryAfter::new(wait)),
            None => None,
        }
    }

    /// Writes the JSON body. Its `retry_after` is the number of the header.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`]; never with [`MAX_BODY_LEN`](Self::MAX_BODY_LEN) bytes.
    pub fn write_body<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b str, BufferTooSmall> {
        let mut text = Text::new(buffer);
        match self.0 {
            Denied::RateLimited { retry_after } => {
                text.str(r#"{"error":"rate_limit_exceeded","message":""#);
                text.str("You have exceeded your quota.");
                try_again(&mut text, RetryAfter::new(retry_after), ".");
            }
            Denied::StoreFull { retry_after } => {
                text.str(r#"{"error":"store_full","message":""#);
                text.str("The server has no room for another client.");
                try_again(&mut text, RetryAfter::new(retry_after), ".");
            }
            Denied::CostAboveCapacity { cost, capacity } => {
                text.str(r#"{"error":"cost_above_capacity","message":"This request costs "#);
                text.number(cost.into());
                text.str(", more than the limit of ");
                text.number(capacity.into());
                text.str(r#". Trying again will not help.","cost":"#);
                text.number(cost.into());
                text.str(r#","capacity":"#);
                text.number(capacity.into());
                text.byte(b'}');
            }
        }
        text.finish()
    }
}

/// Ends the message with the wait and `stop`, and the body with its number.
pub(super) fn try_again(text: &mut Text<'_>, wait: RetryAfter, stop: &str) {
    let secs = wait.secs();
    text.str(" Try again in ");
    text.number(secs);
    text.str(if secs == 1 { " second" } else { " seconds" });
    text.str(stop);
    text.str(r#"","retry_after":"#);
    text.number(secs);
    text.byte(b'}');
}
