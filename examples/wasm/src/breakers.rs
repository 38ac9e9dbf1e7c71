//! Circuit breakers: sets under one policy each, a breaker a target, and the permits of the calls
//! that are under way.

use steadfast::ConfigError;
use steadfast::breaker::{Breaker, Breakers, Cause, Permit, Phase, Rejected, Transition};
use steadfast::outcome::Outcome;
use steadfast::time::{Duration, Instant};

use crate::exchange::{BAD_CALL, NO, NO_PLACE, Status, YES, answer, say_bad_field};
use crate::global::Global;
use crate::keys;
use crate::outcomes::place;
use crate::retries::CALLS;
use crate::slots::Slots;
use crate::whole;

/// How many sets there can be at once.
pub const SETS: usize = 8;

/// How many targets a set guards that are not at rest.
pub const TARGETS: usize = 32;

static SET: Global<Slots<Guard, SETS>> = Global::new(Slots::new());
static PERMITS: Global<Slots<Out, CALLS>> = Global::new(Slots::new());

/// One set.
struct Guard {
    policy: Breaker,
    /// A target is the hash of its name.
    breakers: Breakers<u64, TARGETS>,
    secret: [u64; 2],
}

/// A permit that is out. Its place is freed when it comes back, so it counts once.
struct Out {
    set: Status,
    target: u64,
    permit: Permit,
}

/// The numbers of a breaker, as the host has them; times are nanoseconds.
pub struct Numbers {
    /// So many in a row open it.
    pub failures: f64,
    pub open_for: u64,
    /// The longest open time, of which each is twice the one before; zero if it does not grow.
    pub growing_to: u64,
    /// So many probes that work close it.
    pub close_after: f64,
    pub probe_lease: u64,
}

/// A set in which all are closed: its handle.
pub fn new(numbers: &Numbers, secret: [u64; 2]) -> Result<Status, Status> {
    let mut config = Breaker::consecutive(whole_or(numbers.failures, "failures")?)
        .open_for(Duration::from_nanos(numbers.open_for))
        .close_after(whole_or(numbers.close_after, "close_after")?)
        .probe_lease(Duration::from_nanos(numbers.probe_lease));
    if numbers.growing_to > 0 {
        config = config.growing_to(Duration::from_nanos(numbers.growing_to));
    }
    let guard = Guard {
        policy: config.build().map_err(|error| say_bad_field(&error))?,
        breakers: Breakers::new(),
        secret,
    };
    let put = SET.get().ok_or(BAD_CALL)?.put(guard);
    let (handle, _) = put.ok_or_else(|| answer([SETS as u64, 0, 0, 0], NO_PLACE))?;
    Ok(handle)
}

fn whole_or(number: f64, field: &'static str) -> Result<u32, Status> {
    whole::count(number)
        .ok_or_else(|| say_bad_field(&ConfigError::new(field, 0, 1, u32::MAX.into())))
}

pub fn free(set: Status) -> Result<Status, Status> {
    SET.get().ok_or(BAD_CALL)?.free(set)?;
    Ok(YES)
}

/// Begins the name of a target.
pub fn key_start(set: Status) -> Result<Status, Status> {
    keys::start(SET.get().ok_or(BAD_CALL)?.get(set)?.0.secret)
}

/// Yes if `target` may be called; the answer is the permit; zero, or the phase that ended if it is
/// the first probe of half-open; and 1 if it is a probe, which is one attempt. No if not; the answer is the phase that says so, and the wait in
/// nanoseconds, all bits set if nobody knows. Phases are places in [`Phase::LABELS`].
pub fn try_enter(set: Status, target: u64, now: Instant) -> Result<Status, Status> {
    let mut sets = SET.get().ok_or(BAD_CALL)?;
    let Guard {
        policy, breakers, ..
    } = sets.get(set)?.0;
    let permit = match breakers.try_enter(policy, target, now) {
        Ok(permit) => permit,
        Err(rejected) => {
            let phase = match rejected {
                Rejected::Open { .. } => Phase::Open,
                Rejected::ProbesOut { .. } => Phase::HalfOpen,
                Rejected::ForcedOpen => Phase::ForcedOpen,
            };
            let phase = place(phase.label(), &Phase::LABELS) as u64;
            return Ok(answer([phase, wait(rejected.retry_after()), 0, 0], NO));
        }
    };
    let out = Out {
        set,
        target,
        permit,
    };
    let Some((handle, _)) = PERMITS.get().ok_or(BAD_CALL)?.put(out) else {
        // It will never be recorded, so it must not hold a probe.
        breakers.cancel(policy, target, permit);
        return Err(answer([CALLS as u64, 0, 0, 0], NO_PLACE));
    };
    let from = permit.transition().map_or(Phase::Closed, |turn| turn.from);
    let from = place(from.label(), &Phase::LABELS) as u64;
    let is_probe = permit.is_probe().into();
    Ok(answer(
        [handle.unsigned_abs().into(), from, is_probe, 0],
        YES,
    ))
}

fn wait(retry_after: Option<Duration>) -> u64 {
    retry_after.unwrap_or(Duration::MAX).as_nanos()
}

/// Takes note of what became of the call with this permit, whose place is free then. Yes if that
/// changed the breaker: see [`say_change`].
pub fn record(permit: Status, now: Instant, outcome: Outcome) -> Result<Status, Status> {
    let Out {
        set,
        target,
        permit,
    } = PERMITS.get().ok_or(BAD_CALL)?.take(permit)?;
    let mut sets = SET.get().ok_or(BAD_CALL)?;
    let Guard {
        policy, breakers, ..
    } = sets.get(set)?.0;
    let change = breakers.record(policy, target, now, permit, outcome);
    Ok(say_change(change))
}

/// The answer is the phase and the wait as in [`try_enter`] (zero: a call may pass now), how many
/// calls are counted (failures in a row, or in half-open probes that worked), and how many results
/// found no place in this set.
pub fn standing(set: Status, target: u64, now: Instant) -> Result<Status, Status> {
    let mut sets = SET.get().ok_or(BAD_CALL)?;
    let Guard {
        policy, breakers, ..
    } = sets.get(set)?.0;
    let standing = breakers.standing(policy, target, now);
    let words = [
        place(standing.phase.label(), &Phase::LABELS) as u64,
        wait(standing.retry_after),
        standing.totals.calls.into(),
        breakers.unguarded().into(),
    ];
    Ok(answer(words, YES))
}

/// Changes a breaker by hand: 0 closes it and forgets, 1 holds it open, 2 holds it closed. Yes if
/// that changed it; no place if all are taken.
pub fn by_hand(set: Status, target: u64, now: Instant, what: u32) -> Result<Status, Status> {
    let mut sets = SET.get().ok_or(BAD_CALL)?;
    let Guard {
        policy, breakers, ..
    } = sets.get(set)?.0;
    let state = breakers.state_mut(policy, target, now);
    let state = state.ok_or_else(|| answer([TARGETS as u64, 0, 0, 0], NO_PLACE))?;
    let change = match what {
        0 => policy.reset(state, now),
        1 => policy.force_open(state, now),
        2 => policy.force_closed(state, now),
        _ => return Err(BAD_CALL),
    };
    Ok(say_change(change))
}

/// What changed as words: from which phase, to which (places in [`Phase::LABELS`]), why (in
/// [`Cause::LABELS`]).
fn say_change(change: Option<Transition>) -> Status {
    let Some(Transition {
        from, to, cause, ..
    }) = change
    else {
        return NO;
    };
    let words = [
        place(from.label(), &Phase::LABELS) as u64,
        place(to.label(), &Phase::LABELS) as u64,
        place(cause.label(), &Cause::LABELS) as u64,
        0,
    ];
    answer(words, YES)
}
