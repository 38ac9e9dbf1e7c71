//! The call itself: awaited, or blocking.

use core::pin::pin;

use super::any_call::{BlockingCall, Finished};
use super::judge::Judge;
use super::observe::Observe;
use super::operation::{AsyncOperation, BlockingOperation, Operation};
use super::under_way::{Next, UnderWay};
use super::{Call, CallError, TimedOut, timeout};
use crate::breaker::CircuitBreaker;
use crate::random::Random;
use crate::retry::Budget;
use crate::time::{BlockingSleep, Clock, Duration, Sleep};

impl<Op, T, R, J, G, B, O> Call<Op, T, R, J, G, B, O>
where
    Op: AsyncOperation,
    T: Clock + Sleep,
    R: Random,
    J: Judge<Op::Value, Op::Error>,
    G: CircuitBreaker,
    B: Budget,
    O: Observe,
{
    /// Makes the call.
    ///
    /// The answer of the last attempt is returned as it is, also one that is `Ok` and was judged
    /// to be worth another try, a 503 say, once there is no further one.
    ///
    /// # Errors
    ///
    /// [`CallError`]: with the operation's own error, or if time ran out, or if the breaker said
    /// no.
    pub async fn call(mut self) -> Result<Op::Value, CallError<Op::Error>> {
        self.run(false).await.result
    }

    // Of the type and not of a trait: the future of a trait's method is `Send` only if its bounds hold
    // for every lifetime, which those of a closure that judges an error with a `dyn` in it do not.
    pub(super) async fn run(&mut self, has_secondary: bool) -> Finished<Op::Value, Op::Error> {
        let (plan, time, breaker) = (&self.plan, &self.time, &self.breaker);
        let parts = (plan, time, breaker, &self.budget, &self.observer);
        let mut under_way = UnderWay::begin(parts, has_secondary);
        loop {
            let (attempt, limit) = match under_way.next_attempt() {
                Ok(next) => next,
                Err(error) => return under_way.without_answer(error),
            };
            let ended = {
                // Pinned here, so that it lies in the call's future once and not twice.
                let operation = pin!(self.operation.begin(attempt));
                timeout(&self.time, limit, operation).await
            };
            match under_way.end(ended, &self.judge, &mut self.random) {
                Next::Return(finished) => return finished,
                Next::Again {
                    wait: Duration::ZERO,
                } => {}
                Next::Again { wait } => self.time.sleep(wait).await,
            }
        }
    }
}

impl<Op: Operation, T, R, J, G, B, O> Call<Op, T, R, J, G, B, O> {
    /// Makes the call on this thread.
    ///
    /// An attempt that returns an error after its time was over has timed out, if the error is worth
    /// another try at all. One that brings an answer brings it, however late.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub fn call_blocking(mut self) -> Result<Op::Value, CallError<Op::Error>>
    where
        Self: BlockingCall<Value = Op::Value, Error = Op::Error>,
    {
        self.run_blocking(false).result
    }
}

impl<Op, T, R, J, G, B, O> BlockingCall for Call<Op, T, R, J, G, B, O>
where
    Op: BlockingOperation,
    T: Clock + BlockingSleep,
    R: Random,
    J: Judge<Op::Value, Op::Error>,
    G: CircuitBreaker,
    B: Budget,
    O: Observe,
{
    fn run_blocking(&mut self, has_secondary: bool) -> Finished<Op::Value, Op::Error> {
        let (plan, time, breaker) = (&self.plan, &self.time, &self.breaker);
        let parts = (plan, time, breaker, &self.budget, &self.observer);
        let mut under_way = UnderWay::begin(parts, has_secondary);
        loop {
            let (attempt, limit) = match under_way.next_attempt() {
                Ok(next) => next,
                Err(error) => return under_way.without_answer(error),
            };
            let made = self.operation.make(attempt);
            // A late no is still a no; a late "connection lost" is what a socket's timeout says.
            let is_late = || attempt.deadline.has_passed(self.time.now());
            let ended = if made.is_err() && self.judge.judge(&made).is_retryable() && is_late() {
                Err(TimedOut { limit })
            } else {
                Ok(made)
            };
            match under_way.end(ended, &self.judge, &mut self.random) {
                Next::Return(finished) => return finished,
                Next::Again {
                    wait: Duration::ZERO,
                } => {}
                Next::Again { wait } => self.time.sleep_blocking(wait),
            }
        }
    }
}
