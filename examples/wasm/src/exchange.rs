//! What module and host tell each other beside plain numbers: text and keys through a buffer, and
//! what a call found out through a few words.

use steadfast::ConfigError;
use steadfast::limit::{Denied, Standing};

use crate::global::Global;

/// Bytes of the buffer. A longer key comes in pieces.
pub const BUFFER: usize = 4_096;

/// As aligned as the largest number that the host may write.
#[repr(C, align(8))]
pub struct Exchange {
    /// The module's answer beside the status. Which words count, and what they mean, the function
    /// says.
    pub answer: [u64; 4],
    /// Text and keys, in and out.
    pub buffer: [u8; BUFFER],
}

pub static EXCHANGE: Global<Exchange> = Global::new(Exchange {
    answer: [0; 4],
    buffer: [0; BUFFER],
});

/// What a function returns where no number is wanted: see the constants. Handles and lengths are
/// zero or more, everything that went wrong is less.
pub type Status = i32;

/// No: `answer` is the reason (see [`Reason`]), the wait in nanoseconds, the cost, the capacity.
pub const NO: Status = 0;
/// Yes, or done.
pub const YES: Status = 1;
/// A field of a policy is out of range: its name is in the buffer, `answer` is the name's length,
/// the value, the least and the most allowed: nanoseconds if the name ends in
/// [`ConfigError::NANOS`].
pub const BAD_FIELD: Status = -1;
/// All places for what was wanted are taken: `answer` is how many there are.
pub const NO_PLACE: Status = -2;
/// Nothing has this handle: it was freed.
pub const FREED: Status = -3;
/// `now` is no time: see [`crate::millis::instant`].
pub const BAD_TIME: Status = -4;
/// The cost is not a whole number of 32 bits.
pub const BAD_COST: Status = -5;
/// The limit's name is not 1 to 128 printable ASCII characters.
pub const BAD_NAME: Status = -6;
/// A number of the host's is none that this function knows, or longer than the buffer.
pub const BAD_CALL: Status = -7;

/// Why a no is a no, as a number.
pub struct Reason;

impl Reason {
    pub const RATE_LIMITED: u32 = 0;
    pub const COST_ABOVE_CAPACITY: u32 = 1;
    pub const STORE_FULL: u32 = 2;
}

/// A no as words.
pub fn say_denied(denied: &Denied) -> Status {
    let words = match *denied {
        Denied::CostAboveCapacity { cost, capacity } => [
            Reason::COST_ABOVE_CAPACITY.into(),
            0,
            cost.into(),
            capacity.into(),
        ],
        Denied::StoreFull { retry_after } => {
            [Reason::STORE_FULL.into(), retry_after.as_nanos(), 0, 0]
        }
        other => {
            let wait = other.retry_after().unwrap_or_default();
            [Reason::RATE_LIMITED.into(), wait.as_nanos(), 0, 0]
        }
    };
    answer(words, NO)
}

/// Where a limiter stands, as words: limit, window, remaining, time to full.
pub fn say_standing(standing: &Standing) -> Status {
    let words = [
        standing.limit.into(),
        standing.window.as_nanos(),
        standing.remaining.into(),
        standing.full_in.as_nanos(),
    ];
    answer(words, YES)
}

/// What is wrong with a policy, as words.
pub fn say_bad_field(error: &ConfigError) -> Status {
    let Some(mut exchange) = EXCHANGE.get() else {
        return BAD_CALL;
    };
    for (place, byte) in exchange.buffer.iter_mut().zip(error.field.bytes()) {
        *place = byte;
    }
    exchange.answer = [
        error.field.len().min(BUFFER) as u64,
        error.value,
        error.min,
        error.max,
    ];
    BAD_FIELD
}

/// Leaves a text for the host, its length as the answer, and returns the status.
pub fn say_text(text: &str, status: Status) -> Result<Status, Status> {
    let mut exchange = EXCHANGE.get().ok_or(BAD_CALL)?;
    let room = exchange.buffer.get_mut(..text.len()).ok_or(BAD_CALL)?;
    room.copy_from_slice(text.as_bytes());
    exchange.answer = [text.len() as u64, 0, 0, 0];
    Ok(status)
}

/// Leaves words for the host and returns the status.
pub fn answer(words: [u64; 4], status: Status) -> Status {
    match EXCHANGE.get() {
        Some(mut exchange) => {
            exchange.answer = words;
            status
        }
        None => BAD_CALL,
    }
}
