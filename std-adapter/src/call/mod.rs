//! Calling out from a server: the sentence, what all callers of a service share, and who watches.
//!
//! | | |
//! |---|---|
//! | `Resilient`, `told` | what begins a sentence, on tokio's time (feature `tokio`) |
//! | [`Target`] | a service that is called: its breaker and its retry budget |
//! | [`Targets`] | a target a name, so many at most, for names from outside |
//! | [`StaleCache`] | the last good answers to thousands of questions |
//! | `CallMetrics` | calls, attempts, retries, breakers and fallbacks as metrics (feature `metrics`) |
//! | `CallTraced` | the same as log lines (feature `tracing`) |
//! | `unavailable` | the answer to a client whose call came to nothing (feature `tower`) |
//! | `response_outcome` | what an answer of HTTP means to retry and breaker (feature `tower`) |
//!
//! # A partner over HTTP
//!
//! Most clients return `Ok` for a 503. When there is no further attempt the last answer comes back as
//! it is, so whoever takes its body would hand on the partner's error page as the answer. Let the
//! operation make an error of it, which keeps what it was judged to be:
//!
//! ```
//! # #[cfg(all(feature = "tokio", feature = "tower"))]
//! # mod example {
//! use http::{Response, StatusCode};
//! use steadfast::breaker::Breaker;
//! use steadfast::outcome::Outcome;
//! use steadfast::retry::{RetryBudget, RetryPolicy};
//! use steadfast_std::call::{response_outcome, unavailable};
//! use steadfast_std::{Resilient, Target};
//!
//! static PARTNER: Target = Target::new("partner", Breaker::standard(), RetryBudget::standard());
//!
//! enum NoQuote {
//!     NoAnswer(std::io::Error),
//!     Answer(StatusCode, Outcome),
//! }
//!
//! async fn ask(order: u64) -> Result<String, NoQuote> {
//!     let answer = send(order).await.map_err(NoQuote::NoAnswer)?;
//!     match response_outcome(answer.status(), answer.headers()) {
//!         Outcome::Success => Ok(answer.into_body()),
//!         outcome => Err(NoQuote::Answer(answer.status(), outcome)),
//!     }
//! }
//!
//! fn judge(quote: &Result<String, NoQuote>) -> Outcome {
//!     match quote {
//!         Err(NoQuote::Answer(_, outcome)) => *outcome,
//!         other => Outcome::of(other),
//!     }
//! }
//!
//! async fn quote(order: u64) -> Result<String, Response<String>> {
//!     (|| ask(order))
//!         .retry(&RetryPolicy::user_facing())
//!         .budget(&PARTNER)
//!         .guarded_by(&PARTNER)
//!         .judged_by(judge)
//!         .call()
//!         .await
//!         .map_err(|error| unavailable(&error)) // 502, 503 or 504
//! }
//!
//! // Your client of HTTP.
//! async fn send(_: u64) -> std::io::Result<Response<String>> {
//!     let mut answer = Response::new("Down for maintenance".to_owned());
//!     *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
//!     Ok(answer)
//! }
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # pub async fn main() {
//! #     for _ in 0..5 {
//! #         assert_eq!(quote(7).await.unwrap_err().status(), 502);
//! #     }
//! #     let refused = quote(7).await.unwrap_err();
//! #     assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
//! #     assert_eq!(refused.headers()["retry-after"], "30");
//! # }
//! # }
//! # #[cfg(all(feature = "tokio", feature = "tower"))]
//! # example::main();
//! ```

#[cfg(feature = "metrics")]
mod metrics;
mod mutex;
mod own_seed;
#[cfg(feature = "tokio")]
mod resilient;
#[cfg(feature = "tower")]
mod response_outcome;
mod stale_cache;
mod stripes;
mod target;
mod targets;
mod thread_number;
#[cfg(feature = "tracing")]
mod traced;
#[cfg(feature = "tower")]
mod unavailable;

#[cfg(feature = "metrics")]
pub use metrics::CallMetrics;
pub use mutex::MutexLocked;
#[cfg(feature = "tokio")]
pub use resilient::{ATTEMPT_TIMEOUT, Resilient, WITHIN, told};
#[cfg(feature = "tower")]
pub use response_outcome::response_outcome;
pub use stale_cache::{CachedAt, StaleCache};
pub use target::Target;
pub use targets::Targets;
#[cfg(feature = "tracing")]
pub use traced::CallTraced;
#[cfg(feature = "tower")]
pub use unavailable::unavailable;
