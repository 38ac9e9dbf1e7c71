//! A clock that the test moves, and timers that wake when it passes them.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use steadfast::time::{Clock, Duration, Instant, Sleep};

/// A clock that the test moves, and timers that wake when it passes them.
#[derive(Clone)]
pub struct Time(Rc<TimeInner>);

struct TimeInner {
    now: Cell<Instant>,
    alarms: RefCell<Vec<(Instant, Waker)>>,
}

impl Time {
    pub fn new(now: Instant) -> Self {
        Self(Rc::new(TimeInner {
            now: Cell::new(now),
            alarms: RefCell::new(Vec::new()),
        }))
    }

    pub fn advance(&self, by: Duration) {
        let now = self.0.now.get() + by;
        self.0.now.set(now);
        self.0.alarms.borrow_mut().retain(|(at, waker)| {
            let due = *at <= now;
            if due {
                waker.wake_by_ref();
            }
            !due
        });
    }

    /// The next moment at which a timer ends.
    pub fn next_alarm(&self) -> Option<Instant> {
        let alarms = self.0.alarms.borrow();
        let ends = alarms.iter().map(|(at, _)| *at);
        // Those who wait without a deadline sleep to the end of time.
        ends.filter(|&at| at < Instant::MAX).min()
    }
}

impl Clock for Time {
    fn now(&self) -> Instant {
        self.0.now.get()
    }
}

pub struct Alarm {
    time: Time,
    until: Instant,
}

impl Sleep for Time {
    type Future = Alarm;

    fn sleep(&self, duration: Duration) -> Alarm {
        Alarm {
            time: self.clone(),
            until: self.now() + duration,
        }
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.time.now() >= self.until {
            return Poll::Ready(());
        }
        let alarm = (self.until, context.waker().clone());
        self.time.0.alarms.borrow_mut().push(alarm);
        Poll::Pending
    }
}
