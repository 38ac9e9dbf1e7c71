//! What pacing asks of the heap: nothing for a call that goes at once, and for one that waits what
//! the documentation says.

#![cfg(feature = "tower")]

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use steadfast::limit::{ServerHold, TokenBucket};
use steadfast::policy;
use steadfast::time::hours;
use steadfast_std::{PaceLayer, PacePerHostLayer, ThreadTime};
use tower::{Layer, Service};

mod counting;
use counting::Counting;

#[global_allocator]
static HEAP: Counting = Counting;

/// How often `work` asks for memory.
fn allocations<R>(work: impl FnOnce() -> R) -> (u64, R) {
    let before = Counting::allocations();
    let done = work();
    (Counting::allocations() - before, done)
}

fn poll<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Answers at once, and tells what is left.
#[derive(Clone)]
struct Server(Response<()>);

impl<R> Service<R> for Server {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: R) -> Self::Future {
        ready(Ok(std::mem::take(&mut self.0)))
    }
}

fn server() -> Server {
    let answer = Response::builder()
        .header("ratelimit", r#""default";r=1000000000;t=1"#)
        .header("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    Server(answer.body(()).unwrap())
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(black_box(Box::new(1)))).0, 1);
}

/// Its answer is read for what is left, too.
#[test]
fn a_call_that_goes_at_once_allocates_nothing() {
    let policy = policy!(TokenBucket::per_second(1_000_000));
    let mut client = PaceLayer::new(policy, ThreadTime)
        .obeying(policy!(ServerHold::new(hours(1)).spread()))
        .layer(server());
    let (count, answer) = allocations(|| poll(client.call(())));
    assert!(answer.unwrap().is_ok());
    assert_eq!(count, 0);
}

#[test]
fn a_call_to_a_known_host_that_goes_at_once_allocates_nothing() {
    let policy = policy!(TokenBucket::per_second(1_000_000));
    let mut client = PacePerHostLayer::new(policy, ThreadTime).layer(server());
    let hook = || Request::post("https://shop.example/paid").body(()).unwrap();
    assert!(poll(client.call(hook())).unwrap().is_ok());
    let again = hook();
    let (count, answer) = allocations(|| poll(client.call(again)));
    assert!(answer.unwrap().is_ok());
    assert_eq!(count, 0);
}

/// The boxed future, and the queue's room for its first callers.
#[test]
fn a_call_that_waits_allocates_its_future_and_its_place() {
    let policy = policy!(TokenBucket::per_hour(1));
    let mut client = PaceLayer::new(policy, ThreadTime)
        .max_wait(hours(2))
        .layer(Server(Response::new(())));
    assert!(poll(client.call(())).unwrap().is_ok());
    assert_eq!(allocations(|| poll(client.call(())).is_none()), (2, true));
    // The queue keeps its room, and a call that is dropped keeps nothing.
    let before = Counting::bytes();
    assert_eq!(allocations(|| poll(client.call(())).is_none()), (1, true));
    assert_eq!(Counting::bytes(), before);
}

/// What a client hands from thread to thread.
#[test]
fn futures_and_services_may_move_between_threads() {
    fn moves<T: Send>(_: &T) {}
    fn is_shared<T: Send + Sync>(_: &T) {}
    let policy = policy!(TokenBucket::per_second(1));
    let layer = PaceLayer::new(policy, ThreadTime);
    let mut client = layer.layer(Server(Response::new(())));
    is_shared(&layer);
    is_shared(&client);
    moves(&client.call(()));
}
