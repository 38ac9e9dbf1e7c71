//! What is the same whatever is called: the name, the retries, and how long all of it may take.

use super::{Attempt, Call};
use crate::breaker::CircuitBreaker;
use crate::deadline::Deadline;
use crate::retry::RetryPolicy;
use crate::time::{Duration, Instant};

/// A call without a name.
const CALL: &str = "call";

/// What is the same whatever is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) name: Option<&'static str>,
    pub(super) policy: RetryPolicy,
    pub(super) repeatable: bool,
    pub(super) attempt: Duration,
    pub(super) within: Option<Duration>,
    pub(super) within_unless_set: Duration,
    pub(super) leaving: Option<Duration>,
    pub(super) at_least: Duration,
    pub(super) deadline: Deadline,
    pub(super) given_up_counts_after: Duration,
    pub(super) guards_each_attempt: bool,
}

impl Plan {
    pub(super) const NEW: Self = Self {
        name: None,
        policy: RetryPolicy::never(),
        repeatable: true,
        attempt: Duration::MAX,
        within: None,
        within_unless_set: Duration::MAX,
        leaving: None,
        at_least: Duration::ZERO,
        deadline: Deadline::NEVER,
        given_up_counts_after: Duration::MAX,
        guards_each_attempt: false,
    };

    /// What events call it.
    pub(super) fn name_beside<'a>(&self, breaker: &'a impl CircuitBreaker) -> &'a str {
        self.name.or(breaker.name()).unwrap_or(CALL)
    }

    /// What events call the breaker.
    pub(super) fn name_of<'a>(&self, breaker: &'a impl CircuitBreaker) -> &'a str {
        breaker.name().or(self.name).unwrap_or(CALL)
    }

    /// An attempt that begins now, and how long it may take.
    pub(super) fn attempt(
        &self,
        number: u32,
        now: Instant,
        deadline: Deadline,
    ) -> (Attempt, Duration) {
        Self::attempt_of(self.attempt, number, now, deadline)
    }

    pub(super) fn attempt_of(
        longest: Duration,
        number: u32,
        now: Instant,
        deadline: Deadline,
    ) -> (Attempt, Duration) {
        let limit = deadline.limit(now, longest);
        let deadline = deadline.nested(Deadline::after(now, limit));
        (Attempt { number, deadline }, limit)
    }
}

impl<Op, T, R, J, G, B, O> Call<Op, T, R, J, G, B, O> {
    /// What it is called in events. Unless set, what its breaker is called, or "call".
    pub const fn named(mut self, name: &'static str) -> Self {
        self.plan.name = Some(name);
        self
    }

    /// Tries again by this policy. Without one there is a single attempt.
    pub const fn retry(mut self, policy: &RetryPolicy) -> Self {
        self.plan.policy = *policy;
        self
    }

    /// Doing it twice may do harm: so there is one attempt, whatever the policy says, and once it was
    /// sent no [secondary](Self::or_secondary) is asked.
    ///
    /// A layer above that retries hears so from this call's error. One that gives this call up by a
    /// timer of its own hears nothing, so let that layer say the same.
    ///
    /// Where it depends on the request: [`repeatable_if`](Self::repeatable_if).
    pub const fn not_repeatable(self) -> Self {
        self.repeatable_if(false)
    }

    /// There are retries only if this is so; otherwise it is
    /// [`not_repeatable`](Self::not_repeatable). Said several times, one no is enough.
    ///
    /// For a request of HTTP [`may_repeat`](crate::http::may_repeat) tells:
    ///
    /// ```
    /// # use steadfast::{call::Call, retry::RetryPolicy};
    /// use steadfast::http::may_repeat;
    /// # let (timer, random) = ((), ());
    /// # let send = || core::future::ready(Err::<(), _>("connection reset"));
    /// # let (method, key) = ("POST", None::<&str>);
    /// # let _ =
    /// Call::new(send, &timer, &random)
    ///     .retry(&RetryPolicy::standard())
    ///     .repeatable_if(may_repeat(method, key.is_some()));
    /// ```
    pub const fn repeatable_if(mut self, may_repeat: bool) -> Self {
        self.plan.repeatable = self.plan.repeatable && may_repeat;
        self
    }

    /// How long an attempt may take. No limit unless set; never longer than what is left of the
    /// whole, without what it is [leaving](Self::leaving) to others.
    pub const fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.plan.attempt = limit;
        self
    }

    /// How long the whole may take, from when it is made: attempts and waits together. No limit
    /// unless set.
    pub const fn within(mut self, limit: Duration) -> Self {
        self.plan.within = Some(limit);
        self
    }

    /// When the whole must be over, on the call's clock. With [`within`](Self::within), and if
    /// set several times, the earliest counts.
    ///
    /// An attempt that this cuts short has timed out, and the breaker hears so. If the deadline is a
    /// client's own, one who asks for answers within a millisecond could open the breaker for
    /// everybody: so set a least time with [`at_least`](Self::at_least).
    pub const fn by(mut self, deadline: Deadline) -> Self {
        self.plan.deadline = self.plan.deadline.nested(deadline);
        self
    }

    /// Makes no attempt that would have less time than this, and does not wait for one: before the
    /// first the call ends with
    /// [`CallError::DeadlineExceeded`](super::CallError::DeadlineExceeded), and the breaker does
    /// not hear of it; after another it ends with that one's error, and
    /// [`StopReason::DeadlineTooNear`](crate::retry::StopReason::DeadlineTooNear). Nothing unless set;
    /// what the other side usually takes is a good value. It is weighed against what is left without
    /// what the call is [leaving](Self::leaving) to others.
    pub const fn at_least(mut self, least: Duration) -> Self {
        self.plan.at_least = least;
        self
    }
}
