//! Two holders in the form of the others: one with a clock of its own, one that may be none.

use steadfast::limit::{Clocked, Denied, Granted, Limiter, Reconfigure, Standing};
use steadfast::time::{Instant, ManualClock};

use crate::Said;

/// A limiter with its clock, which is set before each call.
pub struct OnTime<L>(Clocked<L, ManualClock>);

impl<L> OnTime<L> {
    pub fn new(limiter: L) -> Self {
        Self(Clocked::new(limiter, ManualClock::new(Instant::ZERO)))
    }
}

impl<L: Limiter<Granted = Granted>> Limiter for OnTime<L> {
    type Granted = Granted;

    fn try_acquire_n(&self, now: Instant, cost: u32) -> Said {
        self.0.clock().set(now);
        match cost {
            1 => self.0.try_acquire(),
            _ => self.0.try_acquire_n(cost),
        }
    }

    fn refund(&self, now: Instant, granted: &Granted) {
        self.0.clock().set(now);
        self.0.refund(granted);
    }

    fn peek(&self, now: Instant, cost: u32) -> Result<(), Denied> {
        self.0.clock().set(now);
        self.0.peek(cost)
    }

    fn standing(&self, now: Instant) -> Standing {
        self.0.clock().set(now);
        self.0.standing()
    }

    fn available(&self, now: Instant) -> u32 {
        self.0.clock().set(now);
        self.0.available()
    }
}

impl<L: Reconfigure<Granted = Granted>> Reconfigure for OnTime<L> {
    type Policy = L::Policy;

    fn reconfigure(&self, now: Instant, policy: L::Policy) {
        self.0.clock().set(now);
        self.0.reconfigure(policy);
    }
}

/// A limiter that may be none, and is one.
pub struct Unwrapped<L>(pub Option<L>);

impl<L: Limiter<Granted = Granted>> Limiter for Unwrapped<L> {
    type Granted = Granted;

    fn try_acquire_n(&self, now: Instant, cost: u32) -> Said {
        let said = self.0.try_acquire_n(now, cost);
        said.map(|granted| granted.expect("there is a limiter"))
    }

    fn refund(&self, now: Instant, granted: &Granted) {
        self.0.refund(now, &Some(*granted));
    }

    fn peek(&self, now: Instant, cost: u32) -> Result<(), Denied> {
        self.0.peek(now, cost)
    }

    fn standing(&self, now: Instant) -> Standing {
        self.0.standing(now)
    }

    fn available(&self, now: Instant) -> u32 {
        self.0.available(now)
    }
}
