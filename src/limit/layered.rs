//! Limits that lie in different places, each with a name: one for all, one a user, one a key.

use core::fmt;

use super::all_of::longer;
use super::{Denied, Limiter, Standing};
use crate::time::{Duration, Instant};

/// A limiter with the name that its no is reported under.
///
/// [`and`](Self::and) puts another limit beside it. The whole takes from all of them or from none:
///
/// ```
/// use steadfast::limit::{AtomicRateLimiter, CompactBucket, FixedWindow, KeyedPolicy, Named};
/// use steadfast::limit::{Places, TokenBucket};
/// use steadfast::{policy, shared::Shared, time::{Instant, minutes}};
///
/// // One limit for everybody, one a user, and one for each API key.
/// static ALL: AtomicRateLimiter<CompactBucket> =
///     AtomicRateLimiter::new(policy!(TokenBucket::per_second(1_000).compact()));
/// const PER_USER: KeyedPolicy<TokenBucket> =
///     KeyedPolicy::new(policy!(TokenBucket::per_second(10)));
/// static USERS: Shared<Places<u32, TokenBucket, 64>> = Shared::places();
/// const PER_KEY: KeyedPolicy<FixedWindow> =
///     KeyedPolicy::new(policy!(FixedWindow::new(2, minutes(1))));
/// static KEYS: Shared<Places<u64, FixedWindow, 64>> = Shared::places();
///
/// let (user, api_key) = (7, 0xC0FFEE);
/// let limits = Named::new("everybody", &ALL)
///     .and("user", USERS.of(&PER_USER, user))
///     .and("API key", KEYS.of(&PER_KEY, api_key));
///
/// let now = Instant::from_secs(1);
/// assert!(limits.try_acquire(now).is_ok());
/// assert!(limits.try_acquire(now).is_ok());
/// let denied = limits.try_acquire(now).unwrap_err();
/// assert_eq!(denied.limit, "API key");
/// assert_eq!(denied.to_string(), "API key: rate limited, retry after 60s");
/// // The other two have given nothing for the third call.
/// assert_eq!(ALL.available(now), 998);
///
/// // A call that must get through is exempt from one limit, or from all, by a `None` in its place.
/// let inside = true;
/// let limits = Named::new("everybody", &ALL)
///     .and("API key", (!inside).then(|| KEYS.of(&PER_KEY, api_key)));
/// assert!(limits.try_acquire(now).is_ok());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Named<L> {
    name: &'static str,
    limiter: L,
}

/// Two limits, or two groups of them, that must all say yes; made by [`Named::and`].
///
/// A yes takes from all. A no takes from none, and says which limit it was; if several said no,
/// the one that has to be waited for longest, so that the wait is long enough for all. Every limit
/// is asked each time, those after a no by [`peek`](Limiter::peek) alone, and each once.
///
/// It is **not one transaction**. The limits are asked one after the other, and each is shared
/// with others. When a later one says no, what the earlier ones gave is refunded: until then
/// others may be denied for it. A window that the call has opened stays open, with nothing used,
/// and a place that a key gave up for it is not given back. Put the limit that says no most often
/// first, or use [`AllOf`](super::AllOf), which changes all of its limits in one step, where they
/// share a key.
#[derive(Clone, Copy, Debug)]
pub struct Layered<A, B>(A, B);

/// No, and which limit said it. Nothing was taken, from any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct DeniedBy {
    /// The limit's name.
    pub limit: &'static str,
    /// What it said.
    pub denied: Denied,
}

impl DeniedBy {
    /// How long to wait before asking again; `None` if waiting does not help.
    pub const fn retry_after(&self) -> Option<Duration> {
        self.denied.retry_after()
    }

    fn longer(self, other: Self) -> Self {
        if longer(self.denied, other.denied) == self.denied {
            self
        } else {
            other
        }
    }
}

impl fmt::Display for DeniedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.limit, self.denied)
    }
}

impl core::error::Error for DeniedBy {}

impl From<DeniedBy> for Denied {
    fn from(by: DeniedBy) -> Self {
        by.denied
    }
}

/// What [`Layered`] is made of: [`Named`] limiters, and [`Layered`] again.
pub trait Layer {
    /// What a yes carries.
    type Granted;

    /// Takes `cost` from all of it, or from none.
    ///
    /// # Errors
    ///
    /// The no that has to be waited for longest.
    fn try_layers(&self, now: Instant, cost: u32) -> Result<Self::Granted, DeniedBy>;

    /// Gives back what was granted, to each what it gave.
    fn refund_layers(&self, now: Instant, granted: &Self::Granted);

    /// What [`try_layers`](Self::try_layers) would say. Takes nothing.
    ///
    /// # Errors
    ///
    /// The no that has to be waited for longest.
    fn peek_layers(&self, now: Instant, cost: u32) -> Result<(), DeniedBy>;

    /// Tells each limit's name and standing, in order.
    fn each_layer(&self, now: Instant, tell: &mut dyn FnMut(&'static str, Standing));
}

impl<L: Limiter> Layer for Named<L> {
    type Granted = L::Granted;

    #[inline]
    fn try_layers(&self, now: Instant, cost: u32) -> Result<L::Granted, DeniedBy> {
        let said = self.limiter.try_acquire_n(now, cost);
        said.map_err(|denied| self.by(denied))
    }

    fn refund_layers(&self, now: Instant, granted: &L::Granted) {
        self.limiter.refund(now, granted);
    }

    fn peek_layers(&self, now: Instant, cost: u32) -> Result<(), DeniedBy> {
        let said = self.limiter.peek(now, cost);
        said.map_err(|denied| self.by(denied))
    }

    fn each_layer(&self, now: Instant, tell: &mut dyn FnMut(&'static str, Standing)) {
        tell(self.name, self.limiter.standing(now));
    }
}

impl<A: Layer, B: Layer> Layer for Layered<A, B> {
    type Granted = (A::Granted, B::Granted);

    #[inline]
    fn try_layers(&self, now: Instant, cost: u32) -> Result<Self::Granted, DeniedBy> {
        let first = match self.0.try_layers(now, cost) {
            Ok(granted) => granted,
            // The call is denied, so the others need not give anything first.
            Err(denied) => {
                return Err(match self.1.peek_layers(now, cost) {
                    Ok(()) => denied,
                    Err(other) => denied.longer(other),
                });
            }
        };
        match self.1.try_layers(now, cost) {
            Ok(second) => Ok((first, second)),
            Err(denied) => {
                self.0.refund_layers(now, &first);
                Err(denied)
            }
        }
    }

    fn refund_layers(&self, now: Instant, granted: &Self::Granted) {
        self.0.refund_layers(now, &granted.0);
        self.1.refund_layers(now, &granted.1);
    }

    fn peek_layers(&self, now: Instant, cost: u32) -> Result<(), DeniedBy> {
        match (self.0.peek_layers(now, cost), self.1.peek_layers(now, cost)) {
            (Ok(()), Ok(())) => Ok(()),
            (Err(denied), Ok(())) | (Ok(()), Err(denied)) => Err(denied),
            (Err(first), Err(second)) => Err(first.longer(second)),
        }
    }

    fn each_layer(&self, now: Instant, tell: &mut dyn FnMut(&'static str, Standing)) {
        self.0.each_layer(now, tell);
        self.1.each_layer(now, tell);
    }
}

impl<L> Named<L> {
    /// Names a limiter: by value, by reference, or an `Option` of one.
    pub const fn new(name: &'static str, limiter: L) -> Self {
        Self { name, limiter }
    }

    /// The name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The limiter.
    pub const fn limiter(&self) -> &L {
        &self.limiter
    }

    const fn by(&self, denied: Denied) -> DeniedBy {
        DeniedBy {
            limit: self.name,
            denied,
        }
    }
}

/// What users of either call, so that no trait has to be in scope.
macro_rules! verbs {
    () => {
        /// Another limit beside these, which must say yes as well.
        pub const fn and<N: Limiter>(
            self,
            name: &'static str,
            limiter: N,
        ) -> Layered<Self, Named<N>> {
            Layered(self, Named::new(name, limiter))
        }

        /// Takes one, if there is one everywhere.
        ///
        /// # Errors
        ///
        /// See [`try_acquire_n`](Self::try_acquire_n).
        #[inline]
        pub fn try_acquire(&self, now: Instant) -> Result<<Self as Layer>::Granted, DeniedBy> {
            self.try_layers(now, 1)
        }

        /// Takes `cost` from every limit, or from none.
        ///
        /// # Errors
        ///
        /// The no that has to be waited for longest, and whose it is.
        #[inline]
        pub fn try_acquire_n(
            &self,
            now: Instant,
            cost: u32,
        ) -> Result<<Self as Layer>::Granted, DeniedBy> {
            self.try_layers(now, cost)
        }

        /// Would `cost` be granted? Takes nothing.
        ///
        /// # Errors
        ///
        /// What [`try_acquire_n`](Self::try_acquire_n) would say.
        pub fn peek(&self, now: Instant, cost: u32) -> Result<(), DeniedBy> {
            self.peek_layers(now, cost)
        }

        /// Gives back what was granted and not used, to each limit what it gave.
        pub fn refund(&self, now: Instant, granted: &<Self as Layer>::Granted) {
            self.refund_layers(now, granted);
        }

        /// Tells each limit's name and standing, in order: what the `RateLimit` fields list.
        pub fn each(&self, now: Instant, mut tell: impl FnMut(&'static str, Standing)) {
            self.each_layer(now, &mut tell);
        }

        /// The limit that is nearest to saying no, for headers that show one; of two that are as
        /// near, the one that takes longer to be full.
        pub fn nearest(&self, now: Instant) -> (&'static str, Standing) {
            let mut nearest: Option<(&'static str, Standing)> = None;
            self.each(now, |name, standing| {
                let nearer = nearest.is_none_or(|(_, there)| standing.is_nearer_to_no_than(&there));
                if nearer {
                    nearest = Some((name, standing));
                }
            });
            // There is always one.
            nearest.unwrap_or(("", Standing::UNLIMITED))
        }
    };
}

impl<L: Limiter> Named<L> {
    verbs!();
}

impl<A: Layer, B: Layer> Layered<A, B> {
    verbs!();
}

/// As one limiter, without the names: to be [`Clocked`](super::Clocked) or
/// [`Queued`](super::Queued).
macro_rules! one_limiter {
    () => {
        type Granted = <Self as Layer>::Granted;

        #[inline]
        fn try_acquire_n(&self, now: Instant, cost: u32) -> Result<Self::Granted, Denied> {
            Ok(self.try_layers(now, cost)?)
        }

        fn refund(&self, now: Instant, granted: &Self::Granted) {
            self.refund_layers(now, granted);
        }

        fn peek(&self, now: Instant, cost: u32) -> Result<(), Denied> {
            Ok(self.peek_layers(now, cost)?)
        }

        /// Of the limit that is nearest to saying no.
        fn standing(&self, now: Instant) -> Standing {
            self.nearest(now).1
        }
    };
}

impl<L: Limiter> Limiter for Named<L> {
    one_limiter!();
}

impl<A: Layer, B: Layer> Limiter for Layered<A, B> {
    one_limiter!();
}
