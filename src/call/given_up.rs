//! Callers who leave: from when on that speaks against the other side.

use super::{Call, Plan};
use crate::outcome::Outcome;
use crate::time::Duration;

impl<Op, T, R, J, G, B, O> Call<Op, T, R, J, G, B, O> {
    /// An attempt that is dropped this long after it began, or later, counts as timed out with the
    /// breaker, and who observes the call hears that it has timed out. Unless set, whoever leaves
    /// counts nothing, however long they have waited. With a breaker around the whole call it is the
    /// call that counts, from its beginning; or, where it was [throttled](Outcome::Throttled), from
    /// the first attempt after that, and not at all during the wait before.
    ///
    /// For users who leave sooner than an attempt times out: what the other side takes at its slowest,
    /// when it is well, is a good value, since a user who leaves within it says nothing of the other
    /// side. With zero everyone who leaves counts. A retry budget does not hear of it.
    ///
    /// ```
    /// # use core::{future::{Future, pending}, pin::pin, task::{Context, Waker}};
    /// use steadfast::breaker::{Breaker, Phase};
    /// use steadfast::{call::Call, policy, shared::Shared};
    /// # use steadfast::time::{Clock, Duration, Instant, ManualClock, Sleep};
    /// use steadfast::time::{millis, secs};
    ///
    /// # struct Timer(ManualClock);
    /// # impl Clock for Timer {
    /// #     fn now(&self) -> Instant {
    /// #         self.0.now()
    /// #     }
    /// # }
    /// # impl Sleep for Timer {
    /// #     type Future = core::future::Pending<()>;
    /// #     fn sleep(&self, _: Duration) -> Self::Future {
    /// #         core::future::pending()
    /// #     }
    /// # }
    /// # let timer = Timer(ManualClock::new(Instant::from_secs(1)));
    /// # let random = || 0;
    /// static SEARCH: Shared<Breaker> = Shared::breaker(policy!(Breaker::consecutive(1)));
    ///
    /// let hang = || pending::<Result<(), ()>>();
    /// for (waited, phase) in [(millis(1_999), Phase::Closed), (secs(2), Phase::Open)] {
    ///     let call = Call::new(hang, &timer, random)
    ///         .each_attempt_guarded_by(&SEARCH)
    ///         .attempt_timeout(secs(30))
    ///         .given_up_counts_after(secs(2))
    ///         .call();
    ///     {
    ///         let call = pin!(call);
    ///         assert!(call.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    ///         timer.0.advance(waited);
    ///     } // The user closes the page.
    ///     assert_eq!(SEARCH.phase(timer.now()), phase);
    /// }
    /// ```
    pub const fn given_up_counts_after(mut self, waited: Duration) -> Self {
        self.plan.given_up_counts_after = waited;
        self
    }
}

impl Plan {
    /// What it means that someone leaves who has waited for so long. Until now the call has come to
    /// `last`.
    pub(super) fn given_up(&self, last: Outcome, waited: impl FnOnce() -> Duration) -> Outcome {
        let after = self.given_up_counts_after;
        // A wait that the other side has asked for is not held against it.
        let is_throttled = matches!(last, Outcome::Throttled { .. });
        if after < Duration::MAX && !is_throttled && waited() >= after {
            Outcome::TimedOut
        } else {
            Outcome::Cancelled
        }
    }
}
