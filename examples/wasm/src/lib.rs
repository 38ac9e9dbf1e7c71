//! The limiters, and the machines for calling out, as a WebAssembly module whose functions take and
//! return plain numbers.
//!
//! It imports nothing: whoever calls it says what time it is, and brings chance and the secret with
//! which keys are hashed. It allocates nothing: there is room for so many of each, and [`limits`]
//! and [`calling_out::calling_limits`] say how many. Retries, breakers and kept answers are in
//! [`calling_out`]. `js/steadfast.js` is its face; another host finds here what each
//! function does. What is returned is a [`Status`]; text, keys and what a call found out go
//! through [`mod@exchange`].
//!
//! Times are milliseconds of the host's clock, as JavaScript tells them, and are converted exactly.

#![no_std]

mod breakers;
mod caches;
mod calling_out;
mod exchange;
mod global;
mod headers;
mod keys;
mod limiters;
mod millis;
mod outcomes;
mod panic;
mod policy;
mod retries;
mod slots;
mod tables;
mod whole;

use exchange::{BAD_COST, BAD_TIME, EXCHANGE, Status, YES, answer, say_denied, say_standing};
use steadfast::limit::Denied;
use steadfast::time::Instant;

/// Where [`exchange::Exchange`] lies: four answers of 64 bits, then the buffer.
#[unsafe(no_mangle)]
pub extern "C" fn exchange() -> *mut exchange::Exchange {
    EXCHANGE.address()
}

/// How much fits: the answer is limiters, tables, keys a table, bytes of the buffer.
#[unsafe(no_mangle)]
pub extern "C" fn limits() -> Status {
    let words = [
        limiters::LIMITERS,
        tables::TABLES,
        tables::PLACES,
        exchange::BUFFER,
    ];
    answer(words.map(|word| word as u64), YES)
}

/// A limiter that starts full: its handle. See [`policy::build`] for the numbers.
#[unsafe(no_mangle)]
pub extern "C" fn limiter_new(algorithm: u32, count: f64, period: u64, burst: f64) -> Status {
    flat(policy::build(algorithm, count, period, burst).and_then(limiters::new))
}

/// Gives a limiter's place back.
#[unsafe(no_mangle)]
pub extern "C" fn limiter_free(limiter: Status) -> Status {
    flat(limiters::free(limiter))
}

/// Takes `cost`, all or nothing: yes or no.
#[unsafe(no_mangle)]
pub extern "C" fn limiter_try_acquire(limiter: Status, now: f64, cost: f64) -> Status {
    decide(now, cost, |now, cost| {
        limiters::try_acquire(limiter, now, cost)
    })
}

/// What [`limiter_try_acquire`] would say; takes nothing.
#[unsafe(no_mangle)]
pub extern "C" fn limiter_peek(limiter: Status, now: f64, cost: f64) -> Status {
    decide(now, cost, |now, cost| limiters::peek(limiter, now, cost))
}

/// The answer is the limit, its window in nanoseconds, what remains, nanoseconds until it is full.
#[unsafe(no_mangle)]
pub extern "C" fn limiter_standing(limiter: Status, now: f64) -> Status {
    let standing = instant(now).and_then(|now| limiters::standing(limiter, now));
    flat(standing.map(|standing| say_standing(&standing)))
}

/// Goes on under another policy; what was used stays used.
#[unsafe(no_mangle)]
pub extern "C" fn limiter_reconfigure(
    limiter: Status,
    now: f64,
    algorithm: u32,
    count: f64,
    period: u64,
    burst: f64,
) -> Status {
    flat(instant(now).and_then(|now| {
        let policy = policy::build(algorithm, count, period, burst)?;
        limiters::reconfigure(limiter, now, policy)
    }))
}

/// The headers of an answer of this limiter; see [`headers::headers`]. `reason` and what follows
/// is what the no said; a `reason` of `u32::MAX` is a yes.
#[unsafe(no_mangle)]
pub extern "C" fn limiter_headers(
    limiter: Status,
    now: f64,
    unix_now: f64,
    name_len: usize,
    reason: u32,
    wait: u64,
    cost: u32,
    capacity: u32,
) -> Status {
    flat(instant(now).and_then(|now| {
        let denied = asked(reason, wait, cost, capacity)?;
        let standing = limiters::standing(limiter, now)?;
        headers::headers(name_len, &standing, denied.as_ref(), instant(unix_now)?)
    }))
}

/// A table without keys: its handle. See [`policy::build`] and [`tables::new`] for the numbers.
#[unsafe(no_mangle)]
pub extern "C" fn table_new(
    algorithm: u32,
    count: f64,
    period: u64,
    burst: f64,
    when_full: u32,
    secret: u64,
    more_secret: u64,
) -> Status {
    flat(
        policy::build(algorithm, count, period, burst)
            .and_then(|policy| tables::new(policy, when_full, [secret, more_secret])),
    )
}

/// Gives a table's place back.
#[unsafe(no_mangle)]
pub extern "C" fn table_free(table: Status) -> Status {
    flat(tables::free(table))
}

/// Begins a key of this table.
#[unsafe(no_mangle)]
pub extern "C" fn key_start(table: Status) -> Status {
    flat(tables::key_start(table))
}

/// The first `len` bytes of the buffer belong to the key.
#[unsafe(no_mangle)]
pub extern "C" fn key_piece(len: usize) -> Status {
    flat(keys::piece(len))
}

/// The key is complete: what the functions below call it.
#[unsafe(no_mangle)]
pub extern "C" fn key_end() -> u64 {
    keys::end()
}

/// Takes `cost` from the key's limiter, all or nothing: yes or no.
#[unsafe(no_mangle)]
pub extern "C" fn table_try_acquire(table: Status, key: u64, now: f64, cost: f64) -> Status {
    decide(now, cost, |now, cost| {
        tables::try_acquire(table, key, now, cost)
    })
}

/// What [`table_try_acquire`] would say; takes nothing.
#[unsafe(no_mangle)]
pub extern "C" fn table_peek(table: Status, key: u64, now: f64, cost: f64) -> Status {
    decide(now, cost, |now, cost| tables::peek(table, key, now, cost))
}

/// As [`limiter_standing`], of a key.
#[unsafe(no_mangle)]
pub extern "C" fn table_standing(table: Status, key: u64, now: f64) -> Status {
    let standing = instant(now).and_then(|now| tables::standing(table, key, now));
    flat(standing.map(|standing| say_standing(&standing)))
}

/// Forgets a key, which is full then; whether it was there.
#[unsafe(no_mangle)]
pub extern "C" fn table_forget(table: Status, key: u64) -> Status {
    flat(tables::forget(table, key))
}

/// The answer is how many keys are active, how often a newcomer found no place, how often a key
/// gave its place up, how many places there are.
#[unsafe(no_mangle)]
pub extern "C" fn table_counts(table: Status, now: f64) -> Status {
    flat(instant(now).and_then(|now| tables::counts(table, now)))
}

/// Goes on under another policy; what each key used stays used.
#[unsafe(no_mangle)]
pub extern "C" fn table_reconfigure(
    table: Status,
    now: f64,
    algorithm: u32,
    count: f64,
    period: u64,
    burst: f64,
) -> Status {
    flat(instant(now).and_then(|now| {
        let policy = policy::build(algorithm, count, period, burst)?;
        tables::reconfigure(table, now, policy)
    }))
}

/// As [`limiter_headers`], of a key.
#[unsafe(no_mangle)]
pub extern "C" fn table_headers(
    table: Status,
    key: u64,
    now: f64,
    unix_now: f64,
    name_len: usize,
    reason: u32,
    wait: u64,
    cost: u32,
    capacity: u32,
) -> Status {
    flat(instant(now).and_then(|now| {
        let denied = asked(reason, wait, cost, capacity)?;
        let standing = tables::standing(table, key, now)?;
        headers::headers(name_len, &standing, denied.as_ref(), instant(unix_now)?)
    }))
}

/// The body of a no, into the buffer: its length. The answer is the status code of HTTP.
#[unsafe(no_mangle)]
pub extern "C" fn refusal(reason: u32, wait: u64, cost: u32, capacity: u32) -> Status {
    let denied = headers::denied(reason, wait, cost, capacity);
    flat(denied.and_then(|denied| headers::refusal(&denied)))
}

/// What the body is, for `Content-Type`, into the buffer: its length.
#[unsafe(no_mangle)]
pub extern "C" fn content_type() -> Status {
    flat(headers::content_type())
}

/// The host's milliseconds as nanoseconds, exactly: the answer. What every `now` goes through.
#[unsafe(no_mangle)]
pub extern "C" fn nanoseconds(millis: f64) -> Status {
    flat(instant(millis).map(|instant| answer([instant.as_nanos(), 0, 0, 0], YES)))
}

/// The divisor comes from the host, so the compiler cannot know that it is not zero.
#[cfg(feature = "negative-control")]
#[unsafe(no_mangle)]
pub extern "C" fn divide(a: u32, b: u32) -> u32 {
    a / b
}

fn instant(millis: f64) -> Result<Instant, Status> {
    millis::instant(millis).ok_or(BAD_TIME)
}

fn decide(
    now: f64,
    cost: f64,
    ask: impl FnOnce(Instant, u32) -> Result<Result<(), Denied>, Status>,
) -> Status {
    flat(instant(now).and_then(|now| {
        let cost = whole::count(cost).ok_or(BAD_COST)?;
        Ok(match ask(now, cost)? {
            Ok(()) => YES,
            Err(denied) => say_denied(&denied),
        })
    }))
}

fn asked(reason: u32, wait: u64, cost: u32, capacity: u32) -> Result<Option<Denied>, Status> {
    if reason == headers::GRANTED {
        return Ok(None);
    }
    headers::denied(reason, wait, cost, capacity).map(Some)
}

/// Good and bad alike are numbers for the host.
fn flat(said: Result<Status, Status>) -> Status {
    said.unwrap_or_else(|error| error)
}
