//! Single limiters: a policy and a state each.

use steadfast::limit::{AnyPolicy, AnyState, Denied, RateLimiter, Standing};
use steadfast::time::Instant;

use crate::exchange::{BAD_CALL, NO_PLACE, Status, YES, answer};
use crate::global::Global;
use crate::slots::Slots;

/// How many single limiters there can be at once.
pub const LIMITERS: usize = 256;

static SLOTS: Global<Slots<(AnyPolicy, AnyState), LIMITERS>> = Global::new(Slots::new());

/// Runs `act` with the limiter behind `handle`, and keeps what becomes of it.
fn with<T>(
    handle: Status,
    act: impl FnOnce(&mut RateLimiter<AnyPolicy>) -> T,
) -> Result<T, Status> {
    let mut slots = SLOTS.get().ok_or(BAD_CALL)?;
    let (parts, _) = slots.get(handle)?;
    let mut limiter = RateLimiter::from_parts(parts.0, parts.1);
    let said = act(&mut limiter);
    *parts = limiter.into_parts();
    Ok(said)
}

pub fn new(policy: AnyPolicy) -> Result<Status, Status> {
    let mut slots = SLOTS.get().ok_or(BAD_CALL)?;
    let put = slots.put(RateLimiter::new(policy).into_parts());
    let (handle, _) = put.ok_or_else(|| answer([LIMITERS as u64, 0, 0, 0], NO_PLACE))?;
    Ok(handle)
}

pub fn free(handle: Status) -> Result<Status, Status> {
    SLOTS.get().ok_or(BAD_CALL)?.free(handle)?;
    Ok(YES)
}

pub fn try_acquire(handle: Status, now: Instant, cost: u32) -> Result<Result<(), Denied>, Status> {
    with(handle, |limiter| {
        limiter.try_acquire_n(now, cost).map(|_| ())
    })
}

pub fn peek(handle: Status, now: Instant, cost: u32) -> Result<Result<(), Denied>, Status> {
    with(handle, |limiter| limiter.peek(now, cost))
}

pub fn standing(handle: Status, now: Instant) -> Result<Standing, Status> {
    with(handle, |limiter| limiter.standing(now))
}

pub fn reconfigure(handle: Status, now: Instant, policy: AnyPolicy) -> Result<Status, Status> {
    with(handle, |limiter| limiter.reconfigure(now, policy))?;
    Ok(YES)
}
