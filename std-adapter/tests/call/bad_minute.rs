//! A minute in which everything happens that can be told of a call.

use steadfast::backoff::Backoff;
use steadfast::call::CallError;
use steadfast::fallback::Source;
use steadfast::policy;
use steadfast::retry::RetryPolicy;
use steadfast::time::{millis, secs};
use steadfast_std::Resilient;
use tokio::time::sleep;

use crate::target;

/// A call that fails twice, which opens the breaker; one that is refused; one that works; a fallback.
pub async fn a_bad_minute(observer: impl steadfast::call::Observe) {
    use steadfast::retry::StopReason;
    use tokio::time::advance;

    let target = target();
    let policy = policy!(RetryPolicy::new(policy!(Backoff::fixed(millis(100)))).attempts(3));
    let down = || async {
        advance(millis(30).to_core()).await;
        Err::<u32, _>("down")
    };
    let answer = down
        .retry(&policy)
        .named("quote")
        .each_attempt_guarded_by(&target)
        .observed_by(&observer)
        .call()
        .await;
    let opened = StopReason::BreakerOpened;
    assert!(matches!(
        answer,
        Err(CallError::Failed { attempts: 2, stopped, .. }) if stopped == opened
    ));
    let refused = down.guarded_by(&target).named("quote");
    let refused = refused.observed_by(&observer).call().await;
    assert!(matches!(
        refused,
        Err(CallError::Rejected { attempts: 0, .. })
    ));
    sleep(secs(1).to_core()).await;
    let up = || async {
        advance(millis(10).to_core()).await;
        Ok::<_, &str>(7)
    };
    let call = up.guarded_by(&target).named("quote").observed_by(&observer);
    assert_eq!(call.call().await, Ok(7));
    let call = down
        .guarded_by(&target)
        .named("quote")
        .observed_by(&observer);
    assert_eq!(call.or_else(|| 5).call().await.source, Source::Default);
}
