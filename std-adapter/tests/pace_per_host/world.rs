//! The world outside, as a service.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http::{Request, Response, header};
use steadfast::time::{Clock, Duration, Instant};
use steadfast_std::TokioTime;
use tower::Service;

/// The world outside: notes who was called when, and answers 429 where it is told to.
#[derive(Clone)]
pub struct World {
    time: TokioTime,
    called: Arc<Mutex<Vec<(String, Instant)>>>,
    pub refusing: Arc<Mutex<Option<&'static str>>>,
    pub takes: Duration,
}

impl World {
    pub fn new(time: TokioTime) -> Self {
        Self {
            time,
            called: Arc::default(),
            refusing: Arc::default(),
            takes: Duration::ZERO,
        }
    }

    pub fn called(&self) -> Vec<(String, Instant)> {
        self.called.lock().unwrap().clone()
    }
}

impl Service<Request<()>> for World {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<()>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let called = (request.uri().to_string(), self.time.now());
        self.called.lock().unwrap().push(called);
        let answer = match *self.refusing.lock().unwrap() {
            Some(wait) => Response::builder()
                .status(429)
                .header(header::RETRY_AFTER, wait),
            None => Response::builder(),
        };
        let takes = self.takes;
        Box::pin(async move {
            if takes > Duration::ZERO {
                tokio::time::sleep(takes.to_core()).await;
            }
            Ok(answer.body(()).unwrap())
        })
    }
}
