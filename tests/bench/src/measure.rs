//! Two contenders, measured in turns.

use std::time::{Duration, Instant};

/// How often, and how many calls at a time.
#[derive(Clone, Copy)]
pub struct Effort {
    rounds: usize,
    calls: usize,
}

impl Effort {
    /// A round takes between a twentieth of a millisecond and ten, short enough that most are not
    /// interrupted.
    pub const THOROUGH: Self = Self {
        rounds: 301,
        calls: 20_000,
    };
    pub const QUICK: Self = Self {
        rounds: 31,
        calls: 20_000,
    };

    /// Twice as many rounds, each a tenth as long.
    pub fn in_short_rounds(self) -> Self {
        Self {
            rounds: self.rounds * 2,
            calls: self.calls / 10,
        }
    }
}

/// Nanoseconds a call: each side's median, and the median of the rounds' own ratios.
pub struct Compared {
    pub ours: f64,
    pub peer: f64,
    pub ratio: f64,
}

/// A round: how long it took, and how many calls were a yes.
pub type Round = (Duration, usize);

/// Asks both sides in turns for a round of so many calls in each of their `threads`. All of them
/// must be a yes if `yes`, and else none.
///
/// # Panics
///
/// If a contender decided otherwise: the figure would not be of what the row says.
pub fn compare(
    effort: Effort,
    threads: usize,
    yes: bool,
    mut ours: impl FnMut(usize) -> Round,
    mut peer: impl FnMut(usize) -> Round,
) -> Compared {
    let calls = effort.calls;
    let expected = if yes { calls * threads } else { 0 };
    let time = |contender: &mut dyn FnMut(usize) -> Round| {
        let (took, yeses) = contender(calls);
        assert_eq!(yeses, expected, "yeses in {threads} times {calls} calls");
        took.as_nanos() as f64 / calls as f64
    };
    // The first round warms up and does not count.
    time(&mut ours);
    time(&mut peer);
    let mut all = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..effort.rounds {
        // Who goes first alternates, so that neither always finds the caches as the other left
        // them.
        let (a, b) = if round % 2 == 0 {
            let a = time(&mut ours);
            (a, time(&mut peer))
        } else {
            let b = time(&mut peer);
            (time(&mut ours), b)
        };
        for (list, figure) in all.iter_mut().zip([a, b, a / b]) {
            list.push(figure);
        }
    }
    let [ours, peer, ratio] = all.map(median);
    Compared { ours, peer, ratio }
}

/// Rounds of a contender that makes a number of calls and says how many were a yes.
pub fn timed(mut contender: impl FnMut(usize) -> usize) -> impl FnMut(usize) -> Round {
    move |calls| {
        let start = Instant::now();
        let yeses = contender(calls);
        (start.elapsed(), yeses)
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
