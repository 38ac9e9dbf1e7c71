//! Calls to many hosts, each at its own pace, on a paused clock. One part of it a file.

#![cfg(all(feature = "tokio", feature = "tower"))]

mod hosts;
mod places;
mod world;

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::Request;
use steadfast::limit::TokenBucket;
use steadfast::policy;
use steadfast_std::pace::{PaceError, PacePerHost};
use steadfast_std::{PacePerHostLayer, TokioTime};
use tower::{Layer, Service};
use world::World;

const ONE: TokenBucket = policy!(TokenBucket::per_second(1).burst(1));

type Client = PacePerHost<World, TokenBucket, TokioTime>;

fn post(address: &str) -> Request<()> {
    Request::post(address).body(()).unwrap()
}

/// What a call answers that must not wait; `None` if it waits, and then it is dropped.
fn at_once(client: &Client, request: Request<()>) -> Option<Result<u16, PaceError<Infallible>>> {
    let call = pin!(client.clone().call(request));
    match call.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer.map(|response| response.status().as_u16())),
        Poll::Pending => None,
    }
}

fn setup(
    layer: impl FnOnce(TokioTime) -> PacePerHostLayer<TokenBucket, TokioTime>,
) -> (World, Client) {
    let time = TokioTime::new();
    let world = World::new(time);
    let client = layer(time).layer(world.clone());
    (world, client)
}
