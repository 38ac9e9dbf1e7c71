//! Targets: a breaker and a budget that many calls share, under one name and one hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use steadfast::breaker::{CircuitBreaker, Phase};
use steadfast::time::{Instant, millis, secs};
use steadfast_std::Resilient;
use tokio::time::{sleep, timeout};

use crate::{STEADY, now, target};

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_in_half_open_frees_its_probe() {
    let target = target();
    let down = || async { Err::<(), _>("down") };
    for _ in 0..2 {
        assert!(down.guarded_by(&target).call().await.is_err());
    }
    assert_eq!(target.standing(now()).phase, Phase::Open);
    sleep(secs(1).to_core()).await;
    let hang = || std::future::pending::<Result<(), &str>>();
    let probe = hang.guarded_by(&target).call();
    assert!(timeout(millis(50).to_core(), probe).await.is_err());
    assert_eq!(target.standing(now()).probes_out, 0);
    let up = || async { Ok::<_, &str>(()) };
    assert_eq!(up.guarded_by(&target).call().await, Ok(()));
    assert_eq!(target.standing(now()).phase, Phase::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_target_is_not_charged_for_a_retry_that_nobody_waits_for() {
    let target = target();
    let taken = AtomicU32::new(0);
    let down = || async { Err::<(), _>("down") };
    let call = down
        .retry(&STEADY)
        .budget(&target)
        .notify(|_, _| taken.store(500 - target.budget_available(now()), Ordering::Relaxed))
        .call();
    assert!(timeout(millis(50).to_core(), call).await.is_err());
    let left = target.budget_available(now());
    assert_eq!((taken.load(Ordering::Relaxed), left), (5, 500));
}

#[tokio::test(start_paused = true)]
async fn calls_of_many_tasks_share_one_breaker_and_one_budget() {
    let target = Arc::new(target());
    let calls = Arc::new(AtomicU32::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (target, calls) = (Arc::clone(&target), Arc::clone(&calls));
        tasks.spawn(async move {
            let fail = || async {
                calls.fetch_add(1, Ordering::Relaxed);
                sleep(millis(5).to_core()).await;
                Err::<(), _>("down")
            };
            fail.retry(&STEADY)
                .budget(&*target)
                .guarded_by(&*target)
                .call()
                .await
        });
    }
    while let Some(done) = tasks.join_next().await {
        assert!(done.unwrap().is_err());
    }
    // 500 tokens, 5 a retry.
    assert_eq!(calls.load(Ordering::Relaxed), 200 + 100);
    assert_eq!(target.budget_available(now()), 0);
    assert_eq!(target.standing(now()).phase, Phase::Open);
}

/// Logs and metrics of one service are found under one name.
#[tokio::test(start_paused = true)]
async fn a_call_without_a_name_is_called_after_its_target() {
    #[derive(Default)]
    struct Names(std::sync::Mutex<Vec<String>>);
    impl steadfast::call::Observe for Names {
        fn attempted(&self, event: &steadfast::event::RetryEvent<'_>) {
            self.0.lock().unwrap().push(event.operation.to_owned());
        }

        fn served(&self, event: &steadfast::event::FallbackEvent<'_>) {
            self.0.lock().unwrap().push(event.operation.to_owned());
        }
    }
    let target = target();
    let names = Names::default();
    let down = || async { Err::<u32, _>("down") };
    let call = down.guarded_by(&target).observed_by(&names);
    assert_eq!(call.or_else(|| 5).call().await.value, 5);
    let call = down.named("quote").guarded_by(&target).observed_by(&names);
    assert!(call.call().await.is_err());
    let call = down.within(secs(1)).observed_by(&names);
    assert!(call.call().await.is_err());
    let names = names.0.into_inner().unwrap();
    assert_eq!(names, ["partner", "partner", "quote", "call"]);
}

#[test]
fn an_operator_holds_a_target_open_and_lets_it_go() {
    let at = Instant::from_secs(60);
    let target = target();
    let change = target.by_hand(at, &(), |breaker, state| breaker.force_open(state, at));
    assert_eq!(change.unwrap().to, Phase::ForcedOpen);
    assert!(target.enter(|| at).is_err());
    let change = target.with_breaker(|breaker, state| breaker.reset(state, at));
    assert_eq!(change.unwrap().to, Phase::Closed);
    assert!(target.enter(|| at).is_ok());
}
