//! A sliding counter by its definition: two counts, and the share of the earlier one that still
//! overlaps the last period.
//!
//! Shares are rational numbers of hits with one fixed denominator, the period, so no sum is
//! rounded. When a call would pass is not worked out but looked for, instant by instant in
//! halves.

use super::machine::{Tells, Told};
use super::{Answer, END, LEAD, Model, nanos};

/// What is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    limit: u32,
    period: i128,
}

impl Rule {
    pub fn new(limit: u32, period: u64) -> Self {
        Self {
            limit,
            period: period.into(),
        }
    }

    fn horizon(&self) -> i128 {
        END - 2 * self.period
    }

    fn read(&self, now: u64) -> i128 {
        i128::from(now).min(self.horizon())
    }
}

/// Two windows, one after the other.
#[derive(Clone, Copy, Debug)]
struct Windows {
    /// Where the earlier one ends and the later one starts.
    turn: i128,
    earlier: u32,
    later: u32,
}

impl Windows {
    fn starting(turn: i128, later: u32) -> Self {
        Self {
            turn,
            earlier: 0,
            later,
        }
    }

    /// The windows that `now` lies in; a clock that went back a little lies in them too.
    fn at(self, now: i128, period: i128) -> Option<Self> {
        if now < self.turn + period {
            Some(self)
        } else if now < self.turn + 2 * period && self.later > 0 {
            Some(Self {
                turn: self.turn + period,
                earlier: self.later,
                later: 0,
            })
        } else {
            None
        }
    }

    /// What counts as used at `now`, in hits times the period.
    fn used(self, now: i128, period: i128) -> i128 {
        // How much of the last period, `now - period` to `now`, lies in the earlier window.
        let overlap = (self.turn - (now - period)).clamp(0, period);
        i128::from(self.later) * period + i128::from(self.earlier) * overlap
    }
}

/// A yes: what was taken, in which window.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    usable_at: u64,
    cost: u32,
    start: i128,
}

impl Tells for Grant {
    fn tells(&self) -> Vec<Told> {
        vec![Answer::Yes((self.usable_at, self.cost))]
    }
}

#[derive(Clone, Debug)]
pub struct SlidingCounter {
    rule: Rule,
    /// `None`: nothing counts.
    windows: Option<Windows>,
}

impl SlidingCounter {
    pub fn new(rule: Rule) -> Self {
        Self {
            rule,
            windows: None,
        }
    }

    /// The windows turn with the clock; "a state further ahead becomes empty at now".
    fn go_to(&mut self, now: i128) {
        let Rule { limit, period } = self.rule;
        self.windows = self.windows.and_then(|windows| {
            if windows.turn - now > LEAD {
                Some(Windows::starting(now, limit))
            } else {
                windows.at(now, period)
            }
        });
    }

    fn fits(&self, now: i128, cost: u32) -> bool {
        let Rule { limit, period } = self.rule;
        let windows = self.windows.and_then(|windows| windows.at(now, period));
        let used = windows.map_or(0, |windows| windows.used(now, period));
        used + i128::from(cost) * period <= i128::from(limit) * period
    }

    /// The first instant at which `cost` fits, which it does not at `now`; what counts as used
    /// only falls until somebody comes.
    fn fits_at(&self, now: i128, cost: u32) -> i128 {
        let (mut early, mut late) = (now, now + 2 * self.rule.period + LEAD);
        while late - early > 1 {
            let middle = early + (late - early) / 2;
            if self.fits(middle, cost) {
                late = middle;
            } else {
                early = middle;
            }
        }
        late
    }

    fn gone_to(&self, now: i128) -> Option<Windows> {
        let mut gone = self.clone();
        gone.go_to(now);
        gone.windows
    }
}

impl Model for SlidingCounter {
    type Grant = Grant;
    type Rule = Rule;

    fn decide(&mut self, now: u64, cost: u32) -> Answer<Grant> {
        let now = self.rule.read(now);
        if cost > self.rule.limit {
            return Answer::TooMuch;
        }
        let mut start = now;
        if cost > 0 {
            self.go_to(now);
            if !self.fits(now, cost) {
                return Answer::Wait(nanos(self.fits_at(now, cost) - now));
            }
            let windows = self.windows.get_or_insert(Windows::starting(now, 0));
            windows.later += cost;
            start = windows.turn;
        }
        Answer::Yes(Grant {
            usable_at: nanos(now),
            cost,
            start,
        })
    }

    fn refund(&mut self, now: u64, grant: &Grant) {
        self.mend(now);
        if let Some(windows) = &mut self.windows {
            if grant.start == windows.turn {
                windows.later = windows.later.saturating_sub(grant.cost);
            } else if grant.start == windows.turn - self.rule.period {
                windows.earlier = windows.earlier.saturating_sub(grant.cost);
            }
        }
        self.windows = self
            .windows
            .filter(|left| (left.earlier, left.later) != (0, 0));
    }

    fn mend(&mut self, now: u64) {
        self.go_to(self.rule.read(now));
    }

    /// What counts as used, in whole hits, counts as if it had come now.
    fn reconfigure(&mut self, now: u64, rule: Rule) {
        if self.rule == rule {
            self.mend(now);
            return;
        }
        let used = self.rule.limit - self.available(now);
        self.rule = rule;
        self.windows = (used > 0).then(|| Windows::starting(rule.read(now), used.min(rule.limit)));
    }

    fn available(&self, now: u64) -> u32 {
        let now = self.rule.read(now);
        let Rule { limit, period } = self.rule;
        let used = self
            .gone_to(now)
            .map_or(0, |windows| windows.used(now, period));
        let left = (i128::from(limit) * period - used).max(0) / period;
        u32::try_from(left).expect("at most the limit")
    }

    fn rests_in(&self, now: u64) -> u64 {
        let now = self.rule.read(now);
        let rests_at = match self.gone_to(now) {
            Some(windows) if windows.later > 0 => windows.turn + 2 * self.rule.period,
            Some(windows) => windows.turn + self.rule.period,
            None => now,
        };
        nanos(rests_at - now)
    }

    fn capacity(&self) -> u32 {
        self.rule.limit
    }

    fn longest(&self) -> u64 {
        nanos(2 * self.rule.period)
    }

    fn horizon(&self) -> u64 {
        nanos(self.rule.horizon())
    }

    fn within_rate(&self, granted: i128, forward: i128, _: i128) -> bool {
        granted <= (1 + forward / self.rule.period) * i128::from(self.rule.limit)
    }
}
