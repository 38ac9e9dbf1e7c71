//! A model on trial: it says what it would have said, and denies nobody.

use super::machine::{Tells, Told};
use super::{Answer, Headers, Model};

#[derive(Clone, Debug)]
pub struct Shadow<M>(pub M);

/// What the model said.
#[derive(Clone, Copy, Debug)]
pub struct Said<G>(Answer<G>);

impl<G: Tells> Tells for Said<G> {
    fn tells(&self) -> Vec<Told> {
        match &self.0 {
            Answer::Yes(grant) => grant.tells(),
            Answer::Wait(wait) => vec![Answer::Wait(*wait)],
            Answer::TooMuch => vec![Answer::TooMuch],
        }
    }
}

impl<M: Model> Model for Shadow<M> {
    type Grant = Said<M::Grant>;
    type Rule = M::Rule;

    fn decide(&mut self, now: u64, cost: u32) -> Answer<Self::Grant> {
        Answer::Yes(Said(self.0.decide(now, cost)))
    }

    fn refund(&mut self, now: u64, grant: &Self::Grant) {
        if let Answer::Yes(grant) = &grant.0 {
            self.0.refund(now, grant);
        }
    }

    fn mend(&mut self, now: u64) {
        self.0.mend(now);
    }

    fn reconfigure(&mut self, now: u64, rule: M::Rule) {
        self.0.reconfigure(now, rule);
    }

    fn available(&self, now: u64) -> u32 {
        self.0.available(now)
    }

    fn rests_in(&self, now: u64) -> u64 {
        self.0.rests_in(now)
    }

    fn capacity(&self) -> u32 {
        u32::MAX
    }

    fn longest(&self) -> u64 {
        self.0.longest()
    }

    fn horizon(&self) -> u64 {
        self.0.horizon()
    }

    fn on_trial(&self) -> bool {
        true
    }

    fn standing(&self, now: u64) -> Headers {
        self.0.standing(now)
    }

    fn wait_for_one(&self, now: u64) -> Option<u64> {
        self.0.wait_for_one(now)
    }

    /// Everything passes, so what passed is held to no rate.
    fn within_rate(&self, _: i128, _: i128, _: i128) -> bool {
        true
    }
}
