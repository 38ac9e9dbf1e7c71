//! Decisions as events of the `tracing` crate.

use steadfast::event::{LimitEvent, LimitOutcome};
use steadfast::limit::Denied;
use tracing::{Level, event};

use super::key::Key;
use super::observe::Observe;

/// Logs decisions by `tracing`, under the target `steadfast::rate_limit`.
///
/// | outcome | level |
/// |---|---|
/// | `store_full`, `denied_shared`, `without_key` | `WARN` |
/// | `denied`, `degraded`, `would_deny` | `INFO` |
/// | `granted`, `refunded`, `exempt` | `TRACE` |
///
/// Fields: `limit`, `outcome` (the words above, [`LimitOutcome::label`]), `key` (as `Display`
/// shows it, so a secret is a hash; a refund has none), `cost`, and of a no `retry_after_ms`, rounded up. A flood is
/// a line for each denial: filter by level, or count with `Metrics` and look at
/// [`MostDenied`](super::MostDenied).
///
/// ```
/// use steadfast::{limit::TokenBucket, policy};
/// use steadfast_std::RateLimitLayer;
/// use steadfast_std::rate_limit::Traced;
///
/// let layer = RateLimitLayer::per_client(policy!(TokenBucket::per_minute(100)))
///     .observed_by(Traced);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Traced;

/// A level is part of where an event is written down, so each needs a line of its own.
macro_rules! log {
    ($level:expr, $event:expr, $key:expr, $message:literal) => {
        event!(
            target: "steadfast::rate_limit",
            $level,
            limit = $event.limit,
            outcome = $event.outcome.label(),
            key = $key.map(tracing::field::display),
            cost = $event.cost,
            retry_after_ms = retry_after_ms($event),
            $message
        )
    };
}

impl Observe for Traced {
    fn observe(&self, event: &LimitEvent<'_>, key: Option<&Key<'_>>) {
        match event.outcome {
            LimitOutcome::Denied(Denied::StoreFull { .. }) | LimitOutcome::DeniedShared(_) => {
                log!(Level::WARN, event, key, "denied, since the table is full");
            }
            LimitOutcome::WithoutKey => log!(Level::WARN, event, key, "nothing to limit by"),
            LimitOutcome::Denied(_) => log!(Level::INFO, event, key, "denied"),
            LimitOutcome::Degraded(_) => log!(Level::INFO, event, key, "degraded"),
            LimitOutcome::WouldDeny(_) => log!(Level::INFO, event, key, "would be denied"),
            LimitOutcome::Refunded => log!(Level::TRACE, event, key, "given back"),
            _ => log!(Level::TRACE, event, key, "passed"),
        }
    }
}

fn retry_after_ms(event: &LimitEvent<'_>) -> Option<u64> {
    let nanos = event.outcome.denied()?.retry_after()?.as_nanos();
    Some(nanos.div_ceil(1_000_000))
}
