//! Calling out on tokio's paused clock: the sentence, targets, the cache, and who is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use steadfast::backoff::Backoff;
use steadfast::breaker::{Breaker, CircuitBreaker, Phase};
use steadfast::call::CallError;
use steadfast::fallback::{Freshness, Source};
use steadfast::policy;
use steadfast::retry::{RetryBudget, RetryPolicy};
use steadfast::time::{Clock, Duration, Instant, millis, secs};
use steadfast_std::call::{ATTEMPT_TIMEOUT, told};
use steadfast_std::{Resilient, StaleCache, Target, TokioTime, block_on};
use tokio::time::{sleep, timeout};

/// 100, 200, 400 ms.
const STEADY: RetryPolicy =
    policy!(RetryPolicy::new(policy!(Backoff::exponential(millis(100)))).attempts(4));

/// Opens at the second failure, for a second.
const BREAKER: Breaker = policy!(Breaker::consecutive(2).open_for(secs(1)).close_after(1));

fn now() -> Instant {
    TokioTime::of_process().now()
}

fn target() -> Target {
    Target::new("partner", BREAKER, RetryBudget::standard())
}

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
    let ended = an_hour.attempt_timeout(secs(3_599)).call().await;
    assert!(matches!(ended, Err(CallError::TimedOut { .. })));
    let lifted = an_hour.attempt_timeout(Duration::MAX).call();
    assert_eq!(lifted.await, Ok(7));
    let lifted = an_hour.with_care().attempt_timeout(Duration::MAX);
    assert_eq!(lifted.call().await, Ok(7));
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
    assert_eq!(down.or_else(|| 5).call().await.value, 5);
    assert!(down.with_care().named("quote").call().await.is_err());
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

#[tokio::test(start_paused = true)]
async fn what_was_good_serves_until_it_is_too_old() {
    let cache = StaleCache::new(policy!(Freshness::up_to(secs(300))), 2).unwrap();
    let ask = async |answer: Result<u32, &'static str>| {
        let fetch = move || async move { answer };
        let served = fetch
            .with_care()
            .or_stale(cache.at("tea"))
            .or_else(|| 0)
            .call()
            .await;
        (served.value, served.source, served.age)
    };
    assert_eq!(ask(Ok(7)).await, (7, Source::Primary, Duration::ZERO));
    sleep(secs(299).to_core()).await;
    let (value, source, age) = ask(Err("down")).await;
    assert_eq!((value, source), (7, Source::Stale));
    assert!((secs(299)..secs(300)).contains(&age));
    sleep(secs(1).to_core()).await;
    assert_eq!(ask(Err("down")).await, (0, Source::Default, Duration::ZERO));
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
fn a_cache_is_bounded_and_keeps_what_is_used() {
    let cache = StaleCache::standard(2).unwrap();
    let at = Instant::from_secs(60);
    for (key, value) in [("tea", 1), ("rice", 2)] {
        cache.put(key, value, at);
    }
    assert_eq!(cache.get(&"tea", at).unwrap().value, 1);
    cache.put("salt", 3, at);
    assert!(cache.get(&"rice", at).is_none(), "used longest ago");
    assert_eq!((cache.len(), cache.is_empty()), (2, false));
    cache.invalidate(&"tea");
    assert!(cache.get(&"tea", at).is_none());
    assert!(cache.fresh(&"salt", at).is_none(), "never fresh by default");

    let none = StaleCache::<u8, u8>::standard(0).unwrap_err();
    assert_eq!(none.to_string(), "capacity = 0, allowed 1..=4294967295");
}

/// An answer that asks the cache it lies in, when it is cloned.
#[test]
fn an_answer_is_cloned_outside_the_lock() {
    use std::sync::OnceLock;
    use std::sync::mpsc::channel;

    static CACHE: OnceLock<StaleCache<u8, Curious>> = OnceLock::new();

    #[derive(Debug)]
    struct Curious(usize);
    impl Clone for Curious {
        fn clone(&self) -> Self {
            Self(CACHE.get().map_or(0, StaleCache::len))
        }
    }

    let (tell, told) = channel();
    std::thread::spawn(move || {
        let at = Instant::from_secs(60);
        let cache = CACHE.get_or_init(|| StaleCache::standard(2).unwrap());
        cache.put(1, Curious(0), at);
        let _ = tell.send(cache.get(&1, at).unwrap().value.0);
    });
    // Only where the clone waits for the lock for ever does the time matter.
    let seen = told.recv_timeout(std::time::Duration::from_secs(60));
    assert_eq!(seen, Ok(1));
}

#[test]
fn an_operator_holds_a_target_open_and_lets_it_go() {
    let at = Instant::from_secs(60);
    let target = target();
    let change = target.with_breaker(|breaker, state| breaker.force_open(state, at));
    assert_eq!(change.unwrap().to, Phase::ForcedOpen);
    assert!(target.enter(|| at).is_err());
    let change = target.with_breaker(|breaker, state| breaker.reset(state, at));
    assert_eq!(change.unwrap().to, Phase::Closed);
    assert!(target.enter(|| at).is_ok());
}

#[cfg(feature = "tower")]
#[test]
fn a_client_is_told_by_status_header_and_body_what_to_do() {
    use steadfast::breaker::Rejected;
    use steadfast_std::call::unavailable;

    let rejected = Rejected::Open {
        retry_after: millis(1),
    };
    for (error, status, retry_after, says) in [
        (
            CallError::Rejected {
                rejected,
                attempts: 0,
            },
            503,
            Some("1"),
            "is down. Try again in 1 second.",
        ),
        (
            CallError::DeadlineExceeded::<&str> { attempts: 2 },
            504,
            None,
            "did not answer in time. Try again later.",
        ),
    ] {
        let answer: http::Response<String> = unavailable(&error);
        assert_eq!(answer.status(), status);
        let told = answer.headers().get("retry-after");
        assert_eq!(told.map(|value| value.to_str().unwrap()), retry_after);
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert!(answer.body().contains(says), "{}", answer.body());
    }
}

/// A call that fails twice, which opens the breaker; one that is refused; one that works; a fallback.
#[cfg(any(feature = "metrics", feature = "tracing"))]
async fn a_bad_minute(observer: impl steadfast::call::Observe) {
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

#[cfg(feature = "metrics")]
mod counted {
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};
    use steadfast_std::call::CallMetrics;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn calls_are_counted_under_names_that_stay() {
        let recorder = DebuggingRecorder::new();
        let snapshots = recorder.snapshotter();
        let metrics = metrics::with_local_recorder(&recorder, || CallMetrics::of("partner"));
        a_bad_minute(&metrics).await;
        let mut seen: Vec<_> = snapshots
            .snapshot()
            .into_vec()
            .into_iter()
            .filter_map(|(key, _, _, value)| {
                let key = key.key();
                let labels: Vec<_> = key.labels().map(metrics::Label::value).collect();
                let name = key.name().strip_prefix("steadfast_").unwrap();
                match value {
                    DebugValue::Counter(0) => None,
                    DebugValue::Counter(count) => Some(format!("{name} {labels:?} {count}")),
                    DebugValue::Gauge(value) => Some(format!("{name} {labels:?} {value}")),
                    DebugValue::Histogram(values) => {
                        let values: Vec<_> = values.iter().map(|value| value.0).collect();
                        Some(format!("{name} {labels:?} {values:?}"))
                    }
                }
            })
            .collect();
        seen.sort();
        assert_eq!(
            seen,
            [
                r#"breaker_events_total ["partner", "closed"] 1"#,
                r#"breaker_events_total ["partner", "failure"] 3"#,
                r#"breaker_events_total ["partner", "half_opened"] 1"#,
                r#"breaker_events_total ["partner", "opened"] 1"#,
                r#"breaker_events_total ["partner", "rejected"] 1"#,
                r#"breaker_events_total ["partner", "success"] 1"#,
                r#"breaker_state ["partner"] 0"#,
                r#"call_attempt_seconds ["partner"] [0.03, 0.03, 0.01, 0.03]"#,
                r#"call_attempts_total ["partner", "success"] 1"#,
                r#"call_attempts_total ["partner", "transient"] 3"#,
                r#"call_retry_delay_seconds ["partner"] [0.1]"#,
                r#"call_steps_total ["partner", "attempts_spent"] 1"#,
                r#"call_steps_total ["partner", "breaker_opened"] 1"#,
                r#"call_steps_total ["partner", "retry"] 1"#,
                r#"call_steps_total ["partner", "succeeded"] 1"#,
                r#"fallback_answers_total ["partner", "default"] 1"#,
                r#"fallback_stages_total ["partner", "primary_failure"] 1"#,
            ]
        );
    }
}

#[cfg(feature = "tracing")]
mod traced {
    use std::io::Write;
    use std::sync::Mutex;

    use steadfast::outcome::Outcome;
    use steadfast_std::call::CallTraced;
    use tracing::Level;
    use tracing::instrument::WithSubscriber;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What `work` logs.
    async fn logged(work: impl Future<Output = ()>) -> String {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .without_time()
            .with_max_level(Level::DEBUG)
            .with_writer(move || writer.clone())
            .finish();
        work.with_subscriber(subscriber).await;
        let written = log.0.lock().unwrap().clone();
        String::from_utf8(written).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn calls_are_logged_with_operation_attempt_delay_and_reason() {
        let log = logged(a_bad_minute(&CallTraced)).await;
        let lines: Vec<_> = log.lines().map(str::trim).collect();
        let expected = [
            r#"INFO steadfast::call: failed, and is tried again operation="quote" attempt=1 max_attempts=3 outcome="transient" took_ms=30 delay_ms=100"#,
            r#"WARN steadfast::call: closed -> open: 2 failures in a row breaker="partner" from="closed" to="open" cause="failures""#,
            r#"WARN steadfast::call: failed operation="quote" attempt=2 max_attempts=3 outcome="transient" took_ms=30 reason="breaker_opened""#,
        ];
        assert_eq!(lines[..3], expected, "{log}");
        let refused = lines[3];
        assert!(
            refused.starts_with("DEBUG steadfast::call: refused: the breaker is open")
                && refused.contains(r#"breaker="partner" retry_after_ms="#),
            "{refused}"
        );
        let expected = [
            r#"INFO steadfast::call: open -> half_open: the open time is over breaker="partner" from="open" to="half_open" cause="open_time_over""#,
            r#"INFO steadfast::call: half_open -> closed: 1 probe worked breaker="partner" from="half_open" to="closed" cause="recovered""#,
            r#"WARN steadfast::call: failed operation="quote" attempt=1 max_attempts=1 outcome="transient" took_ms=30 reason="attempts_spent""#,
            r#"INFO steadfast::call: answered by a fallback operation="quote" source="default" age_ms=0"#,
        ];
        assert_eq!(lines[4..], expected, "{log}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_answer_says_decides_how_loud_it_is_logged() {
        let log = logged(async {
            for outcome in [
                Outcome::Ignored,
                Outcome::Cancelled,
                Outcome::Rejected,
                Outcome::Throttled { retry_after: None },
                Outcome::Exhausted,
                Outcome::Failure,
                Outcome::TRANSIENT,
            ] {
                let down = || async { Err::<u32, _>("no such order") };
                let call = down.with_care().judged_by(|_| outcome).named("quote");
                assert!(call.observed_by(&CallTraced).call().await.is_err());
            }
        });
        let log = log.await;
        let lines: Vec<_> = log
            .lines()
            .map(|line| line.trim().split(" operation=").next().unwrap())
            .collect();
        assert_eq!(
            lines,
            [
                "DEBUG steadfast::call: answered no",
                "DEBUG steadfast::call: given up",
                "DEBUG steadfast::call: not sent",
                "INFO steadfast::call: throttled",
                "WARN steadfast::call: failed",
                "WARN steadfast::call: failed",
                "WARN steadfast::call: failed",
            ]
        );
        let no = log.lines().next().unwrap();
        let fields =
            r#"operation="quote" attempt=1 max_attempts=1 outcome="ignored" took_ms=0 reason="#;
        assert!(no.contains(fields), "{no}");
    }
}
