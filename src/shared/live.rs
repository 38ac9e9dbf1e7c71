//! A shared limiter whose policy can change.

use core::cell::Cell;
use core::marker::PhantomData;

use critical_section::Mutex;

use super::{Machine, Shared, limiter_verbs, reserving_verbs};
use crate::limit::{Denied, Granted, Policy, RateLimiter, Reserve, Standing};
use crate::time::{Duration, Instant};

/// One limiter of `P` whose policy lies in the critical section, beside the state: so the two
/// change together, and nobody decides by one policy on the state of another.
///
/// What it costs over [`Shared<RateLimiter<P>>`](Shared): the policy lies in RAM, and in a
/// `static` its first value in flash as well; and it is read under the critical section. That form
/// is the one to take where the policy is fixed when the program is built.
///
/// ```
/// use steadfast::limit::{RateLimiter, TokenBucket};
/// use steadfast::{policy, shared::{Live, Shared}, time::Instant};
///
/// static UPLINK: Shared<Live<TokenBucket>> =
///     Shared::live(RateLimiter::new(policy!(TokenBucket::per_minute(10))));
///
/// let now = Instant::from_secs(1);
/// assert!(UPLINK.try_acquire_n(now, 8).is_ok());
/// // The gateway asks for less. What was used stays used.
/// UPLINK.reconfigure(now, policy!(TokenBucket::per_minute(9)));
/// assert_eq!(UPLINK.available(now), 1);
/// ```
#[derive(Debug)]
pub struct Live<P>(PhantomData<P>);

impl<P: Policy> Machine for Live<P> {
    type Policy = ();
    type Cell = (Cell<P>, Cell<P::State>);
}

impl<P: Policy> Shared<Live<P>> {
    /// Shares a limiter that can be reconfigured.
    pub const fn live(limiter: RateLimiter<P>) -> Self {
        let (policy, state) = limiter.into_parts();
        Self {
            policy: (),
            cell: Mutex::new((Cell::new(policy), Cell::new(state))),
        }
    }

    /// The policy at the moment.
    pub fn policy(&self) -> P {
        self.look().0
    }

    /// Goes on under another policy, keeping what was used, in tokens; see
    /// [`Policy::reconfigure`]. Whoever asks from now on is answered by the new one.
    pub fn reconfigure(&self, now: Instant, policy: P) {
        critical_section::with(|cs| {
            let (own, cell) = self.cell.borrow(cs);
            let mut state = cell.get();
            own.get().reconfigure(&mut state, now, &policy);
            own.set(policy);
            cell.set(state);
        });
    }

    limiter_verbs!();

    fn look(&self) -> (P, P::State) {
        critical_section::with(|cs| {
            let (policy, state) = self.cell.borrow(cs);
            (policy.get(), state.get())
        })
    }

    #[inline]
    fn update<R>(&self, change: impl FnOnce(&P, &mut P::State) -> R) -> R {
        critical_section::with(|cs| {
            let (policy, cell) = self.cell.borrow(cs);
            let mut state = cell.get();
            let said = change(&policy.get(), &mut state);
            cell.set(state);
            said
        })
    }
}

impl<P: Reserve> Shared<Live<P>> {
    reserving_verbs!();
}
