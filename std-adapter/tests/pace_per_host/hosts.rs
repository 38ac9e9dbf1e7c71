//! Which requests are for one host, and what each host has for itself: its pace and its holds.

use http::header;
use steadfast::time::{Duration, Instant, hours, secs};
use steadfast_std::pace::PaceError;
use steadfast_std::{PacePerHostLayer, TokioTime};
use tower::{Layer, ServiceExt};

use crate::world::World;
use crate::{ONE, at_once, post, setup};

#[tokio::test(start_paused = true)]
async fn each_host_has_a_pace_of_its_own_and_none_stops_another() {
    let (world, client) = setup(|time| PacePerHostLayer::new(ONE, time));
    let mut calls = Vec::new();
    for round in 0..3 {
        for host in ["slow", "quick", "other"] {
            let hook = post(&format!("https://{host}.example/{round}"));
            calls.push(tokio::spawn(client.clone().oneshot(hook)));
        }
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let called = world.called();
    assert_eq!(called.len(), 9);
    for (address, at) in called {
        let round = address.rsplit('/').next().unwrap().parse().unwrap();
        assert_eq!(at, Instant::from_secs(round), "{address}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_one_hosts_alone() {
    let time = TokioTime::new();
    let world = World::new(time);
    let layer = PacePerHostLayer::new(ONE, time);
    let client = layer.clone().layer(world.clone());
    let other_client = layer.clone().layer(world.clone());

    *world.refusing.lock().unwrap() = Some("9");
    assert_eq!(
        at_once(&client, post("https://slow.example/1")),
        Some(Ok(429))
    );
    *world.refusing.lock().unwrap() = None;
    assert_eq!(layer.held_for("slow.example"), Some(secs(9)));
    assert_eq!(layer.held_for("quick.example"), None);
    assert_eq!(
        at_once(&client, post("https://quick.example/1")),
        Some(Ok(200))
    );
    assert_eq!(layer.held_for("quick.example"), Some(Duration::ZERO));
    other_client
        .oneshot(post("https://slow.example/2"))
        .await
        .unwrap();
    assert_eq!(world.called()[2].1, Instant::from_secs(9));

    *world.refusing.lock().unwrap() = Some("86400");
    client
        .clone()
        .oneshot(post("https://slow.example/3"))
        .await
        .unwrap();
    assert_eq!(
        layer.held_for("slow.example"),
        Some(hours(1)),
        "the longest by default"
    );
    assert!(layer.release("slow.example"));
    assert_eq!(layer.held_for("slow.example"), Some(Duration::ZERO));
    assert!(!layer.release("unknown.example"));
}

/// An operator may paste what the log shows.
#[tokio::test(start_paused = true)]
async fn a_host_is_found_however_an_operator_spells_it() {
    for (address, spellings) in [
        (
            "https://shop.example/paid",
            [
                "shop.example",
                "Shop.Example.",
                "shop.example:8443",
                "https://shop.example",
                "http://user@shop.example:80/x?y",
            ],
        ),
        (
            "http://[::1]:8080/",
            [
                "::1",
                "[::1]",
                "[::1]:9",
                "http://[::1]",
                "https://[::1]:8/",
            ],
        ),
    ] {
        for spelling in spellings {
            let time = TokioTime::new();
            let world = World::new(time);
            *world.refusing.lock().unwrap() = Some("60");
            let layer = PacePerHostLayer::new(ONE, time);
            assert_eq!(layer.held_for(spelling), None, "before the first call");
            let client = layer.clone().layer(world);
            assert_eq!(at_once(&client, post(address)), Some(Ok(429)));
            assert_eq!(layer.held_for(spelling), Some(secs(60)), "{spelling}");
            assert!(layer.release(spelling), "{spelling}");
            assert_eq!(layer.held_for(address), Some(Duration::ZERO));
        }
        let layer = PacePerHostLayer::new(ONE, TokioTime::new());
        for nonsense in ["", "*", "/paid", "not a host", "]", "a/b"] {
            assert_eq!(layer.held_for(nonsense), None);
            assert!(!layer.release(nonsense));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_is_its_name_whatever_the_port_and_the_case() {
    let mut inner = post("/path");
    inner
        .headers_mut()
        .insert(header::HOST, "Shop.Example:8443".parse().unwrap());
    let mut same = vec![inner];
    same.extend(
        [
            "https://shop.example/",
            "http://SHOP.example:8080/elsewhere",
            "https://user:secret@shop.example/",
            "https://shop.example./",
        ]
        .map(post),
    );
    for first in 0..same.len() {
        let (_, client) = setup(|time| PacePerHostLayer::new(ONE, time));
        assert_eq!(at_once(&client, same[first].clone()), Some(Ok(200)));
        for request in &same {
            assert_eq!(at_once(&client, request.clone()), None, "{request:?}");
        }
        assert_eq!(
            at_once(&client, post("https://a.shop.example/")),
            Some(Ok(200))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_host_is_refused() {
    let (world, client) = setup(|time| PacePerHostLayer::new(ONE, time));
    let mut nonsense = post("/path");
    nonsense
        .headers_mut()
        .insert(header::HOST, "not a host".parse().unwrap());
    for request in [post("/path"), nonsense] {
        let error = at_once(&client, request).unwrap().unwrap_err();
        assert_eq!(error, PaceError::NoHost);
        assert_eq!(
            error.to_string(),
            "the request names no host, in its address or in a Host header"
        );
    }
    assert!(world.called().is_empty());
}
