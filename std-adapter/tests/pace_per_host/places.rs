//! The places that hosts are kept in: who has one, who must give it up, and who finds none.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use steadfast::limit::{ServerHold, TokenBucket};
use steadfast::policy;
use steadfast::time::{Clock, Duration, Instant, ManualClock, Sleep, minutes, secs};
use steadfast_std::pace::PaceError;
use steadfast_std::{PacePerHostLayer, TokioTime};
use tower::{Layer, Service, ServiceExt};

use crate::world::World;
use crate::{ONE, at_once, post, setup};

/// Eight places: one set, so every host may lie in each of them.
#[tokio::test(start_paused = true)]
async fn a_full_table_refuses_newcomers_until_a_host_is_at_rest() {
    let (world, client) = setup(|time| PacePerHostLayer::new(ONE, time).places(8).unwrap());
    let hook = |host: u32| post(&format!("https://h{host}.example/"));
    for host in 0..8 {
        assert_eq!(at_once(&client, hook(host)), Some(Ok(200)));
    }
    for host in 8..1_000 {
        let error = at_once(&client, hook(host)).unwrap().unwrap_err();
        assert_eq!(error, PaceError::TooManyHosts { places: 8 });
        assert_eq!(
            error.to_string(),
            "none of the places that this host may have is free, of 8 in all (places)"
        );
    }
    // Those who are known go on.
    assert_eq!(at_once(&client, hook(0)), None, "it waits its turn");
    // One of them is waited for; the others are full again.
    tokio::time::advance(secs(1).to_core()).await;
    assert_eq!(at_once(&client, hook(1)), Some(Ok(200)));
    let waiting = tokio::spawn(client.clone().oneshot(hook(1)));
    tokio::task::yield_now().await;
    for host in 100..107 {
        assert_eq!(at_once(&client, hook(host)), Some(Ok(200)), "{host}");
    }
    let error = at_once(&client, hook(107)).unwrap().unwrap_err();
    assert_eq!(error, PaceError::TooManyHosts { places: 8 });
    waiting.await.unwrap().unwrap();
    tokio::time::advance(minutes(1).to_core()).await;
    for host in 200..208 {
        assert_eq!(at_once(&client, hook(host)), Some(Ok(200)), "{host}");
    }
    assert_eq!(world.called().len(), 8 + 1 + 1 + 7 + 8);
}

/// Of places that are needed only to remember a hold, the one that would be free first goes to a
/// newcomer; a host that is waited for keeps its own, held or not.
#[tokio::test(start_paused = true)]
async fn a_newcomer_to_a_full_table_takes_the_shortest_hold() {
    let time = TokioTime::new();
    let world = World::new(time);
    let layer = PacePerHostLayer::new(ONE, time).places(8).unwrap();
    let client = layer.clone().layer(world.clone());
    let name = |host: u32| format!("https://h{host}.example/");
    let waits = ["50", "9", "70", "20", "30", "40", "60", "80"];
    for (host, wait) in (0..).zip(waits) {
        *world.refusing.lock().unwrap() = Some(wait);
        assert_eq!(at_once(&client, post(&name(host))), Some(Ok(429)));
    }
    *world.refusing.lock().unwrap() = None;
    assert_eq!(layer.hosts_in_use(), 8);
    let error = at_once(&client, post(&name(8))).unwrap().unwrap_err();
    assert_eq!(error, PaceError::TooManyHosts { places: 8 }, "not at rest");

    let waiting = tokio::spawn(client.clone().oneshot(post(&name(1))));
    tokio::time::advance(secs(1).to_core()).await;
    for newcomer in 10..12 {
        assert_eq!(at_once(&client, post(&name(newcomer))), Some(Ok(200)));
    }
    // The shortest that nobody waits for.
    let held: Vec<_> = (0..8).map(|host| layer.held_for(&name(host))).collect();
    let left = [49, 8, 69, 0, 0, 39, 59, 79].map(|left| (left > 0).then(|| secs(left)));
    assert_eq!(held, left);
    waiting.await.unwrap().unwrap();
    assert_eq!(world.called().last().unwrap().1, Instant::from_secs(9));
    assert_eq!(layer.hosts_in_use(), 6);
}

/// The owner of a domain has a name for every call, and each asks for silence for as long as is
/// believed. The hosts of others find a place all the same, at the size that is there by default.
#[tokio::test(start_paused = true)]
async fn whoever_asks_for_silence_on_many_names_locks_nobody_out() {
    for names in [4_000, 8_000] {
        let time = TokioTime::new();
        let world = World::new(time);
        let policy = policy!(TokenBucket::per_second(2).burst(5));
        let layer = PacePerHostLayer::new(policy, time);
        let client = layer.clone().layer(world.clone());
        let honest = |host: u32| post(&format!("https://shop{host}.example/"));
        for host in 0..500 {
            assert_eq!(at_once(&client, honest(host)), Some(Ok(200)));
        }
        tokio::time::advance(secs(10).to_core()).await;
        *world.refusing.lock().unwrap() = Some("3600");
        for name in 0..names {
            let hook = post(&format!("https://h{name}.evil.example/"));
            let _ = at_once(&client, hook);
            if name % 100 == 0 {
                tokio::time::advance(secs(1).to_core()).await;
            }
        }
        *world.refusing.lock().unwrap() = None;
        assert!(layer.hosts_in_use() > 3_500, "{}", layer.hosts_in_use());
        tokio::time::advance(secs(1).to_core()).await;
        let answers = (0..500).map(|host| at_once(&client, honest(host)));
        let refused = answers.filter(|answer| *answer != Some(Ok(200))).count();
        assert_eq!(refused, 0, "of 500, by {names} names");
    }
}

/// A clock that has led and gone back would otherwise leave a host in its place for ever.
#[test]
fn after_a_clock_has_gone_back_a_host_gives_its_place_up_in_time() {
    #[derive(Clone)]
    struct Hands(Arc<ManualClock>);

    impl Clock for Hands {
        fn now(&self) -> Instant {
            self.0.now()
        }
    }

    impl Sleep for Hands {
        type Future = std::future::Pending<()>;

        fn sleep(&self, _: Duration) -> Self::Future {
            std::future::pending()
        }
    }

    let clock = Arc::new(ManualClock::new(Instant::from_secs(1_000_000)));
    let service =
        tower::service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(())) });
    let layer = PacePerHostLayer::new(ONE, Hands(Arc::clone(&clock)))
        .places(8)
        .unwrap();
    let mut client = layer.layer(service);
    let mut call = |host: u32| {
        let call = pin!(client.call(post(&format!("https://h{host}.example/"))));
        match call.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer.map(|answer| answer.status().as_u16()),
            Poll::Pending => panic!("{host} waits"),
        }
    };
    for host in 0..8 {
        assert_eq!(call(host), Ok(200));
    }
    // What is beyond belief counts as just used, from when it is first looked at.
    clock.set(Instant::from_secs(5));
    assert_eq!(call(8), Err(PaceError::TooManyHosts { places: 8 }));
    clock.set(Instant::from_secs(6));
    assert_eq!(call(8), Ok(200));
}

/// What an answer says that is still on its way must find its host.
#[tokio::test(start_paused = true)]
async fn a_host_that_is_being_called_keeps_its_place() {
    let time = TokioTime::new();
    let world = World::new(time);
    let layer = PacePerHostLayer::new(ONE, time).places(8).unwrap();
    let mut slow = world.clone();
    slow.takes = secs(10);
    *world.refusing.lock().unwrap() = Some("60");
    let call = tokio::spawn(
        layer
            .clone()
            .layer(slow)
            .oneshot(post("https://slow.example/")),
    );
    tokio::task::yield_now().await;
    *world.refusing.lock().unwrap() = None;

    tokio::time::advance(secs(5).to_core()).await;
    let client = layer.clone().layer(world);
    let hook = |host: u32| post(&format!("https://h{host}.example/"));
    for host in 0..7 {
        assert_eq!(at_once(&client, hook(host)), Some(Ok(200)), "{host}");
    }
    let error = at_once(&client, hook(7)).unwrap().unwrap_err();
    assert_eq!(error, PaceError::TooManyHosts { places: 8 });
    assert_eq!(call.await.unwrap().unwrap().status(), 429);
    assert_eq!(layer.held_for("slow.example"), Some(secs(60)));
}

#[tokio::test(start_paused = true)]
async fn the_number_of_places_is_checked_and_kept() {
    let layer = || PacePerHostLayer::new(ONE, TokioTime::new());
    let error = layer().places(0).unwrap_err();
    assert_eq!(error.to_string(), "places = 0, allowed 1..=4194304");
    assert!(layer().places((1 << 22) + 1).is_err());
    assert!(layer().places(1 << 22).is_ok());

    let (_, client) = setup(|time| {
        PacePerHostLayer::new(ONE, time)
            .places(1)
            .unwrap()
            .obeying(ServerHold::STANDARD)
            .max_queued(0)
            .max_wait(secs(1))
    });
    let answers = (0..9).map(|host| at_once(&client, post(&format!("https://h{host}.example/"))));
    assert_eq!(
        answers.filter(|answer| *answer == Some(Ok(200))).count(),
        8,
        "rounded up"
    );
    let error = at_once(&client, post("https://h0.example/")).unwrap();
    assert_eq!(error, Err(PaceError::QueueFull { capacity: 0 }));
}
