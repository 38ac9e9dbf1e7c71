//! Calls as events of `tracing`: the words, the fields and how loud they are.

use std::future::pending;
use std::io::Write;
use std::sync::{Arc, Mutex};

use steadfast::fallback::LastGood;
use steadfast::outcome::Outcome;
use steadfast::time::{Duration, millis};
use steadfast_std::Resilient;
use steadfast_std::call::CallTraced;
use tokio::time::timeout;
use tracing::Level;
use tracing::instrument::WithSubscriber;

use crate::bad_minute::a_bad_minute;

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
    let failed = r#"INFO steadfast::call: the call failed operation="quote" result="failure" attempts=2 took_ms=160 reason="breaker_opened""#;
    assert_eq!(lines[3], failed, "{log}");
    let refused = lines[4];
    assert!(
        refused.starts_with("DEBUG steadfast::call: refused: the breaker is open")
            && refused.contains(r#"breaker="partner" retry_after_ms="#),
        "{refused}"
    );
    let expected = [
        r#"DEBUG steadfast::call: the call was refused operation="quote" result="rejected" attempts=0 took_ms=0"#,
        r#"INFO steadfast::call: open -> half_open: the open time is over breaker="partner" from="open" to="half_open" cause="open_time_over""#,
        r#"INFO steadfast::call: half_open -> closed: 1 probe worked breaker="partner" from="half_open" to="closed" cause="recovered""#,
        r#"WARN steadfast::call: failed operation="quote" attempt=1 max_attempts=1 outcome="transient" took_ms=30 reason="attempts_spent""#,
        r#"INFO steadfast::call: the call failed operation="quote" result="failure" attempts=1 took_ms=30 reason="attempts_spent""#,
        r#"INFO steadfast::call: answered by a fallback operation="quote" source="default" missed=primary age_ms=0"#,
    ];
    assert_eq!(lines[5..], expected, "{log}");
}

#[tokio::test(start_paused = true)]
async fn what_an_answer_says_decides_how_loud_it_is_logged() {
    let log = logged(async {
        for outcome in [
            Outcome::Ignored,
            Outcome::Cancelled,
            Outcome::Rejected,
            Outcome::Throttled { retry_after: None },
            Outcome::ThrottledBelow { retry_after: None },
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
            "DEBUG steadfast::call: the call was answered no",
            "DEBUG steadfast::call: given up",
            "DEBUG steadfast::call: the call was given up",
            "DEBUG steadfast::call: not sent",
            "DEBUG steadfast::call: the call was not sent",
            "INFO steadfast::call: throttled",
            "INFO steadfast::call: the call was throttled",
            "INFO steadfast::call: throttled",
            "INFO steadfast::call: the call was throttled",
            "WARN steadfast::call: failed",
            "INFO steadfast::call: the call failed",
            "WARN steadfast::call: failed",
            "INFO steadfast::call: the call failed",
            "WARN steadfast::call: failed",
            "INFO steadfast::call: the call failed",
        ]
    );
    let no = log.lines().next().unwrap();
    let fields =
        r#"operation="quote" attempt=1 max_attempts=1 outcome="ignored" took_ms=0 reason="#;
    assert!(no.contains(fields), "{no}");
}

/// What nobody else says: time ran out, or the caller left.
#[tokio::test(start_paused = true)]
async fn a_call_that_ends_without_an_attempt_of_its_own_is_logged_too() {
    let hang = || pending::<Result<u32, &str>>();
    let log = logged(async {
        let call = hang.named("quote").within(Duration::ZERO);
        assert!(call.observed_by(&CallTraced).call().await.is_err());
        for waited in [millis(400), millis(600)] {
            let call = hang
                .named("quote")
                .given_up_counts_after(millis(500))
                .observed_by(&CallTraced);
            assert!(timeout(waited.to_core(), call.call()).await.is_err());
        }
    });
    let log = log.await;
    let lines: Vec<_> = log.lines().map(str::trim).collect();
    let expected = [
        r#"WARN steadfast::call: the deadline of the call has passed operation="quote" result="deadline_exceeded" attempts=0 took_ms=0"#,
        r#"DEBUG steadfast::call: the call was given up operation="quote" result="cancelled" attempts=1 took_ms="#,
        r#"WARN steadfast::call: the call was given up late operation="quote" result="timed_out" attempts=1 took_ms="#,
    ];
    assert_eq!(lines.len(), 3, "{log}");
    for (line, begins) in lines.iter().zip(expected) {
        assert!(line.starts_with(begins), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_asked_in_vain_is_logged_with_the_answer() {
    let log = logged(async {
        let mut last = LastGood::standard();
        let down = || async { Err::<u32, _>("down") };
        let call = down.named("quote").observed_by(&CallTraced);
        assert_eq!(call.or_stale(&mut last).or_else(|| 5).call().await.value, 5);
    });
    let log = log.await;
    let served = r#"source="default" missed=primary, stale age_ms=0"#;
    assert!(log.lines().last().unwrap().ends_with(served), "{log}");
}
