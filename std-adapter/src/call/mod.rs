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
