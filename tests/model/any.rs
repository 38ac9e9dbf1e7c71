//! A model of whichever algorithm was chosen, or of none.

use super::bucket::{self, Bucket};
use super::intervals::{self, Intervals};
use super::machine::{Tells, Told};
use super::sliding_counter::{self, SlidingCounter};
use super::window::{self, FixedWindow};
use super::{Answer, Headers, Model};

/// What is configured.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    Bucket(bucket::Rule),
    Window(window::Rule),
    Counter(sliding_counter::Rule),
    Intervals(intervals::Rule),
    Unlimited,
}

#[derive(Clone, Debug)]
pub enum Any {
    Bucket(Bucket),
    Window(FixedWindow),
    Counter(SlidingCounter),
    Intervals(Intervals),
    Unlimited,
}

/// A yes, and whose.
#[derive(Clone, Copy, Debug)]
pub enum Grant {
    Bucket(<Bucket as Model>::Grant),
    Window(<FixedWindow as Model>::Grant),
    Counter(<SlidingCounter as Model>::Grant),
    Intervals(<Intervals as Model>::Grant),
    /// When nothing was taken.
    Unlimited(u64),
}

impl Tells for Grant {
    fn tells(&self) -> Vec<Told> {
        match self {
            Self::Bucket(grant) => grant.tells(),
            Self::Window(grant) => grant.tells(),
            Self::Counter(grant) => grant.tells(),
            Self::Intervals(grant) => grant.tells(),
            Self::Unlimited(at) => vec![Answer::Yes((*at, 0))],
        }
    }
}

impl Any {
    pub fn new(rule: Rule) -> Self {
        match rule {
            Rule::Bucket(rule) => Self::Bucket(Bucket::new(rule)),
            Rule::Window(rule) => Self::Window(FixedWindow::new(rule)),
            Rule::Counter(rule) => Self::Counter(SlidingCounter::new(rule)),
            Rule::Intervals(rule) => Self::Intervals(Intervals::new(rule)),
            Rule::Unlimited => Self::Unlimited,
        }
    }
}

fn named<G>(answer: Answer<G>, name: impl Fn(G) -> Grant) -> Answer<Grant> {
    match answer {
        Answer::Yes(grant) => Answer::Yes(name(grant)),
        Answer::Wait(wait) => Answer::Wait(wait),
        Answer::TooMuch => Answer::TooMuch,
    }
}

/// Asks the model that is there; the last expression is for none.
macro_rules! ask {
    ($any:expr, $model:ident => $said:expr, $unlimited:expr) => {
        match $any {
            Any::Bucket($model) => $said,
            Any::Window($model) => $said,
            Any::Counter($model) => $said,
            Any::Intervals($model) => $said,
            Any::Unlimited => $unlimited,
        }
    };
}

impl Model for Any {
    type Grant = Grant;
    type Rule = Rule;

    fn decide(&mut self, now: u64, cost: u32) -> Answer<Grant> {
        match self {
            Self::Bucket(model) => named(model.decide(now, cost), Grant::Bucket),
            Self::Window(model) => named(model.decide(now, cost), Grant::Window),
            Self::Counter(model) => named(model.decide(now, cost), Grant::Counter),
            Self::Intervals(model) => named(model.decide(now, cost), Grant::Intervals),
            Self::Unlimited => Answer::Yes(Grant::Unlimited(now)),
        }
    }

    fn refund(&mut self, now: u64, grant: &Grant) {
        match (self, grant) {
            (Self::Bucket(model), Grant::Bucket(grant)) => model.refund(now, grant),
            (Self::Window(model), Grant::Window(grant)) => model.refund(now, grant),
            (Self::Counter(model), Grant::Counter(grant)) => model.refund(now, grant),
            (Self::Intervals(model), Grant::Intervals(grant)) => model.refund(now, grant),
            // Another algorithm's grant, or one that took nothing.
            _ => {}
        }
    }

    fn mend(&mut self, now: u64) {
        ask!(self, model => model.mend(now), ());
    }

    fn reconfigure(&mut self, now: u64, rule: Rule) {
        match (&mut *self, rule) {
            (Self::Bucket(model), Rule::Bucket(rule)) => model.reconfigure(now, rule),
            (Self::Window(model), Rule::Window(rule)) => model.reconfigure(now, rule),
            (Self::Counter(model), Rule::Counter(rule)) => model.reconfigure(now, rule),
            (Self::Intervals(model), Rule::Intervals(rule)) => model.reconfigure(now, rule),
            _ => {
                // "What was used is taken anew, up to the new capacity", in whole tokens.
                let used = self.capacity() - self.available(now);
                *self = Self::new(rule);
                let used = used.min(self.capacity());
                assert!(matches!(self.decide(now, used), Answer::Yes(_)));
            }
        }
    }

    fn available(&self, now: u64) -> u32 {
        ask!(self, model => model.available(now), u32::MAX)
    }

    fn rests_in(&self, now: u64) -> u64 {
        ask!(self, model => model.rests_in(now), 0)
    }

    fn capacity(&self) -> u32 {
        ask!(self, model => model.capacity(), u32::MAX)
    }

    fn longest(&self) -> u64 {
        ask!(self, model => model.longest(), 0)
    }

    fn horizon(&self) -> u64 {
        ask!(self, model => model.horizon(), u64::MAX)
    }

    fn standing(&self, now: u64) -> Headers {
        let unlimited = Headers {
            limit: u32::MAX,
            remaining: u32::MAX,
            full_in: 0,
        };
        ask!(self, model => model.standing(now), unlimited)
    }

    fn within_rate(&self, granted: i128, forward: i128, jumps: i128) -> bool {
        ask!(self, model => model.within_rate(granted, forward, jumps), true)
    }
}
