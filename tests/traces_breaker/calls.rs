//! Calls through a breaker, one after the other, on a clock that the test moves.

use steadfast::breaker::{Breaker, BreakerState, Permit, Phase, Rejected, Transition, Trip};
use steadfast::outcome::Outcome;
use steadfast::time::{Duration, Instant};
use steadfast::window::Call;

use crate::E;

/// A breaker, its state and its clock.
pub struct Calls<T: Trip, const P: usize> {
    pub breaker: Breaker<T, P>,
    pub state: BreakerState<T, P>,
    pub now: Instant,
}

impl<T: Trip, const P: usize> Calls<T, P> {
    pub fn of(breaker: Breaker<T, P>) -> Self {
        Self {
            breaker,
            state: BreakerState::CLOSED,
            now: Instant::from_secs(1_000),
        }
    }

    pub fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    pub fn enter(&mut self) -> Result<Permit, Rejected> {
        self.breaker.try_enter(&mut self.state, self.now)
    }

    pub fn back(&mut self, permit: Permit, outcome: Outcome) -> Option<Transition> {
        self.breaker
            .record(&mut self.state, self.now, permit, outcome)
    }

    pub fn made(&mut self, call: Call) -> Option<Transition> {
        self.took(call, Duration::ZERO)
    }

    /// A call that took so long, of which the clock of the caller knows only the difference.
    pub fn took(&mut self, call: Call, time: Duration) -> Option<Transition> {
        let permit = self.enter().expect("closed");
        let began = self.now;
        self.wait(time);
        let outcome = if call.failed {
            Outcome::TRANSIENT
        } else {
            Outcome::Success
        };
        let transition = self.back(permit, outcome);
        self.now = began;
        transition
    }

    pub fn phase(&self) -> Phase {
        self.breaker.phase(&self.state, self.now)
    }

    /// Opened by five failures.
    pub fn opened(breaker: Breaker<T, P>) -> Self {
        let mut calls = Self::of(breaker);
        for _ in 0..5 {
            calls.made(E);
        }
        assert_eq!(calls.phase(), Phase::Open);
        calls
    }
}
