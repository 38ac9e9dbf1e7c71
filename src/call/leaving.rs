//! How the time of a call is shared: what it takes itself, and what it leaves to who is asked next.

use super::operation::Attempt;
use super::{Call, Plan};
use crate::deadline::Deadline;
use crate::time::{Duration, Instant};

impl<Op, T, R, J, G, B, O> Call<Op, T, R, J, G, B, O> {
    /// Its attempts and waits are over this long before the deadline of the whole, so that there is
    /// time for what stands behind it: a [secondary](Self::or_secondary), or work of one's own after
    /// it. What [`Attempt`] says of the time, and so what a header tells the other side, is without
    /// it.
    ///
    /// Unless set, nothing is left; where a secondary stands behind a call that may be repeated, as
    /// much as an attempt may take, and at most half of what there is when the call begins, nor so
    /// much that an attempt would not have what it needs [`at_least`](Self::at_least). To leave a
    /// secondary nothing but what happens to be over, set zero. Without a deadline there is nothing to
    /// share.
    ///
    /// If there is no more than this when the call begins, since somebody else's deadline is near,
    /// say, no attempt is made: the call ends at once with
    /// [`CallError::DeadlineExceeded`](super::CallError::DeadlineExceeded), which has no attempts
    /// then, the breaker does not hear of it, and a secondary has all the time that there is.
    ///
    /// ```
    /// use steadfast::call::{Attempt, Call};
    /// use steadfast::fallback::Source;
    /// # use steadfast::time::{BlockingSleep, Clock, Duration, Instant, ManualClock};
    /// use steadfast::time::secs;
    ///
    /// # struct Board(ManualClock);
    /// # impl Clock for Board {
    /// #     fn now(&self) -> Instant {
    /// #         self.0.now()
    /// #     }
    /// # }
    /// # impl BlockingSleep for Board {
    /// #     fn sleep_blocking(&self, duration: Duration) {
    /// #         self.0.advance(duration);
    /// #     }
    /// # }
    /// # let board = Board(ManualClock::new(Instant::from_secs(1)));
    /// let gnss = |attempt: Attempt| {
    ///     assert_eq!(attempt.deadline.remaining(board.now()), secs(6));
    ///     board.sleep_blocking(secs(6)); // It hangs until its time is over.
    ///     Err("no fix")
    /// };
    /// let network = |attempt: Attempt| {
    ///     assert_eq!(attempt.deadline.remaining(board.now()), secs(2));
    ///     Ok::<_, &str>(1_700_000_000_u64)
    /// };
    /// let time = Call::blocking(gnss, &board, || 0)
    ///     .within(secs(8))
    ///     .leaving(secs(2))
    ///     .or_secondary(network)
    ///     .call_blocking()?;
    /// assert_eq!((time.value, time.source), (1_700_000_000, Source::Secondary));
    /// # Ok::<(), steadfast::call::CallError<&str>>(())
    /// ```
    pub const fn leaving(mut self, time: Duration) -> Self {
        self.plan.leaving = Some(time);
        self
    }

    /// A limit to the whole for a sentence that somebody else ends, which gives way to what they
    /// say, before or after it:
    ///
    /// - [`within`](Self::within), or a deadline by [`by`](Self::by) that is not
    ///   [`NEVER`](Deadline::NEVER), takes its place, however much longer it is;
    /// - it is as long as one attempt and what that [leaves](Self::leaving), if that is longer. An
    ///   [`attempt_timeout`](Self::attempt_timeout) of [`Duration::MAX`] says nothing of the whole.
    ///
    /// ```
    /// # use core::future::{Future, Ready, ready};
    /// # use steadfast::time::{Clock, Sleep};
    /// use steadfast::call::{Call, Plain};
    /// use steadfast::time::secs;
    ///
    /// /// Every call of this application ends, whoever forgets to say when.
    /// fn call<Op, F, V, E, T>(operation: Op, timer: T) -> Call<Plain<Op>, T, fn() -> u32>
    /// where
    ///     Op: FnMut() -> F,
    ///     F: Future<Output = Result<V, E>>,
    /// {
    ///     Call::new(operation, timer, (|| 4) as fn() -> u32) // chosen by a fair dice roll
    ///         .attempt_timeout(secs(2))
    ///         .within_unless_set(secs(10))
    /// }
    /// # let _ = call(|| ready(Ok::<(), ()>(())), ());
    /// ```
    pub const fn within_unless_set(mut self, limit: Duration) -> Self {
        self.plan.within_unless_set = limit;
        self
    }
}

impl Plan {
    /// When a call must be over that begins now, and for how much longer somebody else may be asked
    /// then. The two together are the deadline of the whole.
    pub(super) fn share(&self, now: Instant, has_secondary: bool) -> (Deadline, Duration) {
        // Who may only be asked if nothing was sent has all the time then.
        let has_secondary = has_secondary && self.repeatable;
        let whole = self.whole(now, has_secondary);
        if whole.is_never() {
            return (whole, Duration::ZERO);
        }
        let left = whole.remaining(now);
        let kept = match self.leaving {
            Some(time) => time.min(left),
            None if has_secondary => {
                let half = Duration::from_nanos(left.as_nanos() / 2);
                self.attempt.min(half).min(left - self.at_least)
            }
            None => Duration::ZERO,
        };
        (Deadline::at(whole.instant() - kept), kept)
    }

    fn whole(&self, now: Instant, has_secondary: bool) -> Deadline {
        if let Some(limit) = self.within {
            return self.deadline.nested(Deadline::after(now, limit));
        }
        if !self.deadline.is_never() {
            return self.deadline;
        }
        let attempt = match self.attempt {
            Duration::MAX => Duration::ZERO,
            attempt => attempt,
        };
        let behind = match self.leaving {
            Some(time) => time,
            None if has_secondary => attempt,
            None => Duration::ZERO,
        };
        let one = attempt.saturating_add(behind);
        Deadline::after(now, self.within_unless_set.max(one))
    }

    /// The one attempt of somebody else that begins now, and how long it may take: as long as one of
    /// the call's own, or as was left to it.
    pub(super) fn attempt_elsewhere(
        &self,
        now: Instant,
        deadline: Deadline,
    ) -> (Attempt, Duration) {
        let longest = self.attempt.max(self.leaving.unwrap_or(Duration::ZERO));
        Self::attempt_of(longest, 1, now, deadline)
    }
}
