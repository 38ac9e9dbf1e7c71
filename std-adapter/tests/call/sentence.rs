//! The sentence of a call: what it begins with, what it says of time, and where it may be awaited.

use std::sync::atomic::{AtomicU32, Ordering};

use steadfast::backoff::Backoff;
use steadfast::breaker::Phase;
use steadfast::call::{CallError, Observe};
use steadfast::event::CallEvent;
use steadfast::fallback::Source;
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::retry::RetryPolicy;
use steadfast::time::{Duration, millis, secs};
use steadfast_std::call::told;
use steadfast_std::{Resilient, block_on};
use tokio::time::{sleep, timeout};

use crate::{STEADY, now, target};

#[tokio::test(start_paused = true)]
async fn an_async_function_is_tried_again_on_the_clock_of_the_runtime() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    async fn fetch() -> Result<u32, &'static str> {
        sleep(millis(10).to_core()).await;
        match CALLS.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => Err("refused"),
            calls => Ok(calls),
        }
    }
    let began = now();
    assert_eq!(fetch.retry(&STEADY).call().await, Ok(2));
    let took = now().since(began);
    // tokio's timer rounds each of five waits up to a millisecond.
    assert!((millis(330)..millis(336)).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_hangs_is_given_up_by_the_deadline_and_a_default_serves() {
    let target = target();
    let began = now();
    let hang = || std::future::pending::<Result<u32, &str>>();
    let served = hang
        .retry(&STEADY)
        .budget(&target)
        .guarded_by(&target)
        .attempt_timeout(secs(3))
        .within(secs(8))
        .or_else(|| 5)
        .call()
        .await;
    assert_eq!((served.value, served.source), (5, Source::Default));
    let took = now().since(began);
    assert!((secs(8)..secs(8) + millis(2)).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn a_replica_is_asked_within_what_the_service_has_left_of_the_time() {
    let hang = || std::future::pending::<Result<u32, &str>>();
    let replica = |takes: Duration| {
        move || async move {
            sleep(takes.to_core()).await;
            Ok::<_, std::io::Error>(7)
        }
    };
    // The retries end before the whole does: after two attempts, with more than 3 s left.
    let early = policy!(RetryPolicy::new(Backoff::standard()).max_elapsed(secs(3)));
    let ask = |takes| {
        hang.retry(&early)
            .attempt_timeout(secs(2))
            .within(secs(8))
            .or_secondary(replica(takes))
            .or_else(|| 5)
    };
    let began = now();
    let served = tokio::spawn(ask(secs(1)).call()).await.unwrap();
    assert_eq!((served.value, served.source), (7, Source::Secondary));
    assert_eq!(served.missed.to_string(), "primary");
    assert!(now().since(began) < secs(8));

    let began = now();
    let served = ask(secs(3)).call().await;
    assert_eq!((served.value, served.source), (5, Source::Default));
    assert_eq!(served.missed.to_string(), "primary, secondary");
    assert!(now().since(began) < secs(8));

    // Where nobody says how long: as long as an attempt.
    let began = now();
    let hangs_too = hang.or_secondary(hang).call().await;
    assert!(hangs_too.is_err());
    let took = now().since(began);
    assert!((secs(10)..secs(10) + millis(3)).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn a_sentence_begins_with_any_of_the_verbs() {
    let target = target();
    let down = || async { Err::<u32, _>("down") };
    assert_eq!(down.retry(&STEADY).call().await.unwrap_err().attempts(), 4);
    assert!(down.guarded_by(&target).call().await.is_err());
    assert_eq!(target.standing(now()).totals.failures, 1);
    let full = target.budget_available(now());
    assert!(down.budget(&target).retry(&STEADY).call().await.is_err());
    assert!(target.budget_available(now()) < full);
    let none = down.within(Duration::ZERO).call().await.unwrap_err();
    assert_eq!(none, CallError::DeadlineExceeded { attempts: 0 });
    assert!(down.attempt_timeout(secs(1)).call().await.is_err());
    for (may_repeat, attempts) in [(false, 1), (true, 4)] {
        let call = down.repeatable_if(may_repeat).retry(&STEADY);
        assert_eq!(call.call().await.unwrap_err().attempts(), attempts);
    }
    assert_eq!(down.or_else(|| 5).call().await.value, 5);
    assert!(down.with_care().named("quote").call().await.is_err());
}

/// A client that hangs up, or a handler under a timeout of its own: the future is dropped.
#[tokio::test(start_paused = true)]
async fn who_leaves_late_is_held_against_a_service_that_hangs() {
    let hang = || std::future::pending::<Result<u32, &str>>();
    for (counts_after, phase) in [(secs(2), Phase::Open), (secs(4), Phase::Closed)] {
        let target = target();
        for _ in 0..2 {
            let call = hang
                .guarded_by(&target)
                .given_up_counts_after(counts_after)
                .call();
            assert!(timeout(secs(3).to_core(), call).await.is_err());
        }
        assert_eq!(target.standing(now()).phase, phase);

        let target = crate::target();
        for _ in 0..2 {
            let call = told(|_| hang())
                .each_attempt_guarded_by(&target)
                .given_up_counts_after(counts_after)
                .call();
            assert!(timeout(secs(3).to_core(), call).await.is_err());
        }
        assert_eq!(target.standing(now()).phase, phase);
    }
}

/// The clock is read where no runtime is any more.
#[test]
fn a_call_that_is_dropped_with_its_runtime_is_told_too() {
    #[derive(Clone, Copy)]
    struct Ends;
    static ENDED: AtomicU32 = AtomicU32::new(0);
    impl Observe for Ends {
        fn ended(&self, event: &CallEvent<'_>) {
            assert_eq!(event.outcome.label(), "timed_out");
            ENDED.fetch_add(1, Ordering::Relaxed);
        }
    }
    let hang = || std::future::pending::<Result<u32, &str>>();
    let call = || {
        hang.with_care()
            .given_up_counts_after(Duration::ZERO)
            .observed_by(Ends)
            .call()
    };
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().build().unwrap();
    runtime.spawn(call());
    let mut outlives = Box::pin(call());
    runtime.block_on(async {
        tokio::task::yield_now().await;
        assert!(
            timeout(Duration::ZERO.to_core(), &mut outlives)
                .await
                .is_err()
        );
    });
    drop(runtime);
    assert_eq!(ENDED.load(Ordering::Relaxed), 1);
    drop(outlives);
    assert_eq!(ENDED.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn two_layers_of_retries_do_not_multiply_if_the_upper_one_is_told() {
    let calls = AtomicU32::new(0);
    let ask = || async {
        calls.fetch_add(1, Ordering::Relaxed);
        Err::<(), _>("down")
    };
    let below = || ask.retry(&STEADY).call();
    let above = below.retry(&STEADY).judged_by(CallError::outcome_of);
    assert!(above.call().await.is_err());
    assert_eq!(calls.load(Ordering::Relaxed), 4);
}

/// The clock can be read anywhere; only a wait needs the runtime.
#[test]
#[should_panic = "no reactor running"]
fn a_call_that_waits_outside_of_a_runtime_panics() {
    let up = || async { Ok::<_, &str>(7) };
    assert_eq!(block_on(up.retry(&STEADY).call()), Ok(7));
    let down = || async { Err::<(), _>("down") };
    let _ = block_on(down.retry(&STEADY).call());
}

/// That it compiles is the test: the bounds of a closure that judges are looked at once more, without
/// the lifetime of what is behind the `dyn`.
#[tokio::test(start_paused = true)]
async fn every_sentence_can_be_spawned_whose_error_is_a_boxed_one() {
    type Boxed = Box<dyn std::error::Error + Send + Sync>;
    async fn fetch() -> Result<u32, Boxed> {
        Err("refused".into())
    }
    let judged = tokio::spawn(async {
        let call = fetch.retry(&STEADY).judged_by(|result| match result {
            Ok(_) => Outcome::Success,
            Err(_) => Outcome::Failure,
        });
        call.call().await.map_err(|error| error.attempts())
    });
    assert_eq!(judged.await.unwrap(), Err(1));
    let backed = tokio::spawn(async {
        let call = fetch.retry(&STEADY).notify(|_, error| {
            assert!(error.is_some_and(|error| error.to_string() == "refused"));
        });
        call.or_secondary(fetch).or_else(|| 5).call().await
    });
    assert_eq!(backed.await.unwrap().source, Source::Default);
    let unwell = tokio::spawn(async {
        let call = fetch.with_care().judged_by(Outcome::of);
        call.or_else_if_unwell(|| 5).call().await.is_ok()
    });
    assert!(unwell.await.unwrap());
}
