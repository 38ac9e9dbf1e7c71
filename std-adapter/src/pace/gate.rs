//! Where calls wait: a limit, what the server has asked, and the queue before them.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderMap, StatusCode, header};
use steadfast::http::{ServerQuota, parse_http_date, read_number};
use steadfast::limit::{
    AcquireError, AllOf, Denied, Limiter, Policy, Queued, ServerHold, Standing, wait_in_line,
};
use steadfast::time::{Clock, Duration, Instant, Sleep};

use super::PaceError;
use crate::MutexWaitQueue;

/// What a layer is told about waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub max_wait: Duration,
    pub max_waiting: usize,
    pub hold: ServerHold,
}

impl Rules {
    pub const STANDARD: Self = Self {
        max_wait: Duration::from_secs(30),
        max_waiting: 1_024,
        hold: ServerHold::STANDARD,
    };
}

/// One server's gate, which all calls to it go through.
#[derive(Debug)]
pub(super) struct Gate<P: Policy, T> {
    queued: Queued<Limits<P>, T, MutexWaitQueue>,
    time: T,
    max_waiting: usize,
}

/// What a policy must be to be shared by the tasks of a client; all of ours are.
pub trait Paced: Policy<State: Send, Granted: Send> + Send + Sync + 'static {}

impl<P: Policy<State: Send, Granted: Send> + Send + Sync + 'static> Paced for P {}

/// What a time must be: a clock, and a timer whose sleeps may move between threads. `TokioTime` and
/// [`ThreadTime`](crate::ThreadTime) are.
pub trait Timed: Clock + Sleep<Future: Send> + Clone + Send + Sync + 'static {}

impl<T> Timed for T where T: Clock + Sleep<Future: Send> + Clone + Send + Sync + 'static {}

impl<P: Paced, T: Timed> Gate<P, T> {
    pub fn new(policy: P, time: T, rules: Rules) -> Self {
        let policy = AllOf(policy, rules.hold);
        let limits = Limits {
            policy,
            state: Mutex::new(<AllOf<P, ServerHold>>::FULL),
        };
        let queue = MutexWaitQueue::new(rules.max_waiting);
        Self {
            queued: Queued::new(limits, time.clone(), queue),
            time,
            max_waiting: rules.max_waiting,
        }
    }

    /// `None` if the call may go at once, and has been counted; else its turn, to wait for.
    pub fn come<E>(
        self: &Arc<Self>,
        max_wait: Duration,
    ) -> Result<Option<Turn<P, T>>, PaceError<E>> {
        let now = self.time.now();
        let foreseen = match self.queued.queue().len() {
            0 => match self.queued.limiter().try_acquire_n(now, 1) {
                Ok(_) => return Ok(None),
                Err(denied) => denied.retry_after().ok_or(denied),
            },
            ahead if ahead >= self.max_waiting => {
                return Err(PaceError::QueueFull {
                    capacity: self.max_waiting,
                });
            }
            ahead => self.foresee(now, ahead),
        };
        match foreseen {
            Ok(wait) if wait <= max_wait => Ok(Some(Turn::new(self, now + max_wait))),
            Ok(retry_after) => Err(PaceError::TooLong { retry_after }),
            Err(denied) => Err(PaceError::Denied(denied)),
        }
    }

    /// How long whoever comes now would wait behind `ahead` others.
    fn foresee(&self, now: Instant, ahead: usize) -> Result<Duration, Denied> {
        let limits = self.queued.limiter();
        let state = *limits.state();
        wait_in_line(&limits.policy, state, now, ahead)
    }

    /// Takes note of what the server says.
    pub fn record(&self, status: StatusCode, headers: &HeaderMap) {
        let limits = self.queued.limiter();
        let hold = &limits.policy.1;
        if !hold.listens_to(status.as_u16()) || is_out_of_a_cache(headers) {
            return;
        }
        let quota = headers.iter().fold(
            ServerQuota::new(unix_time_of(headers)),
            |quota, (name, value)| quota.header(name, value),
        );
        let now = self.time.now();
        hold.record(&mut limits.state().1, now, status.as_u16(), &quota);
    }

    pub fn held_for(&self) -> Duration {
        let limits = self.queued.limiter();
        let state = limits.state().1;
        limits.policy.1.wait(&state, self.time.now())
    }

    pub fn release(&self) {
        let limits = self.queued.limiter();
        limits.policy.1.release(&mut limits.state().1);
    }

    /// Does it remember nothing that a new one would not know?
    pub fn at_rest(&self) -> bool {
        let limits = self.queued.limiter();
        let mut state = limits.state();
        let now = self.time.now();
        // A clock that jumped back would otherwise keep it for ever.
        limits.policy.mend(&mut state, now);
        limits.policy.at_rest(&state, now)
    }

    pub fn waiting(&self) -> usize {
        self.queued.queue().len()
    }
}

/// What a cache answers was true when the server said it.
fn is_out_of_a_cache(headers: &HeaderMap) -> bool {
    let age = headers.get(header::AGE).and_then(|age| age.to_str().ok());
    age.and_then(read_number).is_some_and(|secs| secs > 0)
}

/// When the answer was made, in nanoseconds since 1970.
///
/// Its own date comes first, since the other dates in it are by the same clock.
fn unix_time_of(headers: &HeaderMap) -> Instant {
    let here = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(Instant::ZERO, |since| {
            Instant::ZERO + Duration::from_core(since)
        });
    headers
        .get(header::DATE)
        .and_then(|date| parse_http_date(date.to_str().ok()?, here))
        .unwrap_or(here)
}

/// A limit of ours and what the server asks, both of which must say yes.
#[derive(Debug)]
struct Limits<P: Policy> {
    policy: AllOf<P, ServerHold>,
    state: Mutex<<AllOf<P, ServerHold> as Policy>::State>,
}

impl<P: Policy> Limits<P> {
    /// A policy does not leave a state half changed, so a poisoned lock is as good as new.
    fn state(&self) -> MutexGuard<'_, <AllOf<P, ServerHold> as Policy>::State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Policy> Limiter for Limits<P> {
    type Granted = <AllOf<P, ServerHold> as Policy>::Granted;

    fn try_acquire_n(&self, now: Instant, cost: u32) -> Result<Self::Granted, Denied> {
        self.policy.decide(&mut self.state(), now, cost)
    }

    fn refund(&self, now: Instant, granted: &Self::Granted) {
        self.policy.refund(&mut self.state(), now, granted);
    }

    fn peek(&self, now: Instant, cost: u32) -> Result<(), Denied> {
        let mut copy = *self.state();
        self.policy.decide(&mut copy, now, cost).map(drop)
    }

    fn standing(&self, now: Instant) -> Standing {
        self.policy.standing(&self.state(), now)
    }
}

/// A call's turn, which comes, or is known not to come in time.
pub(super) struct Turn<P: Policy, T> {
    gate: Arc<Gate<P, T>>,
    /// Boxed since the future of an `async fn` has no name, and lends from the gate.
    comes: Pin<Box<dyn Future<Output = Result<(), AcquireError>> + Send>>,
}

impl<P: Paced, T: Timed> Turn<P, T> {
    fn new(gate: &Arc<Gate<P, T>>, deadline: Instant) -> Self {
        let owned = Arc::clone(gate);
        Self {
            gate: Arc::clone(gate),
            comes: Box::pin(async move { owned.queued.acquire_by(1, deadline).await.map(drop) }),
        }
    }

    pub fn gate(&self) -> Arc<Gate<P, T>> {
        Arc::clone(&self.gate)
    }

    pub fn poll<E>(&mut self, context: &mut Context<'_>) -> Poll<Result<(), PaceError<E>>> {
        let error = match ready!(self.comes.as_mut().poll(context)) {
            Ok(()) => return Poll::Ready(Ok(())),
            Err(error) => error,
        };
        Poll::Ready(Err(match error {
            AcquireError::QueueFull { capacity } => PaceError::QueueFull { capacity },
            AcquireError::Denied(denied) => PaceError::Denied(denied),
            // It has left its place, so a newcomer's would be behind those who still wait.
            _ => {
                let gate = &self.gate;
                match gate.foresee(gate.time.now(), gate.waiting()) {
                    Ok(retry_after) => PaceError::TooLong { retry_after },
                    Err(denied) => PaceError::Denied(denied),
                }
            }
        }))
    }
}
