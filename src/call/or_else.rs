//! What is answered if the call comes to nothing: the end of the sentence.
//!
//! For other chains (a second provider, a queue for later) end with [`Call::call`] and go on with
//! [`primary`].

use super::any_call::{AnyCall, AsyncCall, BlockingCall, Finished};
use super::{Call, CallError};
use crate::fallback::{Aged, Chain, Memory, Missed, Served, Source, primary};
use crate::time::{Clock, Instant};

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
///
/// ```
/// use steadfast::call::{Attempt, Call};
/// use steadfast::fallback::{LastGood, Source};
/// use steadfast::time::{BlockingSleep, Clock, Duration, Instant, ManualClock, millis, secs};
///
/// /// A board for the example: to sleep is to move its clock.
/// struct Board(ManualClock);
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
/// let board = Board(ManualClock::new(Instant::from_secs(1)));
/// let mut last = LastGood::standard();
///
/// for (read, source) in [
///     (Err("no answer"), Source::Default),
///     (Ok(215), Source::Primary),
///     (Err("no answer"), Source::Stale),
/// ] {
///     let celsius = Call::blocking(|_: Attempt| read, &board, || 0)
///         .attempt_timeout(millis(25))
///         .or_stale(&mut last)
///         .or_else(|| 200)
///         .call_blocking();
///     assert_eq!(celsius.source, source);
///     board.sleep_blocking(secs(1));
/// }
/// ```
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
    /// for one that was judged to be [`Ignored`](crate::outcome::Outcome::Ignored), "no such order", say. Where such
    /// a no must come through, take [`or_else_if_unwell`](Self::or_else_if_unwell).
    pub fn or_else<D>(self, default: D) -> OrElse<C, M, D> {
        OrElse {
            behind: self,
            default,
        }
    }

    /// Takes a safe value if there is nothing else, except for an error that was judged to be
    /// [`Ignored`](crate::outcome::Outcome::Ignored): that one comes through.
    pub fn or_else_if_unwell<D>(self, default: D) -> OrElseIfUnwell<C, M, D> {
        OrElseIfUnwell {
            behind: self,
            default,
        }
    }
}

impl<C: AsyncCall, M: Memory<C::Value>> OrStale<C, M> {
    /// Makes the call, and looks into the memory if that comes to nothing.
    ///
    /// An answer that was judged not to be a success, an `Ok` with status 503, say, is what comes
    /// back if there is nothing in the memory. It is never kept.
    ///
    /// # Errors
    ///
    /// [`CallError`], if there is nothing in the memory, or if the error was judged to be
    /// [`Ignored`](crate::outcome::Outcome::Ignored): then nobody looks.
    pub async fn call(self) -> Result<Served<C::Value>, CallError<C::Error>> {
        self.ask().await.without_default()
    }

    async fn ask(mut self) -> Asked<C> {
        let finished = self.call.run().await;
        self.look(finished)
    }
}

impl<C: BlockingCall, M: Memory<C::Value>> OrStale<C, M> {
    /// Makes the call on this thread, and looks into the memory if that comes to nothing.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub fn call_blocking(self) -> Result<Served<C::Value>, CallError<C::Error>> {
        self.ask_blocking().without_default()
    }

    fn ask_blocking(mut self) -> Asked<C> {
        let finished = self.call.run_blocking();
        self.look(finished)
    }
}

impl<C: AsyncCall, M: Memory<C::Value>, D: FnOnce() -> C::Value> OrElse<C, M, D> {
    /// Makes the call, and takes what is behind it if that comes to nothing.
    pub async fn call(self) -> Served<C::Value> {
        self.behind.ask().await.or_default(self.default)
    }
}

impl<C: BlockingCall, M: Memory<C::Value>, D: FnOnce() -> C::Value> OrElse<C, M, D> {
    /// Makes the call on this thread, and takes what is behind it if that comes to nothing.
    pub fn call_blocking(self) -> Served<C::Value> {
        self.behind.ask_blocking().or_default(self.default)
    }
}

impl<C: AsyncCall, M: Memory<C::Value>, D: FnOnce() -> C::Value> OrElseIfUnwell<C, M, D> {
    /// Makes the call, and takes what is behind it if the other side is unwell.
    ///
    /// # Errors
    ///
    /// [`CallError`], if the error was judged to be [`Ignored`](crate::outcome::Outcome::Ignored) or
    /// [`Cancelled`](crate::outcome::Outcome::Cancelled).
    pub async fn call(self) -> Result<Served<C::Value>, CallError<C::Error>> {
        self.behind.ask().await.or_default_if_unwell(self.default)
    }
}

impl<C: BlockingCall, M: Memory<C::Value>, D: FnOnce() -> C::Value> OrElseIfUnwell<C, M, D> {
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

impl<C: AnyCall, M: Memory<C::Value>> OrStale<C, M> {
    /// The call is over: the memory keeps what it came to, or stands in for it.
    fn look(self, finished: Finished<C::Value, C::Error>) -> Asked<C> {
        let Self { call, memory } = self;
        let Finished { result, outcome } = finished;
        let chain = match result {
            Ok(value) if outcome.is_success() => primary(Ok(value)),
            Ok(value) => primary(Err(Came::Value(value))),
            Err(error) => primary(Err(Came::Error(error))),
        };
        let now = call.time().now();
        let chain = chain.judged_by(|_| outcome);
        Asked {
            chain: chain.map(|chain| chain.backed_by(memory, now)),
            call,
        }
    }
}

/// What a call came to, and what was behind it.
struct Asked<C: AnyCall> {
    call: C,
    /// The answer so far; or a no that is meant, behind which nobody looks.
    chain: Result<Chain<C::Value, CameOf<C>>, CameOf<C>>,
}

impl<C: AnyCall> Asked<C> {
    fn or_default(self, default: impl FnOnce() -> C::Value) -> Served<C::Value> {
        let chain = self.chain.unwrap_or_else(|no| primary(Err(no)));
        let served = chain.or_default(default);
        self.call.tell(|name, at| served.event(name, at));
        served
    }

    fn or_default_if_unwell(
        self,
        default: impl FnOnce() -> C::Value,
    ) -> Result<Served<C::Value>, CallError<C::Error>> {
        if self.chain.is_err() {
            return self.without_default();
        }
        Ok(self.or_default(default))
    }

    fn without_default(self) -> Result<Served<C::Value>, CallError<C::Error>> {
        let chain = match self.chain {
            Ok(chain) => chain,
            Err(no) => return no.with(Missed::NONE),
        };
        self.call.tell(|name, at| chain.event(name, at));
        let missed = chain.missed();
        chain.served().or_else(|came| came.with(missed))
    }
}

/// What a call came to that was no success.
enum Came<V, E> {
    /// An answer all the same.
    Value(V),
    Error(CallError<E>),
}

type CameOf<C> = Came<<C as AnyCall>::Value, <C as AnyCall>::Error>;

impl<V, E> Came<V, E> {
    /// There is nothing better.
    fn with(self, missed: Missed) -> Result<Served<V>, CallError<E>> {
        match self {
            Self::Value(value) => Ok(Served {
                missed,
                ..Served::new(value, Source::Primary)
            }),
            Self::Error(error) => Err(error),
        }
    }
}
