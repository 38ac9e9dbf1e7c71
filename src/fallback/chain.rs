//! First this, or else that: the stages of an answer, in the order in which they are written.

use core::future::Future;

use super::{Aged, Memory, Missed, Served, Source};
use crate::event::FallbackEvent;
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};

/// The answer of the one who should have it, and what to do without: begins a [`Chain`].
///
/// ```
/// use steadfast::fallback::{LastGood, Source, primary};
/// use steadfast::time::{Instant, secs};
///
/// #[derive(Clone, Debug, PartialEq)]
/// struct Quote { days: u32 }
/// impl Quote {
///     fn standard() -> Self { Self { days: 5 } }
/// }
/// let fetch = |up: bool| if up { Ok(Quote { days: 2 }) } else { Err("no connection") };
///
/// let mut last = LastGood::standard();
/// let now = Instant::from_secs(60);
/// let answer = primary(fetch(true)).backed_by(&mut last, now).or_default(Quote::standard);
/// assert!(!answer.is_degraded());
///
/// // Four minutes later it is down, and the last good answer still serves.
/// let now = now + secs(240);
/// let answer = primary(fetch(false)).backed_by(&mut last, now).or_default(Quote::standard);
/// assert_eq!((answer.value.days, answer.source, answer.age), (2, Source::Stale, secs(240)));
///
/// // A minute after that, it does not.
/// let now = now + secs(60);
/// let answer = primary(fetch(false)).backed_by(&mut last, now).or_default(Quote::standard);
/// assert_eq!((answer.value.days, answer.source), (5, Source::Default));
/// ```
pub fn primary<T, E>(result: Result<T, E>) -> Chain<T, E> {
    Chain {
        missed: match &result {
            Ok(_) => Missed::NONE,
            Err(_) => Missed::NONE.with(Source::Primary),
        },
        answer: result.map(|value| Served::new(value, Source::Primary)),
    }
}

/// An answer, or the error of the one who should have had it; made by [`primary`].
///
/// Each stage is tried at once, and only if there is no answer so far. The end is
/// [`or_default`](Self::or_default), which always has one, or [`served`](Self::served), which
/// gives back the error of the primary, never that of a stage after it.
///
/// It is a plain value, so there may be an `await` between any two stages; the stages whose names
/// end in `_async` are for those who have to wait for theirs. A caller who leaves meanwhile takes
/// the chain along, and what the stage has done so far stays done.
///
/// Write each stage so that it does not need what has just failed: a cache behind the same
/// connection, or a replica of the same host, falls with it.
///
/// ```
/// use steadfast::fallback::{Source, primary};
///
/// # fn of_the_shop() -> Result<u32, &'static str> { Err("503") }
/// # fn of_the_replica() -> Result<u32, &'static str> { Ok(7) }
/// let price = primary(of_the_shop())
///     .inspect_err(|error| eprintln!("price: {error}"))
///     .or_secondary(of_the_replica)
///     .served()?;
/// assert_eq!((price.value, price.source), (7, Source::Secondary));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[must_use = "end it by `or_default` or `served`"]
pub struct Chain<T, E> {
    answer: Result<Served<T>, E>,
    missed: Missed,
}

impl<T, E> Chain<T, E> {
    /// Goes on only with errors for which `falls_back` says yes. Every other one is given back
    /// as it is, before any stage: "out of stock" is an answer, for which there is no substitute.
    ///
    /// ```
    /// use steadfast::fallback::{Served, primary};
    ///
    /// #[derive(Debug, PartialEq)]
    /// enum Error { OutOfStock, NoConnection }
    ///
    /// fn reserved(result: Result<&'static str, Error>) -> Result<Served<&'static str>, Error> {
    ///     Ok(primary(result)
    ///         .only_if(|error| *error != Error::OutOfStock)?
    ///         .or_default(|| "probably"))
    /// }
    /// assert_eq!(reserved(Err(Error::NoConnection)).unwrap().value, "probably");
    /// assert_eq!(reserved(Err(Error::OutOfStock)), Err(Error::OutOfStock));
    /// ```
    ///
    /// # Errors
    ///
    /// The primary's own, if `falls_back` says no of it.
    pub fn only_if(self, falls_back: impl FnOnce(&E) -> bool) -> Result<Self, E> {
        match self.answer {
            Err(error) if !falls_back(&error) => Err(error),
            answer => Ok(Self { answer, ..self }),
        }
    }

    /// [`only_if`](Self::only_if) by the classification that retry and breaker go by: an error is
    /// given back if it says nothing against the other side ([`Outcome::Ignored`]), or if the
    /// caller has left ([`Outcome::Cancelled`]).
    ///
    /// ```
    /// use steadfast::{fallback::primary, outcome::Outcome};
    ///
    /// let judge = |&status: &u16| match status {
    ///     404 => Outcome::Ignored,
    ///     _ => Outcome::TRANSIENT,
    /// };
    /// assert_eq!(primary(Err::<u32, _>(404)).judged_by(judge).unwrap_err(), 404);
    /// assert!(primary(Err::<u32, _>(503)).judged_by(judge).is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// The primary's own, if it is ignored or cancelled.
    pub fn judged_by(self, outcome: impl FnOnce(&E) -> Outcome) -> Result<Self, E> {
        self.only_if(|error| !matches!(outcome(error), Outcome::Ignored | Outcome::Cancelled))
    }

    /// Shows the primary's error to `look`, if there is no answer so far: for a log.
    pub fn inspect_err(self, look: impl FnOnce(&E)) -> Self {
        if let Err(error) = &self.answer {
            look(error);
        }
        self
    }

    /// Hands the primary's answer to `keep`, to be stored for worse times. What any other stage
    /// has answered is never handed on.
    ///
    /// ```
    /// use steadfast::fallback::{StaleCache, primary};
    /// use steadfast::time::{Instant, secs};
    ///
    /// let mut prices = StaleCache::<&str, u32, 8>::standard();
    /// let now = Instant::from_secs(60);
    /// let fetched: Result<u32, &str> = Ok(7);
    /// let price = primary(fetched)
    ///     .remember(|price| drop(prices.put("tea", *price, now)))
    ///     .or_stale(|| prices.get("tea", now))
    ///     .served()?;
    /// assert_eq!(prices.get("tea", now + secs(1)).unwrap().value, price.value);
    /// # Ok::<(), &str>(())
    /// ```
    pub fn remember(self, keep: impl FnOnce(&T)) -> Self {
        if let Ok(served) = &self.answer
            && matches!(served.source, Source::Primary)
        {
            keep(&served.value);
        }
        self
    }

    /// [`remember`](Self::remember) and [`or_stale`](Self::or_stale) in one: the memory is brought
    /// up to date by an answer of the primary, and is asked if there is none.
    ///
    /// `&mut` [`LastGood`](super::LastGood), [`StaleCache::at`](super::StaleCache::at) a key, and
    /// the shared forms of both, by reference, are memories.
    pub fn backed_by<M: Memory<T>>(self, mut memory: M, now: Instant) -> Self {
        if !M::KEEPS {
            return self;
        }
        let chain = self.remember(|value| memory.remember(value, now));
        chain.or_stale(|| memory.recall(now))
    }

    /// Or an answer from earlier.
    pub fn or_stale(self, stale: impl FnOnce() -> Option<Aged<T>>) -> Self {
        if self.is_served() {
            return self;
        }
        let found = stale();
        self.or_aged(found)
    }

    /// Or an answer from somewhere else.
    ///
    /// Its error is not what the chain gives back, so whoever wants it in a log writes it there:
    /// `.or_secondary(|| replica().inspect_err(..))`.
    ///
    /// There may be several, and the source of each is [`Secondary`](Source::Secondary). To know
    /// which it was, take note of who is asked:
    ///
    /// ```
    /// use steadfast::fallback::{Source, primary};
    ///
    /// # fn of_replica(number: u32) -> Result<u32, &'static str> {
    /// #     if number > 1 { Ok(7) } else { Err("no connection") }
    /// # }
    /// let mut replica = 0;
    /// let mut ask = |number| {
    ///     replica = number;
    ///     of_replica(number)
    /// };
    /// let price = primary(Err::<u32, _>("503"))
    ///     .or_secondary(|| ask(1))
    ///     .or_secondary(|| ask(2))
    ///     .or_secondary(|| ask(3))
    ///     .served()?;
    /// assert_eq!((price.source, replica), (Source::Secondary, 2));
    /// # Ok::<(), &str>(())
    /// ```
    pub fn or_secondary<F>(self, secondary: impl FnOnce() -> Result<T, F>) -> Self {
        if self.is_served() {
            return self;
        }
        let result = secondary();
        self.or_result(result, Source::Secondary)
    }

    /// Or it is done later: `defer` puts it in a queue and returns what to say meanwhile.
    ///
    /// ```
    /// use steadfast::fallback::{DeferredQueue, Source, primary};
    /// use steadfast::time::Instant;
    ///
    /// let mut later = DeferredQueue::<u32, 8>::new();
    /// let now = Instant::from_secs(60);
    /// let charged: Result<&str, &str> = Err("the bank is closed");
    /// let order = primary(charged)
    ///     .or_defer(|| later.push(4_711, now).map(|_| "pending"))
    ///     .served()?;
    /// assert_eq!((order.value, order.source), ("pending", Source::Deferred));
    /// # Ok::<(), &str>(())
    /// ```
    pub fn or_defer<F>(self, defer: impl FnOnce() -> Result<T, F>) -> Self {
        if self.is_served() {
            return self;
        }
        let result = defer();
        self.or_result(result, Source::Deferred)
    }

    /// [`or_stale`](Self::or_stale) of a cache that has to be waited for.
    pub async fn or_stale_async<S>(self, stale: impl FnOnce() -> S) -> Self
    where
        S: Future<Output = Option<Aged<T>>>,
    {
        if self.is_served() {
            return self;
        }
        let found = stale().await;
        self.or_aged(found)
    }

    /// [`or_secondary`](Self::or_secondary) of one that has to be waited for.
    ///
    /// ```
    /// use steadfast::fallback::{Source, primary};
    /// # use core::{future::Future, pin::pin, task::{Context, Poll, Waker}};
    ///
    /// async fn replica(id: u32) -> Result<u32, &'static str> {
    ///     Ok(id + 1)
    /// }
    ///
    /// async fn price(id: u32) -> Result<u32, &'static str> {
    ///     let of_the_shop = Err("no connection");
    ///     let price = primary(of_the_shop).or_secondary_async(|| replica(id)).await.served()?;
    ///     assert_eq!(price.source, Source::Secondary);
    ///     Ok(price.value)
    /// }
    /// # let done = pin!(price(6)).poll(&mut Context::from_waker(Waker::noop()));
    /// # assert_eq!(done, Poll::Ready(Ok(7)));
    /// ```
    pub async fn or_secondary_async<F, S>(self, secondary: impl FnOnce() -> S) -> Self
    where
        S: Future<Output = Result<T, F>>,
    {
        if self.is_served() {
            return self;
        }
        let result = secondary().await;
        self.or_result(result, Source::Secondary)
    }

    /// [`or_defer`](Self::or_defer) to a queue that has to be waited for.
    pub async fn or_defer_async<F, S>(self, defer: impl FnOnce() -> S) -> Self
    where
        S: Future<Output = Result<T, F>>,
    {
        if self.is_served() {
            return self;
        }
        let result = defer().await;
        self.or_result(result, Source::Deferred)
    }

    /// Or a safe value. The end of the chain: there is an answer in any case, so look at its
    /// [`source`](Served::source).
    pub fn or_default(self, default: impl FnOnce() -> T) -> Served<T> {
        match self.answer {
            Ok(served) => served,
            Err(_) => Served {
                missed: self.missed,
                ..Served::new(default(), Source::Default)
            },
        }
    }

    /// The end of a chain without a default.
    ///
    /// # Errors
    ///
    /// The primary's own, if no stage had an answer.
    pub fn served(self) -> Result<Served<T>, E> {
        self.answer
    }

    /// Is there an answer so far?
    pub const fn is_served(&self) -> bool {
        self.answer.is_ok()
    }

    /// The primary's error, if there is no answer so far.
    pub const fn error(&self) -> Option<&E> {
        match &self.answer {
            Ok(_) => None,
            Err(error) => Some(error),
        }
    }

    /// Who was asked so far, and had no answer.
    pub const fn missed(&self) -> Missed {
        self.missed
    }

    /// What happened so far, for logs and counters: before [`served`](Self::served), to count
    /// those that got nothing as well. After [`or_default`](Self::or_default) it is
    /// [`Served::event`].
    pub const fn event<'a>(&self, operation: &'a str, at: Instant) -> FallbackEvent<'a> {
        match &self.answer {
            Ok(served) => served.event(operation, at),
            Err(_) => FallbackEvent {
                operation,
                source: None,
                missed: self.missed,
                age: Duration::ZERO,
                at,
            },
        }
    }

    /// What the cache had, if there is no answer so far.
    fn or_aged(self, found: Option<Aged<T>>) -> Self {
        let missed = self.missed;
        match found {
            Some(aged) => self.answered(Served {
                age: aged.age,
                missed,
                ..Served::new(aged.value, Source::Stale)
            }),
            None => self.without(Source::Stale),
        }
    }

    fn or_result<F>(self, result: Result<T, F>, source: Source) -> Self {
        let missed = self.missed;
        match result {
            Ok(value) => self.answered(Served {
                missed,
                ..Served::new(value, source)
            }),
            Err(_) => self.without(source),
        }
    }

    fn answered(self, served: Served<T>) -> Self {
        Self {
            answer: Ok(served),
            ..self
        }
    }

    fn without(self, source: Source) -> Self {
        Self {
            missed: self.missed.with(source),
            ..self
        }
    }
}
