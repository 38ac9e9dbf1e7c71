//! How one's own client is told that somebody else's service did not answer.

use super::refusal::try_again;
use super::text::Text;
use super::{BufferTooSmall, RetriedBelow, RetryAfter};
use crate::breaker::Rejected;
use crate::call::{CallError, LONGEST_HANDED_ON};
use crate::time::{Duration, secs};

/// The answer to a client whose request needed a call that came to nothing: status, `Retry-After`,
/// `retried-below` and a JSON body. What went wrong inside is not told.
///
/// | the call | status | `error` in the body |
/// |---|---|---|
/// | was [refused](CallError::Rejected) by the breaker, here or in a layer below | 503 | `service_unavailable` |
/// | was asked for [less often](crate::outcome::Outcome::Throttled) by the other side | 503 | `service_unavailable` |
/// | [ran](CallError::DeadlineExceeded) [out of time](CallError::TimedOut) | 504 | `timed_out` |
/// | [failed](CallError::Failed) otherwise | 502 | `service_failed` |
///
/// `Retry-After` is there if it is known when to come back, a second while the breaker waits for its
/// probes; and on every 503, where it is [`DEFAULT_WAIT`](Self::DEFAULT_WAIT) if nobody knows. What
/// the other side asks for is handed on, more than [`LONGEST_WAIT`](Self::LONGEST_WAIT) as that, and
/// then the body says "at the earliest".
///
/// `retried-below` is there if there was more than one attempt, or one that is not to be made again:
/// of what may not be repeated, with the budget spent, or by what a layer below has said.
///
/// ```
/// use steadfast::{breaker::Rejected, call::CallError, http::Unavailable, time::millis};
///
/// let rejected = Rejected::Open { retry_after: millis(12_001) };
/// let error: CallError<&str> = CallError::Rejected { rejected, attempts: 0 };
/// let answer = Unavailable::new(&error);
/// let mut buffer = [0; Unavailable::MAX_BODY_LEN];
/// assert_eq!(answer.status(), 503);
/// assert_eq!(
///     answer.write_body(&mut buffer)?,
///     concat!(
///         r#"{"error":"service_unavailable","#,
///         r#""message":"A service that this needs is unavailable. Try again in 13 seconds.","#,
///         r#""retry_after":13}"#,
///     ),
/// );
/// # Ok::<(), steadfast::http::BufferTooSmall>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Unavailable {
    status: u16,
    retry_after: Option<RetryAfter>,
    retried_below: Option<RetriedBelow>,
    /// The other side has asked for more.
    is_cut: bool,
}

impl Unavailable {
    /// What a 503 asks its client to wait if nobody knows when to come back, since a breaker is held
    /// open by hand or the other side has only said that it is too much: 30 s, for which a breaker
    /// stays open unless set.
    pub const DEFAULT_WAIT: Duration = secs(30);

    /// The longest wait of the other side that is handed on: a day. A server that sends nonsense for
    /// a minute should not keep away for a year whoever asked in that minute; and a client that comes
    /// back once a day, while a quota of a month is used up, does no harm.
    pub const LONGEST_WAIT: Duration = LONGEST_HANDED_ON;

    /// What [`write_body`](Self::write_body) writes, for the `Content-Type` header.
    pub const CONTENT_TYPE: &'static str = "application/json";

    /// The bytes that [`write_body`](Self::write_body) needs at most.
    pub const MAX_BODY_LEN: usize = 149;

    /// The answer that tells of `error`.
    pub const fn new<E>(error: &CallError<E>) -> Self {
        let wait = match error {
            // Until a probe is written off, at the latest; but it is likely to be back at once.
            CallError::Rejected {
                rejected: Rejected::ProbesOut { .. },
                ..
            } => Some(Duration::ZERO),
            error => error.retry_after(),
        };
        let status = error.status();
        Self {
            status,
            retry_after: match wait {
                Some(wait) => Some(RetryAfter::new(wait)),
                None if status == 503 => Some(RetryAfter::new(Self::DEFAULT_WAIT)),
                None => None,
            },
            retried_below: RetriedBelow::of_call(error),
            is_cut: match error {
                CallError::Failed { outcome, .. } => match outcome.retry_after() {
                    Some(asked) => asked.as_nanos() > Self::LONGEST_WAIT.as_nanos(),
                    None => false,
                },
                _ => false,
            },
        }
    }

    /// The status code: 502, 503 or 504.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The `Retry-After` header; on every 503, on others if it is known when to come back.
    pub const fn retry_after(&self) -> Option<RetryAfter> {
        self.retry_after
    }

    /// The header [`RETRIED_BELOW`](super::header::RETRIED_BELOW), by which the client knows not to
    /// retry this once more; `None` if it may.
    pub const fn retried_below(&self) -> Option<RetriedBelow> {
        self.retried_below
    }

    /// Writes the JSON body. Its `retry_after` is the number of the header.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`]; never with [`MAX_BODY_LEN`](Self::MAX_BODY_LEN) bytes.
    pub fn write_body<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b str, BufferTooSmall> {
        let (error, message) = match self.status {
            503 => (
                "service_unavailable",
                "A service that this needs is unavailable.",
            ),
            504 => (
                "timed_out",
                "A service that this needs did not answer in time.",
            ),
            _ => ("service_failed", "A service that this needs failed."),
        };
        let mut text = Text::new(buffer);
        for part in [r#"{"error":""#, error, r#"","message":""#, message] {
            text.str(part);
        }
        match self.retry_after {
            Some(wait) if self.is_cut => try_again(&mut text, wait, " at the earliest."),
            Some(wait) => try_again(&mut text, wait, "."),
            None => text.str(r#" Try again later."}"#),
        }
        text.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_body_is_as_long_as_the_documentation_says() {
        let mut longest = 0;
        for status in [502, 503, 504] {
            // What is cut is no longer than the longest wait, and says more.
            let cut = Some(RetryAfter::new(Unavailable::LONGEST_WAIT));
            let most = Some(RetryAfter::new(Duration::MAX));
            for (retry_after, is_cut) in [(None, false), (cut, true), (most, false)] {
                let answer = Unavailable {
                    status,
                    retry_after,
                    retried_below: None,
                    is_cut,
                };
                let needed = answer.write_body(&mut []).unwrap_err().needed;
                let mut buffer = [0; Unavailable::MAX_BODY_LEN];
                let body = answer.write_body(&mut buffer).unwrap();
                assert!(body.starts_with('{') && body.ends_with('}'), "{body}");
                longest = longest.max(needed);
            }
        }
        assert_eq!(longest, Unavailable::MAX_BODY_LEN);
    }
}
