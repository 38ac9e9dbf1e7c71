//! Every history of a few steps in worlds of a few tokens and a few nanoseconds, at the start of
//! time, in the middle, and at its end, against the models.
//!
//! Five steps each; `STEADFAST_DEPTH=6` takes one more, and about ten times as long (use
//! `--release`).

mod model;

use std::fmt::Debug;

use model::agree::{Machine, Pair};
use model::bucket::{self, Bucket};
use model::window::{self, FixedWindow as Window};
use model::{LEAD, Model, nanos};
use proptest::test_runner::TestCaseError;
use steadfast::limit::{CompactBucket, FixedWindow, Granted, Policy, TokenBucket};
use steadfast::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Forward(u64),
    Back(u64),
    /// To where no state from before is believed any more.
    FarBack,
    Take(u32),
    RefundFirst,
    RefundLast,
    Reserve(u32),
    CancelLast,
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
    grants: Vec<(Granted, M::Grant)>,
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

fn everywhere<P: Machine + Debug, M: Model>(pair: &Pair<P, M>, steps: &[Step]) -> u64 {
    let far = nanos(LEAD) * 4;
    // The start, the middle, and where time begins to stand still.
    [0, far, pair.model.horizon() - 3]
        .into_iter()
        .map(|now| {
            let world = World {
                pair: pair.clone(),
                now,
                grants: Vec::new(),
            };
            explore(&world, steps, depth(), &mut Vec::new())
        })
        .sum()
}

const CLOCK: [Step; 4] = [
    Step::Forward(1),
    Step::Forward(2),
    Step::Back(1),
    Step::FarBack,
];

/// Counts, periods and bursts of the small worlds.
fn tiny() -> impl Iterator<Item = (u32, u64, u32)> {
    (1..=3).flat_map(|count| {
        (1..=3).flat_map(move |period| (1..=2).map(move |burst| (count, period, burst)))
    })
}

#[test]
fn token_bucket() {
    let mut steps = CLOCK.to_vec();
    steps.extend([
        Step::Take(1),
        Step::Take(2),
        Step::RefundFirst,
        Step::RefundLast,
    ]);
    let count: u64 = tiny()
        .map(|(count, period, burst)| {
            let config = TokenBucket::new(count, Duration::from_nanos(period)).burst(burst);
            let rule = bucket::Rule::tokens(count, period, burst);
            everywhere(
                &Pair::new(config.build().unwrap(), Bucket::new(rule)),
                &steps,
            )
        })
        .sum();
    println!("token bucket: {count} steps agreed");
}

#[test]
fn token_bucket_with_reservations() {
    let mut steps = CLOCK.to_vec();
    steps.extend([Step::Take(1), Step::Reserve(1), Step::Reserve(2)]);
    steps.extend([Step::RefundFirst, Step::CancelLast]);
    let mut agreed = 0;
    for (count, period, burst) in tiny() {
        let config = TokenBucket::new(count, Duration::from_nanos(period)).burst(burst);
        let policy = config
            .reserve_ahead(Duration::from_nanos(3))
            .build()
            .unwrap();
        let rule = bucket::Rule::tokens(count, period, burst).ahead(3);
        agreed += everywhere(&Pair::new(policy, Bucket::new(rule)), &steps);
    }
    println!("token bucket with reservations: {agreed} steps agreed");
}

#[test]
fn compact_bucket() {
    let mut steps = CLOCK.to_vec();
    steps.extend([
        Step::Take(1),
        Step::Take(2),
        Step::RefundFirst,
        Step::RefundLast,
    ]);
    let mut agreed = 0;
    for (count, period, burst) in tiny() {
        let config = TokenBucket::new(count, Duration::from_nanos(period)).burst(burst);
        let rule = bucket::Rule::tokens(count, period, burst);
        let pair = Pair::new(config.compact().build().unwrap(), Bucket::new(rule));
        let far = nanos(LEAD) * 4;
        for now in [0, far] {
            let world = World {
                pair: pair.clone(),
                now,
                grants: Vec::new(),
            };
            agreed += explore(&world, &steps, depth(), &mut Vec::new());
        }
    }
    println!("compact bucket: {agreed} steps agreed");
}

#[test]
fn fixed_window() {
    let mut steps = CLOCK.to_vec();
    steps.extend([
        Step::Take(1),
        Step::Take(2),
        Step::RefundFirst,
        Step::RefundLast,
    ]);
    let mut agreed = 0;
    for limit in 1..=2 {
        for period in 1..=3 {
            for phase in [None, Some(0), Some(period - 1)] {
                let config = FixedWindow::new(limit, Duration::from_nanos(period));
                let config = match phase {
                    None => config,
                    Some(phase) => config.phase(Duration::from_nanos(phase)),
                };
                let model = Window::new(window::Rule::new(limit, period, phase));
                agreed += everywhere(&Pair::new(config.build().unwrap(), model), &steps);
            }
        }
    }
    println!("fixed window: {agreed} steps agreed");
}

/// Two words of 2^64 are set aside. A state that would be one of them is at most two portions of
/// a nanosecond late, and only just where the word wraps.
#[test]
fn a_compact_bucket_is_at_most_two_portions_late_where_its_word_wraps() {
    let mut late = 0;
    for (count, period, burst) in tiny() {
        let config = TokenBucket::new(count, Duration::from_nanos(period)).burst(burst);
        let (wide, compact) = (config.build().unwrap(), config.compact().build().unwrap());
        // 2^64 portions; for whole nanoseconds that is the end of time.
        let wraps = compact.memory().as_nanos().saturating_mul(2);
        for now in wraps - 12..=wraps.saturating_add(4) {
            let now = Instant::from_nanos(now);
            let (mut state, mut word) = (TokenBucket::FULL, CompactBucket::FULL);
            assert!(wide.decide(&mut state, now, burst).is_ok());
            assert!(compact.decide(&mut word, now, burst).is_ok());
            let (exact, said) = (wide.rests_in(&state, now), compact.rests_in(&word, now));
            assert!(said >= exact && said <= exact + Duration::from_nanos(2));
            late += u64::from(said > exact);
        }
    }
    assert!(
        late > 0,
        "no word was set aside: this test looks in the wrong place"
    );
}
