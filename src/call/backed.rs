//! Who is asked if the call comes to nothing: the last good answer, then somebody else.

use super::any_call::BlockingCall;
use super::asked::Asked;
use super::judge::Judge;
use super::observe::Observe;
use super::operation::AsyncOperation;
use super::secondary::{AsyncSecondary, BlockingSecondary, NoSecondary};
use super::{Call, CallError, OrElse, OrElseIfUnwell, timeout};
use crate::breaker::CircuitBreaker;
use crate::fallback::{Aged, Memory, Served};
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

/// A call, and who is asked in its place if it comes to nothing: first the last good answer, then a
/// secondary.
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
///     let decidegrees = Call::blocking(|_: Attempt| read, &board, || 0)
///         .attempt_timeout(millis(25))
///         .or_stale(&mut last)
///         .or_else(|| 200)
///         .call_blocking();
///     assert_eq!(decidegrees.source, source);
///     board.sleep_blocking(secs(1));
/// }
/// ```
///
/// # Or later
///
/// To accept what cannot be done now, end with [`Call::call`] and go on with
/// [`primary`](crate::fallback::primary) and a [`DeferredQueue`](crate::fallback::DeferredQueue).
/// Unless doing it twice does no harm, only what was refused or never sent may be done later:
///
/// ```
/// # use steadfast::call::{Attempt, Call};
/// use steadfast::breaker::Breaker;
/// use steadfast::fallback::{DeferredQueue, Source, primary};
/// use steadfast::outcome::Outcome;
/// use steadfast::shared::Shared;
/// # use steadfast::time::{BlockingSleep, Clock, Duration, Instant};
///
/// static BANK: Shared<Breaker> = Shared::breaker(Breaker::standard());
/// static LATER: Shared<DeferredQueue<u32, 8>> = Shared::deferred_queue();
///
/// # struct Board;
/// # impl Clock for Board {
/// #     fn now(&self) -> Instant {
/// #         Instant::from_secs(1)
/// #     }
/// # }
/// # impl BlockingSleep for Board {
/// #     fn sleep_blocking(&self, _: Duration) {}
/// # }
/// # let board = Board;
/// # BANK.with_state(|breaker, state| breaker.force_open(state, board.now()));
/// # let charge = |_: Attempt| Ok::<_, &str>("charged");
/// let charged = Call::blocking(charge, &board, || 0)
///     .not_repeatable()
///     .guarded_by(&BANK) // which is open
///     .call_blocking();
/// let order = primary(charged)
///     .only_if(|error| error.outcome() == Outcome::Rejected)?
///     .or_defer(|| LATER.push(4_711, board.now()).map(|_| "pending"))
///     .served()?;
/// assert_eq!((order.value, order.source), ("pending", Source::Deferred));
/// # Ok::<(), steadfast::call::CallError<&str>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is called before `call`"]
pub struct Backed<C, M, S = NoSecondary> {
    // Not `call`: who has made a mistake would read that `call` is a private field.
    primary: C,
    memory: M,
    secondary: S,
}

impl<Op, T, R, J, G, B, O> Call<Op, T, R, J, G, B, O> {
    /// Keeps each good answer in `memory`, and takes the last one if the call comes to nothing: a
    /// `&mut` [`LastGood`](crate::fallback::LastGood), or the place of a key in a
    /// [`StaleCache`](crate::fallback::StaleCache).
    pub fn or_stale<M>(self, memory: M) -> Backed<Self, M> {
        Backed {
            primary: self,
            memory,
            secondary: NoSecondary,
        }
    }

    /// Asks somebody else if the call comes to nothing: see [`Backed::or_secondary`].
    pub fn or_secondary<S>(self, secondary: S) -> Backed<Self, NoMemory, S> {
        self.or_stale(NoMemory).or_secondary(secondary)
    }

    /// Takes a safe value if the call comes to nothing, whatever the error: see
    /// [`Backed::or_else`].
    pub fn or_else<D>(self, default: D) -> OrElse<Backed<Self, NoMemory>, D> {
        self.or_stale(NoMemory).or_else(default)
    }

    /// Takes a safe value if the other side is unwell, and hands on its no otherwise: see
    /// [`Backed::or_else_if_unwell`].
    pub fn or_else_if_unwell<D>(self, default: D) -> OrElseIfUnwell<Backed<Self, NoMemory>, D> {
        self.or_stale(NoMemory).or_else_if_unwell(default)
    }
}

impl<C, M> Backed<C, M> {
    /// Asks somebody else if there is nothing else so far: a replica, another provider. Not for an
    /// error that was judged to be [`Ignored`](crate::outcome::Outcome::Ignored).
    ///
    /// Where the call is awaited it is a closure like `|| replica(id)`; where it blocks, one that
    /// takes the [`Attempt`](super::Attempt), of which the deadline is its own. It is called once,
    /// and has no part in the breaker, the retries and the budget: if it needs such things of its
    /// own, let it be another [`Call`]. What it answers is not kept, and an error of it is not what
    /// comes back.
    ///
    /// To ask somebody else is to do it once more. Of a call that is
    /// [`not_repeatable`](Call::not_repeatable), a payment, nobody else is asked once an attempt was
    /// sent, since it may have been done all the same; so only if the breaker refused it, or there was
    /// no time for an attempt. An idempotency key, which makes a call repeatable, is known to one
    /// provider and not to another.
    ///
    /// # How long it has
    ///
    /// As long as an attempt may take, and no longer than is left of the whole; if nothing is left
    /// nobody is asked. So that something is left also where the other side hangs, the call itself,
    /// with its retries, is over that much earlier: as long before the deadline of the whole as an
    /// attempt may take, but it has at least half of the time for itself. Within 8 s, with attempts
    /// of 2 s, it has 6 s and the secondary 2 s; with attempts of 5 s, or without a limit to them,
    /// each has 4 s. [`leaving`](Call::leaving) sets another share, and one that is longer than an
    /// attempt is the secondary's too; with zero it has what happens to be over.
    ///
    /// ```
    /// use steadfast::call::{Attempt, Call};
    /// use steadfast::fallback::Source;
    /// # use steadfast::time::{BlockingSleep, Clock, Duration, Instant};
    /// use steadfast::time::{millis, secs};
    ///
    /// # struct Board;
    /// # impl Clock for Board {
    /// #     fn now(&self) -> Instant {
    /// #         Instant::from_secs(1)
    /// #     }
    /// # }
    /// # impl BlockingSleep for Board {
    /// #     fn sleep_blocking(&self, _: Duration) {}
    /// # }
    /// # let board = Board;
    /// let gnss = |_: Attempt| Err("no fix");
    /// let network = |attempt: Attempt| {
    ///     assert_eq!(attempt.deadline.remaining(board.now()), secs(2));
    ///     Ok::<_, &str>(1_700_000_000_u64)
    /// };
    /// let time = Call::blocking(gnss, &board, || 0)
    ///     .attempt_timeout(secs(2))
    ///     .within(secs(5)) // so the first has 3 s
    ///     .or_secondary(network)
    ///     .call_blocking()?;
    /// assert_eq!((time.value, time.source), (1_700_000_000, Source::Secondary));
    /// # Ok::<(), steadfast::call::CallError<&str>>(())
    /// ```
    ///
    /// # If there are several
    ///
    /// This is said once, so let it ask them in turn; together they have its time. Whichever
    /// answers, the source is [`Secondary`](crate::fallback::Source::Secondary). Where each is a call
    /// with a name, whoever observes them hears which it was:
    ///
    /// ```
    /// # use core::cell::RefCell;
    /// # use steadfast::call::{Attempt, Call, Observe};
    /// # use steadfast::event::CallEvent;
    /// # use steadfast::time::{BlockingSleep, Clock, Duration, Instant};
    /// # struct Board;
    /// # impl Clock for Board {
    /// #     fn now(&self) -> Instant {
    /// #         Instant::from_secs(1)
    /// #     }
    /// # }
    /// # impl BlockingSleep for Board {
    /// #     fn sleep_blocking(&self, _: Duration) {}
    /// # }
    /// # let board = Board;
    /// # let read = |_: Attempt| Err::<u32, _>("no fix");
    /// # let read_network = |_: Attempt| Err::<u32, _>("no answer");
    /// # let read_quartz = |_: Attempt| Ok::<_, &str>(1_700_000_000);
    /// #[derive(Default)]
    /// struct Log(RefCell<Vec<String>>);
    /// impl Observe for Log {
    ///     fn ended(&self, event: &CallEvent<'_>) {
    ///         let line = format!("{} {}", event.operation, event.outcome.label());
    ///         self.0.borrow_mut().push(line);
    ///     }
    /// }
    ///
    /// let log = Log::default();
    /// let elsewhere = |attempt: Attempt| {
    ///     let network = Call::blocking(read_network, &board, || 0).named("network");
    ///     let quartz = Call::blocking(read_quartz, &board, || 0).named("quartz");
    ///     let network = network.by(attempt.deadline).observed_by(&log).call_blocking();
    ///     network.or_else(|_| quartz.by(attempt.deadline).observed_by(&log).call_blocking())
    /// };
    /// let gnss = Call::blocking(read, &board, || 0).named("gnss").observed_by(&log);
    /// assert!(gnss.or_secondary(elsewhere).call_blocking().is_ok());
    /// assert_eq!(log.0.into_inner(), ["gnss failure", "network failure", "quartz success"]);
    /// ```
    pub fn or_secondary<S>(self, secondary: S) -> Backed<C, M, S> {
        Backed {
            primary: self.primary,
            memory: self.memory,
            secondary,
        }
    }
}

impl<Op, T, R, J, G, B, O, M, S> Backed<Call<Op, T, R, J, G, B, O>, M, S>
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
{
    /// Makes the call, and asks who is behind it if that comes to nothing.
    ///
    /// An answer that was judged not to be a success, an `Ok` with status 503, say, is what comes
    /// back if nobody has a better one: of [`Source::Primary`](crate::fallback::Source::Primary),
    /// which is then among the [`missed`](Served::missed), too, unless it was judged to be
    /// [`Ignored`](crate::outcome::Outcome::Ignored). It is never kept, and it
    /// [is degraded](Served::is_degraded).
    ///
    /// # Errors
    ///
    /// [`CallError`], the call's own, if nobody has an answer, or if the error was judged to be
    /// [`Ignored`](crate::outcome::Outcome::Ignored): then nobody is asked.
    pub async fn call(self) -> Result<Served<Op::Value>, CallError<Op::Error>> {
        self.ask().await.without_default()
    }

    pub(super) async fn ask(self) -> Asked<Call<Op, T, R, J, G, B, O>> {
        let Self {
            primary: mut call,
            memory,
            secondary,
        } = self;
        let finished = call.run(S::IS_THERE).await;
        let asked = Asked::new(call, finished, memory);
        if S::IS_THERE
            && let Some((_, limit)) = asked.attempt_elsewhere()
        {
            let answer = timeout(&asked.call.time, limit, secondary.ask()).await;
            return asked.or_secondary(answer.ok().flatten());
        }
        asked
    }
}

impl<C, M, S> Backed<C, M, S>
where
    C: BlockingCall,
    M: Memory<C::Value>,
    S: BlockingSecondary<C::Value>,
{
    /// Makes the call on this thread, and asks who is behind it if that comes to nothing.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub fn call_blocking(self) -> Result<Served<C::Value>, CallError<C::Error>> {
        self.ask_blocking().without_default()
    }

    pub(super) fn ask_blocking(self) -> Asked<C> {
        let Self {
            primary: mut call,
            memory,
            secondary,
        } = self;
        let finished = call.run_blocking(S::IS_THERE);
        let asked = Asked::new(call, finished, memory);
        if S::IS_THERE
            && let Some((attempt, _)) = asked.attempt_elsewhere()
        {
            return asked.or_secondary(secondary.ask(attempt));
        }
        asked
    }
}
