//! The retry session against its definition, over made-up outcomes, clocks, servers and budgets.
//!
//! The model keeps the whole history as a list, and at each step works the answer out anew from the
//! start: sums in 128 bits, delays drawn again from the seed. How to run many: see
//! `model/schedule.rs`.

mod model;

use std::cell::{Cell, RefCell};

use model::schedule::{play, scaled};
use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::backoff::{Backoff, BackoffConfig, BackoffState, Jitter};
use steadfast::deadline::Deadline;
use steadfast::outcome::Outcome;
use steadfast::random::SplitMix32;
use steadfast::retry::{Budget, BudgetSpent, RetryPolicy, Step, StopReason, Withdrawn};
use steadfast::time::{Instant, millis, nanos, secs};

const END: i128 = u64::MAX as i128;
const SPENT: BudgetSpent = BudgetSpent { left: 4, needed: 5 };

/// What a session did with its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Began(Instant),
    Succeeded(Instant, Option<Withdrawn>),
    Failed(Instant),
    Asked(Instant, Outcome),
    Refunded(Instant, Withdrawn),
}

/// A budget that says what it is told to, and keeps a list.
#[derive(Default)]
struct Spy {
    says_yes: Cell<bool>,
    told: RefCell<Vec<Told>>,
}

impl Budget for Spy {
    fn began(&self, now: Instant) {
        self.told.borrow_mut().push(Told::Began(now));
    }

    fn succeeded(&self, now: Instant, last: Option<Withdrawn>) {
        self.told.borrow_mut().push(Told::Succeeded(now, last));
    }

    fn failed(&self, now: Instant) {
        self.told.borrow_mut().push(Told::Failed(now));
    }

    fn withdraw(&self, now: Instant, outcome: Outcome) -> Result<Withdrawn, BudgetSpent> {
        self.told.borrow_mut().push(Told::Asked(now, outcome));
        if self.says_yes.get() {
            Ok(Withdrawn::new(now.as_nanos() as u32))
        } else {
            Err(SPENT)
        }
    }

    fn refund(&self, now: Instant, unused: Withdrawn) {
        self.told.borrow_mut().push(Told::Refunded(now, unused));
    }
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    backoff: Backoff,
    attempts: u32,
    max_elapsed: Option<u64>,
    max_server_delay: u64,
}

impl Rule {
    fn policy(self) -> RetryPolicy {
        let config = RetryPolicy::new(self.backoff)
            .attempts(self.attempts)
            .max_server_delay(nanos(self.max_server_delay));
        let config = match self.max_elapsed {
            Some(limit) => config.max_elapsed(nanos(limit)),
            None => config,
        };
        config.build().expect("in range")
    }
}

/// What is told ends where time does.
fn cut(nanos: i128) -> u64 {
    u64::try_from(nanos.clamp(0, END)).expect("clamped")
}

fn rules() -> impl Strategy<Value = Rule> {
    (0_u8..7, any::<u32>(), any::<u64>(), any::<u64>()).prop_map(|(kind, count, limit, server)| {
        let capped = |config: BackoffConfig| config.cap(secs(3));
        let config = match kind {
            0 => Backoff::immediate(),
            1 => capped(Backoff::fixed(millis(700))).jitter(Jitter::Equal),
            2 => capped(Backoff::linear(millis(200))),
            3 => capped(Backoff::fibonacci(millis(100))).jitter(Jitter::Full),
            4 => capped(Backoff::exponential(millis(150))).jitter(Jitter::Decorrelated),
            5 => capped(Backoff::exponential(millis(150))).jitter(Jitter::Additive),
            _ => Backoff::exponential(secs(1 << 31)),
        };
        let longest = 1 << 62;
        Rule {
            backoff: config.build().expect("in range"),
            attempts: match count % 8 {
                0 => u32::MAX,
                few => few,
            },
            max_elapsed: match limit % 4 {
                0 => None,
                1 => Some(1 + limit % 10_000_000_000),
                _ => Some(1 + scaled(limit) % longest),
            },
            max_server_delay: match server % 3 {
                0 => 60_000_000_000,
                _ => 1 + scaled(server) % longest,
            },
        }
    })
}

/// What comes of an attempt, how the clock moves meanwhile, and what the budget will say.
#[derive(Clone, Copy, Debug)]
struct Event {
    moves: i128,
    /// To the instant that the last step named, before the rest of the move.
    waits: bool,
    outcome: Outcome,
    budget: bool,
}

fn events(max_server_delay: u64) -> impl Strategy<Value = Event> {
    any::<(u8, u64, u8, u64, bool)>().prop_map(move |(clock, by, kind, delay, waits)| {
        let some = i128::from(scaled(by));
        let moves = match clock {
            0..=99 => i128::from(by % 3_000_000_000),
            100..=149 => i128::from(by % 4),
            150..=199 => some,
            200..=224 => -i128::from(by % 4_000_000_000),
            225..=239 => -some,
            // A day.
            240..=247 => 86_400_000_000_000,
            248..=255 => -86_400_000_000_000,
        };
        let asked = match delay % 8 {
            0..=2 => None,
            3 => Some(0),
            4 => Some(max_server_delay),
            5 => Some(max_server_delay.saturating_add(1)),
            6 => Some(delay % 5_000_000_000),
            _ => Some(scaled(delay)),
        };
        let retry_after = asked.map(nanos);
        let outcome = match kind {
            0..=79 => Outcome::Transient { retry_after },
            80..=129 => Outcome::TimedOut,
            130..=209 => Outcome::Throttled { retry_after },
            210..=219 => Outcome::Success,
            220..=227 => Outcome::Failure,
            228..=230 => Outcome::Exhausted,
            231..=233 => Outcome::ThrottledBelow { retry_after },
            234..=241 => Outcome::Ignored,
            242..=247 => Outcome::Cancelled,
            248..=255 => Outcome::Rejected,
        };
        Event {
            moves,
            waits,
            outcome,
            budget: delay % 11 != 0,
        }
    })
}

/// A session as its history.
struct Model {
    rule: Rule,
    seed: u64,
    start: i128,
    /// `None` is no deadline.
    deadline: Option<i128>,
    repeatable: bool,
    /// When each attempt ended, as what, and what the budget said.
    history: Vec<(u64, Outcome, bool)>,
}

/// What a model works out of its history.
struct Right {
    step: Step,
    told: Vec<Told>,
    attempt: u32,
    elapsed: i128,
}

impl Model {
    /// The delay of the policy's own with this number, from 0.
    fn delay(&self, number: usize) -> i128 {
        let mut state = BackoffState::START;
        let mut random = SplitMix32::new(self.seed);
        let mut draw = || self.rule.backoff.next_delay(&mut state, &mut random);
        for _ in 0..number {
            draw();
        }
        draw().as_nanos().into()
    }

    fn right(&self) -> Right {
        let mut right = Right {
            step: Step::RetryAt(Instant::ZERO),
            told: Vec::new(),
            attempt: 1,
            elapsed: 0,
        };
        let (mut last, mut back, mut drawn) = (self.start, 0, 0);
        let mut withdrawn = None;
        let mut stopped = false;
        for &(now, outcome, budget) in &self.history {
            if stopped {
                right.step = Step::Stop(StopReason::AlreadyStopped);
                continue;
            }
            let (at, now) = (Instant::from_nanos(now), i128::from(now));
            right.elapsed += (now - last).max(0);
            back += (last - now).max(0);
            last = now;

            if right.attempt == 1 {
                right.told.push(Told::Began(at));
            }
            match outcome {
                Outcome::Success => right.told.push(Told::Succeeded(at, withdrawn)),
                Outcome::Transient { .. }
                | Outcome::TimedOut
                | Outcome::Throttled { .. }
                | Outcome::ThrottledBelow { .. }
                | Outcome::Exhausted => right.told.push(Told::Failed(at)),
                _ => {}
            }
            let retryable = matches!(
                outcome,
                Outcome::Transient { .. } | Outcome::TimedOut | Outcome::Throttled { .. }
            );
            let reason = if !retryable {
                Err(match outcome {
                    Outcome::Success => StopReason::Succeeded,
                    Outcome::Exhausted | Outcome::ThrottledBelow { .. } => StopReason::RetriedBelow,
                    Outcome::Failure if !self.repeatable => StopReason::NotRepeatable,
                    Outcome::Cancelled => StopReason::Cancelled,
                    Outcome::Rejected => StopReason::Rejected,
                    _ => StopReason::NotRetryable,
                })
            } else if !self.repeatable {
                Err(StopReason::NotRepeatable)
            } else if right.attempt == self.rule.attempts {
                let attempts = right.attempt;
                Err(StopReason::AttemptsSpent { attempts })
            } else {
                let computed = self.delay(drawn);
                drawn += 1;
                let asked = outcome.retry_after().unwrap_or_default().as_nanos();
                let delay = match asked {
                    0 => computed,
                    asked => asked.into(),
                };
                let told = |length: i128| nanos(cut(length));
                let deadline = self.deadline.map_or(END, |deadline| deadline - back).max(0);
                let would_take = (right.elapsed.min(END) + delay).min(END);
                let limit = self.rule.max_elapsed.map_or(END, i128::from);
                if asked > self.rule.max_server_delay {
                    Err(StopReason::ServerDelayTooLong {
                        asked: told(asked.into()),
                        allowed: told(self.rule.max_server_delay.into()),
                    })
                } else if would_take > limit {
                    Err(StopReason::ElapsedSpent {
                        elapsed: told(would_take),
                        allowed: told(limit),
                    })
                } else if now + delay >= deadline {
                    Err(StopReason::DeadlineTooNear {
                        delay: told(delay),
                        left: told(deadline - now),
                    })
                } else {
                    right.told.push(Told::Asked(at, outcome));
                    if budget {
                        Ok(Instant::from_nanos(cut(now + delay)))
                    } else {
                        Err(StopReason::BudgetSpent(SPENT))
                    }
                }
            };
            right.step = match reason {
                Ok(then) => {
                    withdrawn = Some(Withdrawn::new(cut(now) as u32));
                    right.attempt += 1;
                    Step::RetryAt(then)
                }
                Err(reason) => {
                    stopped = true;
                    Step::Stop(reason)
                }
            };
        }
        right
    }
}

#[test]
fn steps_as_the_definition_worked_out_from_the_whole_history() {
    let inputs = rules().prop_flat_map(|rule| {
        let start = prop_oneof![
            any::<u64>().prop_map(scaled),
            Just(100_000_000_000),
            any::<u64>().prop_map(|before| u64::MAX - scaled(before)),
        ];
        let deadline = prop_oneof![
            Just(None),
            any::<u64>().prop_map(|after| Some(after % 20_000_000_000)),
            any::<u64>().prop_map(|after| Some(scaled(after))),
        ];
        let whole = (start, deadline, any::<u64>(), 0..10_u8);
        (Just(rule), whole, vec(events(rule.max_server_delay), 1..16))
    });
    play("retry session", inputs, |(rule, whole, events)| {
        let (start, deadline, seed, repeatable) = whole;
        let (start, repeatable) = (Instant::from_nanos(start), repeatable > 0);
        let deadline = deadline.map(|after| Deadline::after(start, nanos(after)));
        let policy = rule.policy();
        let mut random = SplitMix32::new(seed);
        let mut retry = policy.start(start);
        if let Some(deadline) = deadline {
            // A later one changes nothing.
            let later = Deadline::after(deadline.instant(), secs(1));
            retry = retry.until(deadline).until(later);
        }
        if !repeatable {
            retry = retry.not_repeatable();
        }
        let mut model = Model {
            rule,
            seed,
            start: start.as_nanos().into(),
            deadline: deadline
                .filter(|deadline| !deadline.is_never())
                .map(|deadline| deadline.instant().as_nanos().into()),
            repeatable,
            history: Vec::new(),
        };

        let spy = Spy::default();
        let (mut now, mut named) = (i128::from(start.as_nanos()), None);
        let mut stopped = false;
        let count = events.len() as u64;
        for event in events {
            if let Some(at) = named.filter(|_| event.waits) {
                now = at;
            }
            now = cut(now + event.moves).into();
            let at = Instant::from_nanos(cut(now));
            spy.says_yes.set(event.budget);
            model.history.push((cut(now), event.outcome, event.budget));
            let right = model.right();

            let said = retry.step(&policy, at, event.outcome, &spy, &mut random);
            prop_assert_eq!(said, right.step);
            prop_assert_eq!(&*spy.told.borrow(), &right.told);
            prop_assert_eq!(retry.attempt(), right.attempt);
            stopped |= matches!(said, Step::Stop(_));
            prop_assert_eq!(retry.has_stopped(), stopped);
            if stopped {
                retry.cancel(at, &spy);
                prop_assert_eq!(&*spy.told.borrow(), &right.told);
            }
            if let Step::RetryAt(then) = said {
                // Another one is given up during its wait.
                let (mut given_up, told) = (retry, spy.told.borrow().len());
                given_up.cancel(then, &spy);
                given_up.cancel(then, &spy);
                let refunded = spy.told.borrow_mut().split_off(told);
                let withdrawn = Withdrawn::new(at.as_nanos() as u32);
                prop_assert_eq!(refunded, [Told::Refunded(then, withdrawn)]);
                prop_assert!(given_up.has_stopped());
                let elapsed = nanos(cut(right.elapsed));
                prop_assert_eq!(retry.elapsed(at), elapsed);
                prop_assert_eq!(said.delay(at), Some(then.since(at)));
                named = Some(then.as_nanos().into());
            }
        }
        Ok(count)
    });
}
