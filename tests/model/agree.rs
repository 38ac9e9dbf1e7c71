//! Plays a schedule to a machine and to its model, and compares everything that can be seen.

use proptest::prelude::*;
use steadfast::limit::{Denied, Policy};
use steadfast::time::{Duration, Instant};

use super::machine::{Machine, Tells};
use super::schedule::{Call, Clock, Steps};
use super::{Answer, Headers, LEAD, Model};

/// What the two said of a yes.
pub type Grants<P, M> = (<P as Policy>::Granted, <M as Model>::Grant);

/// A machine beside its model.
#[derive(Clone)]
pub struct Pair<P: Policy, M: Model> {
    pub policy: P,
    pub state: P::State,
    pub model: M,
}

impl<P: Machine, M: Model> Pair<P, M> {
    pub fn new(policy: P, model: M) -> Self {
        Self {
            policy,
            state: P::FULL,
            model,
        }
    }

    /// Everything that can be asked without changing anything.
    pub fn look(&self, now: u64) -> Result<(), TestCaseError> {
        let (at, model) = (Instant::from_nanos(now), &self.model);
        let (available, rests_in) = (model.available(now), model.rests_in(now));
        prop_assert_eq!(
            self.policy.available(&self.state, at),
            available,
            "available at {}",
            now
        );
        let said = self.policy.rests_in(&self.state, at).as_nanos();
        prop_assert_eq!(said, rests_in, "rests in, at {}", now);
        prop_assert_eq!(
            self.policy.at_rest(&self.state, at),
            rests_in == 0,
            "rest at {}",
            now
        );
        prop_assert_eq!(self.policy.capacity(), model.capacity());
        let standing = self.policy.standing(&self.state, at);
        let said = Headers {
            limit: standing.limit,
            remaining: standing.remaining,
            full_in: standing.full_in.as_nanos(),
        };
        prop_assert_eq!(said, model.standing(now), "headers at {}", now);
        Ok(())
    }

    /// Compares two answers; the grants of a yes.
    fn compare(
        &self,
        said: Result<P::Granted, Denied>,
        right: Answer<M::Grant>,
        now: u64,
        cost: u32,
    ) -> Result<Option<Grants<P, M>>, TestCaseError> {
        match (said, right) {
            (Ok(granted), Answer::Yes(grant)) => {
                prop_assert_eq!(granted.tells(), grant.tells(), "{} at {}", cost, now);
                return Ok(Some((granted, grant)));
            }
            (Err(Denied::RateLimited { retry_after }), Answer::Wait(wait)) => {
                prop_assert_eq!(retry_after.as_nanos(), wait, "wait for {} at {}", cost, now);
            }
            (
                Err(Denied::CostAboveCapacity {
                    cost: said,
                    capacity,
                }),
                Answer::TooMuch,
            ) => {
                prop_assert_eq!((said, capacity), (cost, self.model.capacity()));
            }
            (said, Answer::Yes(_)) => prop_assert!(false, "{:?} for {}, not yes", said, cost),
            (said, Answer::Wait(wait)) => prop_assert!(false, "{:?}, not a wait of {}", said, wait),
            (said, Answer::TooMuch) => prop_assert!(false, "{:?} for {}, not never", said, cost),
        }
        Ok(None)
    }

    /// A call, and if it is a no: not a nanosecond too early, not a nanosecond too late, and
    /// never longer than the policy's longest wait and the lead of a clock.
    pub fn take(&mut self, now: u64, cost: u32) -> Result<Option<Grants<P, M>>, TestCaseError> {
        let at = Instant::from_nanos(now);
        let said = self.policy.decide(&mut self.state, at, cost);
        let right = self.model.decide(now, cost);
        if let Err(Denied::RateLimited { retry_after }) = said {
            let wait = retry_after.as_nanos();
            prop_assert!(wait > 0);
            prop_assert!(i128::from(wait) <= i128::from(self.model.longest()) + LEAD);
            if now
                .checked_add(wait)
                .is_some_and(|then| then <= self.model.horizon())
            {
                let mut copy = self.state;
                let early = at + Duration::from_nanos(wait - 1);
                prop_assert!(
                    self.policy.decide(&mut copy, early, cost).is_err(),
                    "early yes"
                );
                let then = at + retry_after;
                prop_assert!(
                    self.policy.decide(&mut copy, then, cost).is_ok(),
                    "late yes"
                );
            }
        }
        self.compare(said, right, now, cost)
    }

    pub fn reserve(
        &mut self,
        now: u64,
        cost: u32,
        max_wait: u64,
    ) -> Result<Option<Grants<P, M>>, TestCaseError> {
        let longest = Duration::from_nanos(max_wait);
        let at = Instant::from_nanos(now);
        let Some(said) = self.policy.try_reserve(&mut self.state, at, cost, longest) else {
            return Ok(None);
        };
        let right = self.model.reserve(now, cost, max_wait);
        self.compare(said, right.expect("the model can reserve too"), now, cost)
    }

    /// Both take the same of what may not be there.
    pub fn charge(&mut self, now: u64, cost: u32) -> Result<(), TestCaseError> {
        let at = Instant::from_nanos(now);
        if let Some(beyond) = self.policy.try_charge(&mut self.state, at, cost) {
            let right = self.model.charge(now, cost);
            prop_assert_eq!(Some(beyond), right, "of {} charged at {}", cost, now);
        }
        Ok(())
    }

    pub fn refund(&mut self, now: u64, (granted, grant): &Grants<P, M>) {
        self.policy
            .refund(&mut self.state, Instant::from_nanos(now), granted);
        self.model.refund(now, grant);
    }

    /// Those that cannot cancel refund.
    pub fn cancel(&mut self, now: u64, grants: &Grants<P, M>) {
        let at = Instant::from_nanos(now);
        if self.policy.try_cancel(&mut self.state, at, &grants.0) {
            self.model.cancel(now, &grants.1);
        } else {
            self.refund(now, grants);
        }
    }

    pub fn mend(&mut self, now: u64) {
        self.policy.mend(&mut self.state, Instant::from_nanos(now));
        self.model.mend(now);
    }

    pub fn reconfigure(&mut self, now: u64, (policy, rule): (P, M::Rule)) {
        self.policy
            .reconfigure(&mut self.state, Instant::from_nanos(now), &policy);
        self.policy = policy;
        self.model.reconfigure(now, rule);
    }
}

/// Plays `steps`; returns how many operations agreed. `others` are what it may be reconfigured
/// to.
pub fn agree<P: Machine, M: Model>(
    mut pair: Pair<P, M>,
    mut clock: Clock,
    steps: &Steps,
    others: &[(P, M::Rule)],
) -> Result<u64, TestCaseError> {
    // One schedule in four only takes, and its whole history is held to the rate.
    let only_takes = steps.0.len().is_multiple_of(4);
    let mut taken = 0_i128;
    let mut retry = 0;
    let mut grants: Vec<Grants<P, M>> = Vec::new();
    for (number, step) in steps.0.iter().enumerate() {
        clock.go(step.clock, &pair.model, retry);
        if number == 0 {
            // The way to the first call does not count.
            (clock.forward, clock.jumps) = (0, 0);
        }
        let now = clock.now;
        let call = match step.call {
            Call::Refund(_)
            | Call::Cancel(_)
            | Call::Reserve { .. }
            | Call::Charge(_)
            | Call::Reconfigure(_)
                if only_takes =>
            {
                Call::Take(1)
            }
            call => call,
        };
        let mut found = None;
        match call {
            Call::Take(cost) => found = pair.take(now, cost)?,
            Call::TakeAvailable(more) => {
                let cost = pair.model.available(now).saturating_add(more);
                found = pair.take(now, cost)?;
            }
            Call::TakeCapacity(more) => {
                let cost = pair.model.capacity().saturating_add(more);
                found = pair.take(now, cost)?;
            }
            Call::Reserve { cost, max_wait } => {
                let cost = 1 + cost % pair.model.capacity();
                found = pair.reserve(now, cost, max_wait)?;
            }
            Call::Refund(index) if !grants.is_empty() => {
                let pick = grants.swap_remove(index % grants.len());
                pair.refund(now, &pick);
            }
            Call::Cancel(index) if !grants.is_empty() => {
                let pick = grants.swap_remove(index % grants.len());
                pair.cancel(now, &pick);
            }
            Call::Charge(cost) => pair.charge(now, cost)?,
            Call::Mend => pair.mend(now),
            Call::Reconfigure(index) if !others.is_empty() => {
                // What an earlier policy granted has no meaning under another.
                grants.clear();
                pair.reconfigure(now, others[index % others.len()]);
            }
            Call::Nothing | Call::Refund(_) | Call::Cancel(_) | Call::Reconfigure(_) => {}
        }
        if found.is_none_or(|(granted, _)| granted.taken() == 0)
            && let Some(wait) = pair.model.wait_for_one(now)
        {
            retry = wait;
        }
        if let Some((granted, grant)) = found {
            taken += i128::from(granted.taken());
            if grants.len() < 8 {
                grants.push((granted, grant));
            } else {
                grants[number % 8] = (granted, grant);
            }
        }
        if only_takes {
            let forward = clock.forward;
            prop_assert!(
                pair.model.within_rate(taken, forward, clock.jumps),
                "over the rate"
            );
        }
        pair.look(now)
            .map_err(|error| TestCaseError::fail(format!("step {number}, {step:?}: {error}")))?;
    }
    Ok(steps.0.len() as u64)
}

/// Plays to a machine of the first of `policies`, which may be reconfigured to any of them, from
/// `start` on. What most machines' tests do.
pub fn agree_from<P: Machine, M: Model>(
    policies: &[(P, M::Rule)],
    model: impl Fn(M::Rule) -> M,
    start: u64,
    steps: &Steps,
) -> Result<u64, TestCaseError> {
    let (policy, rule) = policies[0];
    let pair = Pair::new(policy, model(rule));
    agree(pair, Clock::anywhere(start), steps, policies)
}
