//! Embassy's time under the core's async driver, on a PC: embassy-time's own mock driver, whose
//! clock the test moves.

#![cfg(feature = "embassy-time-v0_5")]

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use embassy_time::MockDriver;
use steadfast::limit::{Queued, RateLimiter, StaticWaitQueue, TokenBucket, WaitQueue};
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::{Clock, Duration, EmbassyTime, Instant, Sleep, micros, millis, nanos, secs};

/// There is one driver in a program, so one test at a time moves it.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn from_zero() -> MutexGuard<'static, ()> {
    // A test that failed has told so already.
    let guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    MockDriver::get().reset();
    guard
}

fn advance(by: Duration) {
    MockDriver::get().advance(by.into());
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A future that is polled only when it was woken, as an executor does.
struct Task<'a, F> {
    future: Pin<&'a mut F>,
    woken: Arc<Flag>,
}

impl<'a, F: Future> Task<'a, F> {
    fn new(future: Pin<&'a mut F>) -> Self {
        let woken = Arc::new(Flag(AtomicBool::new(true)));
        Self { future, woken }
    }

    fn run(&mut self) -> Poll<F::Output> {
        for _ in 0..100 {
            if !self.woken.0.swap(false, Ordering::Relaxed) {
                return Poll::Pending;
            }
            let waker = Waker::from(Arc::clone(&self.woken));
            let done = self.future.as_mut().poll(&mut Context::from_waker(&waker));
            if done.is_ready() {
                return done;
            }
        }
        panic!("it is woken again and again while the clock stands still");
    }
}

#[test]
fn the_clock_reads_what_the_driver_has_counted() {
    let _alone = from_zero();
    assert_eq!(EmbassyTime.now(), Instant::ZERO);
    advance(micros(1_234_567));
    assert_eq!(EmbassyTime.now(), Instant::from_nanos(1_234_567_000));
}

#[test]
fn a_sleep_ends_with_the_tick_that_covers_it_and_not_before() {
    let _alone = from_zero();
    // 333,333,334 ns are 333,334 us.
    let mut sleep = pin!(EmbassyTime.sleep(nanos(333_333_334)));
    let mut task = Task::new(sleep.as_mut());
    assert!(task.run().is_pending());
    advance(micros(333_333));
    assert!(task.run().is_pending(), "334 ns too early");
    advance(micros(1));
    assert!(task.run().is_ready());
}

#[test]
fn a_sleep_longer_than_time_does_not_panic_and_does_not_end() {
    let _alone = from_zero();
    advance(secs(5));
    let mut sleep = pin!(EmbassyTime.sleep(Duration::MAX));
    let mut task = Task::new(sleep.as_mut());
    assert!(task.run().is_pending());
    advance(steadfast::time::days(36_500));
    assert!(task.run().is_pending());
}

#[test]
fn callers_wait_their_turn_and_one_who_leaves_takes_nothing() {
    let _alone = from_zero();
    // A token each third of a second, which no whole number of ticks is.
    let queued = Queued::new(
        Shared::new(RateLimiter::new(policy!(
            TokenBucket::per_second(3).burst(2)
        ))),
        EmbassyTime,
        StaticWaitQueue::<4>::new(),
    );
    let start = EmbassyTime.now();
    assert!(
        Task::new(pin!(queued.acquire_by(2, Instant::MAX)))
            .run()
            .is_ready()
    );

    let mut second = pin!(queued.acquire());
    let mut second = Task::new(second.as_mut());
    assert!(second.run().is_pending());
    {
        let mut leaves = pin!(queued.acquire());
        assert!(Task::new(leaves.as_mut()).run().is_pending());
        advance(millis(100));
    }
    let mut third = pin!(queued.acquire());
    let mut third = Task::new(third.as_mut());
    assert!(third.run().is_pending());

    let mut granted_at = Vec::new();
    for _ in 0..1_000_000 {
        if granted_at.is_empty() {
            if let Poll::Ready(granted) = second.run() {
                granted_at.push((granted.unwrap().at(), EmbassyTime.now()));
            }
        } else if let Poll::Ready(granted) = third.run() {
            granted_at.push((granted.unwrap().at(), EmbassyTime.now()));
            break;
        }
        advance(micros(1));
    }
    // One and two thirds of a second, each rounded up to a tick. What the first is late does not
    // make the second later.
    let thirds_of_a_second = [start + micros(333_334), start + micros(666_667)];
    assert_eq!(granted_at, thirds_of_a_second.map(|at| (at, at)));
    assert!(queued.queue().is_empty());
}
