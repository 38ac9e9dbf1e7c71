//! Waiting in a plain thread, without a runtime.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use steadfast::time::{BlockingSleep, Clock, Duration, Instant, Sleep};

use super::SystemClock;

/// The system's clock, a timer that works inside [`block_on`], and a sleep of this thread for calls
/// that block, as of a client of HTTP that is not async.
///
/// ```
/// use steadfast::call::Call;
/// use steadfast::retry::RetryPolicy;
/// use steadfast::time::secs;
/// use steadfast_std::{ThreadRandom, ThreadTime};
///
/// let mut answers = [Err("connection refused"), Ok(7)].into_iter();
/// let answer = Call::blocking(|_| answers.next().unwrap(), ThreadTime, ThreadRandom)
///     .retry(&RetryPolicy::standard())
///     .within(secs(8))
///     .call_blocking();
/// assert_eq!(answer, Ok(7));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ThreadTime;

impl Clock for ThreadTime {
    #[inline]
    fn now(&self) -> Instant {
        SystemClock.now()
    }
}

impl Sleep for ThreadTime {
    type Future = ThreadSleep;

    fn sleep(&self, duration: Duration) -> ThreadSleep {
        ThreadSleep {
            until: SystemClock.now() + duration,
        }
    }
}

impl BlockingSleep for ThreadTime {
    fn sleep_blocking(&self, duration: Duration) {
        std::thread::sleep(duration.to_core());
    }
}

thread_local! {
    /// When the future that this thread blocks on next has something to do by itself.
    static ALARM: Cell<Instant> = const { Cell::new(Instant::MAX) };
}

/// A sleep that ends when its time has come and [`block_on`] looks at it.
#[derive(Debug)]
pub struct ThreadSleep {
    until: Instant,
}

impl Future for ThreadSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if SystemClock.now() >= self.until {
            return Poll::Ready(());
        }
        ALARM.set(ALARM.get().min(self.until));
        Poll::Pending
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end on this thread, which sleeps while there is nothing to do.
///
/// It has no reactor: only what wakes its waker, and sleeps of [`ThreadTime`], move it on. Do not
/// call it inside an async runtime, whose thread it would stop.
///
/// ```
/// use steadfast::limit::{AtomicRateLimiter, Queued, TokenBucket};
/// use steadfast::policy;
/// use steadfast_std::{MutexWaitQueue, ThreadTime, block_on};
///
/// let limiter = AtomicRateLimiter::new(policy!(TokenBucket::per_second(100).burst(1).compact()));
/// let queued = Queued::new(limiter, ThreadTime, MutexWaitQueue::new(16));
/// assert!(block_on(queued.acquire()).is_ok());
/// assert!(block_on(queued.acquire()).is_ok(), "10 ms later");
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    // A block_on inside another must not leave its alarm to the outer one, nor lose the outer's.
    let outer = ALARM.get();
    let output = loop {
        ALARM.set(Instant::MAX);
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            break output;
        }
        match ALARM.get() {
            Instant::MAX => std::thread::park(),
            alarm => std::thread::park_timeout(alarm.since(SystemClock.now()).to_core()),
        }
    };
    ALARM.set(outer);
    output
}
