//! A policy whose algorithm is chosen at run time, by a configuration file for one.

use super::{
    Denied, FixedWindow, FixedWindowState, Granted, IntervalBucket, IntervalBucketState, Policy,
    SlidingWindowCounter, SlidingWindowCounterState, Standing, TokenBucket, TokenBucketState,
};
use crate::time::{Duration, Instant};

/// One of the algorithms, or no limit at all.
///
/// It decides as that algorithm does. Where the algorithm is known when the program is written,
/// name it instead: this one brings all of them into the binary, the policy is 80 bytes and its
/// state 24, and a call branches once more.
///
/// ```
/// use steadfast::limit::{AnyPolicy, FixedWindow, RateLimiter, TokenBucket};
/// use steadfast::time::{Instant, minutes};
///
/// # fn main() -> Result<(), steadfast::ConfigError> {
/// let now = Instant::from_secs(1);
/// let mut limiter = RateLimiter::new(AnyPolicy::from(TokenBucket::per_minute(10).build()?));
/// assert!(limiter.try_acquire_n(now, 9).is_ok());
///
/// // Another algorithm, and what was used stays used.
/// limiter.reconfigure(now, FixedWindow::new(12, minutes(15)).build()?.into());
/// assert_eq!(limiter.available(now), 3);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[non_exhaustive]
pub enum AnyPolicy {
    /// A [`TokenBucket`].
    TokenBucket(TokenBucket),
    /// A [`FixedWindow`].
    FixedWindow(FixedWindow),
    /// A [`SlidingWindowCounter`].
    SlidingWindowCounter(SlidingWindowCounter),
    /// An [`IntervalBucket`].
    IntervalBucket(IntervalBucket),
    /// Everything passes, and nothing is remembered.
    Unlimited,
}

/// What an [`AnyPolicy`] remembers: the state of its algorithm. 24 bytes.
///
/// Under a policy of another algorithm it counts as full; [`Policy::reconfigure`] is what carries
/// it over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct AnyState(Inner);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
enum Inner {
    Full,
    TokenBucket(TokenBucketState),
    FixedWindow(FixedWindowState),
    SlidingWindowCounter(SlidingWindowCounterState),
    IntervalBucket(IntervalBucketState),
}

impl AnyState {
    /// A full state of an algorithm is the full state.
    fn full_in_one_way(&mut self) {
        let full = match self.0 {
            Inner::Full => true,
            Inner::TokenBucket(own) => own == TokenBucket::FULL,
            Inner::FixedWindow(own) => own == FixedWindow::FULL,
            Inner::SlidingWindowCounter(own) => own == SlidingWindowCounter::FULL,
            Inner::IntervalBucket(own) => own == IntervalBucket::FULL,
        };
        if full {
            self.0 = Inner::Full;
        }
    }
}

/// A yes of an [`AnyPolicy`]: the grant, and which algorithm gave it. Another one gives nothing
/// back for it. 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct AnyGranted {
    granted: Granted,
    by: Algorithm,
}

impl AnyGranted {
    /// From when on it may be used: the time of the call.
    pub const fn at(&self) -> Instant {
        self.granted.at()
    }

    /// What was taken; zero under [`AnyPolicy::Unlimited`].
    pub const fn cost(&self) -> u32 {
        self.granted.cost()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
enum Algorithm {
    TokenBucket,
    FixedWindow,
    SlidingWindowCounter,
    IntervalBucket,
    Unlimited,
}

/// Runs `$body` with the algorithm and a copy of its own state.
macro_rules! look {
    ($any:expr, $all:expr, |$policy:ident, $own:ident| $body:expr, $unlimited:expr) => {
        match $any {
            AnyPolicy::TokenBucket($policy) => look!(@ TokenBucket, $all, $own, $body),
            AnyPolicy::FixedWindow($policy) => look!(@ FixedWindow, $all, $own, $body),
            AnyPolicy::SlidingWindowCounter($policy) => {
                look!(@ SlidingWindowCounter, $all, $own, $body)
            }
            AnyPolicy::IntervalBucket($policy) => look!(@ IntervalBucket, $all, $own, $body),
            AnyPolicy::Unlimited => $unlimited,
        }
    };
    (@ $algorithm:ident, $all:expr, $own:ident, $body:expr) => {{
        let $own = &match $all.0 {
            Inner::$algorithm(own) => own,
            _ => <$algorithm as Policy>::FULL,
        };
        $body
    }};
}

/// Runs `$body` with the algorithm and its own state, and keeps what becomes of it.
macro_rules! change {
    ($any:expr, $all:expr, |$policy:ident, $own:ident| $body:expr, $unlimited:expr) => {
        match $any {
            AnyPolicy::TokenBucket($policy) => change!(@ TokenBucket, $all, $own, $body),
            AnyPolicy::FixedWindow($policy) => change!(@ FixedWindow, $all, $own, $body),
            AnyPolicy::SlidingWindowCounter($policy) => {
                change!(@ SlidingWindowCounter, $all, $own, $body)
            }
            AnyPolicy::IntervalBucket($policy) => change!(@ IntervalBucket, $all, $own, $body),
            AnyPolicy::Unlimited => $unlimited,
        }
    };
    (@ $algorithm:ident, $all:expr, $own:ident, $body:expr) => {{
        let mut state = match $all.0 {
            Inner::$algorithm(own) => own,
            _ => <$algorithm as Policy>::FULL,
        };
        let $own = &mut state;
        let said = $body;
        // A state is full in one way only, whatever the algorithm.
        $all.0 = if state == <$algorithm as Policy>::FULL {
            Inner::Full
        } else {
            Inner::$algorithm(state)
        };
        said
    }};
}

impl AnyPolicy {
    const fn algorithm(&self) -> Algorithm {
        match self {
            Self::TokenBucket(_) => Algorithm::TokenBucket,
            Self::FixedWindow(_) => Algorithm::FixedWindow,
            Self::SlidingWindowCounter(_) => Algorithm::SlidingWindowCounter,
            Self::IntervalBucket(_) => Algorithm::IntervalBucket,
            Self::Unlimited => Algorithm::Unlimited,
        }
    }
}

impl Policy for AnyPolicy {
    type State = AnyState;
    type Granted = AnyGranted;

    const FULL: AnyState = AnyState(Inner::Full);

    fn decide(&self, state: &mut AnyState, now: Instant, cost: u32) -> Result<AnyGranted, Denied> {
        let decision = change!(
            self,
            state,
            |policy, own| policy.decide(own, now, cost),
            Ok(Granted::nothing(now.as_nanos()))
        );
        decision.map(|granted| AnyGranted {
            granted,
            by: self.algorithm(),
        })
    }

    fn at_rest(&self, state: &AnyState, now: Instant) -> bool {
        look!(self, state, |policy, own| policy.at_rest(own, now), true)
    }

    fn rests_in(&self, state: &AnyState, now: Instant) -> Duration {
        look!(
            self,
            state,
            |policy, own| policy.rests_in(own, now),
            Duration::ZERO
        )
    }

    fn mend(&self, state: &mut AnyState, now: Instant) {
        change!(self, state, |policy, own| policy.mend(own, now), ());
    }

    fn available(&self, state: &AnyState, now: Instant) -> u32 {
        look!(
            self,
            state,
            |policy, own| policy.available(own, now),
            u32::MAX
        )
    }

    fn capacity(&self) -> u32 {
        match self {
            Self::TokenBucket(policy) => policy.capacity(),
            Self::FixedWindow(policy) => policy.capacity(),
            Self::SlidingWindowCounter(policy) => policy.capacity(),
            Self::IntervalBucket(policy) => policy.capacity(),
            Self::Unlimited => u32::MAX,
        }
    }

    fn refund(&self, state: &mut AnyState, now: Instant, granted: &AnyGranted) {
        if granted.by == self.algorithm() {
            let granted = &granted.granted;
            change!(
                self,
                state,
                |policy, own| policy.refund(own, now, granted),
                ()
            );
        }
    }

    /// From one algorithm to another, what was used is taken anew, in whole tokens (rounded up)
    /// and up to the new capacity. To or from [`AnyPolicy::Unlimited`] it is full.
    fn reconfigure(&self, state: &mut AnyState, now: Instant, new: &Self) {
        match (self, new, &mut state.0) {
            (Self::TokenBucket(old), Self::TokenBucket(new), Inner::TokenBucket(own)) => {
                old.reconfigure(own, now, new);
            }
            (Self::FixedWindow(old), Self::FixedWindow(new), Inner::FixedWindow(own)) => {
                old.reconfigure(own, now, new);
            }
            (
                Self::SlidingWindowCounter(old),
                Self::SlidingWindowCounter(new),
                Inner::SlidingWindowCounter(own),
            ) => old.reconfigure(own, now, new),
            (Self::IntervalBucket(old), Self::IntervalBucket(new), Inner::IntervalBucket(own)) => {
                old.reconfigure(own, now, new);
            }
            _ => {
                let used = self.capacity().saturating_sub(self.available(state, now));
                *state = Self::FULL;
                // Never more than it has, so never a no.
                let _ = new.decide(state, now, used.min(new.capacity()));
            }
        }
        state.full_in_one_way();
    }

    /// Under [`AnyPolicy::Unlimited`] `u32::MAX` of everything, in no time.
    fn standing(&self, state: &AnyState, now: Instant) -> Standing {
        look!(
            self,
            state,
            |policy, own| policy.standing(own, now),
            Standing::UNLIMITED
        )
    }
}

impl From<TokenBucket> for AnyPolicy {
    fn from(policy: TokenBucket) -> Self {
        Self::TokenBucket(policy)
    }
}

impl From<FixedWindow> for AnyPolicy {
    fn from(policy: FixedWindow) -> Self {
        Self::FixedWindow(policy)
    }
}

impl From<SlidingWindowCounter> for AnyPolicy {
    fn from(policy: SlidingWindowCounter) -> Self {
        Self::SlidingWindowCounter(policy)
    }
}

impl From<IntervalBucket> for AnyPolicy {
    fn from(policy: IntervalBucket) -> Self {
        Self::IntervalBucket(policy)
    }
}
