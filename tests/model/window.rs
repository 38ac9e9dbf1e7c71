//! A fixed window by its definition: a start, an end, and a counter in between.

use super::machine::{Tells, Told};
use super::{Answer, END, LEAD, Model, nanos};

/// What is configured.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    limit: u32,
    period: i128,
    /// Windows that follow the clock start so long after each multiple of the period.
    phase: Option<i128>,
}

impl Rule {
    pub fn new(limit: u32, period: u64, phase: Option<u64>) -> Self {
        Self {
            limit,
            period: period.into(),
            phase: phase.map(i128::from),
        }
    }

    fn horizon(&self) -> i128 {
        END - self.period
    }

    fn read(&self, now: u64) -> i128 {
        i128::from(now).min(self.horizon())
    }

    /// The window that `now` opens.
    fn window(&self, now: i128, used: u32) -> Window {
        let start = match self.phase {
            None => now,
            Some(phase) => (now - phase).div_euclid(self.period) * self.period + phase,
        };
        Window {
            start,
            end: start + self.period,
            used,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Window {
    start: i128,
    end: i128,
    used: u32,
}

/// A yes: what was taken, in which window.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    usable_at: u64,
    cost: u32,
    /// When its window ends.
    end: Option<i128>,
}

impl Tells for Grant {
    fn tells(&self) -> Vec<Told> {
        vec![Answer::Yes((self.usable_at, self.cost))]
    }
}

#[derive(Clone, Debug)]
pub struct FixedWindow {
    rule: Rule,
    /// `None`: never used.
    window: Option<Window>,
}

impl FixedWindow {
    pub fn new(rule: Rule) -> Self {
        Self { rule, window: None }
    }

    /// The window that `now` lies in; a clock that went back a little lies in it too.
    fn current(&self, now: i128) -> Option<Window> {
        self.window.filter(|window| now < window.end)
    }

    /// "A state further ahead becomes empty at now": a window of now, all used.
    fn mend_at(&mut self, now: i128) {
        if let Some(window) = self.current(now)
            && window.end - now > self.rule.period + LEAD
        {
            self.window = Some(self.rule.window(now, self.rule.limit));
        }
    }

    fn yes(&self, now: i128, cost: u32) -> Answer<Grant> {
        Answer::Yes(Grant {
            usable_at: nanos(now),
            cost,
            end: self.window.map(|window| window.end),
        })
    }
}

impl Model for FixedWindow {
    type Grant = Grant;
    type Rule = Rule;

    fn decide(&mut self, now: u64, cost: u32) -> Answer<Grant> {
        let now = self.rule.read(now);
        if cost == 0 {
            return self.yes(now, 0);
        }
        if cost > self.rule.limit {
            return Answer::TooMuch;
        }
        self.mend_at(now);
        let mut window = match self.current(now) {
            Some(window) => window,
            None => self.rule.window(now, 0),
        };
        if u64::from(window.used) + u64::from(cost) > u64::from(self.rule.limit) {
            return Answer::Wait(nanos(window.end - now));
        }
        window.used += cost;
        self.window = Some(window);
        self.yes(now, cost)
    }

    fn refund(&mut self, now: u64, grant: &Grant) {
        self.mend(now);
        if let Some(window) = &mut self.window
            && grant.end == Some(window.end)
        {
            window.used = window.used.saturating_sub(grant.cost);
        }
    }

    fn mend(&mut self, now: u64) {
        self.mend_at(self.rule.read(now));
    }

    /// What was used stays used, in the window of the new policy: the one of now if it follows
    /// the clock, else the one with the same start.
    fn reconfigure(&mut self, now: u64, rule: Rule) {
        self.mend(now);
        let current = self.current(self.rule.read(now));
        self.rule = rule;
        self.window = current.map(|old| {
            let used = old.used.min(rule.limit);
            if rule.phase.is_some() {
                return rule.window(rule.read(now), used);
            }
            // A window that began before the clock did counts from there, and none lasts beyond
            // the clock's end.
            let end = (old.start.max(0) + rule.period).min(END);
            Window {
                start: end - rule.period,
                end,
                used,
            }
        });
    }

    fn available(&self, now: u64) -> u32 {
        let now = self.rule.read(now);
        let mut mended = self.clone();
        mended.mend_at(now);
        mended
            .current(now)
            .map_or(self.rule.limit, |window| self.rule.limit - window.used)
    }

    fn rests_in(&self, now: u64) -> u64 {
        let now = self.rule.read(now);
        let mut mended = self.clone();
        mended.mend_at(now);
        mended
            .current(now)
            .map_or(0, |window| nanos(window.end - now))
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

    fn within_rate(&self, granted: i128, forward: i128, jumps: i128) -> bool {
        // The first window, and those that took a period each to reach. Windows that follow the
        // clock may be nearly over when they are opened or when a clock jumps back into one.
        let short = if self.rule.phase.is_some() {
            jumps + 1
        } else {
            0
        };
        let windows = 1 + forward / self.rule.period + short;
        granted <= windows * i128::from(self.rule.limit)
    }
}
