//! What is read in an answer: whose `Retry-After` counts, whose clock a date is by, what of it is
//! believed, and what is left of a quota.

use steadfast::limit::ServerHold;
use steadfast::policy;
use steadfast::time::{Duration, Instant, days, hours, millis, secs};
use steadfast_std::pace::PaceError;
use steadfast_std::{PaceLayer, TokioTime};
use tower::{Layer, Service, ServiceExt};

use crate::{PLENTY, Server, at_once, come};

/// Of answers other than 403, 429 and 503 it is about something else.
#[tokio::test(start_paused = true)]
async fn retry_after_of_an_accepted_job_or_a_redirect_holds_nobody() {
    let time = TokioTime::new();
    let server = Server::new(time);
    let layer = PaceLayer::new(PLENTY, time);
    let mut client = layer.layer(server.clone());
    for status in [200, 202, 301, 404, 413, 500] {
        server.will_say(status, &[("Retry-After", "3")]);
        client.call(0).await.unwrap();
        assert_eq!(layer.held_for(), Duration::ZERO, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_date_is_read_by_the_answers_own_clock() {
    let time = TokioTime::new();
    let server = Server::new(time);
    let layer = PaceLayer::new(PLENTY, time);
    let mut client = layer.layer(server.clone());
    // A server whose clock is decades behind.
    server.will_say(
        503,
        &[
            ("Retry-After", "Sun, 06 Nov 1994 08:49:40 GMT"),
            ("Date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ],
    );
    client.call(0).await.unwrap();
    assert_eq!(layer.held_for(), secs(3));
    come(&client, 1).await.await.unwrap().unwrap();
    assert_eq!(server.came()[1], (1, Instant::from_secs(3)));

    // By ours, that is long ago, and the year 9999 is as far away as can be.
    server.will_say(503, &[("Retry-After", "Sun, 06 Nov 1994 08:49:40 GMT")]);
    client.call(2).await.unwrap();
    assert_eq!(layer.held_for(), Duration::ZERO);
    server.will_say(503, &[("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT")]);
    client.call(3).await.unwrap();
    assert_eq!(layer.held_for(), days(1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_out_of_a_cache_holds_for_what_is_left_of_its_wait() {
    let time = TokioTime::new();
    let server = Server::new(time);
    let layer = PaceLayer::new(PLENTY, time);
    let mut client = layer.layer(server.clone());
    for (age, held) in [("9", 0), ("3", 0), ("1", 2), ("0", 3), ("soon", 3)] {
        layer.release();
        server.will_say(503, &[("Retry-After", "3"), ("Age", age)]);
        client.call(0).await.unwrap();
        assert_eq!(layer.held_for(), secs(held), "{age}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_server_sends_by_mistake_is_ignored_or_bounded() {
    let time = TokioTime::new();
    let server = Server::new(time);
    let layer = PaceLayer::new(PLENTY, time);
    let mut client = layer.layer(server.clone());
    for junk in ["", "soon", "-1", "0", "1e18", "3.5", "3, 3", "NaN"] {
        server.will_say(429, &[("Retry-After", junk)]);
        client.call(0).await.unwrap();
        assert_eq!(layer.held_for(), Duration::ZERO, "{junk:?}");
    }
    server.will_say(429, &[]);
    client.call(0).await.unwrap();
    assert_eq!(layer.held_for(), Duration::ZERO, "a bare 429");

    server.will_say(429, &[("Retry-After", "1000000000000000000")]);
    client.call(0).await.unwrap();
    let error = at_once(&mut client.call(1)).unwrap().unwrap_err();
    let retry_after = days(1);
    assert_eq!(error, PaceError::TooLong { retry_after });
    tokio::time::advance((days(1) - millis(1)).to_core()).await;
    let mut last = client.call(2);
    assert!(
        at_once(&mut last).is_none(),
        "a millisecond can be waited for"
    );
    last.await.unwrap();

    server.will_say(503, &[("Retry-After", "99999999999999999999999999")]);
    client.call(3).await.unwrap();
    assert_eq!(layer.held_for(), days(1));
    layer.release();
    assert!(at_once(&mut client.call(4)).unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_is_left_is_spread_only_if_asked_for() {
    let left: &[(&'static str, &str)] = &[("RateLimit", r#""default";r=4;t=10"#)];
    for spread in [false, true] {
        let time = TokioTime::new();
        let server = Server::new(time);
        let mut layer = PaceLayer::new(PLENTY, time);
        if spread {
            layer = layer.obeying(policy!(ServerHold::new(hours(1)).spread()));
        }
        let client = layer.layer(server.clone());
        server.will_say(200, left);
        client.clone().oneshot(0).await.unwrap();
        let mut calls = Vec::new();
        for number in 1..=4 {
            calls.push(come(&client, number).await);
        }
        for call in calls {
            call.await.unwrap().unwrap();
        }
        let every = if spread {
            millis(2_500)
        } else {
            Duration::ZERO
        };
        let came: Vec<_> = (0..=4)
            .map(|number| (number, Instant::ZERO + every.saturating_mul(number.into())))
            .collect();
        assert_eq!(server.came(), came);
    }
}

#[tokio::test(start_paused = true)]
async fn with_spreading_nothing_left_is_a_hold_until_the_reset() {
    let time = TokioTime::new();
    let server = Server::new(time);
    let layer = PaceLayer::new(PLENTY, time).obeying(policy!(ServerHold::new(hours(1)).spread()));
    let client = layer.layer(server.clone());
    server.will_say(
        200,
        &[
            ("X-RateLimit-Remaining", "0"),
            ("X-RateLimit-Reset", "1700000007"),
            ("Date", "Tue, 14 Nov 2023 22:13:20 GMT"),
        ],
    );
    client.clone().oneshot(0).await.unwrap();
    assert_eq!(layer.held_for(), secs(7));
    client.clone().oneshot(1).await.unwrap();
    assert_eq!(server.came()[1], (1, Instant::from_secs(7)));
}
