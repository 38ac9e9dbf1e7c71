//! One limiter: a policy and its state.

use super::{Denied, Granted, Policy, Reserve, Standing};
use crate::config::ConfigError;
use crate::time::{Duration, Instant};

/// A policy with a state of its own, for one owner.
///
/// To share it put it into [`Shared`](crate::shared::Shared), or take an
/// [`AtomicRateLimiter`](super::AtomicRateLimiter).
///
/// ```
/// use steadfast::{limit::{RateLimiter, TokenBucket}, policy, time::Instant};
///
/// let mut limiter = RateLimiter::new(policy!(TokenBucket::per_minute(100)));
/// let now = Instant::from_secs(7);
/// assert!(limiter.try_acquire_n(now, 100).is_ok());
/// assert_eq!(limiter.available(now), 0);
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct RateLimiter<P: Policy> {
    policy: P,
    state: P::State,
}

impl<P: Policy> RateLimiter<P> {
    /// A limiter that starts full.
    pub const fn new(policy: P) -> Self {
        Self {
            policy,
            state: P::FULL,
        }
    }

    /// A limiter that starts empty, or partly full: as if all but `available` had been taken at
    /// `now`. What is missing comes back as the policy has it: bit by bit, or when the window
    /// that starts with it ends.
    ///
    /// For a restart that must not hand out a second burst, or a warm-up. In a `static`, which
    /// starts full, take what should be missing once the clock runs.
    ///
    /// # Errors
    ///
    /// `available` above what a full limiter would grant (of a limit on trial, what it would grant
    /// if enforced). Under [`AnyPolicy::Unlimited`](super::AnyPolicy::Unlimited) nothing can be
    /// missing, so nothing is.
    ///
    /// ```
    /// use steadfast::{limit::{RateLimiter, TokenBucket}, policy, time::{Instant, secs}};
    ///
    /// # fn main() -> Result<(), steadfast::ConfigError> {
    /// const POLICY: TokenBucket = policy!(TokenBucket::per_second(5).burst(10));
    /// let now = Instant::from_secs(1);
    /// let mut radio = RateLimiter::starting_with(POLICY, now, 0)?;
    /// assert!(radio.try_acquire(now).is_err());
    /// assert_eq!(radio.available(now + secs(1)), 5);
    ///
    /// let error = RateLimiter::starting_with(POLICY, now, 11).unwrap_err();
    /// assert_eq!(error.to_string(), "available = 11, allowed 0..=10");
    /// # Ok(()) }
    /// ```
    pub fn starting_with(policy: P, now: Instant, available: u32) -> Result<Self, ConfigError> {
        let mut state = P::FULL;
        let full = policy.available(&state, now);
        ConfigError::check("available", available.into(), 0, full.into())?;
        // A full limiter has it, so this is never a no.
        let _ = policy.decide(&mut state, now, full.wrapping_sub(available));
        Ok(Self { policy, state })
    }

    /// The two halves: what was configured, and what is remembered.
    pub const fn into_parts(self) -> (P, P::State) {
        (self.policy, self.state)
    }

    /// A limiter that goes on from a remembered state.
    pub const fn from_parts(policy: P, state: P::State) -> Self {
        Self { policy, state }
    }

    /// The policy.
    pub const fn policy(&self) -> &P {
        &self.policy
    }

    /// Takes one, if there is one.
    ///
    /// # Errors
    ///
    /// See [`Policy::decide`]; nothing is taken.
    #[inline]
    pub fn try_acquire(&mut self, now: Instant) -> Result<P::Granted, Denied> {
        self.try_acquire_n(now, 1)
    }

    /// Takes `cost`, all or nothing.
    ///
    /// # Errors
    ///
    /// See [`Policy::decide`]; nothing is taken.
    #[inline]
    pub fn try_acquire_n(&mut self, now: Instant, cost: u32) -> Result<P::Granted, Denied> {
        self.policy.decide(&mut self.state, now, cost)
    }

    /// Would `cost` be granted? Takes nothing.
    ///
    /// # Errors
    ///
    /// What [`try_acquire_n`](Self::try_acquire_n) would say.
    pub fn peek(&self, now: Instant, cost: u32) -> Result<(), Denied> {
        let mut copy = self.state;
        self.policy.decide(&mut copy, now, cost).map(|_| ())
    }

    /// The largest cost that would be granted now.
    pub fn available(&self, now: Instant) -> u32 {
        self.policy.available(&self.state, now)
    }

    /// What the headers say: limit, remaining, time to full.
    pub fn standing(&self, now: Instant) -> Standing {
        self.policy.standing(&self.state, now)
    }

    /// Gives back what was granted and not used; see [`Policy::refund`].
    pub fn refund(&mut self, now: Instant, granted: &P::Granted) {
        self.policy.refund(&mut self.state, now, granted);
    }

    /// Policy and state, for what only this policy can do, such as
    /// [`AllOf::record`](super::AllOf::record).
    pub fn with_state<R>(&mut self, work: impl FnOnce(&P, &mut P::State) -> R) -> R {
        work(&self.policy, &mut self.state)
    }

    /// Goes on under another policy, keeping what was used, in tokens.
    pub fn reconfigure(&mut self, now: Instant, policy: P) {
        self.policy.reconfigure(&mut self.state, now, &policy);
        self.policy = policy;
    }
}

impl<P: Reserve> RateLimiter<P> {
    /// Takes `cost` though it may not be there, and returns how much of it lies beyond the bound
    /// and was not taken; see [`Reserve::charge`].
    ///
    /// ```
    /// use steadfast::{limit::{RateLimiter, TokenBucket}, policy};
    /// use steadfast::time::{Instant, millis, minutes};
    ///
    /// // A thousand tokens of a model a minute, and a debt that is paid off within five.
    /// let mut model = RateLimiter::new(policy!(
    ///     TokenBucket::per_minute(1_000).debt_up_to(minutes(5))
    /// ));
    /// let now = Instant::from_secs(60);
    /// // Ask before the work, for one: is there anything left?
    /// assert!(model.try_acquire(now).is_ok());
    /// // It was 3,000. Nobody gets in until the 2,000 that were not there have refilled.
    /// assert_eq!(model.charge(now, 2_999), 0);
    /// let denied = model.try_acquire(now).unwrap_err();
    /// assert_eq!(denied.retry_after(), Some(millis(120_060)));
    /// // No debt is longer than five minutes: of 4,000 more 1,000 are not charged.
    /// assert_eq!(model.charge(now, 4_000), 1_000);
    /// ```
    #[must_use = "what lies beyond the bound was not charged"]
    pub fn charge(&mut self, now: Instant, cost: u32) -> u32 {
        self.policy.charge(&mut self.state, now, cost)
    }

    /// Takes `cost` now and says from when on it may be used; see [`Reserve::reserve`].
    ///
    /// # Errors
    ///
    /// If that would be more than `max_wait` from now, or further ahead than the policy allows;
    /// nothing is taken.
    ///
    /// ```
    /// use steadfast::{limit::{RateLimiter, TokenBucket}, policy};
    /// use steadfast::time::{Instant, secs};
    ///
    /// let mut modem = RateLimiter::new(policy!(TokenBucket::per_second(1).reserve_ahead(secs(5))));
    /// let now = Instant::from_secs(60);
    /// assert_eq!(modem.reserve(now, 1, secs(5)).unwrap().at(), now);
    /// let second = modem.reserve(now, 1, secs(5)).unwrap();
    /// assert_eq!(second.at(), now + secs(1));
    /// modem.cancel(now, &second);
    /// ```
    pub fn reserve(
        &mut self,
        now: Instant,
        cost: u32,
        max_wait: Duration,
    ) -> Result<Granted, Denied> {
        self.policy.reserve(&mut self.state, now, cost, max_wait)
    }

    /// Gives back a reservation that will not be used; see [`Reserve::cancel`].
    pub fn cancel(&mut self, now: Instant, reserved: &Granted) {
        self.policy.cancel(&mut self.state, now, reserved);
    }
}
