//! A call through a breaker, and a breaker that such calls have opened.

use steadfast::breaker::{Breaker, BreakerState, Consecutive, Phase, Transition, Trip};
use steadfast::outcome::Outcome;
use steadfast::time::Instant;

pub const BAD: Outcome = Outcome::TRANSIENT;
pub const NOW: Instant = Instant::from_secs(100_000);

/// One call, made and recorded at `now`.
pub fn call<T: Trip, const P: usize>(
    breaker: &Breaker<T, P>,
    state: &mut BreakerState<T, P>,
    now: Instant,
    outcome: Outcome,
) -> Option<Transition> {
    let permit = breaker.try_enter(state, now).expect("it passes");
    breaker.record(state, now, permit, outcome)
}

/// A breaker that opened at [`NOW`].
pub fn opened<const P: usize>(breaker: &Breaker<Consecutive, P>) -> BreakerState<Consecutive, P> {
    let mut state = BreakerState::CLOSED;
    while breaker.phase(&state, NOW) == Phase::Closed {
        let _ = call(breaker, &mut state, NOW, BAD);
    }
    state
}
