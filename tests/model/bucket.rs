//! A token bucket by its definition: a level that rises with time up to the burst.
//!
//! Levels are rational numbers of tokens with one fixed denominator, the period: a token is
//! `period` drops, and in each nanosecond `count` drops fall. So every level at every instant is
//! a whole number of drops, and no sum is ever rounded.

use num_bigint::BigInt;
use num_rational::BigRational;

use super::machine::{Tells, Told};
use super::{Answer, END, LEAD, Model, nanos};

/// What is configured.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    count: i128,
    period: i128,
    /// How many drops the bucket holds.
    depth: i128,
    /// How far ahead it promises, in nanoseconds.
    ahead: i128,
    /// Time is read in multiples of this many nanoseconds, rounded down.
    tick: i128,
}

impl Rule {
    /// `count` tokens every `period` nanoseconds, `burst` at once.
    pub fn tokens(count: u32, period: u64, burst: u32) -> Self {
        let period = i128::from(period);
        Self {
            count: count.into(),
            period,
            depth: i128::from(burst) * period,
            ahead: 0,
            tick: 1,
        }
    }

    /// One token every `interval` nanoseconds, and up to `tolerance` early: so it holds one token
    /// and as much as falls within the tolerance.
    pub fn cells(interval: u64, tolerance: u64) -> Self {
        let mut rule = Self::tokens(1, interval, 1);
        rule.depth += i128::from(tolerance);
        rule
    }

    pub fn ahead(mut self, ahead: u64) -> Self {
        self.ahead = ahead.into();
        self
    }

    pub fn tick(mut self, tick: u64) -> Self {
        self.tick = tick.into();
        self
    }

    /// `now` as it is read.
    fn read(&self, now: u64) -> i128 {
        let now = i128::from(now).min(self.horizon());
        now - now % self.tick
    }

    /// "In the last T before the end time stands still", T being the time to fill and the time
    /// promised ahead.
    fn horizon(&self) -> i128 {
        END - self.depth / self.count - self.ahead
    }
}

/// A level that rises for ever: through `drops` at the time `at`.
#[derive(Clone, Copy, Debug)]
struct Line {
    at: i128,
    drops: i128,
}

impl Line {
    fn level(&self, now: i128, rule: &Rule) -> i128 {
        self.drops + (now - self.at) * rule.count
    }
}

/// A yes: what was taken, and the line that it left.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    usable_at: u64,
    cost: u32,
    left: Option<Line>,
}

impl Tells for Grant {
    fn tells(&self) -> Vec<Told> {
        vec![Answer::Yes((self.usable_at, self.cost))]
    }
}

#[derive(Clone, Debug)]
pub struct Bucket {
    rule: Rule,
    /// `None`: never used, full whatever the time.
    line: Option<Line>,
}

impl Bucket {
    pub fn new(rule: Rule) -> Self {
        Self { rule, line: None }
    }

    /// Drops in the bucket; below zero where more is promised than is there.
    fn level(&self, now: i128) -> i128 {
        match self.line {
            None => self.rule.depth,
            Some(line) => line.level(now, &self.rule).min(self.rule.depth),
        }
    }

    fn set(&mut self, now: i128, drops: i128) {
        self.line = Some(Line { at: now, drops });
    }

    fn price(&self, cost: u32) -> i128 {
        i128::from(cost) * self.rule.period
    }

    /// How long after `now`, of which `read` was read, the level reaches `drops`.
    fn until(&self, now: u64, read: i128, drops: i128) -> u64 {
        let missing = drops - self.level(read);
        if missing <= 0 {
            return 0;
        }
        let each = self.rule.count * self.rule.tick;
        let ticks = (missing + each - 1) / each;
        let now = i128::from(now).min(self.rule.horizon());
        nanos(read + ticks * self.rule.tick - now)
    }

    /// "A state further ahead of now than the longest wait and the lead becomes empty at now."
    fn mend_at(&mut self, read: i128) {
        let believed = self.rule.depth + (self.rule.ahead + LEAD) * self.rule.count;
        if self.rule.depth - self.level(read) > believed {
            self.set(read, 0);
        }
    }

    fn take(&mut self, read: i128, cost: u32, usable_at: u64) -> Answer<Grant> {
        self.set(read, self.level(read) - self.price(cost));
        Answer::Yes(Grant {
            usable_at,
            cost,
            left: self.line,
        })
    }

    fn look(&self, now: u64) -> Answer<Grant> {
        Answer::Yes(Grant {
            usable_at: nanos(i128::from(now).min(self.rule.horizon())),
            cost: 0,
            left: self.line,
        })
    }
}

impl Model for Bucket {
    type Grant = Grant;
    type Rule = Rule;

    fn decide(&mut self, now: u64, cost: u32) -> Answer<Grant> {
        if cost == 0 {
            return self.look(now);
        }
        if cost > self.capacity() {
            return Answer::TooMuch;
        }
        let read = self.rule.read(now);
        if self.level(read) >= self.price(cost) {
            return self.take(read, cost, nanos(i128::from(now).min(self.rule.horizon())));
        }
        self.mend_at(read);
        Answer::Wait(self.until(now, read, self.price(cost)))
    }

    fn reserve(&mut self, now: u64, cost: u32, max_wait: u64) -> Option<Answer<Grant>> {
        if cost == 0 {
            return Some(self.look(now));
        }
        if cost > self.capacity() {
            return Some(Answer::TooMuch);
        }
        let read = self.rule.read(now);
        self.mend_at(read);
        let wait = self.until(now, read, self.price(cost));
        let longest = max_wait.min(nanos(self.rule.ahead));
        Some(if wait > longest {
            Answer::Wait(wait - longest)
        } else {
            self.take(read, cost, nanos(read) + wait)
        })
    }

    /// Whole tokens, as long as the level stays within what is promised ahead.
    fn charge(&mut self, now: u64, cost: u32) -> Option<u32> {
        let read = self.rule.read(now);
        self.mend_at(read);
        let lowest = -self.rule.ahead * self.rule.count;
        let room = (self.level(read) - lowest).max(0) / self.rule.period;
        let charged = i128::from(cost).min(room);
        if charged > 0 {
            self.set(read, self.level(read) - charged * self.rule.period);
        }
        Some(cost - u32::try_from(charged).expect("at most the cost"))
    }

    fn refund(&mut self, now: u64, grant: &Grant) {
        let read = self.rule.read(now);
        self.mend_at(read);
        let price = self.price(grant.cost);
        let level = self.level(read);
        let back = match (grant.left, self.line) {
            // More is promised than is there: what was promised after this grant stays promised.
            (Some(left), Some(line)) if level < 0 && self.rule.ahead > 0 => {
                let since = left.level(read, &self.rule) - line.level(read, &self.rule);
                (price - since.max(0)).max(0)
            }
            // Had nobody come since, this much would still be missing.
            (Some(left), _) => {
                let missing = self.rule.depth - left.level(read, &self.rule);
                price.min(missing.max(0))
            }
            (None, _) => 0,
        };
        if level + back >= self.rule.depth {
            // Full: as if it was never used.
            self.line = None;
        } else {
            self.set(read, level + back);
        }
    }

    fn mend(&mut self, now: u64) {
        self.mend_at(self.rule.read(now));
    }

    /// "Keeps what was used, in tokens", rounded up to the finest that the new policy can tell:
    /// the drops that fall in one nanosecond fall in `count / gcd` portions.
    fn reconfigure(&mut self, now: u64, rule: Rule) {
        let read = self.rule.read(now);
        self.mend_at(read);
        let used = self.rule.depth - self.level(read);
        let portion = gcd(rule.count, rule.period) * rule.tick;
        let portions = BigRational::new(
            BigInt::from(used) * BigInt::from(rule.period),
            BigInt::from(self.rule.period) * BigInt::from(portion),
        )
        .ceil()
        .to_integer();
        let most = rule.depth + rule.ahead * rule.count;
        let used = i128::try_from(portions * portion).map_or(most, |used| used.min(most));
        self.rule = rule;
        if used == 0 {
            self.line = None;
        } else {
            self.set(rule.read(now), rule.depth - used);
        }
    }

    fn available(&self, now: u64) -> u32 {
        let whole = self.level(self.rule.read(now)).max(0) / self.rule.period;
        u32::try_from(whole).expect("at most the burst")
    }

    fn rests_in(&self, now: u64) -> u64 {
        let read = self.rule.read(now);
        let mut mended = self.clone();
        mended.mend_at(read);
        mended.until(now, read, self.rule.depth)
    }

    fn capacity(&self) -> u32 {
        u32::try_from(self.rule.depth / self.rule.period).expect("a burst fits 32 bits")
    }

    fn longest(&self) -> u64 {
        let fill = (self.rule.depth + self.rule.count - 1) / self.rule.count;
        // The tick is waited for as well.
        nanos(fill + self.rule.ahead + self.rule.tick - 1)
    }

    fn horizon(&self) -> u64 {
        nanos(self.rule.horizon())
    }

    fn cancel(&mut self, now: u64, grant: &Grant) {
        // Once its time has passed it counts as used.
        if now <= grant.usable_at {
            self.refund(now, grant);
        }
    }

    fn within_rate(&self, granted: i128, forward: i128, jumps: i128) -> bool {
        // A tick that was begun before the clock started to go forward counts too.
        let ticks = forward + (self.rule.tick - 1) * (jumps + 1);
        granted * self.rule.period <= self.rule.depth + ticks * self.rule.count
    }
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { gcd(b, a % b) }
}
