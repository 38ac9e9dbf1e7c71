//! Who is refused at once: where the queue is full, the turn comes too late, or none ever comes.

use steadfast::limit::{Denied, Policy};
use steadfast::time::{Duration, Instant, nanos, secs};
use steadfast_std::pace::PaceError;
use steadfast_std::{PaceLayer, TokioTime};
use tower::{Layer, Service, ServiceExt};

use crate::{ONE, Server, at_once, come};

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
