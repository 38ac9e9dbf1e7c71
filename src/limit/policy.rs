//! The shape that every rate-limiting algorithm has.

use core::fmt::Debug;

use super::{Denied, Granted, Standing};
use crate::time::{Duration, Instant};

/// A rate-limiting algorithm: a pure function of policy, state, time and cost.
///
/// The policy is what a person configured: `Copy`, checked once, fit for a `static`. The state is
/// what changes, a small plain value; whoever holds it (one limiter, a table of keys, an atomic
/// word) is generic over this trait. Nothing here reads a clock or takes a lock.
///
/// Most users never call it: [`RateLimiter`](super::RateLimiter) and the keyed forms do.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a finished policy",
    note = "a configuration becomes a policy by `policy!(...)`, or by `.build()?` at run time"
)]
pub trait Policy: Copy {
    /// What is remembered from call to call.
    type State: Copy + Debug;

    /// What a yes carries: enough to give it back later.
    type Granted: Copy + Debug;

    /// A limiter that was never used, whatever the policy.
    const FULL: Self::State;

    /// Does it only decide and report, and deny nobody? Clients are then told nothing of it.
    const ON_TRIAL: bool = false;

    /// May `cost` pass at `now`? If yes, it is taken. Cost `0` looks and takes nothing.
    ///
    /// A no takes nothing, but may mend a state that a clock running backwards has left too far
    /// ahead; so keep the state after a no as well.
    ///
    /// # Errors
    ///
    /// [`Denied::RateLimited`] with the exact wait; [`Denied::CostAboveCapacity`] if no wait
    /// would help.
    fn decide(
        &self,
        state: &mut Self::State,
        now: Instant,
        cost: u32,
    ) -> Result<Self::Granted, Denied>;

    /// Is it full again? A state at rest holds no information and may be forgotten.
    fn at_rest(&self, state: &Self::State, now: Instant) -> bool;

    /// How long until it is at rest, rounded up to a nanosecond; zero if it is.
    fn rests_in(&self, state: &Self::State, now: Instant) -> Duration;

    /// A state further ahead of `now` than it can truly be becomes "empty at `now`"; any other is
    /// left as it is. What a no does by itself; tables do it to places whose key stays away.
    fn mend(&self, state: &mut Self::State, now: Instant);

    /// The largest cost that would be granted at `now`.
    ///
    /// May cost a 64-bit division, which is why a yes does not carry it.
    fn available(&self, state: &Self::State, now: Instant) -> u32;

    /// The largest cost that can ever be granted at once.
    fn capacity(&self) -> u32;

    /// Gives back what was granted and not used.
    ///
    /// Never more than its cost, and never more than what that grant still holds back: a grant
    /// whose tokens have refilled, or whose window has ended, gives nothing. Refund a grant once,
    /// and to the limiter that gave it; one from before a reconfiguration is counted on the new
    /// policy's scale, up to its cost.
    ///
    /// The buckets have one exception. Their grant knows what was owed when it was given, and not
    /// what was refunded since, which lets it refill that much earlier. So it may give back more
    /// than it still holds back: by at most as many tokens as were refunded since it was given.
    /// Refunds that come in the reverse order of their grants are exact.
    fn refund(&self, state: &mut Self::State, now: Instant, granted: &Self::Granted);

    /// Carries a state over to the policy `new`, keeping what was used, in tokens: up to the new
    /// capacity, and up to what `new` may reserve ahead on top of it.
    fn reconfigure(&self, state: &mut Self::State, now: Instant, new: &Self);

    /// What a limit on trial would have said instead of this yes; `None` if it is enforced.
    fn would_deny(_granted: &Self::Granted) -> Option<Denied> {
        None
    }

    /// What the headers say of a state: limit, remaining, time to full.
    fn standing(&self, state: &Self::State, now: Instant) -> Standing;
}

/// A policy that can promise a time in the future, and be in debt until then.
///
/// A bucket can, since it refills at a known rate; a window cannot say who else will come. Debt
/// and reservations share one bound and one state: a bucket below empty is the same whether what
/// it lacks was promised or owed.
pub trait Reserve: Policy<Granted = Granted> {
    /// Takes `cost` now and says from when on it may be used: [`Granted::at`], at most
    /// `max_wait` from now and at most as far ahead as the policy allows.
    ///
    /// # Errors
    ///
    /// As [`Policy::decide`]; the wait in [`Denied::RateLimited`] is until the same call would
    /// succeed. Nothing is taken.
    fn reserve(
        &self,
        state: &mut Self::State,
        now: Instant,
        cost: u32,
        max_wait: Duration,
    ) -> Result<Granted, Denied>;

    /// Takes `cost` though it may not be there: for what is known only afterwards, such as the
    /// bytes of an answer or the tokens of a language model. The bucket may go below empty, and
    /// whoever comes later waits until it has refilled.
    ///
    /// Any `cost` will do, one above the capacity too. But a debt goes no further than a
    /// reservation may: as far ahead as the policy allows
    /// ([`reserve_ahead`](super::TokenBucketConfig::reserve_ahead), which is also
    /// [`debt_up_to`](super::TokenBucketConfig::debt_up_to)), since a state further ahead would
    /// not be believed. Whole tokens within that are taken; **how many were not is returned**,
    /// and is the caller's to count, report or charge later.
    ///
    /// While the bucket is below empty, a refund of an earlier grant gives back only what lies
    /// beyond what was taken after it, as with reservations. So an estimate that was too high is
    /// refunded first, and the true cost charged after it.
    #[must_use = "what lies beyond the bound was not charged"]
    fn charge(&self, state: &mut Self::State, now: Instant, cost: u32) -> u32;

    /// Gives back a reservation that is not used.
    ///
    /// Once its time has passed ([`Granted::at`] before `now`) it counts as used, and nothing is
    /// given back. What was reserved after it keeps its time, so only what lies beyond those
    /// reservations returns.
    fn cancel(&self, state: &mut Self::State, now: Instant, reserved: &Granted) {
        if now <= reserved.at() {
            self.refund(state, now, reserved);
        }
    }
}
