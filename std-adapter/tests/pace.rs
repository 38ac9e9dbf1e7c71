//! Calls that wait their turn, on a paused clock: when each leaves, and what a server's answer does
//! to those behind it.

#![cfg(all(feature = "tokio", feature = "tower"))]

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use http::Response;
use steadfast::limit::{Denied, FixedWindow, Policy, ServerHold, TokenBucket};
use steadfast::policy;
use steadfast::time::{Clock, Duration, Instant, days, hours, millis, minutes, nanos, secs};
use steadfast_std::pace::{Pace, PaceError};
use steadfast_std::{PaceLayer, TokioTime};
use tower::{Layer, Service, ServiceExt};

/// A server that notes who came when, and answers as it is told.
#[derive(Clone)]
struct Server {
    time: TokioTime,
    came: Arc<Mutex<Vec<(u32, Instant)>>>,
    answers: Arc<Mutex<Vec<Response<()>>>>,
    takes: Duration,
}

impl Server {
    fn new(time: TokioTime) -> Self {
        Self {
            time,
            came: Arc::default(),
            answers: Arc::default(),
            takes: Duration::ZERO,
        }
    }

    /// The next answer, after those already told. Without any it answers 200 and nothing else.
    fn will_say(&self, status: u16, headers: &[(&'static str, &str)]) {
        let mut answer = Response::builder().status(status);
        for (name, value) in headers {
            answer = answer.header(*name, *value);
        }
        self.answers.lock().unwrap().push(answer.body(()).unwrap());
    }

    fn came(&self) -> Vec<(u32, Instant)> {
        self.came.lock().unwrap().clone()
    }
}

impl Service<u32> for Server {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<()>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, number: u32) -> Self::Future {
        self.came.lock().unwrap().push((number, self.time.now()));
        let answers = Arc::clone(&self.answers);
        let takes = self.takes;
        Box::pin(async move {
            if takes > Duration::ZERO {
                tokio::time::sleep(takes.to_core()).await;
            }
            let mut answers = answers.lock().unwrap();
            Ok(if answers.is_empty() {
                Response::new(())
            } else {
                answers.remove(0)
            })
        })
    }
}

type Client = Pace<Server, TokenBucket, TokioTime>;
type Answer = Result<Response<()>, PaceError<Infallible>>;

/// Runs until every task that is ready has moved, without moving the clock.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Makes a call in a task of its own, and lets it take its place.
async fn come(client: &Client, number: u32) -> tokio::task::JoinHandle<Answer> {
    let client = client.clone();
    let task = tokio::spawn(client.oneshot(number));
    settle().await;
    task
}

/// What a call answers that must not wait.
fn at_once(call: &mut (impl Future<Output = Answer> + Unpin)) -> Option<Answer> {
    match Pin::new(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

const TEN: TokenBucket = policy!(TokenBucket::per_second(10).burst(10));
const ONE: TokenBucket = policy!(TokenBucket::per_second(1).burst(1));
const PLENTY: TokenBucket = policy!(TokenBucket::per_second(1_000).burst(1_000));

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_leave_in_the_order_they_came_at_the_times_of_the_model() {
    let time = TokioTime::new();
    let server = Server::new(time);
    let layer = PaceLayer::new(TEN, time).max_wait(minutes(2));
    let client = layer.layer(server.clone());
    let calls: Vec<_> = (0..1_000)
        .map(|number| tokio::spawn(client.clone().oneshot(number)))
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    // The burst at once, then one every 100 ms.
    let model: Vec<_> = (0..1_000)
        .map(|number| {
            let beyond = u64::from(number).saturating_sub(9);
            (number, Instant::ZERO + millis(100 * beyond))
        })
        .collect();
    assert_eq!(server.came(), model);
    assert_eq!(layer.waiting(), 0);
}

/// A rate whose interval no timer can hold: never early, at most the timer's two milliseconds late,
/// and no drift, since a burst of two makes up for what a late timer has lost.
#[tokio::test(start_paused = true)]
async fn seven_a_second_are_seven_a_second() {
    let time = TokioTime::new();
    let server = Server::new(time);
    let policy = policy!(TokenBucket::per_second(7).burst(2));
    let client = PaceLayer::new(policy, time)
        .max_wait(hours(1))
        .layer(server.clone());
    let calls: Vec<_> = (0..700)
        .map(|number| tokio::spawn(client.clone().oneshot(number)))
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    for (number, at) in server.came() {
        let beyond = u64::from(number).saturating_sub(1);
        let ideal = Instant::from_nanos((beyond * 1_000_000_000).div_ceil(7));
        let late = at.since(ideal);
        assert!(at >= ideal, "{number} left at {at:?}");
        assert!(late <= millis(2), "{number} left {late} late");
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_says_so_at_once() {
    let time = TokioTime::new();
    let server = Server::new(time);
    // A third would also wait too long.
    let layer = PaceLayer::new(ONE, time).max_queued(2).max_wait(secs(2));
    let client = layer.layer(server.clone());
    let sent = come(&client, 0).await;
    let (second, third) = (come(&client, 1).await, come(&client, 2).await);
    assert_eq!(layer.waiting(), 2);

    let error = at_once(&mut client.clone().call(3)).unwrap().unwrap_err();
    assert_eq!(error, PaceError::QueueFull { capacity: 2 });
    assert_eq!(
        error.to_string(),
        "2 calls are waiting already, and no more may (max_queued)"
    );
    for call in [sent, second, third] {
        call.await.unwrap().unwrap();
    }
    let came = [(0, secs(0)), (1, secs(1)), (2, secs(2))];
    assert_eq!(server.came(), came.map(|(n, at)| (n, Instant::ZERO + at)));
}

#[tokio::test(start_paused = true)]
async fn without_a_queue_whoever_would_wait_is_refused() {
    let time = TokioTime::new();
    let mut client = PaceLayer::new(ONE, time)
        .max_queued(0)
        .layer(Server::new(time));
    assert!(at_once(&mut client.call(0)).unwrap().is_ok());
    let error = at_once(&mut client.call(1)).unwrap().unwrap_err();
    assert_eq!(error, PaceError::QueueFull { capacity: 0 });
}

/// From the sixth place in the queue on, the turn comes after more than 5 s.
#[tokio::test(start_paused = true)]
async fn too_long_a_wait_is_refused_at_once_and_nothing_is_taken() {
    let time = TokioTime::new();
    let server = Server::new(time);
    let layer = PaceLayer::new(ONE, time).max_wait(secs(5));
    let client = layer.layer(server.clone());
    let mut calls = Vec::new();
    for number in 0..=5 {
        calls.push(come(&client, number).await);
    }
    for number in 6..100 {
        let error = at_once(&mut client.clone().call(number))
            .unwrap()
            .unwrap_err();
        let retry_after = secs(6);
        assert_eq!(error, PaceError::TooLong { retry_after });
    }
    assert_eq!(layer.waiting(), 5);
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let came: Vec<_> = (0..=5)
        .map(|number| (number, Instant::from_secs(u64::from(number))))
        .collect();
    assert_eq!(server.came(), came);
    // And the next leaves a second after the last, as if the others had never been.
    client.clone().oneshot(100).await.unwrap();
    assert_eq!(server.came().last(), Some(&(100, Instant::from_secs(6))));
}

/// One nanosecond decides.
#[tokio::test(start_paused = true)]
async fn with_an_empty_queue_the_wait_is_refused_to_the_nanosecond() {
    let time = TokioTime::new();
    let layer = PaceLayer::new(ONE, time);
    let mut patient = layer.clone().max_wait(secs(1)).layer(Server::new(time));
    let mut hasty = layer
        .clone()
        .max_wait(secs(1) - nanos(1))
        .layer(Server::new(time));
    patient.call(0).await.unwrap();
    let error = at_once(&mut hasty.call(1)).unwrap().unwrap_err();
    let retry_after = secs(1);
    assert_eq!(error, PaceError::TooLong { retry_after });
    assert_eq!(
        error.to_string(),
        "its turn comes later than it may wait, in 1s at the earliest"
    );
    let mut waits = patient.call(2);
    assert!(at_once(&mut waits).is_none());
    waits.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_leaves_no_trace() {
    let time = TokioTime::new();
    let server = Server::new(time);
    let layer = PaceLayer::new(ONE, time);
    let client = layer.layer(server.clone());
    let mut calls = Vec::new();
    for number in 0..6 {
        calls.push(Some(come(&client, number).await));
    }
    // The first in the queue, one in the middle and the last.
    for gone in [1, 3, 5] {
        calls[gone].take().unwrap().abort();
        settle().await;
    }
    assert_eq!(layer.waiting(), 2);
    for call in calls.into_iter().flatten() {
        call.await.unwrap().unwrap();
    }
    let came = [(0, 0), (2, 1), (4, 2)];
    assert_eq!(
        server.came(),
        came.map(|(n, at)| (n, Instant::from_secs(at)))
    );
    // A call that was made and never polled was not counted either.
    drop(client.clone().call(6));
    client.clone().oneshot(7).await.unwrap();
    assert_eq!(server.came().last(), Some(&(7, Instant::from_secs(3))));
}

#[tokio::test(start_paused = true)]
async fn retry_after_holds_back_everybody_for_3_s_and_not_more() {
    for status in [403, 429, 503] {
        let time = TokioTime::new();
        let server = Server::new(time);
        let layer = PaceLayer::new(PLENTY, time);
        let other = layer.clone().layer(server.clone());
        let mut client = layer.layer(server.clone());
        server.will_say(status, &[("Retry-After", "3")]);
        let answer = client.call(0).await.unwrap();
        assert_eq!(answer.status(), status, "it is passed on");
        assert_eq!(layer.held_for(), secs(3));

        let calls = [
            come(&client, 1).await,
            come(&other, 2).await,
            come(&client, 3).await,
        ];
        for call in calls {
            call.await.unwrap().unwrap();
        }
        let came = [(0, 0), (1, 3), (2, 3), (3, 3)];
        assert_eq!(
            server.came(),
            came.map(|(n, at)| (n, Instant::from_secs(at)))
        );
        assert_eq!(layer.held_for(), Duration::ZERO);
    }
}

/// Of other answers it is about something else.
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

/// The server's wait is not undercut where it is longer than a call may wait: the call is refused,
/// and so is everyone who waits already, as soon as those before it have been.
#[tokio::test(start_paused = true)]
async fn a_hold_that_is_too_long_to_wait_for_refuses_at_once_with_how_long() {
    let time = TokioTime::new();
    let mut server = Server::new(time);
    server.takes = millis(500);
    let layer = PaceLayer::new(ONE, time).max_wait(secs(10));
    let client = layer.layer(server.clone());
    server.will_say(429, &[("Retry-After", "3600")]);
    let mut calls = Vec::new();
    for number in 0..5 {
        calls.push(come(&client, number).await);
    }
    let refused = calls.split_off(1);
    assert_eq!(calls.remove(0).await.unwrap().unwrap().status(), 429);
    let error = at_once(&mut client.clone().call(5)).unwrap().unwrap_err();
    // Behind the four who wait, of whom each takes a second.
    assert_eq!(
        error,
        PaceError::TooLong {
            retry_after: hours(1) + secs(4)
        }
    );

    for call in refused {
        let error = call.await.unwrap().unwrap_err();
        assert!(
            matches!(error, PaceError::TooLong { retry_after } if retry_after >= hours(1) - secs(1)),
            "{error}"
        );
    }
    // The first in the queue woke when it was to be its turn, and saw; the others after it.
    assert_eq!(time.now(), Instant::from_secs(1));
    assert_eq!(server.came().len(), 1);
    tokio::time::advance((hours(1) - secs(1)).to_core()).await;
    client.oneshot(6).await.unwrap();
    // Half a second was the first answer's way.
    let expected = Instant::ZERO + hours(1) + millis(500);
    assert_eq!(server.came().last(), Some(&(6, expected)));
}

/// An answer that was long on its way knows less than the one that began the hold.
#[tokio::test(start_paused = true)]
async fn a_late_answer_does_not_shorten_a_hold() {
    let time = TokioTime::new();
    let server = Server::new(time);
    let layer = PaceLayer::new(PLENTY, time);
    let mut slow = server.clone();
    slow.takes = secs(2);
    let late = tokio::spawn(layer.layer(slow).oneshot(0));
    settle().await;
    server.will_say(429, &[("Retry-After", "20")]);
    layer.layer(server.clone()).call(1).await.unwrap();
    assert_eq!(layer.held_for(), secs(20));
    server.will_say(429, &[("Retry-After", "1")]);
    assert_eq!(late.await.unwrap().unwrap().status(), 429);
    assert_eq!(layer.held_for(), secs(18));
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

/// Any policy, here one that no wait helps against.
#[tokio::test(start_paused = true)]
async fn what_the_policy_can_never_grant_is_denied() {
    #[derive(Clone, Copy, Debug)]
    struct Never;

    impl Policy for Never {
        type State = ();
        type Granted = ();
        const FULL: () = ();

        fn decide(&self, (): &mut (), _: Instant, cost: u32) -> Result<(), Denied> {
            Err(Denied::CostAboveCapacity { cost, capacity: 0 })
        }
        fn at_rest(&self, (): &(), _: Instant) -> bool {
            true
        }
        fn rests_in(&self, (): &(), _: Instant) -> Duration {
            Duration::ZERO
        }
        fn mend(&self, (): &mut (), _: Instant) {}
        fn available(&self, (): &(), _: Instant) -> u32 {
            0
        }
        fn capacity(&self) -> u32 {
            0
        }
        fn refund(&self, (): &mut (), _: Instant, (): &()) {}
        fn reconfigure(&self, (): &mut (), _: Instant, _: &Self) {}
        fn standing(&self, (): &(), _: Instant) -> steadfast::limit::Standing {
            unreachable!("a client has no headers to write")
        }
    }

    let time = TokioTime::new();
    let mut client = PaceLayer::new(Never, time).layer(Server::new(time));
    let error = client.call(0).await.unwrap_err();
    assert!(matches!(error, PaceError::Denied(_)));
    assert_eq!(error.to_string(), "cost = 1, allowed 0..=0");
}

/// A window lets its whole limit go when it turns, and the queue foresees that too.
#[tokio::test(start_paused = true)]
async fn a_queue_before_a_window_leaves_by_the_window() {
    let time = TokioTime::new();
    let server = Server::new(time);
    let policy = policy!(FixedWindow::new(3, secs(10)));
    let layer = PaceLayer::new(policy, time).max_wait(secs(39));
    let client = layer.layer(server.clone());
    let mut calls = Vec::new();
    for number in 0..12 {
        calls.push(tokio::spawn(client.clone().oneshot(number)));
        settle().await;
    }
    // At 0, 10, 20 and 30 s; the thirteenth would wait 40 s, and may 39.
    let error = client.clone().oneshot(12).await.unwrap_err();
    let retry_after = secs(40);
    assert_eq!(error, PaceError::TooLong { retry_after });
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let came: Vec<_> = (0..12)
        .map(|number| (number, Instant::from_secs(u64::from(number / 3) * 10)))
        .collect();
    assert_eq!(server.came(), came);
}

/// Whoever makes many calls and polls them together, as `join_all` does: each must see those that
/// were polled before it, though none stood in the queue when it was made.
#[tokio::test(start_paused = true)]
async fn calls_made_before_they_are_polled_foresee_their_turns() {
    let time = TokioTime::new();
    let server = Server::new(time);
    let layer = PaceLayer::new(ONE, time).max_wait(secs(5));
    let client = layer.layer(server.clone());
    let mut calls: Vec<_> = (0..20).map(|number| client.clone().call(number)).collect();
    assert_eq!(layer.waiting(), 0, "a call that is only made stops nobody");
    let mut refused = 0;
    let mut waits = Vec::new();
    for mut call in calls.drain(..) {
        match at_once(&mut call) {
            Some(Err(error)) => {
                let retry_after = secs(6);
                assert_eq!(error, PaceError::TooLong { retry_after });
                refused += 1;
            }
            Some(Ok(_)) => {}
            None => waits.push(tokio::spawn(call)),
        }
    }
    assert_eq!((refused, waits.len()), (14, 5));
    for call in waits {
        call.await.unwrap().unwrap();
    }
    assert_eq!(server.came().last(), Some(&(5, Instant::from_secs(5))));
}

/// An operator who knows better frees those who wait, and those who come next.
#[tokio::test(start_paused = true)]
async fn a_release_lets_those_who_wait_go_at_once() {
    let time = TokioTime::new();
    let server = Server::new(time);
    let policy = policy!(TokenBucket::per_second(1).burst(2));
    let layer = PaceLayer::new(policy, time).max_wait(hours(2));
    let client = layer.layer(server.clone());
    server.will_say(429, &[("Retry-After", "3600")]);
    client.clone().oneshot(0).await.unwrap();
    let calls = [
        come(&client, 1).await,
        come(&client, 2).await,
        come(&client, 3).await,
    ];
    tokio::time::advance(secs(10).to_core()).await;
    layer.release();
    let hasty = layer.clone().max_wait(secs(1)).layer(server.clone());
    settle().await;
    // Two at once, then one a second: the limit alone, for those who wait and for the newcomer.
    let error = hasty.clone().oneshot(4).await.unwrap_err();
    let retry_after = secs(2);
    assert_eq!(error, PaceError::TooLong { retry_after });
    for call in calls {
        call.await.unwrap().unwrap();
    }
    hasty.oneshot(5).await.unwrap();
    let came = [(0, 0), (1, 10), (2, 10), (3, 11), (5, 12)];
    assert_eq!(
        server.came(),
        came.map(|(number, at)| (number, Instant::from_secs(at)))
    );
}

/// A hold that ends at the very instant until which all of them may wait.
#[tokio::test(start_paused = true)]
async fn whoever_may_wait_until_its_turn_is_not_refused_when_it_comes() {
    let time = TokioTime::new();
    let server = Server::new(time);
    let layer = PaceLayer::new(PLENTY, time).max_wait(secs(30));
    let client = layer.layer(server.clone());
    server.will_say(429, &[("Retry-After", "30")]);
    client.clone().oneshot(0).await.unwrap();
    let mut calls = Vec::new();
    for number in 1..=50 {
        calls.push(come(&client, number).await);
    }
    calls.remove(0).abort();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let came = server.came();
    assert_eq!(came.len(), 50);
    assert!(
        came[1..]
            .iter()
            .all(|&(_, at)| at == Instant::from_secs(30))
    );
}

/// A hold that all who wait hear of at once: what each is told is how long the hold lasts, and
/// learning it asks the policy a few times, not once for each of the others.
#[tokio::test(start_paused = true)]
async fn a_thousand_who_wait_in_vain_do_not_play_each_others_turns() {
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Counts the decisions.
    #[derive(Clone, Copy, Debug)]
    struct Counted(TokenBucket);

    static DECISIONS: AtomicU32 = AtomicU32::new(0);

    impl Policy for Counted {
        type State = <TokenBucket as Policy>::State;
        type Granted = <TokenBucket as Policy>::Granted;
        const FULL: Self::State = TokenBucket::FULL;

        fn decide(
            &self,
            state: &mut Self::State,
            now: Instant,
            cost: u32,
        ) -> Result<Self::Granted, Denied> {
            DECISIONS.fetch_add(1, Ordering::Relaxed);
            self.0.decide(state, now, cost)
        }
        fn at_rest(&self, state: &Self::State, now: Instant) -> bool {
            self.0.at_rest(state, now)
        }
        fn rests_in(&self, state: &Self::State, now: Instant) -> Duration {
            self.0.rests_in(state, now)
        }
        fn mend(&self, state: &mut Self::State, now: Instant) {
            self.0.mend(state, now);
        }
        fn available(&self, state: &Self::State, now: Instant) -> u32 {
            self.0.available(state, now)
        }
        fn capacity(&self) -> u32 {
            self.0.capacity()
        }
        fn refund(&self, state: &mut Self::State, now: Instant, granted: &Self::Granted) {
            self.0.refund(state, now, granted);
        }
        fn reconfigure(&self, state: &mut Self::State, now: Instant, new: &Self) {
            self.0.reconfigure(state, now, &new.0);
        }
        fn standing(&self, state: &Self::State, now: Instant) -> steadfast::limit::Standing {
            self.0.standing(state, now)
        }
    }

    let time = TokioTime::new();
    let mut server = Server::new(time);
    server.takes = millis(5);
    let layer = PaceLayer::new(
        Counted(policy!(TokenBucket::per_second(100).burst(1))),
        time,
    );
    let client = layer.layer(server.clone());
    server.will_say(429, &[("Retry-After", "3600")]);
    let mut calls: Vec<_> = (0..=1_000)
        .map(|number| tokio::spawn(client.clone().oneshot(number)))
        .collect();
    settle().await;
    assert_eq!(layer.waiting(), 1_000);
    let before = DECISIONS.load(Ordering::Relaxed);
    assert_eq!(calls.remove(0).await.unwrap().unwrap().status(), 429);
    for call in calls {
        // The first of them woke after 10 ms and saw; the hold has begun after 5.
        let error = call.await.unwrap().unwrap_err();
        let retry_after = hours(1) - millis(5);
        assert_eq!(error, PaceError::TooLong { retry_after });
    }
    let decisions = DECISIONS.load(Ordering::Relaxed) - before;
    assert!(decisions < 5_000, "{decisions} for 1,000 who wait");
}

/// A service that panics takes down its own call and nobody else's.
#[tokio::test(start_paused = true)]
async fn after_a_panic_in_the_service_the_others_go_on() {
    let time = TokioTime::new();
    let service = tower::service_fn(|number: u32| async move {
        assert!(number != 1, "the service panics");
        Ok::<_, Infallible>(Response::new(()))
    });
    let layer = PaceLayer::new(ONE, time);
    let client = layer.layer(service);
    let calls: Vec<_> = (0..4)
        .map(|number| tokio::spawn(client.clone().oneshot(number)))
        .collect();
    let mut outcomes = Vec::new();
    for call in calls {
        outcomes.push(call.await.is_ok());
    }
    assert_eq!(outcomes, [true, false, true, true]);
    assert_eq!(
        time.now(),
        Instant::from_secs(3),
        "it was sent, so it counts"
    );
    assert_eq!(layer.waiting(), 0);
}

/// Eight threads, each with a runtime of its own for its calls, at one gate: the burst and the rate
/// are theirs together, all are served, and nobody is forgotten in the queue.
#[test]
fn threads_share_one_gate() {
    let policy = policy!(TokenBucket::per_second(2_000).burst(10));
    let clock = steadfast_std::ThreadTime;
    let layer = PaceLayer::new(policy, clock).max_wait(minutes(5));
    let sent = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let service = tower::service_fn(|(): ()| async {
                    sent.lock().unwrap().push(clock.now());
                    Ok::<_, Infallible>(Response::new(()))
                });
                let mut client = layer.clone().layer(service);
                for _ in 0..100 {
                    steadfast_std::block_on(client.call(())).unwrap();
                }
            });
        }
    });
    assert_eq!(layer.waiting(), 0);
    let mut sent = sent.into_inner().unwrap();
    sent.sort_unstable();
    assert_eq!(sent.len(), 800);
    // 10 and then 790 at 2,000 a second take 395 ms at least.
    let took = sent[799].since(sent[0]);
    assert!(took >= millis(390), "{took}");
}

/// The service's own failure passes through, and says nothing about the server's wishes.
#[tokio::test(start_paused = true)]
async fn a_failing_service_is_told_apart_from_a_refusal() {
    let failing = tower::service_fn(|(): ()| async {
        Err::<Response<()>, _>(std::io::Error::other("connection reset"))
    });
    let mut client = PaceLayer::new(ONE, TokioTime::new()).layer(failing);
    let error = client.call(()).await.unwrap_err();
    assert!(matches!(error, PaceError::Service(_)));
    assert_eq!(error.to_string(), "connection reset");
}

/// A service that must be asked whether it is ready, and is called only then.
#[tokio::test(start_paused = true)]
async fn the_service_that_was_ready_is_the_one_that_is_called() {
    struct Ready(bool);

    impl Clone for Ready {
        fn clone(&self) -> Self {
            Self(false)
        }
    }

    impl Service<()> for Ready {
        type Response = Response<()>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response<()>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            self.0 = true;
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, (): ()) -> Self::Future {
            assert!(std::mem::take(&mut self.0), "called without being ready");
            std::future::ready(Ok(Response::new(())))
        }
    }

    let mut client = PaceLayer::new(ONE, TokioTime::new()).layer(Ready(false));
    for _ in 0..3 {
        client.ready().await.unwrap().call(()).await.unwrap();
    }
}
