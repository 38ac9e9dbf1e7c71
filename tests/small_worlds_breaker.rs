//! Every history of a few steps of breakers with tiny thresholds and times of a few nanoseconds, at
//! the start of time, in the middle, and at its end, against the model; from a breaker that is new,
//! from one that has just opened, and from one with a probe out.
//!
//! Five steps each; `STEADFAST_DEPTH=6` takes one more, and about ten times as long (use
//! `--release`).

mod breaker_model;

use breaker_model::{Config, Hand, LEAD, Rate, Rule, World};
use proptest::test_runner::TestCaseError;
use steadfast::breaker::{Breaker, Phase, Trip};
use steadfast::outcome::Outcome;
use steadfast::time::nanos;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Forward(u64),
    Back(u64),
    /// To where nothing from before is believed any more.
    FarBack,
    Enter,
    First(Outcome),
    Last(Outcome),
    /// The first that came back comes again.
    Again(Outcome),
    Cancel,
    ByHand(Hand),
}

const GOOD: Outcome = Outcome::Success;
const BAD: Outcome = Outcome::TRANSIENT;

const CALLS: [Step; 9] = [
    Step::Forward(1),
    Step::Forward(3),
    Step::Enter,
    Step::First(GOOD),
    Step::First(BAD),
    Step::Last(GOOD),
    Step::Last(BAD),
    Step::Again(GOOD),
    Step::Cancel,
];

const JUMPS: [Step; 8] = [
    Step::Forward(2),
    Step::Back(1),
    Step::FarBack,
    Step::Enter,
    Step::First(GOOD),
    Step::Last(BAD),
    Step::Again(BAD),
    Step::First(Outcome::Ignored),
];

const HANDS: [Step; 10] = [
    Step::Forward(2),
    Step::Enter,
    Step::First(GOOD),
    Step::First(BAD),
    Step::ByHand(Hand::ForceOpen),
    Step::ByHand(Hand::ForceOpenFor(2)),
    Step::ByHand(Hand::ForceClosed),
    Step::ByHand(Hand::Disable),
    Step::ByHand(Hand::ObserveOnly),
    Step::ByHand(Hand::Reset),
];

impl Step {
    fn moves_the_clock(self) -> bool {
        matches!(self, Self::Forward(_) | Self::Back(_) | Self::FarBack)
    }

    fn play<T: Trip, const P: usize>(self, world: &mut World<T, P>) -> Result<(), TestCaseError> {
        let last = world.out.len().saturating_sub(1);
        match self {
            Self::Forward(by) => world.now = world.now.saturating_add(by),
            Self::Back(by) => world.now = world.now.saturating_sub(by),
            Self::FarBack => world.now = world.now.saturating_sub(LEAD as u64 + 1),
            Self::Enter => world.enter()?,
            Self::First(outcome) => world.record(0, outcome)?,
            Self::Last(outcome) => world.record(last, outcome)?,
            Self::Again(outcome) => world.record_again(0, outcome)?,
            Self::Cancel => world.cancel(0),
            Self::ByHand(hand) => world.by_hand(hand)?,
        }
        world.look()
    }
}

fn depth() -> usize {
    std::env::var("STEADFAST_DEPTH").map_or(5, |depth| depth.parse().expect("a number"))
}

/// All histories from here on; how many steps agreed.
fn explore<T: Trip, const P: usize>(
    world: &World<T, P>,
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
        if let Err(error) = step.play(&mut next) {
            panic!("{error}\nafter {history:?}, from {world:?}");
        }
        count += 1 + explore(&next, steps, depth - 1, history);
        history.pop();
    }
    count
}

/// All histories of each set of steps, from each beginning, at three times.
fn everywhere<T: Trip, const P: usize>(breaker: Breaker<T, P>, config: Config) -> u64 {
    let mut agreed = 0;
    for start in [0, 4 << 32, u64::MAX - 4] {
        let mut world = World::new(breaker, config, start);
        agreed += from(&world);
        // Until it opens.
        let opens = |world: &World<T, P>| {
            let now = steadfast::time::Instant::from_nanos(world.now);
            breaker.phase(&world.state, now) == Phase::Open
        };
        while !opens(&world) {
            Step::Enter.play(&mut world).unwrap();
            Step::Last(BAD).play(&mut world).unwrap();
        }
        // One that began before it opened is still out.
        let mut open = World::new(breaker, config, start);
        Step::Enter.play(&mut open).unwrap();
        while !opens(&open) {
            Step::Enter.play(&mut open).unwrap();
            Step::Last(BAD).play(&mut open).unwrap();
        }
        agreed += from(&open);
        world.now = world.now.saturating_add(config.open_for);
        Step::Enter.play(&mut world).unwrap();
        agreed += from(&world);
    }
    agreed
}

fn from<T: Trip, const P: usize>(world: &World<T, P>) -> u64 {
    let mut agreed = explore(world, &CALLS, depth(), &mut Vec::new());
    for steps in [&JUMPS[..], &HANDS[..]] {
        agreed += explore(world, steps, depth() - 1, &mut Vec::new());
    }
    agreed
}

fn config(rule: Rule, probes: usize, close_after: usize) -> Config {
    Config {
        rule,
        probes,
        open_for: 2,
        cap: 4,
        close_after,
        lease: 3,
    }
}

#[test]
fn failures_in_a_row() {
    let mut agreed = 0;
    for failures in 1..=2 {
        for close_after in 1..=2 {
            let one = Breaker::consecutive(failures)
                .open_for(nanos(2))
                .growing_to(nanos(4))
                .close_after(close_after)
                .probe_lease(nanos(3));
            let two = one.probes::<2>();
            let (rule, close_after) = (Rule::Row(failures as usize), close_after as usize);
            agreed += everywhere(one.build().unwrap(), config(rule, 1, close_after));
            agreed += everywhere(two.build().unwrap(), config(rule, 2, close_after));
        }
    }
    println!("breaker, failures in a row: {agreed} steps agreed");
}

#[test]
fn a_rate_over_calls() {
    let mut agreed = 0;
    for (calls, min) in [(1, 1), (3, 2)] {
        let breaker = Breaker::rate_over_calls::<1>(calls)
            .min_calls(min)
            .slow_percent(50, nanos(1))
            .open_for(nanos(2))
            .growing_to(nanos(4))
            .close_after(1)
            .probe_lease(nanos(3));
        let rate = Rate {
            min: min as usize,
            failures: 50,
            slow: Some((50, 1)),
        };
        let config = config(Rule::Calls(calls as usize, rate), 1, 1);
        agreed += everywhere(breaker.build().unwrap(), config);
    }
    println!("breaker, rate over calls: {agreed} steps agreed");
}

#[test]
fn a_rate_over_time() {
    let mut agreed = 0;
    for (window, min) in [(2, 1), (4, 2)] {
        let breaker = Breaker::rate_over_time::<2>(nanos(window))
            .min_calls(min)
            .failures_percent(60)
            .open_for(nanos(2))
            .growing_to(nanos(4))
            .close_after(1)
            .probe_lease(nanos(3));
        let rate = Rate {
            min: min as usize,
            failures: 60,
            slow: None,
        };
        let config = config(Rule::Time(2, window / 2, rate), 1, 1);
        agreed += everywhere(breaker.build().unwrap(), config);
    }
    println!("breaker, rate over time: {agreed} steps agreed");
}
