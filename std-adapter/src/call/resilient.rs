//! The first words of a sentence: whatever can be called, called with care.

use std::future::Future;

use steadfast::breaker::CircuitBreaker;
use steadfast::call::{Attempt, ByResult, Call, NoBreaker, Plain, Told};
use steadfast::retry::{NoBudget, RetryPolicy};
use steadfast::time::Duration;

use crate::{ThreadRandom, TokioTime};

/// A call on tokio's time, that is being put together.
type Sentence<Op, G = NoBreaker> =
    Call<Plain<Op>, TokioTime, ThreadRandom, ByResult, G, NoBudget, ()>;

/// Every async function or closure without arguments: what it calls can be retried, guarded and
/// cut short, in one sentence that any of these verbs begins. [`Call`] has all the others.
///
/// It runs on tokio's time, [`TokioTime::of_process`], so a test can pause it, and draws its jitter
/// from [`ThreadRandom`].
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
pub trait Resilient: Sized {
    /// Tries again by this policy; see [`Call::retry`].
    fn retry(self, policy: &RetryPolicy) -> Sentence<Self> {
        self.with_care().retry(policy)
    }

    /// Puts a circuit breaker around it; see [`Call::guarded_by`].
    fn guarded_by<G: CircuitBreaker>(self, breaker: G) -> Sentence<Self, G> {
        self.with_care().guarded_by(breaker)
    }

    /// Sets a limit to the whole; see [`Call::within`].
    fn within(self, limit: Duration) -> Sentence<Self> {
        self.with_care().within(limit)
    }

    /// Nothing yet; for a sentence that begins with another verb of [`Call`].
    fn with_care(self) -> Sentence<Self> {
        Call::new(self, TokioTime::of_process(), ThreadRandom)
    }
}

impl<Op, F, V, E> Resilient for Op
where
    Op: FnMut() -> F,
    F: Future<Output = Result<V, E>>,
{
}

/// The same for a closure that takes the [`Attempt`]: which one it is, and how long there is time.
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
pub fn told<Op, F>(operation: Op) -> Call<Told<Op>, TokioTime, ThreadRandom>
where
    Op: FnMut(Attempt) -> F,
    F: Future,
{
    Call::told(operation, TokioTime::of_process(), ThreadRandom)
}
