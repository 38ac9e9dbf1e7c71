//! What all limiters have in common that are asked by shared reference, whatever holds them.

use super::{Denied, Policy, RateLimiter, Standing};
use crate::shared::{Live, Shared};
use crate::time::Instant;

/// A limiter that is asked by shared reference.
///
/// `Option<L>` is one too: `None` is nobody's limit, and says yes to all. So a caller who is
/// exempt needs no branch of his own.
///
/// ```
/// use steadfast::limit::{Limiter, RateLimiter, TokenBucket};
/// use steadfast::{policy, shared::Shared, time::Instant};
///
/// static API: Shared<RateLimiter<TokenBucket>> =
///     Shared::new(RateLimiter::new(policy!(TokenBucket::per_second(1))));
///
/// // The health check must always get through.
/// let limit_of = |path| if path == "/health" { None } else { Some(&API) };
/// let now = Instant::from_secs(1);
/// assert!(limit_of("/orders").try_acquire_n(now, 1).is_ok());
/// assert!(limit_of("/orders").try_acquire_n(now, 1).is_err());
/// assert!(limit_of("/health").try_acquire_n(now, 1).is_ok());
/// ```
pub trait Limiter {
    /// What a yes carries.
    type Granted;

    /// Takes `cost`, all or nothing.
    ///
    /// # Errors
    ///
    /// See [`Policy::decide`]; nothing is taken.
    fn try_acquire_n(&self, now: Instant, cost: u32) -> Result<Self::Granted, Denied>;

    /// Gives back what was granted and not used; see [`Policy::refund`].
    fn refund(&self, now: Instant, granted: &Self::Granted);

    /// Would `cost` be granted? Takes nothing.
    ///
    /// # Errors
    ///
    /// What [`try_acquire_n`](Self::try_acquire_n) would say.
    fn peek(&self, now: Instant, cost: u32) -> Result<(), Denied>;

    /// What the headers say: limit, remaining, time to full.
    fn standing(&self, now: Instant) -> Standing;

    /// The largest cost that would be granted now.
    fn available(&self, now: Instant) -> u32 {
        self.standing(now).remaining
    }
}

/// A limiter whose policy changes by shared reference.
pub trait Reconfigure: Limiter {
    /// What is configured.
    type Policy;

    /// Goes on under another policy, keeping what was used, in tokens; see
    /// [`Policy::reconfigure`].
    fn reconfigure(&self, now: Instant, policy: Self::Policy);
}

/// The holder's own methods.
macro_rules! by_its_own_methods {
    () => {
        type Granted = P::Granted;

        #[inline]
        fn try_acquire_n(&self, now: Instant, cost: u32) -> Result<P::Granted, Denied> {
            self.try_acquire_n(now, cost)
        }

        fn refund(&self, now: Instant, granted: &P::Granted) {
            self.refund(now, granted);
        }

        fn peek(&self, now: Instant, cost: u32) -> Result<(), Denied> {
            self.peek(now, cost)
        }

        fn standing(&self, now: Instant) -> Standing {
            self.standing(now)
        }

        fn available(&self, now: Instant) -> u32 {
            self.available(now)
        }
    };
}

impl<P: Policy> Limiter for Shared<RateLimiter<P>> {
    by_its_own_methods!();
}

impl<P: Policy> Limiter for Shared<Live<P>> {
    by_its_own_methods!();
}

impl<P: Policy> Reconfigure for Shared<Live<P>> {
    type Policy = P;

    fn reconfigure(&self, now: Instant, policy: P) {
        self.reconfigure(now, policy);
    }
}

#[cfg(target_has_atomic = "64")]
impl<P: Policy> Limiter for super::AtomicRateLimiter<P>
where
    P::State: super::Word,
{
    by_its_own_methods!();
}

impl<L: Limiter + ?Sized> Limiter for &L {
    type Granted = L::Granted;

    #[inline]
    fn try_acquire_n(&self, now: Instant, cost: u32) -> Result<L::Granted, Denied> {
        (**self).try_acquire_n(now, cost)
    }

    fn refund(&self, now: Instant, granted: &L::Granted) {
        (**self).refund(now, granted);
    }

    fn peek(&self, now: Instant, cost: u32) -> Result<(), Denied> {
        (**self).peek(now, cost)
    }

    fn standing(&self, now: Instant) -> Standing {
        (**self).standing(now)
    }

    fn available(&self, now: Instant) -> u32 {
        (**self).available(now)
    }
}

impl<L: Reconfigure + ?Sized> Reconfigure for &L {
    type Policy = L::Policy;

    fn reconfigure(&self, now: Instant, policy: L::Policy) {
        (**self).reconfigure(now, policy);
    }
}

/// `None` is exempt: always a yes, and nothing is taken or counted.
impl<L: Limiter> Limiter for Option<L> {
    type Granted = Option<L::Granted>;

    #[inline]
    fn try_acquire_n(&self, now: Instant, cost: u32) -> Result<Self::Granted, Denied> {
        match self {
            Some(limiter) => limiter.try_acquire_n(now, cost).map(Some),
            None => Ok(None),
        }
    }

    fn refund(&self, now: Instant, granted: &Self::Granted) {
        if let (Some(limiter), Some(granted)) = (self, granted) {
            limiter.refund(now, granted);
        }
    }

    fn peek(&self, now: Instant, cost: u32) -> Result<(), Denied> {
        match self {
            Some(limiter) => limiter.peek(now, cost),
            None => Ok(()),
        }
    }

    /// Who is exempt has `u32::MAX` of everything, in no time; see [`Standing::is_unlimited`].
    fn standing(&self, now: Instant) -> Standing {
        match self {
            Some(limiter) => limiter.standing(now),
            None => Standing::UNLIMITED,
        }
    }

    fn available(&self, now: Instant) -> u32 {
        match self {
            Some(limiter) => limiter.available(now),
            None => u32::MAX,
        }
    }
}
