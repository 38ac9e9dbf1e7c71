//! Who is told what a limit did.

use std::sync::Arc;

use steadfast::event::LimitEvent;

use super::key::Key;

/// Is told of every decision of a [`RateLimitLayer`](super::RateLimitLayer); closures are
/// observers too.
///
/// [`MostDenied`](super::MostDenied) comes with this crate, `Traced` with the feature `tracing`
/// and `Metrics` with the feature `metrics`.
///
/// It is called on the request's own task, before the answer: keep it short, and do not block.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use steadfast::event::{LimitEvent, LimitOutcome};
/// use steadfast::{limit::TokenBucket, policy};
/// use steadfast_std::RateLimitLayer;
/// use steadfast_std::rate_limit::Key;
///
/// static DENIED: AtomicU64 = AtomicU64::new(0);
///
/// let layer = RateLimitLayer::per_client(policy!(TokenBucket::per_minute(100)))
///     .observed_by(|event: &LimitEvent<'_>, _: Option<&Key<'_>>| {
///         if let LimitOutcome::Denied(_) = event.outcome {
///             DENIED.fetch_add(1, Ordering::Relaxed);
///         }
///     });
/// ```
pub trait Observe: Send + Sync {
    /// A decision was made, for `key` if the request had one. A refund comes with the answer, when
    /// the key is not at hand any more.
    fn observe(&self, event: &LimitEvent<'_>, key: Option<&Key<'_>>);
}

impl<F: Fn(&LimitEvent<'_>, Option<&Key<'_>>) + Send + Sync> Observe for F {
    fn observe(&self, event: &LimitEvent<'_>, key: Option<&Key<'_>>) {
        self(event, key);
    }
}

impl<O: Observe + ?Sized> Observe for Arc<O> {
    fn observe(&self, event: &LimitEvent<'_>, key: Option<&Key<'_>>) {
        (**self).observe(event, key);
    }
}
