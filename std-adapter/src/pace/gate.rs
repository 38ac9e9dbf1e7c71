//! Where calls wait: a limit, what the server has asked, and the queue before them.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use http::{HeaderMap, StatusCode};
use steadfast::http::ServerQuota;
use steadfast::limit::{
    AcquireError, AllOf, Denied, Limiter, Policy, Queued, ServerHold, Standing, wait_in_line,
};
use steadfast::time::{Clock, Duration, Instant, Sleep};

use super::PaceError;
use crate::MutexWaitQueue;
use crate::unix_time::unix_time_of;

/// What a layer is told about waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub max_wait: Duration,
    pub max_queued: usize,
    pub hold: ServerHold,
}

impl Rules {
    pub const STANDARD: Self = Self {
        max_wait: Duration::from_secs(30),
        max_queued: 1_024,
        hold: ServerHold::STANDARD,
    };
}

/// One server's gate, which all calls to it go through.
#[derive(Debug)]
pub(super) struct Gate<P: Policy, T> {
    queued: Queued<Limits<P>, T, MutexWaitQueue>,
    time: T,
    max_queued: usize,
}

/// What a policy must be to be shared by the tasks of a client; all of ours are.
pub trait Paced: Policy<State: Send, Granted: Send> + Send + Sync + 'static {}

impl<P: Policy<State: Send, Granted: Send> + Send + Sync + 'static> Paced for P {}

/// What a time must be: a clock, and a timer whose sleeps may move between threads. `TokioTime` is;
/// [`ThreadTime`](crate::ThreadTime) is, too, but its sleeps end only inside
/// [`block_on`](crate::block_on): under another executor a call that has to wait is not woken.
pub trait Timed: Clock + Sleep<Future: Send> + Clone + Send + Sync + 'static {}

impl<T> Timed for T where T: Clock + Sleep<Future: Send> + Clone + Send + Sync + 'static {}

impl<P: Paced, T: Timed> Gate<P, T> {
    pub fn new(policy: P, time: T, rules: Rules) -> Self {
        let policy = AllOf(policy, rules.hold);
        let limits = Limits {
            policy,
            state: Mutex::new(<AllOf<P, ServerHold>>::FULL),
        };
        let queue = MutexWaitQueue::new(rules.max_queued);
        Self {
            queued: Queued::new(limits, time.clone(), queue),
            time,
            max_queued: rules.max_queued,
        }
    }

    /// `None` if the call may go at once, and has been counted; else its turn, to wait for.
    pub fn come<E>(
        self: &Arc<Self>,
        max_wait: Duration,
    ) -> Result<Option<Turn<P, T>>, PaceError<E>> {
        let now = self.time.now();
        let ahead = self.waiting();
        self.has_room_behind(ahead)?;
        if ahead == 0 {
            match self.queued.limiter().try_acquire_n(now, 1) {
                Ok(_) => return Ok(None),
                Err(denied) => is_in_time(denied.retry_after().ok_or(denied), max_wait)?,
            }
        }
        Ok(Some(Turn {
            gate: Arc::clone(self),
            deadline: now + max_wait,
            comes: None,
        }))
    }

    fn has_room_behind<E>(&self, ahead: usize) -> Result<(), PaceError<E>> {
        if ahead > 0 && ahead >= self.max_queued {
            return Err(PaceError::QueueFull {
                capacity: self.max_queued,
            });
        }
        Ok(())
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
        if !hold.listens_to(status.as_u16()) {
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
        // Its turn may be now, and after it that of the others.
        self.queued.ask_again();
    }

    /// For how long it still knows what a new one would not, if that is only what the server has
    /// asked: zero if there is nothing. `None` if its own limit is not full again.
    pub fn only_held_for(&self) -> Option<Duration> {
        let limits = self.queued.limiter();
        let mut state = limits.state();
        let now = self.time.now();
        // A clock that jumped back would otherwise keep it for ever.
        limits.policy.mend(&mut state, now);
        let AllOf(limit, hold) = &limits.policy;
        let full = limit.at_rest(&state.0, now);
        full.then(|| hold.rests_in(&state.1, now))
    }

    pub fn waiting(&self) -> usize {
        self.queued.queue().len()
    }
}

/// Refuses a wait that is longer than `most`.
fn is_in_time<E>(wait: Result<Duration, Denied>, most: Duration) -> Result<(), PaceError<E>> {
    match wait {
        Ok(wait) if wait <= most => Ok(()),
        Ok(retry_after) => Err(PaceError::TooLong { retry_after }),
        Err(denied) => Err(PaceError::Denied(denied)),
    }
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
    deadline: Instant,
    /// It stands in the queue from the first time that it is polled; so a call that is made and
    /// kept for later stops nobody.
    ///
    /// Boxed since the future of an `async fn` has no name, and lends from the gate.
    comes: Option<Comes>,
}

type Comes = Pin<Box<dyn Future<Output = Result<(), AcquireError>> + Send>>;

impl<P: Paced, T: Timed> Turn<P, T> {
    pub fn gate(&self) -> Arc<Gate<P, T>> {
        Arc::clone(&self.gate)
    }

    pub fn poll<E>(&mut self, context: &mut Context<'_>) -> Poll<Result<(), PaceError<E>>> {
        let comes = match &mut self.comes {
            Some(comes) => comes,
            None => self.comes.insert(join(&self.gate, self.deadline)?),
        };
        let error = match ready!(comes.as_mut().poll(context)) {
            Ok(()) => return Poll::Ready(Ok(())),
            Err(error) => error,
        };
        Poll::Ready(Err(match error {
            AcquireError::QueueFull { capacity } => PaceError::QueueFull { capacity },
            AcquireError::Denied(denied) => PaceError::Denied(denied),
            // Without those who still wait: a long hold refuses them all at once, and each would
            // play the turns of the rest.
            _ => match self.gate.foresee(self.gate.time.now(), 0) {
                Ok(retry_after) => PaceError::TooLong { retry_after },
                Err(denied) => PaceError::Denied(denied),
            },
        }))
    }
}

/// Joins the queue, if its turn comes in time.
fn join<P: Paced, T: Timed, E>(
    gate: &Arc<Gate<P, T>>,
    deadline: Instant,
) -> Result<Comes, PaceError<E>> {
    let ahead = gate.waiting();
    gate.has_room_behind(ahead)?;
    let now = gate.time.now();
    is_in_time(gate.foresee(now, ahead), deadline.since(now))?;
    let gate = Arc::clone(gate);
    Ok(Box::pin(async move {
        gate.queued.acquire_by(1, deadline).await.map(drop)
    }))
}
