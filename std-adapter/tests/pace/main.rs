//! Calls that wait their turn, on a paused clock: when each leaves, and what a server's answer does
//! to those behind it. One part of it a file.

#![cfg(all(feature = "tokio", feature = "tower"))]

mod answers;
mod holds;
mod refused;
mod service;
mod turns;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use http::Response;
use steadfast::limit::TokenBucket;
use steadfast::policy;
use steadfast::time::{Clock, Duration, Instant};
use steadfast_std::TokioTime;
use steadfast_std::pace::{Pace, PaceError};
use tower::{Service, ServiceExt};

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
