//! Waiting for a yes: callers stand in a queue, and the first one asks the limiter.
//!
//! Nothing is taken before it is granted, so a caller who leaves the queue, wherever it stands,
//! leaves the limiter as if it had never come. The queue is first come, first served whatever the
//! costs are, so a large request is not starved by small ones. It is bounded: when it is full a
//! newcomer is told so at once.

mod wait_queue;

pub use wait_queue::{QueueFull, StaticWaitQueue, Ticket, WaitQueue};

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use super::{Denied, Limiter};
use crate::time::{Clock, Duration, Instant, Sleep};

/// A limiter with a queue in front of it, whose callers may wait.
///
/// `T` is the time: a [`Clock`] and a [`Sleep`] that agree. `Q` is the queue: [`StaticWaitQueue`] on a
/// device; `steadfast-std` has one for servers.
///
/// Those who ask the limiter itself, by [`limiter`](Self::limiter), do not stand in the queue and
/// may overtake it.
///
/// ```
/// use steadfast::limit::{AtomicRateLimiter, Queued, StaticWaitQueue, TokenBucket};
/// use steadfast::policy;
/// use steadfast::time::{Clock, Duration, Instant, ManualClock, Sleep};
///
/// /// A timer for the example: the clock jumps to the end of every sleep.
/// struct Timer(ManualClock);
///
/// impl Clock for Timer {
///     fn now(&self) -> Instant {
///         self.0.now()
///     }
/// }
///
/// impl Sleep for Timer {
///     type Future = core::future::Ready<()>;
///     fn sleep(&self, duration: Duration) -> Self::Future {
///         self.0.advance(duration);
///         core::future::ready(())
///     }
/// }
///
/// static LIMITER: AtomicRateLimiter<steadfast::limit::CompactBucket> =
///     AtomicRateLimiter::new(policy!(TokenBucket::per_second(1).compact()));
///
/// let timer = Timer(ManualClock::new(Instant::from_secs(1)));
/// let queued = Queued::new(&LIMITER, timer, StaticWaitQueue::<8>::new());
/// # use core::{future::Future, pin::pin, task::{Context, Poll, Waker}};
/// # fn block_on<F: Future>(future: F) -> F::Output {
/// #     let mut future = pin!(future);
/// #     loop {
/// #         if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
/// #             return done;
/// #         }
/// #     }
/// # }
/// block_on(async {
///     assert!(queued.acquire().await.is_ok());
///     assert!(queued.acquire().await.is_ok(), "a second later");
/// });
/// ```
#[derive(Debug)]
pub struct Queued<L, T, Q> {
    limiter: L,
    time: T,
    queue: Q,
}

/// Why a caller did not get what it waited for. Nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[non_exhaustive]
pub enum AcquireError {
    /// The limiter said no, and waiting does not help.
    Denied(Denied),
    /// As many callers as may are waiting already.
    QueueFull {
        /// How many that is.
        capacity: usize,
    },
    /// It would take, or has taken, until after the deadline. Told as soon as it is known, not
    /// when the deadline comes.
    DeadlineExceeded,
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denied) => write!(f, "{denied}"),
            Self::QueueFull { capacity } => {
                write!(f, "{capacity} callers are waiting already, and no more may")
            }
            Self::DeadlineExceeded => f.write_str("the deadline comes before the limiter's yes"),
        }
    }
}

impl core::error::Error for AcquireError {}

impl<L, T, Q> Queued<L, T, Q> {
    /// Puts `queue` in front of `limiter`.
    pub const fn new(limiter: L, time: T, queue: Q) -> Self {
        Self {
            limiter,
            time,
            queue,
        }
    }

    /// The limiter, for those who do not wait.
    pub const fn limiter(&self) -> &L {
        &self.limiter
    }

    /// The queue, to see how long it is.
    pub const fn queue(&self) -> &Q {
        &self.queue
    }
}

impl<L: Limiter, T: Clock + Sleep, Q: WaitQueue> Queued<L, T, Q> {
    /// Waits for one.
    ///
    /// May be dropped at any time, and leaves the limiter as if it had never come.
    ///
    /// # Errors
    ///
    /// [`AcquireError::QueueFull`], or [`AcquireError::Denied`] if no wait helps.
    pub async fn acquire(&self) -> Result<L::Granted, AcquireError> {
        self.acquire_by(1, Instant::MAX).await
    }

    /// Waits for `cost`, all or nothing, until `deadline` at the latest.
    ///
    /// May be dropped at any time, and leaves the limiter as if it had never come. It gives up as
    /// soon as it is first in the queue and the wait is longer than until the deadline; while
    /// others are before it, a nanosecond after the deadline. A clock that stands still makes it
    /// wait on.
    ///
    /// Whoever is first asks the limiter each time its future is polled.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire), and [`AcquireError::DeadlineExceeded`].
    pub async fn acquire_by(
        &self,
        cost: u32,
        deadline: Instant,
    ) -> Result<L::Granted, AcquireError> {
        // Nobody waits: ask at once. Whoever comes in between is only a little luckier.
        if self.queue.is_empty()
            && let Asked::Done(done) = self.ask(cost, deadline)
        {
            return done;
        }
        let place = Place::join(&self.queue)?;
        let mut sleep = pin!(None);
        poll_fn(|context| {
            loop {
                // It leaves its waker before it asks, so that no waking falls between the two.
                let asked = if place.poll_first(context.waker()) {
                    self.ask(cost, deadline)
                } else {
                    self.wait_for_first(deadline)
                };
                let wait = match asked {
                    Asked::Done(done) => return Poll::Ready(done),
                    Asked::Wait(wait) => wait,
                };
                sleep.set(Some(self.time.sleep(wait)));
                if let Some(sleep) = sleep.as_mut().as_pin_mut()
                    && sleep.poll(context).is_pending()
                {
                    return Poll::Pending;
                }
            }
        })
        .await
    }

    /// Lets the first in the queue ask the limiter again, now.
    ///
    /// It sleeps for as long as the limiter told it, and does not see what others do to the limiter
    /// meanwhile. Call this after something that makes its turn come earlier: a refund, a new
    /// policy, a hold that an operator has ended.
    pub fn ask_again(&self) {
        self.queue.wake_first();
    }

    /// Until just after the deadline: those before it may all go at that very instant, and it is
    /// then its turn.
    fn wait_for_first(&self, deadline: Instant) -> Asked<L::Granted> {
        let now = self.time.now();
        if now > deadline {
            return Asked::Done(Err(AcquireError::DeadlineExceeded));
        }
        Asked::Wait(deadline.since(now) + Duration::from_nanos(1))
    }

    fn ask(&self, cost: u32, deadline: Instant) -> Asked<L::Granted> {
        let now = self.time.now();
        if now > deadline {
            return Asked::Done(Err(AcquireError::DeadlineExceeded));
        }
        match self.limiter.try_acquire_n(now, cost) {
            Ok(granted) => Asked::Done(Ok(granted)),
            Err(denied) => match denied.retry_after() {
                None => Asked::Done(Err(AcquireError::Denied(denied))),
                Some(wait) if wait > deadline.since(now) => {
                    Asked::Done(Err(AcquireError::DeadlineExceeded))
                }
                Some(wait) => Asked::Wait(wait),
            },
        }
    }
}

/// What came of asking the limiter.
enum Asked<G> {
    Done(Result<G, AcquireError>),
    Wait(Duration),
}

/// A caller's place in the queue, given up when it is dropped.
struct Place<'a, Q: WaitQueue> {
    queue: &'a Q,
    ticket: Ticket,
}

impl<'a, Q: WaitQueue> Place<'a, Q> {
    fn join(queue: &'a Q) -> Result<Self, AcquireError> {
        match queue.join() {
            Ok(ticket) => Ok(Self { queue, ticket }),
            Err(QueueFull { capacity }) => Err(AcquireError::QueueFull { capacity }),
        }
    }

    fn poll_first(&self, waker: &core::task::Waker) -> bool {
        self.queue.poll_first(self.ticket, waker)
    }
}

impl<Q: WaitQueue> Drop for Place<'_, Q> {
    fn drop(&mut self) {
        self.queue.leave(self.ticket);
    }
}
