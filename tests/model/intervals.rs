//! An interval bucket by its definition: a level, and the boundaries at which portions fall.

use super::machine::{Tells, Told};
use super::{Answer, END, LEAD, Model, nanos};

/// What is configured.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    amount: i128,
    interval: i128,
    capacity: i128,
}

impl Rule {
    /// `amount` tokens at the end of each `interval`, up to `capacity`.
    pub fn new(amount: u32, interval: u64, capacity: u32) -> Self {
        Self {
            amount: amount.into(),
            interval: interval.into(),
            capacity: capacity.into(),
        }
    }

    /// How many portions make up `tokens`, the last of them perhaps not whole.
    fn portions(&self, tokens: i128) -> i128 {
        (tokens + self.amount - 1) / self.amount
    }

    /// The time in which an empty bucket fills.
    fn fill(&self) -> i128 {
        self.portions(self.capacity) * self.interval
    }

    fn horizon(&self) -> i128 {
        END - self.fill()
    }

    fn read(&self, now: u64) -> i128 {
        i128::from(now).min(self.horizon())
    }
}

/// A bucket that is not full.
#[derive(Clone, Copy, Debug)]
struct Level {
    tokens: i128,
    /// The last boundary: when an interval ended, or the first token was taken.
    since: i128,
}

impl Level {
    /// As it is at `now`; `None` once it is full.
    fn at(self, now: i128, rule: &Rule) -> Option<Self> {
        let ended = ((now - self.since) / rule.interval).max(0);
        let tokens = self.tokens + ended * rule.amount;
        (tokens < rule.capacity).then(|| Self {
            tokens,
            since: self.since + ended * rule.interval,
        })
    }
}

/// A yes: what was taken, and the level that it left.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    usable_at: u64,
    cost: u32,
    left: Option<Level>,
}

impl Tells for Grant {
    fn tells(&self) -> Vec<Told> {
        vec![Answer::Yes((self.usable_at, self.cost))]
    }
}

#[derive(Clone, Debug)]
pub struct Intervals {
    rule: Rule,
    /// `None`: full.
    level: Option<Level>,
}

impl Intervals {
    pub fn new(rule: Rule) -> Self {
        Self { rule, level: None }
    }

    /// What is due falls; "a state further ahead becomes empty at now".
    fn go_to(&mut self, now: i128) {
        self.level = self.level.and_then(|level| {
            if level.since - now > LEAD {
                Some(Level {
                    tokens: 0,
                    since: now,
                })
            } else {
                level.at(now, &self.rule)
            }
        });
    }

    fn gone_to(&self, now: i128) -> Self {
        let mut gone = self.clone();
        gone.go_to(now);
        gone
    }

    fn tokens(&self) -> i128 {
        self.level.map_or(self.rule.capacity, |level| level.tokens)
    }

    /// When there will be `tokens`.
    fn holds_at(&self, tokens: i128, now: i128) -> i128 {
        self.level.map_or(now, |level| {
            level.since + self.rule.portions(tokens - level.tokens) * self.rule.interval
        })
    }
}

impl Model for Intervals {
    type Grant = Grant;
    type Rule = Rule;

    fn decide(&mut self, now: u64, cost: u32) -> Answer<Grant> {
        let now = self.rule.read(now);
        let tokens = i128::from(cost);
        if tokens > self.rule.capacity {
            return Answer::TooMuch;
        }
        if cost > 0 {
            self.go_to(now);
            if tokens > self.tokens() {
                return Answer::Wait(nanos(self.holds_at(tokens, now) - now));
            }
            // The first token taken from a full bucket starts the intervals.
            self.level = Some(Level {
                tokens: self.tokens() - tokens,
                since: self.level.map_or(now, |level| level.since),
            });
        }
        Answer::Yes(Grant {
            usable_at: nanos(now),
            cost,
            left: self.level,
        })
    }

    fn refund(&mut self, now: u64, grant: &Grant) {
        let now = self.rule.read(now);
        self.go_to(now);
        // Had nobody come since, this much would still be missing.
        let left = grant.left.and_then(|level| level.at(now, &self.rule));
        let missing = left.map_or(0, |level| self.rule.capacity - level.tokens);
        let back = missing.min(grant.cost.into());
        self.level = self.level.and_then(|mut level| {
            level.tokens += back;
            (level.tokens < self.rule.capacity).then_some(level)
        });
    }

    fn mend(&mut self, now: u64) {
        self.go_to(self.rule.read(now));
    }

    /// What was used stays used. The interval that has begun ends when the new one would have,
    /// and if that has passed, now.
    fn reconfigure(&mut self, now: u64, rule: Rule) {
        self.mend(now);
        let used = self.rule.capacity - self.tokens();
        self.rule = rule;
        let now = rule.read(now);
        self.level = self.level.map(|level| {
            let ends = (level.since.min(rule.horizon()) + rule.interval).max(now);
            Level {
                tokens: rule.capacity - used.min(rule.capacity),
                since: ends - rule.interval,
            }
        });
        self.go_to(now);
    }

    fn available(&self, now: u64) -> u32 {
        let tokens = self.gone_to(self.rule.read(now)).tokens();
        u32::try_from(tokens).expect("at most the capacity")
    }

    fn rests_in(&self, now: u64) -> u64 {
        let now = self.rule.read(now);
        let full_at = self.gone_to(now).holds_at(self.rule.capacity, now);
        nanos(full_at - now)
    }

    fn capacity(&self) -> u32 {
        u32::try_from(self.rule.capacity).expect("it fits 32 bits")
    }

    fn longest(&self) -> u64 {
        nanos(self.rule.fill())
    }

    fn horizon(&self) -> u64 {
        nanos(self.rule.horizon())
    }

    fn within_rate(&self, granted: i128, forward: i128, _: i128) -> bool {
        let portions = forward / self.rule.interval;
        granted <= self.rule.capacity + portions * self.rule.amount
    }
}
