//! One limiter in one atomic word, shared without a lock.

#[cfg(steadfast_loom)]
use loom::sync::atomic::AtomicU64;
#[cfg(not(steadfast_loom))]
use portable_atomic::AtomicU64;
use portable_atomic::Ordering::Relaxed;

use super::{Denied, Policy, RateLimiter, Standing, Word};
use crate::time::Instant;

/// A limiter shared by reference, lock-free: a load, a decision and one compare-and-swap for a
/// yes; a load for a no. 8 bytes beside the policy.
///
/// Exists where the target has 64-bit atomics of its own (x86-64, ARM64, WebAssembly). On
/// Cortex-M and RV32 use [`Shared`](crate::shared::Shared).
///
/// One word holds the state and nothing else, so policy and state cannot change in one step while
/// others ask. Where the policy must change meanwhile, take
/// [`Shared<Live<P>>`](crate::shared::Live), or `steadfast-std`'s forms on a server.
///
/// ```
/// use steadfast::{limit::{AtomicRateLimiter, CompactBucket, TokenBucket}, policy, time::Instant};
///
/// static API: AtomicRateLimiter<CompactBucket> =
///     AtomicRateLimiter::new(policy!(TokenBucket::per_second(100).compact()));
/// assert!(API.try_acquire(Instant::from_secs(1)).is_ok());
/// ```
#[derive(Debug)]
pub struct AtomicRateLimiter<P> {
    policy: P,
    word: AtomicU64,
}

impl<P: Policy> AtomicRateLimiter<P>
where
    P::State: Word,
{
    /// A limiter that starts full; every [`Word`] state says so with a zero.
    #[cfg(not(steadfast_loom))]
    pub const fn new(policy: P) -> Self {
        Self {
            policy,
            word: AtomicU64::new(0),
        }
    }

    /// A limiter that starts full. Loom's words cannot be constants.
    #[cfg(steadfast_loom)]
    pub fn new(policy: P) -> Self {
        Self {
            policy,
            word: AtomicU64::new(0),
        }
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
    pub fn try_acquire(&self, now: Instant) -> Result<P::Granted, Denied> {
        self.try_acquire_n(now, 1)
    }

    /// Takes `cost`, all or nothing.
    ///
    /// # Errors
    ///
    /// See [`Policy::decide`]; nothing is taken.
    #[inline]
    pub fn try_acquire_n(&self, now: Instant, cost: u32) -> Result<P::Granted, Denied> {
        update_word(&self.word, |state| self.policy.decide(state, now, cost))
    }

    /// Gives back what was granted and not used; see [`Policy::refund`].
    pub fn refund(&self, now: Instant, granted: &P::Granted) {
        update_word(&self.word, |state| self.policy.refund(state, now, granted));
    }

    /// Would `cost` be granted? Takes nothing.
    ///
    /// # Errors
    ///
    /// What [`try_acquire_n`](Self::try_acquire_n) would say.
    pub fn peek(&self, now: Instant, cost: u32) -> Result<(), Denied> {
        self.policy.decide(&mut self.state(), now, cost).map(|_| ())
    }

    /// The largest cost that would be granted now.
    pub fn available(&self, now: Instant) -> u32 {
        self.policy.available(&self.state(), now)
    }

    /// What the headers say: limit, remaining, time to full.
    pub fn standing(&self, now: Instant) -> Standing {
        self.policy.standing(&self.state(), now)
    }

    /// Goes on under another policy, keeping what was used, in tokens; see
    /// [`Policy::reconfigure`].
    ///
    /// Takes the only reference there is: nobody may decide by the old policy meanwhile.
    pub fn reconfigure(&mut self, now: Instant, policy: P) {
        let old = &self.policy;
        update_word(&self.word, |state| old.reconfigure(state, now, &policy));
        self.policy = policy;
    }

    fn state(&self) -> P::State {
        P::State::from_word(self.word.load(Relaxed))
    }
}

/// Goes on where the other one stood.
impl<P: Policy> From<RateLimiter<P>> for AtomicRateLimiter<P>
where
    P::State: Word,
{
    fn from(limiter: RateLimiter<P>) -> Self {
        let (policy, state) = limiter.into_parts();
        Self {
            policy,
            word: AtomicU64::new(state.to_word()),
        }
    }
}

/// Applies `change` to the state in `word` as one step, and returns what it said.
///
/// Relaxed order is enough: the word guards nothing but itself.
#[inline]
fn update_word<S: Word, R>(word: &AtomicU64, mut change: impl FnMut(&mut S) -> R) -> R {
    let mut seen = word.load(Relaxed);
    loop {
        let mut state = S::from_word(seen);
        let said = change(&mut state);
        let next = state.to_word();
        if next == seen {
            return said;
        }
        match word.compare_exchange_weak(seen, next, Relaxed, Relaxed) {
            Ok(_) => return said,
            Err(now_there) => seen = now_there,
        }
    }
}
