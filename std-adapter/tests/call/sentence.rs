//! The sentence of a call: what it begins with, what it says of time, and where it may be awaited.

use std::sync::atomic::{AtomicU32, Ordering};

use steadfast::backoff::Backoff;
use steadfast::breaker::Phase;
use steadfast::call::{CallError, Observe};
use steadfast::deadline::Deadline;
use steadfast::event::CallEvent;
use steadfast::fallback::Source;
use steadfast::outcome::Outcome;
use steadfast::policy;
use steadfast::retry::{RetryPolicy, StopReason};
use steadfast::time::{Duration, millis, secs};
use steadfast_std::call::{ATTEMPT_TIMEOUT, WITHIN, told};
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
async fn a_call_that_hangs_ends_although_nobody_set_a_limit() {
    let hang = || std::future::pending::<Result<(), &str>>();
    let began = now();
    let ended = hang.with_care().call().await.unwrap_err();
    assert!(matches!(ended, CallError::TimedOut { attempts: 1, .. }));
    let took = now().since(began);
    assert!((secs(5)..secs(5) + millis(2)).contains(&took), "{took}");

    let ended = hang.retry(&STEADY).call().await.unwrap_err();
    assert_eq!(ended.attempts(), 4);
    let mut left = Duration::ZERO;
    let ended = told(|attempt| {
        left = attempt.deadline.remaining(now());
        std::future::pending::<Result<(), &str>>()
    });
    assert_eq!(ended.call().await.unwrap_err().attempts(), 1);
    assert_eq!(left, ATTEMPT_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_an_attempt_can_be_set_and_lifted() {
    let an_hour = || async {
        sleep(secs(3_600).to_core()).await;
        Ok::<_, &str>(7)
    };
    let ended = an_hour.attempt_timeout(secs(3_599)).within(Duration::MAX);
    let ended = ended.call().await;
    assert!(matches!(ended, Err(CallError::TimedOut { .. })));
    let lifted = an_hour.attempt_timeout(Duration::MAX).within(Duration::MAX);
    assert_eq!(lifted.call().await, Ok(7));
    let lifted = an_hour.with_care().attempt_timeout(Duration::MAX);
    assert_eq!(lifted.within(Duration::MAX).call().await, Ok(7));
}

/// How long a call took, to the millisecond below.
async fn took<T>(call: impl Future<Output = T>) -> (Duration, T) {
    let began = now();
    let ended = call.await;
    let took = now().since(began);
    (millis(took.as_nanos() / millis(1).as_nanos()), ended)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_a_minute_keeps_nobody_longer_than_half_of_one() {
    let busy = || async { Err::<(), _>("429") };
    let wait = |asked| {
        move |_: &Result<(), &str>| Outcome::Throttled {
            retry_after: Some(asked),
        }
    };
    // It would be too late after the wait, so there is none.
    let (waited, ended) = took(busy.retry(&STEADY).judged_by(wait(secs(60))).call()).await;
    let ended = ended.unwrap_err();
    let stopped = StopReason::DeadlineTooNear {
        delay: secs(60),
        left: WITHIN,
    };
    assert!(
        matches!(ended, CallError::Failed { attempts: 1, stopped: why, .. } if why == stopped),
        "{ended}"
    );
    assert_eq!(
        (waited, ended.retry_after()),
        (Duration::ZERO, Some(secs(60)))
    );
    // Two of 14 s fit in, a third does not.
    let (waited, ended) = took(busy.retry(&STEADY).judged_by(wait(secs(14))).call()).await;
    assert_eq!((waited, ended.unwrap_err().attempts()), (secs(28), 3));

    // Whoever has the time says so, and whoever has none.
    let (waited, ended) = took({
        let call = busy.within(secs(121)).retry(&STEADY);
        call.judged_by(wait(secs(60))).call()
    })
    .await;
    assert_eq!((waited, ended.unwrap_err().attempts()), (secs(120), 3));
    let (waited, ended) = took({
        let call = busy.retry(&STEADY).within(Duration::MAX);
        call.judged_by(wait(secs(60))).call()
    })
    .await;
    assert_eq!((waited, ended.unwrap_err().attempts()), (secs(180), 4));
    let (waited, ended) = took({
        let call = busy.retry(&RetryPolicy::user_facing());
        call.judged_by(wait(secs(3) + millis(1))).call()
    })
    .await;
    assert_eq!((waited, ended.unwrap_err().attempts()), (Duration::ZERO, 1));
    let (waited, ended) = took({
        let call = busy.retry(&RetryPolicy::user_facing());
        call.judged_by(wait(secs(3))).call()
    })
    .await;
    assert_eq!((waited, ended.unwrap_err().attempts()), (secs(6), 3));
}

#[tokio::test(start_paused = true)]
async fn every_sentence_is_over_after_half_a_minute_unless_it_says_otherwise() {
    let hang = || std::future::pending::<Result<(), &str>>();
    let forever = Duration::MAX;
    let (waited, ended) = took(hang.attempt_timeout(forever).call()).await;
    assert_eq!(ended, Err(CallError::DeadlineExceeded { attempts: 1 }));
    assert_eq!(waited, WITHIN);
    let told_of = told(|_| std::future::pending::<Result<(), &str>>());
    let (waited, _) = took(told_of.attempt_timeout(forever).call()).await;
    assert_eq!(waited, WITHIN);
    let (waited, _) = took(hang.with_care().attempt_timeout(forever).call()).await;
    assert_eq!(waited, WITHIN);
    // Nor does a client that has no deadline lift it.
    let call = hang.attempt_timeout(forever).by(Deadline::NEVER);
    let (waited, _) = took(call.call()).await;
    assert_eq!(waited, WITHIN);
    let (waited, _) = took(hang.attempt_timeout(forever).within(secs(90)).call()).await;
    assert_eq!(waited, secs(90));
}

#[tokio::test(start_paused = true)]
async fn half_a_minute_that_nobody_asked_for_cuts_nothing_that_a_sentence_says() {
    let hang = || std::future::pending::<Result<(), &str>>();
    let call = |later| hang.attempt_timeout(Duration::MAX).by(later);
    let later = Deadline::after(now(), secs(100));
    let (waited, ended) = took(call(later).call()).await;
    assert_eq!(ended, Err(CallError::DeadlineExceeded { attempts: 1 }));
    assert_eq!(waited, secs(100));
    // Whoever takes a client's word for it may say how far, in any order.
    let later = Deadline::after(now(), secs(100));
    let (waited, _) = took(call(later).within(secs(40)).call()).await;
    assert_eq!(waited, secs(40));
    let later = Deadline::after(now(), secs(100));
    let (waited, _) = took(
        hang.within(secs(40))
            .attempt_timeout(secs(70))
            .by(later)
            .call(),
    )
    .await;
    assert_eq!(waited, secs(40));

    // One long attempt has its time, one that is told the same.
    let (waited, ended) = took(hang.attempt_timeout(secs(60)).retry(&STEADY).call()).await;
    assert_eq!(ended, Err(CallError::DeadlineExceeded { attempts: 1 }));
    assert_eq!(waited, secs(60));
    let told_of = told(|_| hang()).attempt_timeout(secs(60));
    let (waited, _) = took(told_of.call()).await;
    assert_eq!(waited, secs(60));
    // And so has who is asked next.
    let call = hang.attempt_timeout(secs(60)).or_secondary(|| async {
        sleep(secs(59).to_core()).await;
        Ok::<_, &str>(())
    });
    let (waited, served) = took(call.call()).await;
    assert_eq!(served.unwrap().source, Source::Secondary);
    assert_eq!(waited, secs(119));
}

#[tokio::test(start_paused = true)]
async fn a_second_provider_is_asked_in_time_when_the_first_one_hangs() {
    let hang = || std::future::pending::<Result<u32, &str>>();
    let second = || async {
        sleep(millis(900).to_core()).await;
        Ok::<_, &str>(7)
    };
    // Four attempts of 2 s would take the whole.
    let call = || hang.retry(&STEADY).attempt_timeout(secs(2));
    let (waited, served) = took(call().within(secs(8)).or_secondary(second).call()).await;
    assert_eq!(served.unwrap().source, Source::Secondary);
    assert_eq!(waited, millis(6_900));
    let call = call().within(secs(8)).leaving(secs(1));
    let (waited, served) = took(tokio::spawn(call.or_secondary(second).call())).await;
    assert_eq!(served.unwrap().unwrap().source, Source::Secondary);
    assert_eq!(waited, millis(7_900));
    // And one attempt of as long as nobody said.
    let (waited, served) = took(hang.within(secs(3)).or_secondary(second).call()).await;
    assert_eq!(served.unwrap().source, Source::Secondary);
    assert_eq!(waited, millis(2_400));
}

#[tokio::test(start_paused = true)]
async fn four_attempts_that_hang_and_the_standard_waits_fit_into_the_whole() {
    let hang = || std::future::pending::<Result<(), &str>>();
    let ended = hang.retry(&RetryPolicy::standard()).call().await;
    let ended = ended.unwrap_err();
    assert!(
        matches!(ended, CallError::TimedOut { attempts: 4, .. }),
        "{ended}"
    );
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
