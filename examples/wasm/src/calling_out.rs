//! Calling out, for a host that makes the calls: whether one may be made, whether again and when,
//! and whether an earlier answer is of use. Nothing here waits or calls.
//!
//! A host begins with [`breakers_try_enter`] and [`retry_start`]; asks [`retry_limit`] before each
//! attempt, and [`retry_step`] after it; and ends with [`breaker_record`] and [`retry_end`], whatever
//! happens. Handles are those of [`crate::slots`]: one that was given back means nothing any more.
//! Lengths of time are nanoseconds. Outcomes are numbers: see [`outcomes`].

use steadfast::http::may_repeat;
use steadfast::time::Duration;

use crate::exchange::{BAD_CALL, EXCHANGE, NO, Status, YES, answer};
use crate::{breakers, caches, flat, instant, outcomes, retries};

/// How much fits: the answer is retry policies, sets of breakers, caches, calls under way.
#[unsafe(no_mangle)]
pub extern "C" fn calling_limits() -> Status {
    let words = [
        retries::RETRIES,
        breakers::SETS,
        caches::CACHES,
        retries::CALLS,
    ];
    answer(words.map(|word| word as u64), YES)
}

/// How much fits into one: the answer is targets of a set of breakers, answers of a cache.
#[unsafe(no_mangle)]
pub extern "C" fn calling_places() -> Status {
    let words = [breakers::TARGETS, caches::ANSWERS, 0, 0];
    answer(words.map(|word| word as u64), YES)
}

/// The outcome of an answer of HTTP: see [`outcomes::of_http`].
#[unsafe(no_mangle)]
pub extern "C" fn http_outcome(
    status: u32,
    unix_now: f64,
    retry_after: usize,
    retried_below: usize,
) -> Status {
    flat(
        instant(unix_now)
            .and_then(|now| outcomes::of_http(status, now, retry_after, retried_below)),
    )
}

/// Yes if a request with the method in the first `method` bytes of the buffer may be sent twice.
#[unsafe(no_mangle)]
pub extern "C" fn http_may_repeat(method: usize, has_key: u32) -> Status {
    let Some(exchange) = EXCHANGE.get() else {
        return BAD_CALL;
    };
    let Some(method) = exchange.buffer.get(..method) else {
        return BAD_CALL;
    };
    let method = core::str::from_utf8(method).unwrap_or_default();
    if may_repeat(method, has_key != 0) {
        YES
    } else {
        NO
    }
}

/// A retry policy with a full budget: its handle. See [`retries::Numbers`].
#[unsafe(no_mangle)]
pub extern "C" fn retry_new(
    attempts: f64,
    backoff: u32,
    factor: u32,
    base: u64,
    cap: u64,
    jitter: u32,
    max_elapsed: u64,
    max_server_delay: u64,
    budget: f64,
) -> Status {
    flat(retries::new(&retries::Numbers {
        attempts,
        backoff,
        factor,
        base,
        cap,
        jitter,
        max_elapsed,
        max_server_delay,
        budget,
    }))
}

/// Gives a policy's place back. Its sessions end with it.
#[unsafe(no_mangle)]
pub extern "C" fn retry_free(policy: Status) -> Status {
    flat(retries::free(policy))
}

/// What is left of a policy's budget: see [`retries::budget`].
#[unsafe(no_mangle)]
pub extern "C" fn retry_budget(policy: Status, now: f64) -> Status {
    flat(instant(now).and_then(|now| retries::budget(policy, now)))
}

/// A session that must be over `within` from now, zero for no deadline: its handle.
#[unsafe(no_mangle)]
pub extern "C" fn retry_start(policy: Status, now: f64, within: u64, repeatable: u32) -> Status {
    let within = Duration::from_nanos(within);
    flat(instant(now).and_then(|now| retries::start(policy, now, within, repeatable != 0)))
}

/// How long an attempt may take that would like to take `attempt`, zero for ever: see
/// [`retries::limit`].
#[unsafe(no_mangle)]
pub extern "C" fn retry_limit(session: Status, now: f64, attempt: u64) -> Status {
    let attempt = Duration::from_nanos(attempt);
    flat(instant(now).and_then(|now| retries::limit(session, now, attempt)))
}

/// An attempt has come to `outcome`. Is there another? See [`retries::step`]; `random` is any number
/// of 32 bits, each as likely as the others, from which the jitter is made.
#[unsafe(no_mangle)]
pub extern "C" fn retry_step(
    session: Status,
    now: f64,
    outcome: u32,
    wait: u64,
    random: u32,
) -> Status {
    flat(instant(now).and_then(|now| {
        let outcome = outcomes::of_numbers(outcome, wait)?;
        retries::step(session, now, outcome, random)
    }))
}

/// Gives a session's place back.
#[unsafe(no_mangle)]
pub extern "C" fn retry_end(session: Status) -> Status {
    flat(retries::end(session))
}

/// A set of breakers, all closed: its handle. See [`breakers::Numbers`].
#[unsafe(no_mangle)]
pub extern "C" fn breakers_new(
    failures: f64,
    open_for: u64,
    growing_to: u64,
    close_after: f64,
    probe_lease: u64,
    secret: u64,
    more_secret: u64,
) -> Status {
    let numbers = breakers::Numbers {
        failures,
        open_for,
        growing_to,
        close_after,
        probe_lease,
    };
    flat(breakers::new(&numbers, [secret, more_secret]))
}

/// Gives a set's place back. Permits that are out mean nothing any more.
#[unsafe(no_mangle)]
pub extern "C" fn breakers_free(set: Status) -> Status {
    flat(breakers::free(set))
}

/// Begins the name of a target, which goes on as any other key.
#[unsafe(no_mangle)]
pub extern "C" fn breakers_key_start(set: Status) -> Status {
    flat(breakers::key_start(set))
}

/// May the target be called? See [`breakers::try_enter`].
#[unsafe(no_mangle)]
pub extern "C" fn breakers_try_enter(set: Status, target: u64, now: f64) -> Status {
    flat(instant(now).and_then(|now| breakers::try_enter(set, target, now)))
}

/// How a target's breaker stands: see [`breakers::standing`].
#[unsafe(no_mangle)]
pub extern "C" fn breakers_standing(set: Status, target: u64, now: f64) -> Status {
    flat(instant(now).and_then(|now| breakers::standing(set, target, now)))
}

/// Changes a target's breaker by hand: see [`breakers::by_hand`].
#[unsafe(no_mangle)]
pub extern "C" fn breakers_by_hand(set: Status, target: u64, now: f64, what: u32) -> Status {
    flat(instant(now).and_then(|now| breakers::by_hand(set, target, now, what)))
}

/// The call with this permit has come to `outcome`: see [`breakers::record`].
#[unsafe(no_mangle)]
pub extern "C" fn breaker_record(permit: Status, now: f64, outcome: u32, wait: u64) -> Status {
    flat(instant(now).and_then(|now| {
        let outcome = outcomes::of_numbers(outcome, wait)?;
        breakers::record(permit, now, outcome)
    }))
}

/// A cache for answers that are of use up to `max_age` and fresh for `fresh_for`: its handle.
#[unsafe(no_mangle)]
pub extern "C" fn cache_new(max_age: u64, fresh_for: u64) -> Status {
    let [max_age, fresh_for] = [max_age, fresh_for].map(Duration::from_nanos);
    flat(caches::new(max_age, fresh_for))
}

/// Gives a cache's place back.
#[unsafe(no_mangle)]
pub extern "C" fn cache_free(cache: Status) -> Status {
    flat(caches::free(cache))
}

/// An answer has come: see [`caches::put`].
#[unsafe(no_mangle)]
pub extern "C" fn cache_put(cache: Status, key: u64, now: f64) -> Status {
    flat(instant(now).and_then(|now| caches::put(cache, key, now)))
}

/// Is there an answer from earlier? See [`caches::look`].
#[unsafe(no_mangle)]
pub extern "C" fn cache_look(cache: Status, key: u64, now: f64) -> Status {
    flat(instant(now).and_then(|now| caches::look(cache, key, now)))
}

/// Forgets an answer; yes if there was one.
#[unsafe(no_mangle)]
pub extern "C" fn cache_forget(cache: Status, key: u64) -> Status {
    flat(caches::forget(cache, key))
}
