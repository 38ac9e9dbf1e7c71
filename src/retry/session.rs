//! One call's attempts: how many there were, how long it took, and whether there is another.

use super::{Budget, RetryPolicy, Step, StopReason, Withdrawn};
use crate::backoff::BackoffState;
use crate::deadline::Deadline;
use crate::outcome::Outcome;
use crate::random::Random;
use crate::time::{Duration, Instant};

/// The attempts of one call, begun by [`RetryPolicy::start`].
///
/// After each attempt [`step`](Self::step) is told what came of it and answers when to try again,
/// or why not. 56 bytes.
///
/// ```
/// use steadfast::deadline::Deadline;
/// use steadfast::outcome::Outcome;
/// use steadfast::random::SplitMix32;
/// use steadfast::retry::{NoBudget, RetryPolicy, Step};
/// use steadfast::time::{Instant, secs};
///
/// let policy = RetryPolicy::standard();
/// let mut random = SplitMix32::new(0x1a2b);
/// let mut now = Instant::from_secs(100);
/// let mut retry = policy.start(now).until(Deadline::after(now, secs(5)));
///
/// let mut answers = [Err("busy"), Err("busy"), Ok("a quote")].into_iter();
/// let answer = loop {
///     let answer = answers.next().unwrap();
///     match retry.step(&policy, now, Outcome::of(&answer), &NoBudget, &mut random) {
///         Step::RetryAt(at) => now = at, // sleep until then
///         Step::Stop(_) => break answer,
///     }
/// };
/// assert_eq!((answer, retry.attempt()), (Ok("a quote"), 3));
/// ```
///
/// # When time misbehaves
///
/// The session adds up how far the clock moves forward from step to step, and holds
/// [`max_elapsed`](super::RetryPolicyConfig::max_elapsed) against that. A clock that goes back moves
/// the deadline back as far. So a jump back, of a day say, gives no more time than the wait and the
/// attempt took during which it happened; and a jump forward stops the session if it has a limit or
/// a deadline that the jump passes. [`Step::RetryAt`] is an instant of the same clock: wait for
/// `at.since(now)` by a timer that does not jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Retry {
    /// When it was last asked.
    last: Instant,
    /// How far the clock had moved forward by then.
    elapsed: Duration,
    deadline: Deadline,
    backoff: BackoffState,
    attempt: u32,
    /// What the retry under way has taken from the budget.
    withdrawn: Withdrawn,
    repeatable: bool,
    stopped: bool,
}

impl Retry {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            last: now,
            elapsed: Duration::ZERO,
            deadline: Deadline::NEVER,
            backoff: BackoffState::START,
            attempt: 1,
            withdrawn: Withdrawn::NOTHING,
            repeatable: true,
            stopped: false,
        }
    }

    /// With a deadline: no attempt begins at or after it. Of several the earliest counts.
    #[must_use]
    pub const fn until(mut self, deadline: Deadline) -> Self {
        self.deadline = self.deadline.nested(deadline);
        self
    }

    /// For what may do harm if it is done twice: there is one attempt, whatever comes of it.
    ///
    /// [`may_repeat`](crate::http::may_repeat) tells for a request of HTTP.
    #[must_use]
    pub const fn not_repeatable(mut self) -> Self {
        self.repeatable = false;
        self
    }

    /// The attempt under way, from 1. After a [`Step::RetryAt`] it is the one that is to come.
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The deadline.
    pub const fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Was the last step a [`Step::Stop`]?
    pub const fn has_stopped(&self) -> bool {
        self.stopped
    }

    /// How far the clock has moved forward since the start, the attempts included.
    pub const fn elapsed(&self, now: Instant) -> Duration {
        self.elapsed.saturating_add(now.since(self.last))
    }

    /// What to do, now that the attempt under way has come to `outcome`.
    ///
    /// Weighed in this order, and the first no is the answer: the outcome; whether it may be done
    /// twice (of a [`Failure`](Outcome::Failure) that is said instead of the outcome); the attempts;
    /// the server's delay; the elapsed limit; the deadline; the budget, last since only it takes
    /// something. A session that has stopped stays so.
    ///
    /// The delay is the policy's. Where the server names one above zero, it is exactly that, without
    /// jitter: the retry is never earlier. The policy's own delay is drawn all the same, so a later
    /// one is as long as if the server had said nothing.
    ///
    /// O(1); one delay is drawn from `random` for each retry that comes as far as its delay.
    pub fn step(
        &mut self,
        policy: &RetryPolicy,
        now: Instant,
        outcome: Outcome,
        budget: &impl Budget,
        random: &mut impl Random,
    ) -> Step {
        if self.stopped {
            return Step::Stop(StopReason::AlreadyStopped);
        }
        self.pass_to(now);
        self.tell(now, outcome, budget);
        match self.weigh(policy, now, outcome, budget, random) {
            Ok((at, withdrawn)) => {
                self.attempt = self.attempt.saturating_add(1);
                self.withdrawn = withdrawn;
                Step::RetryAt(at)
            }
            Err(reason) => {
                self.stopped = true;
                Step::Stop(reason)
            }
        }
    }

    /// Ends the session for a reason of whoever drives it: the breaker has opened
    /// ([`StopReason::BreakerOpened`]), or the call was its probe ([`StopReason::Probe`]). The budget
    /// hears what there was. Instead of [`step`](Self::step), and always a [`Step::Stop`]. A session
    /// that has stopped stays so, and the budget hears nothing.
    pub fn stop(
        &mut self,
        now: Instant,
        outcome: Outcome,
        budget: &impl Budget,
        reason: StopReason,
    ) -> Step {
        if self.stopped {
            return Step::Stop(StopReason::AlreadyStopped);
        }
        self.pass_to(now);
        self.tell(now, outcome, budget);
        self.stopped = true;
        Step::Stop(reason)
    }

    /// The retry that [`step`](Self::step) has said yes to is not made: the breaker refuses it, the
    /// time is over, or whoever waits has left. What it took goes back to the budget, and the session
    /// has stopped. Without such a retry, or once it has begun and [`step`](Self::step) is to hear of
    /// it, this is not for it.
    pub fn cancel(&mut self, now: Instant, budget: &impl Budget) {
        if !self.stopped {
            budget.refund(now, self.withdrawn);
            self.stopped = true;
        }
    }

    /// Takes note of the time: after a wait, before [`deadline`](Self::deadline) is asked for the
    /// next attempt, since the clock may have gone back meanwhile.
    pub fn pass_to(&mut self, now: Instant) {
        self.elapsed = self.elapsed(now);
        if !self.deadline.is_never() {
            // By as much as the clock went back, so that what is left stays what it was.
            let earlier = self.deadline.instant() - self.last.since(now);
            self.deadline = Deadline::at(earlier);
        }
        self.last = now;
    }

    /// Tells the budget what there was.
    fn tell(&self, now: Instant, outcome: Outcome, budget: &impl Budget) {
        let is_first = self.attempt == 1;
        if is_first {
            budget.began(now);
        }
        if outcome.is_success() {
            budget.succeeded(now, (!is_first).then_some(self.withdrawn));
        } else if outcome.is_retryable()
            || matches!(outcome, Outcome::Exhausted | Outcome::ThrottledBelow { .. })
        {
            budget.failed(now);
        }
    }

    fn weigh(
        &mut self,
        policy: &RetryPolicy,
        now: Instant,
        outcome: Outcome,
        budget: &impl Budget,
        random: &mut impl Random,
    ) -> Result<(Instant, Withdrawn), StopReason> {
        match outcome {
            Outcome::Success => return Err(StopReason::Succeeded),
            // It may have been done all the same: an answer that nobody can read.
            Outcome::Failure if !self.repeatable => return Err(StopReason::NotRepeatable),
            Outcome::Failure | Outcome::Ignored => return Err(StopReason::NotRetryable),
            Outcome::Exhausted | Outcome::ThrottledBelow { .. } => {
                return Err(StopReason::RetriedBelow);
            }
            Outcome::Cancelled => return Err(StopReason::Cancelled),
            Outcome::Rejected => return Err(StopReason::Rejected),
            Outcome::Transient { .. } | Outcome::TimedOut | Outcome::Throttled { .. } => {}
        }
        if !self.repeatable {
            return Err(StopReason::NotRepeatable);
        }
        if self.attempt >= policy.attempts() {
            return Err(StopReason::AttemptsSpent {
                attempts: self.attempt,
            });
        }
        let delay = self.delay(policy, outcome, random)?;
        let elapsed = self.elapsed + delay;
        if elapsed > policy.elapsed_limit() {
            return Err(StopReason::ElapsedSpent {
                elapsed,
                allowed: policy.elapsed_limit(),
            });
        }
        let at = now + delay;
        // Without a deadline this is the end of time, where the sum may have been cut short.
        if at >= self.deadline.instant() {
            return Err(StopReason::DeadlineTooNear {
                delay,
                left: self.deadline.instant().since(now),
            });
        }
        let withdrawn = budget
            .withdraw(now, outcome)
            .map_err(StopReason::BudgetSpent)?;
        Ok((at, withdrawn))
    }

    fn delay(
        &mut self,
        policy: &RetryPolicy,
        outcome: Outcome,
        random: &mut impl Random,
    ) -> Result<Duration, StopReason> {
        let computed = policy.backoff().next_delay(&mut self.backoff, random);
        let allowed = policy.max_server_delay();
        match outcome.retry_after() {
            None | Some(Duration::ZERO) => Ok(computed),
            Some(asked) if asked > allowed => {
                Err(StopReason::ServerDelayTooLong { asked, allowed })
            }
            Some(asked) => Ok(asked),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backoff::Backoff;
    use crate::policy;
    use crate::retry::NoBudget;

    #[test]
    fn the_last_attempt_that_can_be_counted_is_the_last() {
        let policy = policy!(RetryPolicy::new(policy!(Backoff::immediate())).attempts(u32::MAX));
        let mut retry = policy.start(Instant::ZERO);
        retry.attempt = u32::MAX - 1;
        let mut step = || {
            let outcome = Outcome::TRANSIENT;
            retry.step(&policy, Instant::ZERO, outcome, &NoBudget, &mut || 0)
        };
        assert_eq!(step(), Step::RetryAt(Instant::ZERO));
        let spent = StopReason::AttemptsSpent { attempts: u32::MAX };
        assert_eq!(step(), Step::Stop(spent));
    }
}
