//! A call that has begun, awaited or blocking: what each attempt means for the breaker, the budget and
//! whoever listens, and what comes after it.

use super::any_call::Finished;
use super::judge::Judge;
use super::observe::Observe;
use super::operation::Attempt;
use super::plan::Plan;
use super::{CallError, TimedOut};
use crate::breaker::{CircuitBreaker, Permit, Phase, Transition};
use crate::deadline::Deadline;
use crate::event::{BreakerEvent, BreakerOutcome, CallEvent, CallOutcome, RetryEvent};
use crate::outcome::Outcome;
use crate::random::Random;
use crate::retry::{Budget, Retry, Step, StopReason};
use crate::time::{Clock, Duration, Instant};

/// What an attempt came to.
pub(super) type Ended<V, E> = Result<Result<V, E>, TimedOut>;

/// What comes after an attempt.
pub(super) enum Next<V, E> {
    Return(Finished<V, E>),
    Again { wait: Duration },
}

/// A call that has begun. Dropped before its end, it gives its permits back, or says that it has
/// timed out; and what a retry has cost that was not made.
pub(super) struct UnderWay<'a, T: Clock, G: CircuitBreaker, B: Budget, O: Observe> {
    plan: &'a Plan,
    time: &'a T,
    breaker: &'a G,
    budget: &'a B,
    observer: &'a O,
    retry: Retry,
    /// For how much longer somebody else may be asked when the call's own time is over.
    kept: Duration,
    attempts: u32,
    /// When the attempt under way began; before the first, the call.
    began: Instant,
    /// From when on the whole has been waited for, in time that has passed: from its beginning, or
    /// from when the other side let it come back.
    waits_from: Duration,
    /// What came of the last attempt. Before the first, and while one is under way, nothing is known
    /// that speaks against the other side.
    last: Outcome,
    /// Held by the whole call, or by the attempt under way.
    permit: Option<Permit>,
    /// A retry is paid for and has not begun.
    awaits_retry: bool,
    /// The end has been told. For those who listen.
    has_ended: bool,
}

impl<'a, T: Clock, G: CircuitBreaker, B: Budget, O: Observe> UnderWay<'a, T, G, B, O> {
    pub(super) fn begin(
        (plan, time, breaker, budget, observer): (&'a Plan, &'a T, &'a G, &'a B, &'a O),
        has_secondary: bool,
    ) -> Self {
        let now = time.now();
        let (deadline, kept) = plan.share(now, has_secondary);
        let mut retry = plan.policy.start(now).until(deadline);
        if !plan.repeatable {
            retry = retry.not_repeatable();
        }
        Self {
            plan,
            time,
            breaker,
            budget,
            observer,
            retry,
            kept,
            attempts: 0,
            began: now,
            waits_from: Duration::ZERO,
            last: Outcome::Cancelled,
            permit: None,
            awaits_retry: false,
            has_ended: false,
        }
    }

    /// The attempt that begins now, and how long it may take.
    pub(super) fn next_attempt<E>(&mut self) -> Result<(Attempt, Duration), CallError<E>> {
        let now = if self.attempts == 0 {
            self.began
        } else {
            // A clock may have gone back during the wait.
            let now = self.time.now();
            self.retry.pass_to(now);
            now
        };
        let deadline = self.retry.deadline();
        if deadline.has_passed(now) || deadline.remaining(now) < self.plan.at_least {
            // A sleep may end late, and a clock may jump.
            let attempts = self.attempts;
            let _ = self.leave(self.last);
            self.tell_end(CallOutcome::DeadlineExceeded);
            return Err(CallError::DeadlineExceeded { attempts });
        }
        // A breaker around the whole is entered once.
        if self.plan.guards_each_attempt || self.attempts == 0 {
            self.enter()?;
        }
        self.awaits_retry = false;
        self.attempts = self.attempts.saturating_add(1);
        self.began = now;
        if matches!(self.last, Outcome::Throttled { .. }) {
            self.waits_from = self.retry.elapsed(now);
        }
        self.last = Outcome::Cancelled;
        Ok(self.plan.attempt(self.attempts, now, deadline))
    }

    /// It came to nothing between two attempts, or before the first.
    pub(super) fn without_answer<V, E>(&self, error: CallError<E>) -> Finished<V, E> {
        let outcome = error.outcome();
        self.finished(Err(error), outcome)
    }

    fn finished<V, E>(&self, result: Result<V, CallError<E>>, outcome: Outcome) -> Finished<V, E> {
        let was_sent = self.attempts > 0 && outcome != Outcome::Rejected;
        Finished {
            result,
            outcome,
            deadline: self.deadline_of_whole(),
            may_be_done_elsewhere: self.plan.repeatable || !was_sent,
        }
    }

    fn deadline_of_whole(&self) -> Deadline {
        // Never stays never: the sum is cut short at the end of time.
        Deadline::after(self.retry.deadline().instant(), self.kept)
    }

    pub(super) fn end<V, E>(
        &mut self,
        ended: Ended<V, E>,
        judge: &impl Judge<V, E>,
        random: &mut impl Random,
    ) -> Next<V, E> {
        let outcome = match &ended {
            Ok(result) => judge.judge(result),
            Err(TimedOut { .. }) => Outcome::TimedOut,
        };
        self.last = outcome;
        let now = self.time.now();
        // What may not be repeated says so, whatever the breaker says: a layer above has to know.
        let stopped = self.leave_after(outcome).filter(|_| self.plan.repeatable);
        let step = match stopped {
            Some(reason) => self.retry.stop(now, outcome, self.budget, reason),
            None => self
                .retry
                .step(&self.plan.policy, now, outcome, self.budget, random),
        };
        let step = self.unless_too_late(step, now);
        self.awaits_retry = matches!(step, Step::RetryAt(_));
        let event = RetryEvent {
            operation: self.plan.name_beside(self.breaker),
            attempt: self.attempts,
            max_attempts: self.plan.policy.attempts(),
            outcome,
            step,
            took: now.since(self.began),
            at: now,
        };
        let error = ended.as_ref().ok().and_then(|result| result.as_ref().err());
        judge.notify(&event, error);
        self.observer.attempted(&event);
        if matches!(step, Step::Stop(_)) {
            let _ = self.leave(outcome);
        }
        match step {
            Step::RetryAt(at) => Next::Again {
                wait: at.since(now),
            },
            Step::Stop(stopped) => {
                let result = self.close(ended, outcome, stopped, now);
                self.tell_end(match result {
                    Err(CallError::DeadlineExceeded { .. }) => CallOutcome::DeadlineExceeded,
                    _ => CallOutcome::Attempted { outcome, stopped },
                });
                Next::Return(self.finished(result, outcome))
            }
        }
    }

    /// A wait after which there is less time than an attempt needs is not begun.
    fn unless_too_late(&mut self, step: Step, now: Instant) -> Step {
        let deadline = self.retry.deadline();
        match step {
            Step::RetryAt(at) if deadline.remaining(at) < self.plan.at_least => {
                self.retry.cancel(now, self.budget);
                Step::Stop(StopReason::DeadlineTooNear {
                    delay: at.since(now),
                    left: deadline.remaining(now),
                })
            }
            step => step,
        }
    }

    fn close<V, E>(
        &self,
        ended: Ended<V, E>,
        outcome: Outcome,
        stopped: StopReason,
        now: Instant,
    ) -> Result<V, CallError<E>> {
        let attempts = self.attempts;
        match ended {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(CallError::Failed {
                error,
                attempts,
                stopped,
                outcome,
            }),
            // A deadline of this call alone, a layer above may try again after; so not if it must not.
            Err(_) if self.plan.repeatable && self.retry.deadline().has_passed(now) => {
                Err(CallError::DeadlineExceeded { attempts })
            }
            Err(after) => Err(CallError::TimedOut {
                after,
                attempts,
                stopped,
            }),
        }
    }

    fn enter<E>(&mut self) -> Result<(), CallError<E>> {
        match self.breaker.try_enter(|| self.time.now()) {
            Ok(permit) => {
                self.permit = Some(permit);
                self.tell_of(permit.transition());
                Ok(())
            }
            Err(rejected) => {
                self.tell(BreakerOutcome::Rejected(rejected));
                self.tell_end(CallOutcome::Rejected(rejected));
                Err(CallError::Rejected {
                    rejected,
                    attempts: self.attempts,
                })
            }
        }
    }

    /// After an attempt: tells a breaker of each of them. Why there is no other, if the breaker is
    /// the reason.
    fn leave_after(&mut self, outcome: Outcome) -> Option<StopReason> {
        if self.plan.guards_each_attempt {
            let is_open = self.leave(outcome)?.to == Phase::Open;
            return is_open.then_some(StopReason::BreakerOpened);
        }
        // Whether the other side is well again is asked once, not once and some retries.
        let is_probe = self.permit.is_some_and(|permit| permit.is_probe());
        (is_probe && outcome.is_retryable()).then_some(StopReason::Probe)
    }

    fn leave(&mut self, outcome: Outcome) -> Option<Transition> {
        let mut changed = None;
        if let Some(permit) = self.permit.take() {
            let transition = self.breaker.record(|| self.time.now(), permit, outcome);
            if permit != Permit::UNGUARDED {
                self.tell(BreakerOutcome::Recorded(outcome));
            }
            self.tell_of(transition);
            changed = transition;
        }
        changed
    }

    fn tell_of(&self, transition: Option<Transition>) {
        if let Some(transition) = transition {
            self.tell(BreakerOutcome::Changed(transition));
        }
    }

    fn tell(&self, outcome: BreakerOutcome) {
        if !O::LISTENS {
            return;
        }
        self.observer.guarded(&BreakerEvent {
            breaker: self.plan.name_of(self.breaker),
            outcome,
            at: self.time.now(),
        });
    }

    /// Once a call, whichever way it ends.
    fn tell_end(&mut self, outcome: CallOutcome) {
        if !O::LISTENS || self.has_ended {
            return;
        }
        self.has_ended = true;
        let now = self.time.now();
        self.observer.ended(&CallEvent {
            operation: self.plan.name_beside(self.breaker),
            outcome,
            attempts: self.attempts,
            took: self.retry.elapsed(now),
            at: now,
        });
    }

    /// How long the other side has been waited for, as far as the permit tells of it.
    fn held(&self) -> Duration {
        let now = self.time.now();
        if self.plan.guards_each_attempt {
            now.since(self.began)
        } else {
            self.retry.elapsed(now) - self.waits_from
        }
    }
}

impl<T: Clock, G: CircuitBreaker, B: Budget, O: Observe> Drop for UnderWay<'_, T, G, B, O> {
    fn drop(&mut self) {
        if self.awaits_retry {
            self.retry.cancel(self.time.now(), self.budget);
        }
        let mut outcome = Outcome::Cancelled;
        if let Some(permit) = self.permit {
            outcome = self.plan.given_up(self.last, || self.held());
            if outcome == Outcome::TimedOut {
                let _ = self.leave(outcome);
            } else {
                self.breaker.cancel(permit);
            }
        }
        self.tell_end(CallOutcome::GivenUp(outcome));
    }
}
