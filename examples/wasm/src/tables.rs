//! Tables: a limiter a key, in a fixed number of places.

use steadfast::limit::{AnyPolicy, Denied, KeyedPolicy, Places, Standing, WhenFull};
use steadfast::time::Instant;

use crate::exchange::{BAD_CALL, NO_PLACE, Status, YES, answer};
use crate::global::Global;
use crate::keys;
use crate::slots::Slots;

/// How many tables there can be at once.
pub const TABLES: usize = 8;

/// How many keys each holds: about 1.5 places for each key that is active at once.
pub const PLACES: usize = 1_024;

/// What one table is asked under.
#[derive(Clone, Copy)]
struct Rule {
    keyed: KeyedPolicy<AnyPolicy>,
    secret: [u64; 2],
}

/// A key is its hash, so that a key of any length takes eight bytes. Two keys of a table share a
/// limiter with a chance of 1 in 2^64; nobody who does not know the secret can find two that do.
type Table = Places<u64, AnyPolicy, PLACES>;

/// All zeros, and so outside the module's file; apart from the rules, which are not.
static PLACED: Global<[Table; TABLES]> = Global::new([const { Places::new() }; TABLES]);
static RULES: Global<Slots<Rule, TABLES>> = Global::new(Slots::new());

/// Runs `act` with the table behind `handle` and its rule.
fn with<T>(
    handle: Status,
    act: impl FnOnce(&mut Table, &mut KeyedPolicy<AnyPolicy>) -> T,
) -> Result<T, Status> {
    let mut rules = RULES.get().ok_or(BAD_CALL)?;
    let (rule, index) = rules.get(handle)?;
    let mut placed = PLACED.get().ok_or(BAD_CALL)?;
    let table = placed.get_mut(index).ok_or(BAD_CALL)?;
    Ok(act(table, &mut rule.keyed))
}

/// An empty table. `when_full` is 0 to 3 in the order of [`WhenFull`]'s variants; `secret` is 128
/// bits that strangers do not know.
pub fn new(policy: AnyPolicy, when_full: u32, secret: [u64; 2]) -> Result<Status, Status> {
    let when_full = match when_full {
        0 => WhenFull::Overflow,
        1 => WhenFull::Deny,
        2 => WhenFull::Allow,
        3 => WhenFull::EvictLeastUsed,
        _ => return Err(BAD_CALL),
    };
    let keyed = KeyedPolicy::new(policy).when_full(when_full);
    let mut rules = RULES.get().ok_or(BAD_CALL)?;
    // Keys are hashes already, so where they lie needs no seed of its own.
    let put = rules.put(Rule { keyed, secret });
    let (handle, index) = put.ok_or_else(|| answer([TABLES as u64, 0, 0, 0], NO_PLACE))?;
    let mut placed = PLACED.get().ok_or(BAD_CALL)?;
    *placed.get_mut(index).ok_or(BAD_CALL)? = Places::new();
    Ok(handle)
}

pub fn free(handle: Status) -> Result<Status, Status> {
    RULES.get().ok_or(BAD_CALL)?.free(handle)?;
    Ok(YES)
}

/// Begins a key of the table.
pub fn key_start(handle: Status) -> Result<Status, Status> {
    keys::start(RULES.get().ok_or(BAD_CALL)?.get(handle)?.0.secret)
}

pub fn try_acquire(
    handle: Status,
    key: u64,
    now: Instant,
    cost: u32,
) -> Result<Result<(), Denied>, Status> {
    with(handle, |table, rule| {
        table.try_acquire_n(rule, key, now, cost).map(|_| ())
    })
}

pub fn peek(
    handle: Status,
    key: u64,
    now: Instant,
    cost: u32,
) -> Result<Result<(), Denied>, Status> {
    with(handle, |table, rule| table.peek(rule, key, now, cost))
}

pub fn standing(handle: Status, key: u64, now: Instant) -> Result<Standing, Status> {
    with(handle, |table, rule| table.standing(rule, key, now))
}

/// Forgets a key; whether it had a place is the status.
pub fn forget(handle: Status, key: u64) -> Result<Status, Status> {
    let forgotten = with(handle, |table, rule| table.forget(rule, key))?;
    Ok(Status::from(forgotten))
}

/// Active keys, newcomers that found no place, keys that gave theirs up: as the answer.
pub fn counts(handle: Status, now: Instant) -> Result<Status, Status> {
    let words = with(handle, |table, rule| {
        [
            table.active(rule, now) as u64,
            table.crowded().into(),
            table.evicted().into(),
            PLACES as u64,
        ]
    })?;
    Ok(answer(words, YES))
}

pub fn reconfigure(handle: Status, now: Instant, policy: AnyPolicy) -> Result<Status, Status> {
    with(handle, |table, rule| {
        *rule = table.reconfigure(rule, now, policy);
    })?;
    Ok(YES)
}
