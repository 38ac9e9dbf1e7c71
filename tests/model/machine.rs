//! The machines under test, with what the comparer asks of them beyond their policy.

use steadfast::limit::{
    AllOf, AnyGranted, AnyPolicy, CompactBucket, Denied, FixedWindow, Granted, IntervalBucket,
    Policy, Reserve, Shadow, Shadowed, SlidingWindowCounter, SlidingWindowLog, TokenBucket,
};
use steadfast::time::{Duration, Instant};

use super::Answer;

/// What one limit says in a yes: from when on it may be used and what was taken, or on trial also
/// how it would have said no.
pub type Told = Answer<(u64, u32)>;

/// All that can be seen of a yes, of a machine's and of a model's: one line a limit.
pub trait Tells {
    fn tells(&self) -> Vec<Told>;

    /// What was taken; nothing if it is a no on trial.
    fn taken(&self) -> u32 {
        let taken = |told| match told {
            Answer::Yes((_, cost)) => cost,
            Answer::Wait(_) | Answer::TooMuch => 0,
        };
        self.tells().into_iter().map(taken).max().unwrap_or(0)
    }
}

impl Tells for Granted {
    fn tells(&self) -> Vec<Told> {
        vec![Answer::Yes((self.at().as_nanos(), self.cost()))]
    }
}

impl Tells for AnyGranted {
    fn tells(&self) -> Vec<Told> {
        vec![Answer::Yes((self.at().as_nanos(), self.cost()))]
    }
}

impl<A: Tells, B: Tells> Tells for (A, B) {
    fn tells(&self) -> Vec<Told> {
        [self.0.tells(), self.1.tells()].concat()
    }
}

impl<G: Tells> Tells for Shadowed<G> {
    fn tells(&self) -> Vec<Told> {
        match &self.0 {
            Ok(granted) => granted.tells(),
            Err(denied) => vec![match denied.retry_after() {
                Some(wait) => Answer::Wait(wait.as_nanos()),
                None => Answer::TooMuch,
            }],
        }
    }
}

/// A machine under test; those that cannot reserve say nothing to it, cancel and charge nothing.
pub trait Machine: Policy<Granted: Tells> {
    fn try_reserve(
        &self,
        _: &mut Self::State,
        _: Instant,
        _: u32,
        _: Duration,
    ) -> Option<Result<Self::Granted, Denied>> {
        None
    }
    fn try_cancel(&self, _: &mut Self::State, _: Instant, _: &Self::Granted) -> bool {
        false
    }
    fn try_charge(&self, _: &mut Self::State, _: Instant, _: u32) -> Option<u32> {
        None
    }
}

impl Machine for AnyPolicy {}
impl Machine for CompactBucket {}
impl Machine for FixedWindow {}
impl Machine for IntervalBucket {}
impl Machine for SlidingWindowCounter {}
impl<const N: usize> Machine for SlidingWindowLog<N> {}
impl<A: Machine, B: Machine> Machine for AllOf<A, B> {}
impl<P: Machine> Machine for Shadow<P> {}

impl Machine for TokenBucket {
    fn try_reserve(
        &self,
        state: &mut Self::State,
        now: Instant,
        cost: u32,
        max_wait: Duration,
    ) -> Option<Result<Granted, Denied>> {
        Some(self.reserve(state, now, cost, max_wait))
    }
    fn try_cancel(&self, state: &mut Self::State, now: Instant, granted: &Granted) -> bool {
        self.cancel(state, now, granted);
        true
    }
    fn try_charge(&self, state: &mut Self::State, now: Instant, cost: u32) -> Option<u32> {
        Some(self.charge(state, now, cost))
    }
}
