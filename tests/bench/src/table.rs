//! The table that is printed, one row after another.

use std::thread::available_parallelism;

use crate::measure::{Compared, Effort, compare, timed};
use crate::second::compare_in_two;

/// What a row is to reach.
#[derive(Clone, Copy)]
pub enum Aim {
    None,
    /// Ours divided by the peer's.
    Ratio(f64),
    /// Ours by itself, in the row's unit.
    Figure(f64),
}

impl From<Option<f64>> for Aim {
    fn from(ratio: Option<f64>) -> Self {
        ratio.map_or(Self::None, Self::Ratio)
    }
}

/// Prints each row as soon as it is measured.
pub struct Table {
    effort: Effort,
    missed: usize,
}

impl Table {
    pub fn new(effort: Effort) -> Self {
        println!(
            "{:<44} {:>9} {:>9} {:>7} {:>7}",
            "what", "steadfast", "peer", "ratio", "aim"
        );
        Self { effort, missed: 0 }
    }

    /// A heading: what the rows that follow share, and whom they are beside.
    pub fn section(what: &str, peer: &str) {
        println!("\n{what}; peer: {peer}");
    }

    /// Measures a row: nanoseconds a call. Each side makes as many calls as it is asked to and
    /// says how many were a yes; `yes` says whether all of them must be, or none.
    pub fn row(
        &mut self,
        what: &str,
        aim: impl Into<Aim>,
        yes: bool,
        ours: impl FnMut(usize) -> usize,
        peer: impl FnMut(usize) -> usize,
    ) {
        let seen = compare(self.effort, 1, yes, timed(ours), timed(peer));
        self.nanos(what, &seen, aim);
    }

    /// The same for calls that take some tenths of a microsecond: fewer of them in a round.
    pub fn row_of_long_calls(
        &mut self,
        what: &str,
        aim: impl Into<Aim>,
        ours: impl FnMut(usize) -> usize,
        peer: impl FnMut(usize) -> usize,
    ) {
        let effort = self.effort.in_short_rounds();
        let seen = compare(effort, 1, true, timed(ours), timed(peer));
        self.nanos(what, &seen, aim);
    }

    /// The same in two threads that run at the same time: nanoseconds a call of one of them.
    pub fn row_of_two<A, B>(
        &mut self,
        what: &str,
        aim: impl Into<Aim>,
        yes: bool,
        ours: [A; 2],
        peer: [B; 2],
    ) where
        A: FnMut(usize) -> usize + Send,
        B: FnMut(usize) -> usize + Send,
    {
        // When other work takes a processor from one thread for some milliseconds, the other waits
        // for it. Within a round that spoils it; so they are short, and few are spoilt.
        let effort = self.effort.in_short_rounds();
        self.two(effort, what, aim, yes, ours, peer);
    }

    /// The same in rounds ten times as long, for calls of about a nanosecond: else a good part of
    /// a round is that the threads tell each other when it begins and ends.
    pub fn row_of_two_short_calls<A, B>(
        &mut self,
        what: &str,
        aim: impl Into<Aim>,
        ours: [A; 2],
        peer: [B; 2],
    ) where
        A: FnMut(usize) -> usize + Send,
        B: FnMut(usize) -> usize + Send,
    {
        self.two(self.effort, what, aim, true, ours, peer);
    }

    fn two<A, B>(
        &mut self,
        effort: Effort,
        what: &str,
        aim: impl Into<Aim>,
        yes: bool,
        ours: [A; 2],
        peer: [B; 2],
    ) where
        A: FnMut(usize) -> usize + Send,
        B: FnMut(usize) -> usize + Send,
    {
        if !available_parallelism().is_ok_and(|processors| processors.get() > 1) {
            println!("  {what:<42} needs two processors");
            return;
        }
        let seen = compare_in_two(effort, yes, ours, peer);
        self.nanos(what, &seen, aim);
    }

    fn nanos(&mut self, what: &str, seen: &Compared, aim: impl Into<Aim>) {
        self.print(what, [seen.ours, seen.peer, seen.ratio], "ns", aim.into());
    }

    /// A row of bytes, whose aim is a number of bytes as well.
    pub fn bytes(&mut self, what: &str, [ours, peer]: [f64; 2], aim: Option<f64>) {
        let aim = aim.map_or(Aim::None, Aim::Figure);
        self.print(what, [ours, peer, ours / peer], "B", aim);
    }

    /// A row of things that were counted, of which there are to be at most so many.
    pub fn count(&mut self, what: &str, [ours, peer]: [f64; 2], most: f64) {
        self.print(what, [ours, peer, f64::NAN], "", Aim::Figure(most));
    }

    fn print(&mut self, what: &str, [ours, peer, ratio]: [f64; 3], unit: &str, aim: Aim) {
        let figure = |value: f64| format!("{value:.1} {unit}").trim_end().to_owned();
        let shown = if ratio.is_nan() {
            "-".to_owned()
        } else {
            format!("{ratio:.2}")
        };
        // As printed: what lies beside the places does not count.
        let (aim, met) = match aim {
            Aim::None => (String::new(), true),
            Aim::Ratio(aim) => {
                let met = (ratio * 100.0).round() <= (aim * 100.0).round();
                (format!("{aim:.2}"), met)
            }
            Aim::Figure(aim) => {
                let met = (ours * 10.0).round() <= (aim * 10.0).round();
                (figure(aim), met)
            }
        };
        let (ours, peer) = (figure(ours), figure(peer));
        let row = format!("  {what:<42} {ours:>9} {peer:>9} {shown:>7} {aim:>7}");
        if met {
            println!("{}", row.trim_end());
        } else {
            self.missed += 1;
            println!("{row}  missed");
        }
    }

    pub fn end(self) {
        println!("\n{} aims missed", self.missed);
    }
}
