//! The headers and the body of an answer: the core's words, put into the buffer.

use steadfast::http::{
    BufferTooSmall, LimitName, QuotaPolicy, Refusal, ServiceLimit, XRateLimit, header, write_number,
};
use steadfast::limit::{Denied, Standing};
use steadfast::time::{Duration, Instant};

use crate::exchange::{BAD_CALL, BAD_NAME, BUFFER, EXCHANGE, Reason, Status, answer};

/// What [`say_denied`](crate::exchange::say_denied) told the host, and the host hands back.
pub fn denied(reason: u32, wait: u64, cost: u32, capacity: u32) -> Result<Denied, Status> {
    let retry_after = Duration::from_nanos(wait);
    match reason {
        Reason::RATE_LIMITED => Ok(Denied::RateLimited { retry_after }),
        Reason::COST_ABOVE_CAPACITY => Ok(Denied::CostAboveCapacity { cost, capacity }),
        Reason::STORE_FULL => Ok(Denied::StoreFull { retry_after }),
        _ => Err(BAD_CALL),
    }
}

/// The host's number for an answer that is a yes.
pub const GRANTED: u32 = u32::MAX;

/// Replaces the limit's name, the first `name_len` bytes of the buffer, by the headers: lines of a
/// name, a colon, a space and a value. The status is how many bytes they take.
///
/// A full table has but a `Retry-After`, since nobody's limit was asked.
pub fn headers(
    name_len: usize,
    standing: &Standing,
    denied: Option<&Denied>,
    unix_now: Instant,
) -> Result<Status, Status> {
    let mut exchange = EXCHANGE.get().ok_or(BAD_CALL)?;
    let mut name = [0; LimitName::MAX_BYTES];
    let given = exchange.buffer.get(..name_len).ok_or(BAD_NAME)?;
    let name = name.get_mut(..name_len).ok_or(BAD_NAME)?;
    name.copy_from_slice(given);
    let name = core::str::from_utf8(name).map_err(|_| BAD_NAME)?;
    let name = LimitName::new(name).map_err(|_| BAD_NAME)?;

    let mut lines = Lines {
        buffer: &mut exchange.buffer,
        len: 0,
    };
    if !matches!(denied, Some(Denied::StoreFull { .. })) {
        let numbers = XRateLimit::new(standing, unix_now);
        let policy = QuotaPolicy::from_standing(name, standing);
        let left = match denied {
            Some(Denied::RateLimited { retry_after }) => {
                ServiceLimit::denied(name, standing, *retry_after)
            }
            _ => ServiceLimit::granted(name, standing),
        };
        lines.number(header::X_RATELIMIT_LIMIT, numbers.limit.into())?;
        lines.number(header::X_RATELIMIT_REMAINING, numbers.remaining.into())?;
        lines.number(header::X_RATELIMIT_RESET, numbers.reset)?;
        lines.add(header::RATELIMIT_POLICY, |buffer| policy.write(buffer))?;
        lines.add(header::RATELIMIT, |buffer| left.write(buffer))?;
    }
    if let Some(wait) = denied.and_then(|denied| Refusal::new(denied).retry_after()) {
        lines.add(header::RETRY_AFTER, |buffer| wait.write(buffer))?;
    }
    Status::try_from(lines.len).map_err(|_| BAD_CALL)
}

/// Writes the body of a no. The status is how many bytes it takes, the answer is the status code.
pub fn refusal(denied: &Denied) -> Result<Status, Status> {
    let refusal = Refusal::new(denied);
    let mut exchange = EXCHANGE.get().ok_or(BAD_CALL)?;
    let body = refusal.write_body(&mut exchange.buffer);
    let len = body.map_err(|_| BAD_CALL)?.len();
    drop(exchange);
    let len = Status::try_from(len).map_err(|_| BAD_CALL)?;
    Ok(answer([refusal.status().into(), 0, 0, 0], len))
}

/// Writes what the body is. The status is how many bytes it takes.
pub fn content_type() -> Result<Status, Status> {
    let mut exchange = EXCHANGE.get().ok_or(BAD_CALL)?;
    let text = Refusal::CONTENT_TYPE.as_bytes();
    let room = exchange.buffer.get_mut(..text.len()).ok_or(BAD_CALL)?;
    room.copy_from_slice(text);
    Status::try_from(text.len()).map_err(|_| BAD_CALL)
}

/// Headers being written one below the other.
struct Lines<'a> {
    buffer: &'a mut [u8; BUFFER],
    len: usize,
}

impl Lines<'_> {
    fn add(
        &mut self,
        name: &str,
        value: impl for<'b> FnOnce(&'b mut [u8]) -> Result<&'b str, BufferTooSmall>,
    ) -> Result<(), Status> {
        self.text(name)?;
        self.text(": ")?;
        let room = self.buffer.get_mut(self.len..).ok_or(BAD_CALL)?;
        let written = value(room).map_err(|_| BAD_CALL)?.len();
        self.len = self.len.wrapping_add(written);
        self.text("\n")
    }

    fn number(&mut self, name: &str, value: u64) -> Result<(), Status> {
        self.add(name, |buffer| write_number(value, buffer))
    }

    fn text(&mut self, text: &str) -> Result<(), Status> {
        let end = self.len.wrapping_add(text.len());
        let room = self.buffer.get_mut(self.len..end).ok_or(BAD_CALL)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}
