//! Decisions as counters of the `metrics` crate.

use metrics::{Counter, Histogram, counter, gauge, histogram};
use steadfast::event::{LimitEvent, LimitOutcome};
use steadfast::limit::Denied;

use super::key::Key;
use super::observe::Observe;
use crate::LimiterByKey;

/// Counts decisions by the `metrics` facade, for whatever recorder the program has installed.
///
/// | name | kind | labels |
/// |---|---|---|
/// | `steadfast_rate_limit_decisions_total` | counter | `limit`, `outcome` |
/// | `steadfast_rate_limit_retry_after_seconds` | histogram of the waits of those who were denied, or would have been | `limit` |
/// | `steadfast_rate_limit_active_keys` | gauge, see [`Metrics::gauge`] | `limit` |
/// | `steadfast_rate_limit_places` | gauge | `limit` |
/// | `steadfast_rate_limit_crowded_total` | counter: newcomers who found no place | `limit` |
/// | `steadfast_rate_limit_evicted_total` | counter: keys that gave up theirs | `limit` |
///
/// `outcome` is one of [`LimitOutcome::LABELS`]. A refund comes besides the grant that it gives
/// back. These names stay. No label is ever a key, so a flood of addresses makes no flood of
/// series.
///
/// The counters are registered here, once, so that a decision allocates nothing: install the
/// recorder first. A recorder that is only read now and then may keep every wait until it is:
/// Prometheus's exporter, for one, wants its upkeep run.
///
/// ```
/// use steadfast::{limit::TokenBucket, policy};
/// use steadfast_std::RateLimitLayer;
/// use steadfast_std::rate_limit::Metrics;
///
/// let layer = RateLimitLayer::per_client(policy!(TokenBucket::per_minute(100)))
///     .observed_by(Metrics::of("search"));
/// ```
#[derive(Clone)]
pub struct Metrics {
    limit: String,
    by_outcome: [(&'static str, Counter); LimitOutcome::LABELS.len()],
    retry_after: Histogram,
}

impl Metrics {
    /// Registers the counters of the limit with this name.
    pub fn of(limit: &str) -> Self {
        Self {
            by_outcome: LimitOutcome::LABELS.map(|outcome| {
                let counter = counter!(
                    "steadfast_rate_limit_decisions_total",
                    "limit" => limit.to_owned(),
                    "outcome" => outcome
                );
                (outcome, counter)
            }),
            retry_after: histogram!(
                "steadfast_rate_limit_retry_after_seconds",
                "limit" => limit.to_owned()
            ),
            limit: limit.to_owned(),
        }
    }

    /// Brings the gauges up to date. It looks at every place of the table, so call it when the
    /// metrics are asked for, not with each request.
    pub fn gauge(&self, limiter: &impl LimiterByKey) {
        let now = limiter.occupancy();
        let set = |name: &'static str, value: usize| {
            #[allow(
                clippy::cast_precision_loss,
                reason = "a table has at most 2^32 places"
            )]
            gauge!(name, "limit" => self.limit.clone()).set(value as f64);
        };
        set("steadfast_rate_limit_active_keys", now.active);
        set("steadfast_rate_limit_places", now.places);
        let total = |name: &'static str, value| {
            counter!(name, "limit" => self.limit.clone()).absolute(value);
        };
        total("steadfast_rate_limit_crowded_total", now.crowded);
        total("steadfast_rate_limit_evicted_total", now.evicted);
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Metrics").field(&self.limit).finish()
    }
}

impl Observe for Metrics {
    fn observe(&self, event: &LimitEvent<'_>, _: Option<&Key<'_>>) {
        let label = event.outcome.label();
        let counter = self.by_outcome.iter().find(|(known, _)| *known == label);
        if let Some((_, counter)) = counter {
            counter.increment(1);
        }
        if let Some(wait) = event.outcome.denied().and_then(Denied::retry_after) {
            self.retry_after.record(wait.to_core().as_secs_f64());
        }
    }
}
