//! The retry budgets against lists of all that happened, in rationals, over made-up histories.
//!
//! A budget of tokens is a level; a ratio is a list of deposits and retries, each with the slice of
//! time it lies in; a throttle is gRPC's count of tokens. How to run many: see `model/schedule.rs`.

mod model;

use std::fmt::{self, Debug};

use model::LEAD;
use model::schedule::play;
use num_rational::Ratio;
use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::outcome::Outcome;
use steadfast::retry::{RetryBudget, RetryBudgetState, Withdrawn};
use steadfast::time::{Instant, nanos};

type Exact = Ratio<i128>;

#[derive(Clone, Copy, Debug)]
enum Rule {
    Tokens {
        capacity: u32,
        cost: u32,
        timeout_cost: u32,
        adds: u32,
    },
    Ratio {
        percent: u32,
        window: u64,
        per_second: u32,
    },
    Throttle {
        max: u32,
        thousandths: u32,
    },
}

impl Rule {
    fn policy(self) -> RetryBudget {
        match self {
            Self::Tokens {
                capacity,
                cost,
                timeout_cost,
                adds,
            } => RetryBudget::tokens(capacity)
                .cost(cost)
                .timeout_cost(timeout_cost)
                .first_success_adds(adds)
                .build(),
            Self::Ratio {
                percent,
                window,
                per_second,
            } => RetryBudget::ratio(percent, nanos(window))
                .min_retries_per_second(per_second)
                .build(),
            Self::Throttle { max, thousandths } => RetryBudget::throttle(max, thousandths).build(),
        }
        .expect("in range")
    }
}

fn rules() -> impl Strategy<Value = Rule> {
    let tokens = (1_u32..40).prop_flat_map(|capacity| {
        let costs = (1..=capacity, 1..=capacity, 1..=capacity);
        costs.prop_map(move |(cost, timeout_cost, adds)| Rule::Tokens {
            capacity,
            cost,
            timeout_cost,
            adds,
        })
    });
    let windows = prop_oneof![
        // Not all of them can be cut in ten.
        10_u64..1_000,
        1_000_000_000_u64..60_000_000_000,
        Just(10_000_000_000_u64),
    ];
    let ratios = (windows, 0_u32..300, 0_u32..4).prop_map(|(window, percent, times)| {
        let least = 1_000_000_000_u64.div_ceil(window) as u32;
        let none = times == 0 && percent > 0;
        Rule::Ratio {
            percent,
            window,
            per_second: if none { 0 } else { least * times.max(1) },
        }
    });
    let throttles = (3_u32..20).prop_flat_map(|max| {
        (1..=max * 1_000).prop_map(move |thousandths| Rule::Throttle { max, thousandths })
    });
    prop_oneof![tokens, ratios, throttles]
}

/// The budget as everything that happened.
#[derive(Clone)]
struct Model {
    rule: Rule,
    /// Of tokens and throttles.
    level: Exact,
    /// Of a ratio: what was deposited or taken, and when its slice ends.
    list: Vec<(Exact, i128)>,
    /// When the latest slice ends; `None` before the first call.
    until: Option<i128>,
}

impl Model {
    fn new(rule: Rule) -> Self {
        let full = match rule {
            Rule::Tokens { capacity, .. } => capacity,
            Rule::Throttle { max, .. } => max,
            Rule::Ratio { .. } => 0,
        };
        Self {
            rule,
            level: Exact::from(i128::from(full)),
            list: Vec::new(),
            until: None,
        }
    }

    fn slice(&self) -> i128 {
        match self.rule {
            Rule::Ratio { window, .. } => i128::from(window / 10),
            _ => 1,
        }
    }

    fn pass_to(&mut self, now: u64) {
        let slice = self.slice();
        let now = i128::from(now).min(i128::from(u64::MAX) - slice - LEAD);
        let Some(until) = self.until else {
            self.until = Some(now + slice);
            return;
        };
        if until > now + slice + LEAD {
            let back = until - (now + slice);
            for (_, end) in &mut self.list {
                *end -= back;
            }
            self.until = Some(until - back);
        } else if now >= until {
            let slices = (now - until) / slice + 1;
            let next = until + slices * slice;
            self.list.retain(|(_, end)| (next - end) / slice < 10);
            // A pause in which all slices were dropped.
            self.until = Some(if slices < 10 { next } else { now + slice });
        }
    }

    fn change(&mut self, by: Exact) {
        match self.rule {
            Rule::Tokens { capacity: most, .. } | Rule::Throttle { max: most, .. } => {
                let most = Exact::from(i128::from(most));
                self.level = (self.level + by).clamp(Exact::from(0), most);
            }
            Rule::Ratio { .. } => {
                let end = self.until.expect("it has begun");
                self.list.push((by, end));
            }
        }
    }

    fn began(&mut self, now: u64) {
        if let Rule::Ratio { percent, .. } = self.rule {
            self.pass_to(now);
            self.change(Exact::new(percent.into(), 100));
        }
    }

    fn succeeded(&mut self, last: Option<u32>) {
        match self.rule {
            Rule::Tokens { adds, .. } => {
                self.change(Exact::from(i128::from(last.unwrap_or(adds))));
            }
            Rule::Throttle { thousandths, .. } => {
                self.change(Exact::new(thousandths.into(), 1_000));
            }
            Rule::Ratio { .. } => {}
        }
    }

    /// Of a ratio a retry that is not made is forgotten when one that failed would be.
    fn refund(&mut self, unused: u32) {
        if let Rule::Tokens { .. } = self.rule {
            self.change(Exact::from(i128::from(unused)));
        }
    }

    fn failed(&mut self) {
        if let Rule::Throttle { .. } = self.rule {
            self.change(Exact::from(-1));
        }
    }

    /// Tokens, or retries.
    fn balance(&mut self, now: u64) -> Exact {
        let Rule::Ratio {
            window, per_second, ..
        } = self.rule
        else {
            return self.level;
        };
        self.pass_to(now);
        // To a thousandth of a retry.
        let thousandths = i128::from(per_second) * i128::from(window) / 1_000_000;
        let floor = Exact::new(thousandths, 1_000);
        self.list.iter().map(|(by, _)| by).sum::<Exact>() + floor
    }

    fn withdraw(&mut self, now: u64, timed_out: bool) -> bool {
        let balance = self.balance(now);
        match self.rule {
            Rule::Tokens {
                cost, timeout_cost, ..
            } => {
                let cost = if timed_out { timeout_cost } else { cost };
                let cost = Exact::from(i128::from(cost));
                let there = balance >= cost;
                if there {
                    self.change(-cost);
                }
                there
            }
            Rule::Ratio { .. } => {
                let there = balance >= Exact::from(1);
                if there {
                    self.change(Exact::from(-1));
                }
                there
            }
            Rule::Throttle { max, .. } => balance > Exact::new(max.into(), 2),
        }
    }

    /// In the budget's own units, all of which are whole. To look begins no slice.
    fn units(&self, now: u64) -> i128 {
        let balance = self.clone().balance(now);
        let units = match self.rule {
            Rule::Tokens { .. } => balance,
            Rule::Ratio { .. } | Rule::Throttle { .. } => balance * Exact::from(1_000),
        };
        assert!(units.is_integer());
        units.to_integer().max(0)
    }
}

#[derive(Clone, Copy, Debug)]
struct Event {
    clock: (u8, u64),
    call: u8,
}

/// A history. Its length stays while it shrinks, so events that change little are not printed.
#[derive(Clone)]
struct Events(Vec<Event>);

impl Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let idle = |event: &&Event| (event.clock.0, event.call) != (0, 0);
        f.debug_list().entries(self.0.iter().filter(idle)).finish()
    }
}

fn moved(now: u64, (kind, by): (u8, u64), slice: i128) -> u64 {
    let scaled = i128::from((by >> 6) >> (by % 64));
    let near = i128::from(by % 3) - 1;
    let now = i128::from(now);
    let to = match kind {
        0..=99 => now,
        100..=149 => now + i128::from(by % 4) * slice / 3,
        // To the edges of slices and of windows.
        150..=189 => now + i128::from(by % 13) * slice + near,
        190..=209 => now + scaled,
        210..=219 => now - i128::from(by % 13) * slice + near,
        // To where the state is only just, or no longer, believed.
        220..=234 => now - LEAD - i128::from(by % 3) * slice + near,
        235..=246 => now - scaled,
        247..=250 => i128::from(u64::MAX) - scaled,
        251..=253 => i128::from(u64::MAX) - LEAD - i128::from(by % 4) * slice + near,
        254..=255 => i128::from(by),
    };
    u64::try_from(to.clamp(0, i128::from(u64::MAX))).expect("clamped")
}

#[test]
fn decides_as_a_list_of_all_that_happened() {
    let event = any::<((u8, u64), u8)>().prop_map(|(clock, call)| Event { clock, call });
    let start = prop_oneof![Just(0), any::<u64>(), 0..1_u64 << 50];
    let inputs = (rules(), start, vec(event, 100..200).prop_map(Events));
    play("retry budget", inputs, |(rule, mut now, Events(events))| {
        let policy = rule.policy();
        let (mut state, mut model) = (RetryBudgetState::FULL, Model::new(rule));
        let mut held: Vec<Withdrawn> = Vec::new();
        let count = events.len() as u64;
        for event in events {
            now = moved(now, event.clock, model.slice());
            let at = Instant::from_nanos(now);
            match event.call {
                0..=79 => {
                    policy.began(&mut state, at);
                    model.began(now);
                }
                80..=109 => {
                    policy.succeeded(&mut state, None);
                    model.succeeded(None);
                }
                110..=139 => {
                    let last = held.pop();
                    policy.succeeded(&mut state, last);
                    model.succeeded(last.map(Withdrawn::units));
                }
                140..=149 => {
                    if let Some(unused) = held.pop() {
                        policy.refund(&mut state, unused);
                        model.refund(unused.units());
                    }
                }
                150..=169 => {
                    policy.failed(&mut state);
                    model.failed();
                }
                170..=255 => {
                    let timed_out = event.call % 3 == 0;
                    let outcome = match event.call % 3 {
                        0 => Outcome::TimedOut,
                        1 => Outcome::TRANSIENT,
                        _ => Outcome::Throttled { retry_after: None },
                    };
                    let before = model.units(now);
                    let said = policy.withdraw(&mut state, at, outcome);
                    let right = model.withdraw(now, timed_out);
                    prop_assert_eq!(said.is_ok(), right, "{:?} of {} at {}", said, before, now);
                    match said {
                        Ok(withdrawn) => held.push(withdrawn),
                        Err(spent) => {
                            prop_assert_eq!(i128::from(spent.left), before);
                            prop_assert!(spent.left < spent.needed);
                        }
                    }
                }
            }
            let left = policy.available(&state, at);
            prop_assert_eq!(i128::from(left), model.units(now), "left at {}", now);
        }
        Ok(count)
    });
}
