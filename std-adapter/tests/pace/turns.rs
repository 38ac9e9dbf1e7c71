//! When each leaves: in the order of coming, at the times of the policy, and as if whoever is gone
//! had never come.

use std::convert::Infallible;
use std::sync::Mutex;

use http::Response;
use steadfast::limit::{FixedWindow, TokenBucket};
use steadfast::policy;
use steadfast::time::{Clock, Instant, hours, millis, minutes, secs};
use steadfast_std::pace::PaceError;
use steadfast_std::{PaceLayer, TokioTime};
use tower::{Layer, Service, ServiceExt};

use crate::{ONE, Server, TEN, at_once, come, settle};

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
