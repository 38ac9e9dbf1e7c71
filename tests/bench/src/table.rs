//! The table that is printed, one row after another.

use std::thread::available_parallelism;

use crate::measure::{Compared, Effort, compare, timed};
use crate::second::compare_in_two;

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
        aim: Option<f64>,
        yes: bool,
        ours: impl FnMut(usize) -> usize,
        peer: impl FnMut(usize) -> usize,
    ) {
        let seen = compare(self.effort, 1, yes, timed(ours), timed(peer));
        self.nanos(what, &seen, aim);
    }

    /// The same in two threads that run at the same time: nanoseconds a call of one of them.
    pub fn row_of_two<A, B>(
        &mut self,
        what: &str,
        aim: Option<f64>,
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
        let seen = compare_in_two(self.effort, yes, ours, peer);
        self.nanos(what, &seen, aim);
    }

    fn nanos(&mut self, what: &str, seen: &Compared, aim: Option<f64>) {
        self.print(what, [seen.ours, seen.peer, seen.ratio], "ns", aim);
    }

    /// A row of bytes, whose aim is a number of bytes as well.
    pub fn bytes(&mut self, what: &str, [ours, peer]: [f64; 2], aim: Option<f64>) {
        self.print(
            what,
            [ours, peer, ours / peer],
            "B",
            aim.map(|aim| aim / peer),
        );
    }

    fn print(&mut self, what: &str, [ours, peer, ratio]: [f64; 3], unit: &str, aim: Option<f64>) {
        let ours = format!("{ours:.1} {unit}");
        let peer = format!("{peer:.1} {unit}");
        let row = format!("  {what:<42} {ours:>9} {peer:>9} {ratio:>7.2}");
        match aim {
            None => println!("{row}"),
            // As printed: what lies beside the places does not count.
            Some(aim) if (ratio * 100.0).round() <= (aim * 100.0).round() => {
                println!("{row} {aim:>7.2}");
            }
            Some(aim) => {
                self.missed += 1;
                println!("{row} {aim:>7.2}  missed");
            }
        }
    }

    pub fn end(self) {
        println!("\n{} aims missed", self.missed);
    }
}
