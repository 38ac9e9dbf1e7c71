//! The limits that a sentence has unless it says otherwise, and what they give way to.

use steadfast::call::CallError;
use steadfast::deadline::Deadline;
use steadfast::fallback::Source;
use steadfast::outcome::Outcome;
use steadfast::retry::{RetryPolicy, StopReason};
use steadfast::time::{Duration, millis, secs};
use steadfast_std::Resilient;
use steadfast_std::call::{ATTEMPT_TIMEOUT, WITHIN, told};
use tokio::time::sleep;

use crate::{STEADY, now};

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
