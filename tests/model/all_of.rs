//! Two models on one thing: both or neither.

use super::{Answer, Headers, Model};

#[derive(Clone, Debug)]
pub struct AllOf<A, B>(pub A, pub B);

impl<A: Model, B: Model> AllOf<A, B> {
    /// Which of the two a caller meets: those in force, or both if both are on trial.
    fn in_force(&self) -> [bool; 2] {
        let trials = [self.0.on_trial(), self.1.on_trial()];
        trials.map(|on_trial| !on_trial || trials == [true, true])
    }
}

impl<A: Model, B: Model> Model for AllOf<A, B> {
    type Grant = (A::Grant, B::Grant);
    type Rule = (A::Rule, B::Rule);

    fn decide(&mut self, now: u64, cost: u32) -> Answer<Self::Grant> {
        let (mut first, mut second) = (self.0.clone(), self.1.clone());
        let said = (first.decide(now, cost), second.decide(now, cost));
        if let (Answer::Yes(one), Answer::Yes(other)) = said {
            *self = Self(first, second);
            return Answer::Yes((one, other));
        }
        let mut waits = Vec::new();
        // Who said yes takes nothing after all, and heals as after a no.
        match said.0 {
            Answer::TooMuch => self.0 = first,
            Answer::Yes(_) => self.0.mend(now),
            Answer::Wait(wait) => {
                self.0 = first;
                waits.push(wait);
            }
        }
        match said.1 {
            Answer::TooMuch => self.1 = second,
            Answer::Yes(_) => self.1.mend(now),
            Answer::Wait(wait) => {
                self.1 = second;
                waits.push(wait);
            }
        }
        if cost > self.capacity() {
            return Answer::TooMuch;
        }
        Answer::Wait(waits.into_iter().max().expect("one said no"))
    }

    fn refund(&mut self, now: u64, grant: &Self::Grant) {
        self.0.refund(now, &grant.0);
        self.1.refund(now, &grant.1);
    }

    fn mend(&mut self, now: u64) {
        self.0.mend(now);
        self.1.mend(now);
    }

    fn reconfigure(&mut self, now: u64, rule: Self::Rule) {
        self.0.reconfigure(now, rule.0);
        self.1.reconfigure(now, rule.1);
    }

    fn on_trial(&self) -> bool {
        self.0.on_trial() && self.1.on_trial()
    }

    fn available(&self, now: u64) -> u32 {
        let in_force = self.in_force();
        let each = [self.0.available(now), self.1.available(now)];
        let counts = each.into_iter().zip(in_force);
        let least = counts
            .filter(|(_, counts)| *counts)
            .map(|(left, _)| left)
            .min();
        least.expect("one of them counts")
    }

    fn rests_in(&self, now: u64) -> u64 {
        self.0.rests_in(now).max(self.1.rests_in(now))
    }

    fn capacity(&self) -> u32 {
        self.0.capacity().min(self.1.capacity())
    }

    fn longest(&self) -> u64 {
        self.0.longest().max(self.1.longest())
    }

    /// Where time stands still for one of them.
    fn horizon(&self) -> u64 {
        self.0.horizon().min(self.1.horizon())
    }

    /// Of the one that is nearest to saying no; of two that are as near, the one that takes
    /// longer to be full. What is on trial beside one in force does not count.
    fn standing(&self, now: u64) -> Headers {
        let (first, second) = (self.0.standing(now), self.1.standing(now));
        match self.in_force() {
            [true, false] => return first,
            [false, true] => return second,
            _ => {}
        }
        if second.remaining == first.remaining {
            [first, second][usize::from(second.full_in > first.full_in)]
        } else {
            [first, second][usize::from(second.remaining < first.remaining)]
        }
    }

    fn within_rate(&self, granted: i128, forward: i128, jumps: i128) -> bool {
        self.0.within_rate(granted, forward, jumps) && self.1.within_rate(granted, forward, jumps)
    }
}
