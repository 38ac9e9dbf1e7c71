//! The first words of a sentence: whatever can be called, called with care.

use std::future::Future;

use steadfast::breaker::CircuitBreaker;
use steadfast::call::{Attempt, Backed, ByResult, Call, NoBreaker, NoMemory, OrElse, Plain, Told};
use steadfast::retry::{Budget, NoBudget, RetryPolicy};
use steadfast::time::{Duration, secs};

use crate::{ThreadRandom, TokioTime};

/// How long an attempt may take in a sentence of [`Resilient`] or [`told`] that does not say: 5 s.
///
/// Set another by [`attempt_timeout`](Call::attempt_timeout), a little more than what the other side
/// takes at its slowest; [`Duration::MAX`] lifts it. The core's [`Call`] has none unless it is set,
/// since a device may not have a timer.
pub const ATTEMPT_TIMEOUT: Duration = secs(5);

/// How long the whole may take in a sentence of [`Resilient`] or [`told`] that does not say, attempts
/// and waits together: 30 s.
///
/// A server may ask for a minute between two attempts, so without it four of them could take three
/// minutes and more. Four attempts of [`ATTEMPT_TIMEOUT`] with the waits of
/// [`RetryPolicy::standard`] fit into it.
///
/// Set another by [`within`](Call::within), as for work that nobody waits for: the waits of
/// [`RetryPolicy::background`] alone may be longer. [`Duration::MAX`] lifts it. It cuts nothing that
/// the sentence says ([`within_unless_set`](Call::within_unless_set)):
///
/// | the sentence says | the whole may take |
/// |---|---|
/// | nothing of it | 30 s |
/// | a deadline, by [`by`](Call::by) | until then, sooner or later; [`NEVER`] says nothing |
/// | an [`attempt_timeout`](Call::attempt_timeout) of 60 s | 60 s: one attempt |
/// | that, and [`or_secondary`](Call::or_secondary) | 120 s: one attempt, and one of the secondary |
/// | that, and [`leaving`](Call::leaving) 10 s | 70 s |
/// | an attempt timeout of [`Duration::MAX`] | 30 s: lifting the one does not lift the other |
///
/// So for retries of attempts that long, say `within` too. A deadline that comes with a request is
/// the client's word: where it may be any time ahead, say `within` beside it, and the earlier counts.
/// The core's [`Call`] has no limit unless it is set.
///
/// [`NEVER`]: steadfast::deadline::Deadline::NEVER
pub const WITHIN: Duration = secs(30);

/// A call on tokio's time, that is being put together.
type Sentence<Op, G = NoBreaker, B = NoBudget> =
    Call<Plain<Op>, TokioTime, ThreadRandom, ByResult, G, B, ()>;

/// Every async function or closure without arguments: what it calls can be retried, guarded and
/// cut short, in one sentence that any of these verbs begins. [`Call`] has all the others.
///
/// It runs on tokio's time, [`TokioTime::of_process`], so a test can pause it, and draws its jitter
/// from [`ThreadRandom`]. An attempt is given up after [`ATTEMPT_TIMEOUT`], and the whole after
/// [`WITHIN`], unless the sentence says otherwise.
///
/// ```
/// use steadfast::breaker::Breaker;
/// use steadfast::fallback::Source;
/// use steadfast::retry::{RetryBudget, RetryPolicy};
/// use steadfast::time::secs;
/// use steadfast_std::{Resilient, StaleCache, Target};
///
/// static SHIPPING: Target = Target::new("shipping", Breaker::standard(), RetryBudget::standard());
///
/// #[derive(Clone)]
/// struct Quote { days: u32 }
///
/// async fn fetch_quote(order: u32) -> Result<Quote, &'static str> {
///     Err("connection refused")
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let quotes = StaleCache::standard(10_000).unwrap();
/// let order = 4_711;
/// let quote = (|| fetch_quote(order))
///     .retry(&RetryPolicy::standard())
///     .budget(&SHIPPING)
///     .guarded_by(&SHIPPING)
///     .attempt_timeout(secs(2))
///     .within(secs(8))
///     .or_stale(quotes.at(order))
///     .or_else(|| Quote { days: 5 })
///     .call()
///     .await;
/// assert_eq!((quote.value.days, quote.source), (5, Source::Default));
/// # }
/// ```
///
/// # What may be retried
///
/// Every error is taken for one that is worth another try, and that speaks against the other side.
/// Say where that is wrong:
///
/// - Doing it twice may do harm, a payment without an idempotency key, say: `.not_repeatable()`; or
///   where it depends on the request, `.repeatable_if(may_repeat(method, has_key))`, by
///   [`may_repeat`](steadfast::http::may_repeat).
/// - An error is an answer, "card declined" or "no such order": `.judged_by(..)`, with
///   [`Outcome::Ignored`](steadfast::outcome::Outcome::Ignored) for it.
/// - What it calls is such a sentence already:
///   `.judged_by(|result| CallError::outcome_of(result))`.
///
/// ```
/// use steadfast::call::CallError;
/// use steadfast::outcome::Outcome;
/// use steadfast::retry::RetryPolicy;
/// use steadfast_std::Resilient;
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// enum Refused { Declined, NoConnection }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let policy = RetryPolicy::standard(); // four attempts
///
/// let charge = || async { Err::<(), _>(Refused::NoConnection) };
/// let charged = charge.retry(&policy).not_repeatable().call().await;
/// assert_eq!(charged.unwrap_err().attempts(), 1);
///
/// let reserve = || async { Err::<(), _>(Refused::Declined) };
/// let reserved = reserve
///     .retry(&policy)
///     .judged_by(|result| match result {
///         Err(Refused::Declined) => Outcome::Ignored,
///         other => Outcome::of(other),
///     })
///     .call()
///     .await;
/// assert_eq!(reserved.unwrap_err().attempts(), 1);
///
/// // A layer above one that retries: four requests, not sixteen.
/// let ask = || async { Err::<(), _>(Refused::NoConnection) };
/// let below = || ask.retry(&policy).call();
/// let above = below.retry(&policy).judged_by(|result| CallError::outcome_of(result));
/// let asked = above.call().await.unwrap_err();
/// assert_eq!((asked.attempts(), asked.into_error().unwrap().attempts()), (1, 4));
/// # }
/// ```
///
/// # If it does not compile
///
/// "The method `retry` exists, but its trait bounds were not satisfied":
///
/// - for a function that has an argument: write `(|| fetch(7)).retry(..)`;
/// - for a future: there are no parentheses around the closure; `|| fetch(7).retry(..)` is a closure
///   that retries the answer.
///
/// "No method named `judged_by` found for closure": it and a few others cannot begin a sentence.
/// Write `(|| pay()).with_care().judged_by(..)`, or put another verb first. "Found for struct
/// `Call<..>`": it stands after `notify`, or is there twice.
///
/// "No method named `retry` found":
///
/// - `use steadfast_std::Resilient;` is missing;
/// - or it does not return a `Result`: write `(|| async { Ok::<_, Infallible>(fetch().await) })`;
/// - or it is not async: what blocks is called by [`Call::blocking`], with
///   [`ThreadTime`](crate::ThreadTime).
///
/// "Expected `RetryPolicy`, found `RetryPolicyConfig`" (or `Backoff`, `Breaker`, `RetryBudget`, and
/// theirs): other numbers become a policy by `policy!(..)`, or by `.build()?` at run time.
///
/// "`Call<..>` is not a future": there is no `.call()` before `.await`.
///
/// "The method `retry` exists for struct `Backed<..>`" (or `or_secondary`, or `OrElse<..>`), "but its
/// trait bounds were not satisfied": the order is first how the call is made, then `or_stale`, then
/// `or_secondary`, then `or_else`, each of these once.
///
/// "The method `call` exists for struct `OrElse<..>`" (or `Backed<..>`), "but its trait bounds were
/// not satisfied": `or_else` takes a closure without an argument, `|| 5`, that returns what the call
/// brings; `or_stale` the place of a key, `quotes.at(order)`, of keys and answers that are `Clone`.
///
/// "`?` couldn't convert the error: `dyn Error: Sized` is not satisfied": a
/// [`CallError`](steadfast::call::CallError) is an error if the operation's own is one, and
/// `Box<dyn Error>` is none. Write `.map_err(|error| error.to_string())?`, or give the operation an
/// error type of its own.
///
/// "This closure only implements `FnOnce`": the first attempt takes away what the next one needs.
/// Write `(|| { let body = body.clone(); async move { send(body).await } })`.
///
/// # Panics
///
/// The call, where it has to wait outside of a tokio runtime, or in one that was built without
/// `enable_time`; see [`TokioTime`]. To put the sentence together does not.
pub trait Resilient: Sized {
    /// Tries again by this policy; see [`Call::retry`].
    fn retry(self, policy: &RetryPolicy) -> Sentence<Self> {
        self.with_care().retry(policy)
    }

    /// Puts a circuit breaker around it; see [`Call::guarded_by`].
    fn guarded_by<G: CircuitBreaker>(self, breaker: G) -> Sentence<Self, G> {
        self.with_care().guarded_by(breaker)
    }

    /// Takes its retries from a budget; see [`Call::budget`].
    fn budget<B: Budget>(self, budget: B) -> Sentence<Self, NoBreaker, B> {
        self.with_care().budget(budget)
    }

    /// Sets a limit to an attempt in the place of [`ATTEMPT_TIMEOUT`]; see
    /// [`Call::attempt_timeout`].
    fn attempt_timeout(self, limit: Duration) -> Sentence<Self> {
        self.with_care().attempt_timeout(limit)
    }

    /// Sets a limit to the whole in the place of [`WITHIN`]; see [`Call::within`].
    fn within(self, limit: Duration) -> Sentence<Self> {
        self.with_care().within(limit)
    }

    /// There is one attempt, whatever the policy says; see [`Call::not_repeatable`].
    fn not_repeatable(self) -> Sentence<Self> {
        self.with_care().not_repeatable()
    }

    /// There are retries only if this is so; see [`Call::repeatable_if`].
    fn repeatable_if(self, may_repeat: bool) -> Sentence<Self> {
        self.with_care().repeatable_if(may_repeat)
    }

    /// Gives it a name for events; see [`Call::named`].
    fn named(self, name: &'static str) -> Sentence<Self> {
        self.with_care().named(name)
    }

    /// Keeps each good answer, and takes the last one if it comes to nothing; see
    /// [`Call::or_stale`].
    fn or_stale<M>(self, memory: M) -> Backed<Sentence<Self>, M> {
        self.with_care().or_stale(memory)
    }

    /// Asks somebody else if it comes to nothing; see [`Backed::or_secondary`].
    fn or_secondary<S>(self, secondary: S) -> Backed<Sentence<Self>, NoMemory, S> {
        self.with_care().or_secondary(secondary)
    }

    /// Takes a safe value if it comes to nothing; see [`Call::or_else`].
    fn or_else<D>(self, default: D) -> OrElse<Backed<Sentence<Self>, NoMemory>, D> {
        self.with_care().or_else(default)
    }

    /// Nothing yet but [`ATTEMPT_TIMEOUT`] and [`WITHIN`]; for a sentence that begins with another
    /// verb of [`Call`].
    fn with_care(self) -> Sentence<Self> {
        Call::new(self, TokioTime::of_process(), ThreadRandom)
            .attempt_timeout(ATTEMPT_TIMEOUT)
            .within_unless_set(WITHIN)
    }
}

impl<Op, F, V, E> Resilient for Op
where
    Op: FnMut() -> F,
    F: Future<Output = Result<V, E>>,
{
}

/// The same for a closure that takes the [`Attempt`]: which one it is, and how long there is time.
/// An attempt is given up after [`ATTEMPT_TIMEOUT`], and the whole after [`WITHIN`], unless the
/// sentence says otherwise.
///
/// ```
/// use steadfast::{retry::RetryPolicy, time::secs};
/// use steadfast_std::call::told;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let answer = told(|attempt| async move {
///     if attempt.number < 3 { Err("busy") } else { Ok("third time lucky") }
/// })
/// .retry(&RetryPolicy::standard())
/// .within(secs(60))
/// .call()
/// .await;
/// assert_eq!(answer, Ok("third time lucky"));
/// # }
/// ```
///
/// # Panics
///
/// The call, as those of [`Resilient`].
pub fn told<Op, F>(operation: Op) -> Call<Told<Op>, TokioTime, ThreadRandom>
where
    Op: FnMut(Attempt) -> F,
    F: Future,
{
    Call::told(operation, TokioTime::of_process(), ThreadRandom)
        .attempt_timeout(ATTEMPT_TIMEOUT)
        .within_unless_set(WITHIN)
}
