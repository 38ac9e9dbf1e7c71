//! A world whose time stands still until everybody waits for it, and for one future at a time; and
//! retries without chance for it.

// Each test file takes what it needs.
#![allow(dead_code)]

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use steadfast::backoff::Backoff;
use steadfast::policy;
use steadfast::retry::RetryPolicy;
use steadfast::time::{BlockingSleep, Clock, Duration, Instant, Sleep, millis};

/// 100, 200, 400 ms, and so on; five attempts.
pub const STEADY: RetryPolicy =
    policy!(RetryPolicy::new(policy!(Backoff::exponential(millis(100)))).attempts(5));

pub fn no_chance() -> u32 {
    unreachable!("a schedule without jitter draws nothing")
}

/// A clock and its timers.
pub struct World {
    now: Cell<Instant>,
    sleepers: Rc<RefCell<Vec<(u64, Instant)>>>,
    last: Cell<u64>,
}

impl World {
    pub fn new() -> Self {
        Self {
            now: Cell::new(Instant::ZERO),
            sleepers: Rc::default(),
            last: Cell::new(0),
        }
    }

    /// How many timers there are.
    pub fn sleepers(&self) -> usize {
        self.sleepers.borrow().len()
    }

    pub fn pass_at_once(&self, duration: Duration) {
        self.now.set(self.now.get() + duration);
    }

    /// Ends when so much time has passed.
    pub fn pass(&self, duration: Duration) -> Nap {
        let number = self.last.get();
        self.last.set(number + 1);
        self.sleepers
            .borrow_mut()
            .push((number, self.now.get() + duration));
        Nap {
            number,
            sleepers: Rc::clone(&self.sleepers),
        }
    }

    /// Polls a future to its end, and lets time pass whenever it waits.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        self.run_for(usize::MAX, future).expect("it ends")
    }

    /// The same, and drops it when it has been polled so often.
    pub fn run_for<F: Future>(&self, polls: usize, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        for _ in 0..polls {
            self.ring();
            match future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
            {
                Poll::Ready(output) => return Some(output),
                Poll::Pending => {
                    let next = self.sleepers.borrow().iter().map(|(_, at)| *at).min();
                    let next = next.expect("it waits for nothing that will come");
                    self.now.set(self.now.get().max(next));
                }
            }
        }
        None
    }

    fn ring(&self) {
        // A nap looks for itself in the list: whoever is not there any more has slept enough.
        let now = self.now.get();
        self.sleepers.borrow_mut().retain(|(_, at)| *at > now);
    }
}

impl Clock for World {
    fn now(&self) -> Instant {
        self.now.get()
    }
}

impl Sleep for World {
    type Future = Nap;

    fn sleep(&self, duration: Duration) -> Nap {
        self.pass(duration)
    }
}

impl BlockingSleep for World {
    fn sleep_blocking(&self, duration: Duration) {
        self.pass_at_once(duration);
    }
}

/// A timer of a [`World`].
pub struct Nap {
    number: u64,
    sleepers: Rc<RefCell<Vec<(u64, Instant)>>>,
}

impl Future for Nap {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let sleeps = self
            .sleepers
            .borrow()
            .iter()
            .any(|(number, _)| *number == self.number);
        if sleeps {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

impl Drop for Nap {
    fn drop(&mut self) {
        self.sleepers
            .borrow_mut()
            .retain(|(number, _)| *number != self.number);
    }
}
