//! Callers beside each other on an executor that polls a task only when its waker was woken, so that
//! a forgotten wake-up shows as a caller who waits for ever.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use steadfast::limit::{AcquireError, Granted, Queued, RateLimiter, StaticWaitQueue, TokenBucket};
use steadfast::shared::Shared;
use steadfast::time::{Clock, Instant};

use crate::time::Time;
use crate::{BUCKET, PLACES};

pub struct Flag(pub AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub type Outcome = Result<Granted, AcquireError>;

/// A caller, running.
pub struct Caller<'a> {
    number: usize,
    cost: u32,
    deadline: Instant,
    pub woken: Arc<Flag>,
    future: Pin<Box<dyn Future<Output = Outcome> + 'a>>,
}

pub type Limiter<const N: usize> =
    Queued<Shared<RateLimiter<TokenBucket>>, Time, StaticWaitQueue<N>>;

/// A full [`BUCKET`] that nobody waits for yet, and the clock it goes by.
pub fn queued<const N: usize>() -> (Time, Limiter<N>) {
    let time = Time::new(Instant::from_secs(100));
    let queue = StaticWaitQueue::new();
    let limiter = Queued::new(Shared::new(RateLimiter::new(BUCKET)), time.clone(), queue);
    (time, limiter)
}

pub struct World<'a> {
    pub time: Time,
    pub limiter: &'a Limiter<PLACES>,
    pub callers: Vec<Caller<'a>>,
    pub came: usize,
    /// Every yes: which caller, when, and how much.
    pub granted: Vec<(usize, Instant, u32)>,
}

impl<'a> World<'a> {
    pub fn new(time: Time, limiter: &'a Limiter<PLACES>) -> Self {
        Self {
            time,
            limiter,
            callers: Vec::new(),
            came: 0,
            granted: Vec::new(),
        }
    }

    pub fn come(&mut self, cost: u32, deadline: Instant) {
        let limiter = self.limiter;
        self.callers.push(Caller {
            number: self.came,
            cost,
            deadline,
            woken: Arc::new(Flag(AtomicBool::new(true))),
            future: Box::pin(async move { limiter.acquire_by(cost, deadline).await }),
        });
        self.came += 1;
        // It joins in the order in which it came.
        self.run_one(self.callers.len() - 1);
    }

    /// Polls one caller if it was woken. True if it is done and gone.
    pub fn run_one(&mut self, at: usize) -> bool {
        let now = self.time.now();
        let caller = &mut self.callers[at];
        if !caller.woken.0.swap(false, Ordering::Relaxed) {
            return false;
        }
        let waker = Waker::from(Arc::clone(&caller.woken));
        let polled = caller
            .future
            .as_mut()
            .poll(&mut Context::from_waker(&waker));
        let Poll::Ready(outcome) = polled else {
            return false;
        };
        match outcome {
            Ok(granted) => {
                assert_eq!(granted.cost(), caller.cost);
                assert!(now <= caller.deadline, "a yes after the deadline");
                self.granted.push((caller.number, now, caller.cost));
            }
            Err(AcquireError::QueueFull { capacity }) => assert_eq!(capacity, PLACES),
            Err(AcquireError::DeadlineExceeded) => assert!(caller.deadline < Instant::MAX),
            Err(other) => panic!("{other}"),
        }
        drop(self.callers.remove(at));
        true
    }

    /// Runs the woken ones, from `first` on and around, until nobody moves.
    pub fn run(&mut self, first: usize) {
        loop {
            let count = self.callers.len();
            let woken = (0..count)
                .map(|i| (first + i) % count)
                .find(|&at| self.callers[at].woken.0.load(Ordering::Relaxed));
            match woken {
                Some(at) => drop(self.run_one(at)),
                None => return,
            }
        }
    }
}
