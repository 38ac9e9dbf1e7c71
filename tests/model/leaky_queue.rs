//! A leaky bucket as a queue, by its definition: a list of departures, an interval apart.

use super::machine::{Tells, Told};
use super::{Answer, END, LEAD, Model, nanos};

/// What is configured.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    interval: i128,
    queue: i128,
}

impl Rule {
    /// One departure each `interval`, and `queue` waiting.
    pub fn new(interval: u64, queue: u32) -> Self {
        Self {
            interval: interval.into(),
            queue: queue.into(),
        }
    }

    /// How long the last in a full queue waits.
    fn ahead(&self) -> i128 {
        self.interval * self.queue
    }

    fn longest(&self) -> i128 {
        self.ahead() + self.interval
    }

    fn horizon(&self) -> i128 {
        END - self.longest()
    }

    fn read(&self, now: u64) -> i128 {
        i128::from(now).min(self.horizon())
    }
}

/// A yes: when it departs. Who only looks does not.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    at: i128,
    departs: bool,
}

impl Tells for Grant {
    fn tells(&self) -> Vec<Told> {
        vec![Answer::Yes((nanos(self.at), self.departs.into()))]
    }
}

#[derive(Clone, Debug)]
pub struct LeakyQueue {
    rule: Rule,
    departures: Vec<i128>,
}

impl LeakyQueue {
    pub fn new(rule: Rule) -> Self {
        Self {
            rule,
            departures: Vec::new(),
        }
    }

    /// When the next one may depart: now, or an interval after the last.
    fn next_at(&self, now: i128) -> i128 {
        let last = self.departures.last();
        last.map_or(now, |last| now.max(last + self.rule.interval))
    }

    /// "A state further ahead becomes empty at now": the last has just left.
    fn mend_at(&mut self, now: i128) {
        if self.next_at(now) - now > self.rule.longest() + LEAD {
            self.departures = vec![now];
        }
    }

    fn depart(&mut self, at: i128) -> Answer<Grant> {
        let apart = |last: &i128| at - last >= self.rule.interval;
        assert!(
            self.departures.last().is_none_or(apart),
            "never two at once"
        );
        self.departures.push(at);
        Answer::Yes(Grant { at, departs: true })
    }
}

impl Model for LeakyQueue {
    type Grant = Grant;
    type Rule = Rule;

    fn decide(&mut self, now: u64, cost: u32) -> Answer<Grant> {
        let now = self.rule.read(now);
        match cost {
            0 => Answer::Yes(Grant {
                at: now,
                departs: false,
            }),
            1 if self.next_at(now) == now => self.depart(now),
            1 => {
                self.mend_at(now);
                Answer::Wait(nanos(self.next_at(now) - now))
            }
            _ => Answer::TooMuch,
        }
    }

    fn reserve(&mut self, now: u64, cost: u32, max_wait: u64) -> Option<Answer<Grant>> {
        if cost != 1 {
            return Some(self.decide(now, cost));
        }
        let now = self.rule.read(now);
        self.mend_at(now);
        let next_at = self.next_at(now);
        let latest = now + self.rule.ahead().min(max_wait.into());
        Some(if next_at > latest {
            Answer::Wait(nanos(next_at - latest))
        } else {
            self.depart(next_at)
        })
    }

    /// As many more departures as the queue has room for; only the last of them matters.
    fn charge(&mut self, now: u64, cost: u32) -> Option<u32> {
        let now = self.rule.read(now);
        self.mend_at(now);
        let next_at = self.next_at(now);
        let latest = now + self.rule.ahead();
        let room = if next_at > latest {
            0
        } else {
            (latest - next_at) / self.rule.interval + 1
        };
        let charged = i128::from(cost).min(room);
        if charged > 0 {
            self.depart(next_at + (charged - 1) * self.rule.interval);
        }
        Some(cost - u32::try_from(charged).expect("at most the cost"))
    }

    fn refund(&mut self, now: u64, grant: &Grant) {
        let now = self.rule.read(now);
        self.mend_at(now);
        let next_at = self.next_at(now);
        // It holds back one interval, from its departure on.
        let held_until = grant.at + self.rule.interval;
        let held = if !grant.departs {
            0
        } else if self.rule.queue > 0 && next_at > now + self.rule.interval {
            // Somebody waits: who departs after this one keeps the time that was promised.
            self.rule.interval - (next_at - held_until).max(0)
        } else {
            (held_until - now).min(self.rule.interval)
        };
        let next_at = next_at - held.max(0);
        // As if the last had left so much earlier.
        self.departures = vec![next_at - self.rule.interval];
        if next_at <= now {
            self.departures.clear();
        }
    }

    fn cancel(&mut self, now: u64, grant: &Grant) {
        // Once it has departed it counts as used.
        if i128::from(now) <= grant.at {
            self.refund(now, grant);
        }
    }

    fn mend(&mut self, now: u64) {
        self.mend_at(self.rule.read(now));
    }

    /// As many intervals as there were to wait, of the new length and up to the new queue.
    fn reconfigure(&mut self, now: u64, rule: Rule) {
        let read = self.rule.read(now);
        self.mend_at(read);
        let wait = self.next_at(read) - read;
        let old = self.rule.interval;
        // Both are below 2^63, so the product fits; rounded up to a nanosecond.
        let wait = (wait * rule.interval + old - 1) / old;
        let next_at = rule.read(now) + wait.min(rule.longest());
        self.departures.clear();
        if wait > 0 {
            self.departures.push(next_at - rule.interval);
        }
        self.rule = rule;
    }

    fn available(&self, now: u64) -> u32 {
        let now = self.rule.read(now);
        u32::from(self.next_at(now) == now)
    }

    fn rests_in(&self, now: u64) -> u64 {
        let now = self.rule.read(now);
        let mut mended = self.clone();
        mended.mend_at(now);
        nanos(mended.next_at(now) - now)
    }

    fn capacity(&self) -> u32 {
        1
    }

    fn longest(&self) -> u64 {
        nanos(self.rule.longest())
    }

    fn horizon(&self) -> u64 {
        nanos(self.rule.horizon())
    }

    fn within_rate(&self, granted: i128, forward: i128, _: i128) -> bool {
        granted <= 1 + forward / self.rule.interval
    }
}
