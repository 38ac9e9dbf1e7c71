//! What is answered if the call comes to nothing: the end of the sentence.
//!
//! For other chains (a second provider, a queue for later) end with [`Call::call`] and go on with
//! [`primary`].

use super::judge::Judge;
use super::observe::Observe;
use super::operation::AsyncOperation;
use super::run::Finished;
use super::{Call, CallError, Plan};
use crate::breaker::CircuitBreaker;
use crate::fallback::{Aged, Chain, Memory, Missed, Served, Source, primary};
use crate::outcome::Outcome;
use crate::random::Random;
use crate::retry::Budget;
use crate::time::{Clock, Instant, Sleep};

/// Nothing is kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMemory;

impl<V> Memory<V> for NoMemory {
    const KEEPS: bool = false;

    fn remember(&mut self, _: &V, _: Instant) {}

    fn recall(&mut self, _: Instant) -> Option<Aged<V>> {
        None
    }
}

/// A call, and the last good answer behind it.
#[derive(Clone, Debug)]
#[must_use = "nothing is called before `call`"]
pub struct OrStale<C, M> {
    call: C,
    memory: M,
}

/// A call that always has an answer.
#[derive(Clone, Debug)]
#[must_use = "nothing is called before `call`"]
pub struct OrElse<C, M, D> {
    behind: OrStale<C, M>,
    default: D,
}

/// A call that has an answer, unless a no is the answer.
#[derive(Clone, Debug)]
#[must_use = "nothing is called before `call`"]
pub struct OrElseIfUnwell<C, M, D> {
    behind: OrStale<C, M>,
    default: D,
}

impl<Op, T, R, J, G, B, O> Call<Op, T, R, J, G, B, O> {
    /// Keeps each good answer in `memory`, and takes the last one if the call comes to nothing: a
    /// `&mut` [`LastGood`](crate::fallback::LastGood), or the place of a key in a
    /// [`StaleCache`](crate::fallback::StaleCache).
    pub fn or_stale<M>(self, memory: M) -> OrStale<Self, M> {
        OrStale { call: self, memory }
    }

    /// Takes a safe value if the call comes to nothing, whatever the error: see
    /// [`OrStale::or_else`].
    pub fn or_else<D>(self, default: D) -> OrElse<Self, NoMemory, D> {
        self.or_stale(NoMemory).or_else(default)
    }

    /// Takes a safe value if the other side is unwell, and hands on its no otherwise: see
    /// [`OrStale::or_else_if_unwell`].
    pub fn or_else_if_unwell<D>(self, default: D) -> OrElseIfUnwell<Self, NoMemory, D> {
        self.or_stale(NoMemory).or_else_if_unwell(default)
    }
}

impl<C, M> OrStale<C, M> {
    /// Takes a safe value if there is nothing else. There is an answer then, whatever the error: also
    /// for one that was judged to be [`Ignored`](Outcome::Ignored), "no such order", say. Where such
    /// a no must come through, take [`or_else_if_unwell`](Self::or_else_if_unwell).
    pub fn or_else<D>(self, default: D) -> OrElse<C, M, D> {
        OrElse {
            behind: self,
            default,
        }
    }

    /// Takes a safe value if there is nothing else, except for an error that was judged to be
    /// [`Ignored`](Outcome::Ignored): that one comes through.
    pub fn or_else_if_unwell<D>(self, default: D) -> OrElseIfUnwell<C, M, D> {
        OrElseIfUnwell {
            behind: self,
            default,
        }
    }
}

impl<Op, T, R, J, G, B, O, M> OrStale<Call<Op, T, R, J, G, B, O>, M>
where
    Op: AsyncOperation,
    T: Clock + Sleep,
    R: Random,
    J: Judge<Op::Value, Op::Error>,
    G: CircuitBreaker,
    B: Budget,
    O: Observe,
    M: Memory<Op::Value>,
{
    /// Makes the call, and looks into the memory if that comes to nothing.
    ///
    /// An answer that was judged not to be a success, an `Ok` with status 503, say, is what comes
    /// back if there is nothing in the memory. It is never kept.
    ///
    /// # Errors
    ///
    /// [`CallError`], if there is nothing in the memory, or if the error was judged to be
    /// [`Ignored`](Outcome::Ignored): then nobody looks.
    pub async fn call(self) -> Result<Served<Op::Value>, CallError<Op::Error>> {
        self.ask().await.without_default()
    }

    async fn ask(self) -> Asked<Op::Value, Op::Error, G, O> {
        let Self {
            mut call,
            mut memory,
        } = self;
        let Finished { result, outcome } = call.run().await;
        let now = call.time.now();
        let is_a_no = matches!(outcome, Outcome::Ignored | Outcome::Cancelled);
        let chain = match result {
            Ok(value) if outcome.is_success() => primary(Ok(value)),
            Ok(value) => primary(Err(Came::Value(value))),
            Err(error) => primary(Err(Came::Error(error))),
        };
        Asked {
            chain: if is_a_no {
                chain
            } else {
                chain.backed_by(&mut memory, now)
            },
            is_a_no,
            plan: call.plan,
            now,
            breaker: call.breaker,
            observer: call.observer,
        }
    }
}

impl<Op, T, R, J, G, B, O, M, D> OrElse<Call<Op, T, R, J, G, B, O>, M, D>
where
    Op: AsyncOperation,
    T: Clock + Sleep,
    R: Random,
    J: Judge<Op::Value, Op::Error>,
    G: CircuitBreaker,
    B: Budget,
    O: Observe,
    M: Memory<Op::Value>,
    D: FnOnce() -> Op::Value,
{
    /// Makes the call, and takes what is behind it if that comes to nothing.
    pub async fn call(self) -> Served<Op::Value> {
        self.behind.ask().await.or_default(self.default)
    }
}

impl<Op, T, R, J, G, B, O, M, D> OrElseIfUnwell<Call<Op, T, R, J, G, B, O>, M, D>
where
    Op: AsyncOperation,
    T: Clock + Sleep,
    R: Random,
    J: Judge<Op::Value, Op::Error>,
    G: CircuitBreaker,
    B: Budget,
    O: Observe,
    M: Memory<Op::Value>,
    D: FnOnce() -> Op::Value,
{
    /// Makes the call, and takes what is behind it if the other side is unwell.
    ///
    /// # Errors
    ///
    /// [`CallError`], if the error was judged to be [`Ignored`](Outcome::Ignored) or
    /// [`Cancelled`](Outcome::Cancelled).
    pub async fn call(self) -> Result<Served<Op::Value>, CallError<Op::Error>> {
        let asked = self.behind.ask().await;
        if asked.is_a_no {
            asked.without_default()
        } else {
            Ok(asked.or_default(self.default))
        }
    }
}

/// What a call came to, and what was kept from earlier if it came to nothing.
struct Asked<V, E, G, O> {
    chain: Chain<V, Came<V, E>>,
    is_a_no: bool,
    plan: Plan,
    now: Instant,
    breaker: G,
    observer: O,
}

/// What a call came to that was no success.
enum Came<V, E> {
    /// An answer all the same.
    Value(V),
    Error(CallError<E>),
}

impl<V, E, G: CircuitBreaker, O: Observe> Asked<V, E, G, O> {
    fn or_default(self, default: impl FnOnce() -> V) -> Served<V> {
        let served = self.chain.or_default(default);
        self.observer
            .served(&served.event(self.plan.name_beside(&self.breaker), self.now));
        served
    }

    fn without_default(self) -> Result<Served<V>, CallError<E>> {
        if !self.is_a_no {
            self.observer.served(
                &self
                    .chain
                    .event(self.plan.name_beside(&self.breaker), self.now),
            );
        }
        let missed = if self.is_a_no {
            Missed::NONE
        } else {
            self.chain
                .event(self.plan.name_beside(&self.breaker), self.now)
                .missed
        };
        self.chain.served().or_else(|came| match came {
            Came::Value(value) => Ok(Served {
                missed,
                ..Served::new(value, Source::Primary)
            }),
            Came::Error(error) => Err(error),
        })
    }
}
