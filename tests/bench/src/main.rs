//! Speed and memory beside the peers.
//!
//! ```sh
//! cargo run --release -p steadfast-bench              # everything, a minute
//! cargo run --release -p steadfast-bench -- --quick   # a look, a few seconds
//! cargo run --release -p steadfast-bench -- keyed     # one part: see --help
//! ```
//!
//! Each row measures two contenders in one process, in many short rounds that take turns. The two
//! figures are medians of the rounds, in nanoseconds a call; the ratio is the median of the
//! rounds' own ratios, which a busy machine disturbs least. Every round counts the yeses, so that
//! a row says what it says. Both sides read the same clock unless the row names another: a
//! reading costs more than the decision, so figures on different clocks say nothing of each
//! other.
//!
//! Two rows need no peer to be judged: the decision itself beside the shortest one can write by
//! hand, and a million keys, which no cache holds, beside one read of such memory.
//!
//! The peer is governor in its fastest form: no middleware, and for keys the sharded map with
//! ahash. What cannot be compared: governor is asked for yes or no only, and would read its clock
//! again to say how long to wait, which our answer carries; governor keeps keys and grows without
//! bound, we keep hashes in a table of fixed size.

// Nanoseconds and bytes, all far below 2^52.
#![allow(clippy::cast_precision_loss)]

mod floor;
mod keyed;
mod measure;
mod memory;
mod one_limiter;
mod policies;
mod table;

use measure::Effort;
use table::Table;

const USAGE: &str = "steadfast beside its peers, in one interleaved run

usage: steadfast-bench [--quick] [PART ...]

  --quick  fewer rounds: a look, not a figure to quote
  limiter  one limiter, the time passed in
  clock    one limiter with a clock
  coarse   one limiter with a clock that is read for it
  keyed    a limiter a key
  keyed-coarse  the same with such a clock
  read     a million keys beside one read of memory
  memory   bytes a key

Without the name of a part: all of them.";

type Part = (&'static str, fn(&mut Table));

const PARTS: [Part; 7] = [
    ("limiter", one_limiter::time_passed_in),
    ("clock", one_limiter::with_a_clock),
    ("coarse", one_limiter::with_a_coarse_clock),
    ("keyed", keyed::speed),
    ("keyed-coarse", keyed::coarsely),
    ("read", keyed::one_read),
    ("memory", keyed::memory),
];

fn main() -> std::process::ExitCode {
    let mut effort = Effort::THOROUGH;
    let mut chosen = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--quick" => effort = Effort::QUICK,
            "--help" | "-h" => {
                println!("{USAGE}");
                return std::process::ExitCode::SUCCESS;
            }
            name if PARTS.iter().any(|(part, _)| *part == name) => chosen.push(argument),
            _ => {
                eprintln!("{USAGE}");
                return std::process::ExitCode::FAILURE;
            }
        }
    }
    let mut table = Table::new(effort);
    for (name, part) in PARTS {
        if chosen.is_empty() || chosen.iter().any(|chosen| chosen == name) {
            part(&mut table);
        }
    }
    table.end();
    std::process::ExitCode::SUCCESS
}
