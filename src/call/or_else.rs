//! The end of the sentence: a safe value, for when nobody else has an answer.

use super::any_call::BlockingCall;
use super::judge::Judge;
use super::observe::Observe;
use super::operation::AsyncOperation;
use super::secondary::{AsyncSecondary, BlockingSecondary};
use super::{Backed, Call, CallError};
use crate::breaker::CircuitBreaker;
use crate::fallback::{Memory, Served};
use crate::random::Random;
use crate::retry::Budget;
use crate::time::{Clock, Sleep};

/// A call that always has an answer. `B` is a [`Backed`] call.
#[derive(Clone, Debug)]
#[must_use = "nothing is called before `call`"]
pub struct OrElse<B, D> {
    behind: B,
    default: D,
}

/// A call that has an answer, unless a no is the answer. `B` is a [`Backed`] call.
#[derive(Clone, Debug)]
#[must_use = "nothing is called before `call`"]
pub struct OrElseIfUnwell<B, D> {
    behind: B,
    default: D,
}

impl<C, M, S> Backed<C, M, S> {
    /// Takes a safe value if there is nothing else. There is an answer then, whatever the error: also
    /// for one that was judged to be [`Ignored`](crate::outcome::Outcome::Ignored), "no such order",
    /// say. Where such a no must come through, take
    /// [`or_else_if_unwell`](Self::or_else_if_unwell).
    pub fn or_else<D>(self, default: D) -> OrElse<Self, D> {
        OrElse {
            behind: self,
            default,
        }
    }

    /// Takes a safe value if there is nothing else, except for an error that was judged to be
    /// [`Ignored`](crate::outcome::Outcome::Ignored): that one comes through.
    pub fn or_else_if_unwell<D>(self, default: D) -> OrElseIfUnwell<Self, D> {
        OrElseIfUnwell {
            behind: self,
            default,
        }
    }
}

impl<Op, T, R, J, G, B, O, M, S, D> OrElse<Backed<Call<Op, T, R, J, G, B, O>, M, S>, D>
where
    Op: AsyncOperation,
    T: Clock + Sleep,
    R: Random,
    J: Judge<Op::Value, Op::Error>,
    G: CircuitBreaker,
    B: Budget,
    O: Observe,
    M: Memory<Op::Value>,
    S: AsyncSecondary<Op::Value>,
    D: FnOnce() -> Op::Value,
{
    /// Makes the call, and takes what is behind it if that comes to nothing.
    pub async fn call(self) -> Served<Op::Value> {
        self.behind.ask().await.or_default(self.default)
    }
}

impl<C, M, S, D> OrElse<Backed<C, M, S>, D>
where
    C: BlockingCall,
    M: Memory<C::Value>,
    S: BlockingSecondary<C::Value>,
    D: FnOnce() -> C::Value,
{
    /// Makes the call on this thread, and takes what is behind it if that comes to nothing.
    pub fn call_blocking(self) -> Served<C::Value> {
        self.behind.ask_blocking().or_default(self.default)
    }
}

impl<Op, T, R, J, G, B, O, M, S, D> OrElseIfUnwell<Backed<Call<Op, T, R, J, G, B, O>, M, S>, D>
where
    Op: AsyncOperation,
    T: Clock + Sleep,
    R: Random,
    J: Judge<Op::Value, Op::Error>,
    G: CircuitBreaker,
    B: Budget,
    O: Observe,
    M: Memory<Op::Value>,
    S: AsyncSecondary<Op::Value>,
    D: FnOnce() -> Op::Value,
{
    /// Makes the call, and takes what is behind it if the other side is unwell.
    ///
    /// # Errors
    ///
    /// [`CallError`], if the error was judged to be [`Ignored`](crate::outcome::Outcome::Ignored) or
    /// [`Cancelled`](crate::outcome::Outcome::Cancelled).
    pub async fn call(self) -> Result<Served<Op::Value>, CallError<Op::Error>> {
        self.behind.ask().await.or_default_if_unwell(self.default)
    }
}

impl<C, M, S, D> OrElseIfUnwell<Backed<C, M, S>, D>
where
    C: BlockingCall,
    M: Memory<C::Value>,
    S: BlockingSecondary<C::Value>,
    D: FnOnce() -> C::Value,
{
    /// Makes the call on this thread, and takes what is behind it if the other side is unwell.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub fn call_blocking(self) -> Result<Served<C::Value>, CallError<C::Error>> {
        let asked = self.behind.ask_blocking();
        asked.or_default_if_unwell(self.default)
    }
}
