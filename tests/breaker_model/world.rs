//! A machine beside its model: the same calls to both, and every answer compared.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use steadfast::breaker::{Breaker, BreakerState, Cause, Permit, Phase, Rejected, Trip};
use steadfast::outcome::Outcome;
use steadfast::time::{Duration, Instant};
use steadfast::window::Totals;

use super::model::{Call, Is, Model, changed};
use super::{Config, Hand, LEAD};

/// A machine beside its model, and the calls that are out.
#[derive(Clone, Debug)]
pub struct World<T: Trip, const P: usize> {
    pub breaker: Breaker<T, P>,
    pub state: BreakerState<T, P>,
    pub model: Model,
    pub now: u64,
    /// Under way.
    pub out: Vec<(Permit, Call)>,
    /// Recorded, and may come again.
    pub done: Vec<(Permit, Call)>,
    /// How long the last no said to wait.
    pub retry: u64,
}

impl<T: Trip, const P: usize> World<T, P> {
    pub fn new(breaker: Breaker<T, P>, config: Config, now: u64) -> Self {
        assert_eq!(config.probes, P);
        Self {
            breaker,
            state: BreakerState::CLOSED,
            model: Model::new(config),
            now,
            out: Vec::new(),
            done: Vec::new(),
            retry: 0,
        }
    }

    fn at(&self) -> Instant {
        Instant::from_nanos(self.now)
    }

    pub fn enter(&mut self) -> Result<(), TestCaseError> {
        let (now, at) = (i128::from(self.now), self.at());
        let was = self.model.is.clone();
        let said = self.breaker.try_enter(&mut self.state, at);
        match (said, self.model.enter(now)) {
            (Ok(permit), Ok(call)) => {
                prop_assert_eq!(permit.is_probe(), call.is_probe);
                // The one that turns it says so.
                let turned = match was {
                    Is::Open { forced: true, .. } => Some(Phase::ForcedOpen),
                    Is::Open { forced: false, .. } => Some(Phase::Open),
                    _ => None,
                };
                let turned = turned
                    .map(|from| changed(from, Phase::HalfOpen, Cause::OpenTimeOver, Totals::NONE));
                prop_assert_eq!(permit.transition(), turned);
                self.out.push((permit, call));
            }
            (Err(rejected), Err(wait)) => {
                let said = rejected
                    .retry_after()
                    .map(|wait| i128::from(wait.as_nanos()));
                prop_assert_eq!(said, wait, "the wait at {}", now);
                let right = match self.model.is {
                    Is::Open { .. } => matches!(rejected, Rejected::Open { .. }),
                    Is::HalfOpen { .. } => matches!(rejected, Rejected::ProbesOut { .. }),
                    _ => rejected == Rejected::ForcedOpen,
                };
                prop_assert!(right, "{:?} where it {:?}", rejected, self.model.is);
                if let Some(wait) = rejected.retry_after() {
                    self.retry = wait.as_nanos();
                    self.exactly_then(wait)?;
                }
            }
            (said, right) => prop_assert!(false, "{:?}, not {:?}, at {}", said, right, now),
        }
        Ok(())
    }

    /// A nanosecond earlier it is a no, and at that instant a yes; and nobody waits longer than
    /// the time there is for it, and the lead of a clock.
    fn exactly_then(&self, wait: Duration) -> Result<(), TestCaseError> {
        prop_assert!(wait > Duration::ZERO);
        let Config { cap, lease, .. } = self.model.config;
        let longest = match self.model.is {
            Is::Open { length, .. } => length,
            _ => i128::from(lease.max(cap)),
        };
        prop_assert!(i128::from(wait.as_nanos()) <= longest + LEAD);
        let mut copy = self.state;
        let early = self.at() + wait - Duration::from_nanos(1);
        prop_assert!(
            self.breaker.try_enter(&mut copy, early).is_err(),
            "too early"
        );
        prop_assert!(
            self.breaker.try_enter(&mut copy, self.at() + wait).is_ok(),
            "too late"
        );
        Ok(())
    }

    fn record_call(
        &mut self,
        (permit, call): (Permit, Call),
        outcome: Outcome,
    ) -> Result<(), TestCaseError> {
        let at = self.at();
        let said = self.breaker.record(&mut self.state, at, permit, outcome);
        let right = self.model.record(self.now.into(), call, outcome);
        prop_assert_eq!(said, right, "{:?} at {}", outcome, self.now);
        Ok(())
    }

    /// One that is out comes back.
    pub fn record(&mut self, index: usize, outcome: Outcome) -> Result<(), TestCaseError> {
        if self.out.is_empty() {
            return Ok(());
        }
        let call = self.out.remove(index % self.out.len());
        if self.done.len() < 16 {
            self.done.push(call);
        }
        self.record_call(call, outcome)
    }

    /// One that has come back already comes back again.
    pub fn record_again(&mut self, index: usize, outcome: Outcome) -> Result<(), TestCaseError> {
        if self.done.is_empty() {
            return Ok(());
        }
        let call = self.done[index % self.done.len()];
        self.record_call(call, outcome)
    }

    pub fn cancel(&mut self, index: usize) {
        if self.out.is_empty() {
            return;
        }
        let (permit, call) = self.out.remove(index % self.out.len());
        self.breaker.cancel(&mut self.state, permit);
        self.model.cancel(call);
    }

    pub fn by_hand(&mut self, hand: Hand) -> Result<(), TestCaseError> {
        let (breaker, state, now) = (
            &self.breaker,
            &mut self.state,
            Instant::from_nanos(self.now),
        );
        let said = match hand {
            Hand::ForceOpen => breaker.force_open(state, now),
            Hand::ForceOpenFor(time) => {
                breaker.force_open_for(state, now, Duration::from_nanos(time))
            }
            Hand::ForceClosed => breaker.force_closed(state, now),
            Hand::Disable => breaker.disable(state, now),
            Hand::ObserveOnly => breaker.observe_only(state, now),
            Hand::Reset => breaker.reset(state, now),
        };
        let right = self.model.by_hand(self.now.into(), hand);
        prop_assert_eq!(said, right, "{:?} at {}", hand, self.now);
        Ok(())
    }

    /// Everything that can be asked without changing anything.
    pub fn look(&self) -> Result<(), TestCaseError> {
        let at = self.at();
        let right = self.model.standing(self.now.into());
        prop_assert_eq!(
            self.breaker.standing(&self.state, at),
            right,
            "at {}",
            self.now
        );
        prop_assert_eq!(self.breaker.phase(&self.state, at), right.phase);
        prop_assert!(
            right.probes_out as usize <= P,
            "more probes out than may be"
        );
        let rests = right.phase == Phase::Closed && right.totals.failures + right.totals.slow == 0;
        prop_assert_eq!(self.breaker.at_rest(&self.state, at), rests);
        Ok(())
    }

    /// Every call ends; then every probe is free, so as many as may be out can go.
    pub fn end_all(&mut self, outcome: Outcome) -> Result<(), TestCaseError> {
        while !self.out.is_empty() {
            self.record(0, outcome)?;
            self.look()?;
        }
        let at = self.at();
        prop_assert_eq!(self.breaker.standing(&self.state, at).probes_out, 0);
        // At the end of time every lease is over at once.
        let leases = self.now.checked_add(self.model.config.lease).is_some();
        if leases && self.breaker.phase(&self.state, at) == Phase::HalfOpen {
            for _ in 0..P {
                prop_assert!(self.breaker.try_enter(&mut self.state, at).is_ok());
            }
            prop_assert!(self.breaker.try_enter(&mut self.state, at).is_err());
        }
        Ok(())
    }
}
