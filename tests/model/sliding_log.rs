//! A sliding log by its definition: a list of tokens, each of them out for one period.

use super::machine::{Tells, Told};
use super::{Answer, END, LEAD, Model, nanos};

/// What is configured.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    limit: u32,
    period: i128,
    /// How many tokens it can remember.
    places: usize,
}

impl Rule {
    pub fn new(limit: u32, period: u64, places: usize) -> Self {
        Self {
            limit,
            period: period.into(),
            places,
        }
    }

    fn horizon(&self) -> i128 {
        END - self.period
    }

    fn read(&self, now: u64) -> i128 {
        i128::from(now).min(self.horizon())
    }
}

/// A yes: what was taken, and when it comes back.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    usable_at: u64,
    cost: u32,
    back_at: i128,
}

impl Tells for Grant {
    fn tells(&self) -> Vec<Told> {
        vec![Answer::Yes((self.usable_at, self.cost))]
    }
}

#[derive(Clone, Debug)]
pub struct SlidingLog {
    rule: Rule,
    /// When each token comes back, in the order in which they were taken.
    tokens: Vec<i128>,
}

impl SlidingLog {
    pub fn new(rule: Rule) -> Self {
        Self {
            rule,
            tokens: Vec::new(),
        }
    }

    /// How many are out at `now`.
    fn out(&self, now: i128) -> u32 {
        let out = self.tokens.iter().filter(|back_at| **back_at > now);
        u32::try_from(out.count()).expect("as many as places")
    }

    /// The first instant from `now` on with room for `cost`: now, or when one comes back.
    fn room_at(&self, now: i128, cost: u32) -> i128 {
        let mut instants = std::iter::once(now).chain(self.tokens.iter().copied());
        instants
            .find(|at| *at >= now && self.out(*at) + cost <= self.rule.limit)
            .expect("all come back at last")
    }

    /// "A state further ahead becomes empty at now": all were taken now.
    fn mend_at(&mut self, now: i128) {
        let believed = now + self.rule.period + LEAD;
        if self.tokens.iter().any(|back_at| *back_at > believed) {
            self.tokens = vec![now + self.rule.period; self.rule.limit as usize];
        }
    }

    fn mended(&self, now: i128) -> Self {
        let mut mended = self.clone();
        mended.mend_at(now);
        mended
    }
}

impl Model for SlidingLog {
    type Grant = Grant;
    type Rule = Rule;

    fn decide(&mut self, now: u64, cost: u32) -> Answer<Grant> {
        let now = self.rule.read(now);
        if cost > self.rule.limit {
            return Answer::TooMuch;
        }
        let mut back_at = now;
        if cost > 0 {
            self.mend_at(now);
            let room_at = self.room_at(now, cost);
            if room_at > now {
                return Answer::Wait(nanos(room_at - now));
            }
            // They come back in the order in which they were taken, also if a clock lags.
            let last = self.tokens.last().copied().unwrap_or(0);
            back_at = last.max(now + self.rule.period);
            self.tokens.extend(vec![back_at; cost as usize]);
            let forgotten = self.tokens.len().saturating_sub(self.rule.places);
            self.tokens.drain(..forgotten);
        }
        Answer::Yes(Grant {
            usable_at: nanos(now),
            cost,
            back_at,
        })
    }

    fn refund(&mut self, now: u64, grant: &Grant) {
        let now = self.rule.read(now);
        self.mend_at(now);
        if grant.cost == 0 || grant.back_at <= now {
            return;
        }
        for _ in 0..grant.cost {
            if let Some(index) = self.tokens.iter().position(|at| *at == grant.back_at) {
                self.tokens.remove(index);
            }
        }
        // What is back is history.
        self.tokens.retain(|back_at| *back_at > now);
    }

    fn mend(&mut self, now: u64) {
        self.mend_at(self.rule.read(now));
    }

    /// What is out stays out, for the new period from when it was taken.
    fn reconfigure(&mut self, now: u64, rule: Rule) {
        let now = self.rule.read(now);
        self.mend_at(now);
        self.tokens.retain(|back_at| *back_at > now);
        for back_at in &mut self.tokens {
            let taken_at = *back_at - self.rule.period;
            *back_at = taken_at.min(rule.horizon()) + rule.period;
        }
        self.rule = rule;
    }

    fn available(&self, now: u64) -> u32 {
        let now = self.rule.read(now);
        self.rule.limit.saturating_sub(self.mended(now).out(now))
    }

    fn rests_in(&self, now: u64) -> u64 {
        let now = self.rule.read(now);
        let last = self.mended(now).tokens.last().copied();
        nanos((last.unwrap_or(now) - now).max(0))
    }

    fn capacity(&self) -> u32 {
        self.rule.limit
    }

    fn longest(&self) -> u64 {
        nanos(self.rule.period)
    }

    fn horizon(&self) -> u64 {
        nanos(self.rule.horizon())
    }

    fn within_rate(&self, granted: i128, forward: i128, _: i128) -> bool {
        granted <= (1 + forward / self.rule.period) * i128::from(self.rule.limit)
    }
}
