//! Every history of a few steps, played to a machine and to its model.

use std::fmt::Debug;

use proptest::test_runner::TestCaseError;
use steadfast::limit::Policy;

use super::agree::{Grants, Pair};
use super::machine::Machine;
use super::{LEAD, Model, nanos};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    Forward(u64),
    Back(u64),
    /// To where no state from before is believed any more.
    FarBack,
    Take(u32),
    RefundFirst,
    RefundLast,
    Reserve(u32),
    CancelLast,
    Charge(u32),
}

impl Step {
    fn moves_the_clock(self) -> bool {
        matches!(self, Self::Forward(_) | Self::Back(_) | Self::FarBack)
    }
}

#[derive(Clone)]
struct World<P: Policy, M: Model> {
    pair: Pair<P, M>,
    now: u64,
    grants: Vec<Grants<P, M>>,
}

impl<P: Machine, M: Model> World<P, M> {
    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        let now = self.now;
        match step {
            Step::Forward(by) => self.now = now.saturating_add(by),
            Step::Back(by) => self.now = now.saturating_sub(by),
            Step::FarBack => {
                let beyond = nanos(LEAD) + self.pair.model.longest() + 1;
                self.now = now.saturating_sub(beyond);
            }
            Step::Take(cost) => self.grants.extend(self.pair.take(now, cost)?),
            Step::Reserve(cost) => self.grants.extend(self.pair.reserve(now, cost, u64::MAX)?),
            Step::Charge(cost) => self.pair.charge(now, cost)?,
            Step::RefundFirst if !self.grants.is_empty() => {
                let first = self.grants.remove(0);
                self.pair.refund(now, &first);
            }
            Step::RefundLast | Step::CancelLast => {
                if let Some(last) = self.grants.pop() {
                    match step {
                        Step::CancelLast => self.pair.cancel(now, &last),
                        _ => self.pair.refund(now, &last),
                    }
                }
            }
            Step::RefundFirst => {}
        }
        self.pair.look(self.now)
    }
}

fn depth() -> usize {
    std::env::var("STEADFAST_DEPTH").map_or(5, |depth| depth.parse().expect("a number"))
}

/// All histories from here on; how many steps agreed.
fn explore<P: Machine + Debug, M: Model>(
    world: &World<P, M>,
    steps: &[Step],
    depth: usize,
    history: &mut Vec<Step>,
) -> u64 {
    if depth == 0 {
        return 0;
    }
    let mut count = 0;
    for &step in steps {
        // Two moves of the clock in a row are another world's one.
        if step.moves_the_clock() && history.last().is_some_and(|last| last.moves_the_clock()) {
            continue;
        }
        history.push(step);
        let mut next = world.clone();
        if let Err(error) = next.step(step) {
            let start = world.now;
            panic!(
                "{error}\nafter {history:?}, now {start}, {:?}",
                world.pair.policy
            );
        }
        count += 1 + explore(&next, steps, depth - 1, history);
        history.pop();
    }
    count
}

/// All histories that start at `now`.
pub fn from<P: Machine + Debug, M: Model>(pair: &Pair<P, M>, now: u64, steps: &[Step]) -> u64 {
    let world = World {
        pair: pair.clone(),
        now,
        grants: Vec::new(),
    };
    explore(&world, steps, depth(), &mut Vec::new())
}

/// All histories at the start, in the middle, and where time begins to stand still.
pub fn everywhere<P: Machine + Debug, M: Model>(pair: &Pair<P, M>, steps: &[Step]) -> u64 {
    [0, FAR, pair.model.horizon() - 3]
        .into_iter()
        .map(|now| from(pair, now, steps))
        .sum()
}

/// Room to go back beyond belief.
pub const FAR: u64 = 4 << 32;

pub const CLOCK: [Step; 4] = [
    Step::Forward(1),
    Step::Forward(2),
    Step::Back(1),
    Step::FarBack,
];

/// The clock's steps and these.
pub fn with_clock(steps: &[Step]) -> Vec<Step> {
    [&CLOCK, steps].concat()
}

/// What every limiter can do.
pub const ALL_CAN: [Step; 4] = [
    Step::Take(1),
    Step::Take(2),
    Step::RefundFirst,
    Step::RefundLast,
];
