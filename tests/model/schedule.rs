//! Made-up histories: calls of every kind under a clock that does what clocks do, and worse.
//!
//! A move or a call is told relative to where the limiter stands when its turn comes ("to the
//! nanosecond before the wait is over", "one more than there is"), since that is where mistakes
//! live, and a history that shrinks keeps its meaning.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner};
use std::cell::Cell;
use std::fmt::{self, Debug};

use super::Model;

/// How the clock moves before a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Stay,
    Forward(u64),
    Back(u64),
    /// To the instant that the last no named, or a nanosecond before.
    ToRetry {
        early: bool,
    },
    /// By so many eighths of the longest wait.
    Eighths(u64),
    /// Back to where the state is only just, or no longer, believed: two less is just so.
    BeyondBelief(u64),
    /// So far before the last instant.
    NearEnd(u64),
    /// So far around the instant from which time stands still.
    NearHorizon(u64),
    To(u64),
}

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Only looks.
    Nothing,
    Take(u32),
    /// What there is, and so many more.
    TakeAvailable(u32),
    /// What a full one holds, and so many more.
    TakeCapacity(u32),
    /// Of the grants remembered, the one with this number.
    Refund(usize),
    Cancel(usize),
    Reserve {
        cost: u32,
        max_wait: u64,
    },
    /// Is taken whether it is there or not.
    Charge(u32),
    Mend,
    Reconfigure(usize),
}

#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub clock: Move,
    pub call: Call,
}

/// Small numbers as often as large ones.
pub fn scaled(number: u64) -> u64 {
    (number >> 6) >> (number % 64)
}

impl Step {
    fn new((clock, by, call, with): (u8, u64, u8, u64)) -> Self {
        let clock = match clock {
            0..=69 => Move::Stay,
            70..=89 => Move::Forward(by % 4),
            90..=129 => Move::Forward(scaled(by)),
            130..=139 => Move::Back(by % 4),
            140..=149 => Move::Back(scaled(by)),
            150..=179 => Move::ToRetry { early: false },
            180..=199 => Move::ToRetry { early: true },
            200..=235 => Move::Eighths(by % 12),
            236..=241 => Move::BeyondBelief(by % 5),
            242..=244 => Move::NearEnd(scaled(by)),
            245..=248 => Move::NearHorizon(by % 9),
            249..=251 => Move::To(scaled(by)),
            252..=255 => Move::To(by),
        };
        let some = scaled(with) as u32;
        let index = (with >> 32) as usize;
        let call = match call {
            0..=9 => Call::Nothing,
            10..=89 => Call::Take(1),
            90..=119 => Call::Take(some),
            120..=154 => Call::TakeAvailable((with % 2) as u32),
            155..=164 => Call::TakeCapacity((with % 2) as u32),
            165..=194 => Call::Refund(index),
            195..=204 => Call::Charge(some),
            205..=234 => Call::Reserve {
                cost: some.max(1),
                max_wait: if with >> 63 == 0 {
                    u64::MAX
                } else {
                    scaled(with.rotate_left(20))
                },
            },
            235..=246 => Call::Cancel(index),
            247..=249 => Call::Mend,
            250..=255 => Call::Reconfigure(index),
        };
        Self { clock, call }
    }
}

/// A history. Its length stays while it shrinks, so steps that do nothing are not printed.
#[derive(Clone)]
pub struct Steps(pub Vec<Step>);

impl Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let idle = |step: &&Step| (step.clock, step.call) != (Move::Stay, Call::Nothing);
        for step in self.0.iter().filter(idle) {
            write!(f, "\n  {:?}, {:?}", step.clock, step.call)?;
        }
        Ok(())
    }
}

/// Histories of 200 to 300 steps.
pub fn steps() -> impl Strategy<Value = Steps> {
    let step = any::<(u8, u64, u8, u64)>().prop_map(Step::new);
    vec(step, 200..=300).prop_map(Steps)
}

/// A clock that stays within a range.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pub now: u64,
    pub first: u64,
    pub last: u64,
    /// Every step forward, added up.
    pub forward: i128,
    /// How often it went back.
    pub jumps: i128,
}

impl Clock {
    pub fn new(first: u64, last: u64) -> Self {
        Self {
            now: first,
            first,
            last,
            forward: 0,
            jumps: 0,
        }
    }

    /// Any instant at all, from `start` on.
    pub fn anywhere(start: u64) -> Self {
        Self {
            now: start,
            ..Self::new(0, u64::MAX)
        }
    }

    pub fn go<M: Model>(&mut self, by: Move, model: &M, retry: u64) {
        let (now, longest) = (self.now, model.longest());
        let to = match by {
            Move::Stay => now,
            Move::Forward(by) => now.saturating_add(by),
            Move::Back(by) => now.saturating_sub(by),
            Move::ToRetry { early } => now.saturating_add(retry.saturating_sub(early.into())),
            Move::Eighths(by) => now.saturating_add((longest / 8).saturating_mul(by)),
            Move::BeyondBelief(by) => {
                let full_at = now.saturating_add(model.rests_in(now));
                let believed = longest.saturating_add(1 << 32);
                full_at
                    .saturating_sub(believed)
                    .saturating_add(2)
                    .saturating_sub(by)
            }
            Move::NearEnd(by) => u64::MAX - by,
            Move::NearHorizon(by) => model.horizon().saturating_add(4).saturating_sub(by),
            Move::To(to) => to,
        }
        .clamp(self.first, self.last);
        self.forward += i128::from(to.saturating_sub(now));
        self.jumps += i128::from(to < now);
        self.now = to;
    }
}

/// Plays `test` to as many made-up inputs as `STEADFAST_SCHEDULES` says, 2,000 unless it is set,
/// and prints how many agreed in how many operations. `test` returns the number of its
/// operations.
///
/// The inputs are the same in every run; `STEADFAST_SEED` (a number, 0 unless set) makes up
/// others. The long run of a machine, with its figures:
///
/// ```text
/// STEADFAST_SCHEDULES=1000000 cargo test --release --test model_token_bucket -- --nocapture
/// ```
pub fn play<S: Strategy>(
    name: &str,
    inputs: S,
    test: impl Fn(S::Value) -> Result<u64, TestCaseError>,
) {
    play_one_in(1, name, inputs, test);
}

/// As [`play`], with one in `share` of the schedules: for those that are slow.
pub fn play_one_in<S: Strategy>(
    share: u64,
    name: &str,
    inputs: S,
    test: impl Fn(S::Value) -> Result<u64, TestCaseError>,
) {
    let number = |name, default: u64| match std::env::var(name) {
        Ok(set) => set.parse().expect("a number"),
        Err(_) => default,
    };
    let cases = number("STEADFAST_SCHEDULES", 2_000) / share;
    let cases = u32::try_from(cases).expect("a number of 32 bits");
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number("STEADFAST_SEED", 0).to_le_bytes());

    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200_000,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let operations = Cell::new(0);
    let result = TestRunner::new_with_rng(config, rng).run(&inputs, |input| -> TestCaseResult {
        operations.set(operations.get() + test(input)?);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{name}: {error}");
    }
    println!(
        "{name}: {cases} schedules, {} operations agreed",
        operations.get()
    );
}
