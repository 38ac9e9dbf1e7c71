//! Two contenders, measured in turns.

use std::time::Instant;

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
}

/// Nanoseconds a call: each side's median, and the median of the rounds' own ratios.
pub struct Compared {
    pub ours: f64,
    pub peer: f64,
    pub ratio: f64,
}

/// Times both sides in turns. Each is asked to make a number of calls and says how many were a
/// yes, which must be all of them if `yes` and else none.
///
/// # Panics
///
/// If a contender decided otherwise: the figure would not be of what the row says.
pub fn compare(
    effort: Effort,
    yes: bool,
    mut ours: impl FnMut(usize) -> usize,
    mut peer: impl FnMut(usize) -> usize,
) -> Compared {
    let calls = effort.calls;
    let expected = if yes { calls } else { 0 };
    let time = |contender: &mut dyn FnMut(usize) -> usize| {
        let start = Instant::now();
        let yeses = contender(calls);
        let nanos = start.elapsed().as_nanos();
        assert_eq!(yeses, expected, "yeses in {calls} calls");
        nanos as f64 / calls as f64
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

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
