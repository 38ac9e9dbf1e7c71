//! What became of a call, as a number: its place in [`Outcome::LABELS`].

use steadfast::http::{RetriedBelow, RetryAfter, http_outcome};
use steadfast::outcome::Outcome;
use steadfast::time::{Duration, Instant};

use crate::exchange::{BAD_CALL, EXCHANGE, Status, answer};

/// The host's numbers: an outcome, and how many nanoseconds the other side asks to wait, zero if it
/// says nothing.
pub fn of_numbers(outcome: u32, wait: u64) -> Result<Outcome, Status> {
    let retry_after = (wait > 0).then_some(Duration::from_nanos(wait));
    Ok(match outcome {
        0 => Outcome::Success,
        1 => Outcome::Transient { retry_after },
        2 => Outcome::TimedOut,
        3 => Outcome::Throttled { retry_after },
        4 => Outcome::Failure,
        5 => Outcome::Exhausted,
        6 => Outcome::Ignored,
        7 => Outcome::Cancelled,
        8 => Outcome::Rejected,
        9 => Outcome::ThrottledBelow { retry_after },
        _ => return Err(BAD_CALL),
    })
}

/// The place of `label` among `labels`, and one past the end if it is not there.
pub fn place(label: &str, labels: &[&str]) -> usize {
    let found = labels.iter().position(|each| *each == label);
    found.unwrap_or(labels.len())
}

/// The outcome of an answer of HTTP; the answer is the wait in nanoseconds that the server asks
/// for, zero if none.
///
/// The buffer begins with the value of `Retry-After`, of `retry_after` bytes, and goes on with that
/// of `retried-below`; of no bytes is absent, and so is what cannot be read.
pub fn of_http(
    status: u32,
    unix_now: Instant,
    retry_after: usize,
    retried_below: usize,
) -> Result<Status, Status> {
    // No status of HTTP has more digits, and `u16::MAX` is no status either.
    let status = u16::try_from(status).unwrap_or(u16::MAX);
    let exchange = EXCHANGE.get().ok_or(BAD_CALL)?;
    let (first, rest) = exchange
        .buffer
        .split_at_checked(retry_after)
        .ok_or(BAD_CALL)?;
    let second = rest.get(..retried_below).ok_or(BAD_CALL)?;
    let text = |bytes| core::str::from_utf8(bytes).unwrap_or_default();
    let wait = RetryAfter::parse(text(first), unix_now);
    let outcome = http_outcome(status, wait);
    let outcome = match RetriedBelow::parse(text(second)) {
        Some(below) => below.outcome(outcome),
        None => outcome,
    };
    drop(exchange);
    let wait = outcome.retry_after().unwrap_or_default().as_nanos();
    let number = place(outcome.label(), &Outcome::LABELS);
    let number = Status::try_from(number).map_err(|_| BAD_CALL)?;
    Ok(answer([wait, 0, 0, 0], number))
}
