//! What the client of a server hears when the server could not call out, and what it takes it for.

use http::{HeaderMap, HeaderValue, StatusCode};
use steadfast::breaker::Rejected;
use steadfast::call::CallError;
use steadfast::outcome::Outcome;
use steadfast::time::{millis, secs};
use steadfast_std::call::{response_outcome, unavailable};

#[test]
fn a_client_is_told_by_status_header_and_body_what_to_do() {
    let rejected = Rejected::Open {
        retry_after: millis(1),
    };
    for (error, status, retry_after, retried_below, says) in [
        (
            CallError::Rejected {
                rejected,
                attempts: 0,
            },
            503,
            Some("1"),
            None,
            "is unavailable. Try again in 1 second.",
        ),
        (
            CallError::DeadlineExceeded::<&str> { attempts: 2 },
            504,
            None,
            Some("2"),
            "did not answer in time. Try again later.",
        ),
    ] {
        let answer: http::Response<String> = unavailable(&error);
        assert_eq!(answer.status(), status);
        let told = |name| {
            let value = answer.headers().get(name);
            value.map(|value: &HeaderValue| value.to_str().unwrap())
        };
        assert_eq!(told("retry-after"), retry_after);
        assert_eq!(told("retried-below"), retried_below);
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert!(answer.body().contains(says), "{}", answer.body());
    }
}

/// What an answer with these headers is taken for.
fn outcome(status: u16, headers: &[(&'static str, &[u8])]) -> Outcome {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_bytes(value).unwrap());
    }
    response_outcome(StatusCode::from_u16(status).unwrap(), &map)
}

#[test]
fn an_answer_is_read_by_its_status_and_its_headers() {
    let transient = |wait| Outcome::Transient { retry_after: wait };
    assert_eq!(outcome(200, &[]), Outcome::Success);
    assert_eq!(outcome(404, &[("retry-after", b"7")]), Outcome::Ignored);
    assert_eq!(outcome(503, &[]), transient(None));
    let seven: (_, &[u8]) = ("retry-after", b"7");
    assert_eq!(outcome(529, &[seven]), transient(Some(secs(7))));
    let throttled = Outcome::Throttled {
        retry_after: Some(secs(7)),
    };
    assert_eq!(outcome(429, &[seven]), throttled);
    // By the server's clock, if it says what that shows.
    let date: (_, &[u8]) = ("date", b"Sun, 06 Nov 1994 08:49:30 GMT");
    let at: (_, &[u8]) = ("retry-after", b"Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(outcome(503, &[date, at]), transient(Some(secs(7))));
    assert_eq!(outcome(503, &[at]), transient(None), "long ago");
    // Of two the first.
    let nine: (_, &[u8]) = ("retry-after", b"9");
    assert_eq!(outcome(503, &[seven, nine]), transient(Some(secs(7))));
    for nonsense in [&b"soon"[..], b"", b"0", b"\xff"] {
        let outcome = outcome(503, &[("retry-after", nonsense)]);
        assert_eq!(outcome, transient(None), "{nonsense:?}");
    }
}

#[test]
fn an_answer_that_was_retried_below_is_not_retried_here() {
    let four: (_, &[u8]) = ("retried-below", b"4");
    let wait: (_, &[u8]) = ("retry-after", b"7");
    assert_eq!(outcome(503, &[four, wait]), Outcome::Exhausted);
    let throttled = Outcome::ThrottledBelow {
        retry_after: Some(secs(7)),
    };
    assert_eq!(outcome(429, &[four, wait]), throttled);
    let once: (_, &[u8]) = ("retried-below", b"1");
    assert_eq!(outcome(503, &[once, wait]), Outcome::Exhausted);
    assert_eq!(outcome(200, &[four]), Outcome::Success);
    assert_eq!(outcome(501, &[four]), Outcome::Failure);
    for nonsense in [&b"0"[..], b"", b"many", b"\xff"] {
        let outcome = outcome(503, &[("retried-below", nonsense)]);
        assert_eq!(outcome, Outcome::TRANSIENT, "{nonsense:?}");
    }
}
