//! Several limits that must all say yes.

use super::{Denied, Policy, Standing};
use crate::time::{Duration, Instant};

/// Two limits on one thing: 10 a second *and* 1,000 a day. Takes from both or from neither.
///
/// For more than two, nest: `AllOf(a, AllOf(b, c))`. A no carries the longer wait. The state is
/// the two states; a call costs the two calls. Limits that lie in different places, such as one
/// for all and one a user, are put together by [`Named::and`](super::Named::and).
///
/// ```
/// use steadfast::{limit::{AllOf, RateLimiter, TokenBucket}, policy, time::Instant};
///
/// const SMS: AllOf<TokenBucket, TokenBucket> =
///     AllOf(policy!(TokenBucket::per_second(10)), policy!(TokenBucket::per_day(1_000)));
///
/// let mut sms = RateLimiter::new(SMS);
/// assert!(sms.try_acquire_n(Instant::from_secs(1), 10).is_ok());
/// assert!(sms.try_acquire(Instant::from_secs(1)).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct AllOf<A, B>(pub A, pub B);

/// The no that holds longer; one that no wait helps holds for ever. Of two such the one that
/// leaves less room, since more than that is never granted.
pub(super) fn longer(first: Denied, second: Denied) -> Denied {
    match (first, second) {
        (
            Denied::CostAboveCapacity { capacity: a, .. },
            Denied::CostAboveCapacity { capacity: b, .. },
        ) if b < a => return second,
        _ => {}
    }
    match (first.retry_after(), second.retry_after()) {
        (Some(a), Some(b)) if b > a => second,
        (Some(_), None) => second,
        _ => first,
    }
}

impl<A: Policy, B: Policy> Policy for AllOf<A, B> {
    type State = (A::State, B::State);
    type Granted = (A::Granted, B::Granted);

    const FULL: Self::State = (A::FULL, B::FULL);
    const ON_TRIAL: bool = A::ON_TRIAL && B::ON_TRIAL;

    fn decide(
        &self,
        state: &mut Self::State,
        now: Instant,
        cost: u32,
    ) -> Result<Self::Granted, Denied> {
        let before = *state;
        let first = self.0.decide(&mut state.0, now, cost);
        let second = self.1.decide(&mut state.1, now, cost);
        Err(match (first, second) {
            (Ok(first), Ok(second)) => return Ok((first, second)),
            (Ok(_), Err(denied)) => {
                // Undone, but mended if it had to be: that is kept after a no as well.
                state.0 = before.0;
                self.0.mend(&mut state.0, now);
                denied
            }
            (Err(denied), Ok(_)) => {
                state.1 = before.1;
                self.1.mend(&mut state.1, now);
                denied
            }
            (Err(first), Err(second)) => longer(first, second),
        })
    }

    fn at_rest(&self, state: &Self::State, now: Instant) -> bool {
        self.0.at_rest(&state.0, now) && self.1.at_rest(&state.1, now)
    }

    fn rests_in(&self, state: &Self::State, now: Instant) -> Duration {
        let first = self.0.rests_in(&state.0, now);
        first.max(self.1.rests_in(&state.1, now))
    }

    fn mend(&self, state: &mut Self::State, now: Instant) {
        self.0.mend(&mut state.0, now);
        self.1.mend(&mut state.1, now);
    }

    /// What is on trial beside one that is enforced does not count.
    fn available(&self, state: &Self::State, now: Instant) -> u32 {
        let first = self.0.available(&state.0, now);
        let second = self.1.available(&state.1, now);
        match (A::ON_TRIAL, B::ON_TRIAL) {
            (true, false) => second,
            (false, true) => first,
            _ => first.min(second),
        }
    }

    fn capacity(&self) -> u32 {
        self.0.capacity().min(self.1.capacity())
    }

    fn refund(&self, state: &mut Self::State, now: Instant, granted: &Self::Granted) {
        self.0.refund(&mut state.0, now, &granted.0);
        self.1.refund(&mut state.1, now, &granted.1);
    }

    fn reconfigure(&self, state: &mut Self::State, now: Instant, new: &Self) {
        self.0.reconfigure(&mut state.0, now, &new.0);
        self.1.reconfigure(&mut state.1, now, &new.1);
    }

    fn would_deny(granted: &Self::Granted) -> Option<Denied> {
        match (A::would_deny(&granted.0), B::would_deny(&granted.1)) {
            (Some(first), Some(second)) => Some(longer(first, second)),
            (first, second) => first.or(second),
        }
    }

    /// The standing of the limit that is nearest to saying no; of two that are as near, of the
    /// one that takes longer to be full.
    fn standing(&self, state: &Self::State, now: Instant) -> Standing {
        let first = self.0.standing(&state.0, now);
        let second = self.1.standing(&state.1, now);
        let nearer = if A::ON_TRIAL == B::ON_TRIAL {
            second.is_nearer_to_no_than(&first)
        } else {
            // What is on trial denies nobody, so the other one is what a caller meets.
            A::ON_TRIAL
        };
        if nearer { second } else { first }
    }
}
