//! Answers that the host keeps: here is their age, and which has to go. A key is a number of the
//! host's, which knows the answer by it.

use steadfast::fallback::{Freshness, StaleCache};
use steadfast::time::{Duration, Instant};

use crate::exchange::{BAD_CALL, NO, NO_PLACE, Status, YES, answer, say_bad_field};
use crate::global::Global;
use crate::slots::Slots;

/// How many caches there can be at once.
pub const CACHES: usize = 8;

/// How many answers each has room for.
pub const ANSWERS: usize = 256;

static KEPT: Global<Slots<StaleCache<u64, (), ANSWERS>, CACHES>> = Global::new(Slots::new());

/// An empty one: its handle.
pub fn new(max_age: Duration, fresh_for: Duration) -> Result<Status, Status> {
    let freshness = Freshness::up_to(max_age).fresh_for(fresh_for).build();
    let cache = StaleCache::new(freshness.map_err(|error| say_bad_field(&error))?);
    let put = KEPT.get().ok_or(BAD_CALL)?.put(cache);
    let (handle, _) = put.ok_or_else(|| answer([CACHES as u64, 0, 0, 0], NO_PLACE))?;
    Ok(handle)
}

pub fn free(cache: Status) -> Result<Status, Status> {
    KEPT.get().ok_or(BAD_CALL)?.free(cache)?;
    Ok(YES)
}

/// An answer of now has come for `key`. Yes if one had to go; the answer is its key.
pub fn put(cache: Status, key: u64, now: Instant) -> Result<Status, Status> {
    let mut kept = KEPT.get().ok_or(BAD_CALL)?;
    Ok(match kept.get(cache)?.0.put(key, (), now) {
        Some((gone, ())) => answer([gone, 0, 0, 0], YES),
        None => NO,
    })
}

/// Yes if the answer for `key` is of use; the answer is its age in nanoseconds, and 1 if it is as
/// good as asking.
pub fn look(cache: Status, key: u64, now: Instant) -> Result<Status, Status> {
    let mut kept = KEPT.get().ok_or(BAD_CALL)?;
    Ok(match kept.get(cache)?.0.look(&key, now) {
        Some(aged) => answer([aged.age.as_nanos(), aged.is_fresh.into(), 0, 0], YES),
        None => NO,
    })
}

/// Forgets the answer for `key`; yes if there was one.
pub fn forget(cache: Status, key: u64) -> Result<Status, Status> {
    let mut kept = KEPT.get().ok_or(BAD_CALL)?;
    Ok(kept.get(cache)?.0.invalidate(&key).map_or(NO, |()| YES))
}
