//! Speed and memory beside the peers.
//!
//! ```sh
//! cargo run --release -p steadfast-bench              # everything: two minutes on an idle machine
//! cargo run --release -p steadfast-bench -- --quick   # a look: half a minute
//! cargo run --release -p steadfast-bench -- calling   # one wing, or one part: see --help
//! ```
//!
//! Each row measures two contenders in one process, in many short rounds that take turns. The two
//! figures are medians of the rounds, in nanoseconds a call; the ratio is the median of the
//! rounds' own ratios, which a busy machine disturbs least. Every round counts the yeses, so that
//! a row says what it says. Both sides read the same clock unless the row names another: a
//! reading costs more than the decision, so figures on different clocks say nothing of each
//! other.
//!
//! With two threads, both make the same number of calls and begin together, and the round is over
//! when both are done. The figure is the time of the round for each call of one thread: if two
//! threads did not disturb each other it would be the figure of one. They are started once a row,
//! not in each round, and on Linux each is kept on a processor of its own. On a machine with other
//! work these rows take longer, and a peer that lets its threads sleep for a lock looks worse than
//! it is, since the other work does not give the processor back at once.
//!
//! Two rows need no peer to be judged: the decision itself beside the shortest one can write by
//! hand, and a million keys, which no cache holds, beside one read of such memory. Where the aim is
//! a figure of ours and not a ratio, it says so by its unit, and a machine that is busy or slow may
//! miss it.
//!
//! # The peers, and what cannot be compared
//!
//! Each in its fastest form.
//!
//! - governor: no middleware, and for keys the sharded map with ahash. It is asked for yes or no
//!   only, and would read its clock again to say how long to wait, which our answer carries. It
//!   keeps keys and grows without bound; we keep hashes in a table of fixed size. Bytes are what
//!   was asked of the allocator, which adds its own to each `String` that governor keeps.
//! - ratelimit: a no says how long to wait, as ours does. What a yes costs depends on how often
//!   there is a refill to store: it has a row at one a minute as everyone has, and one at a
//!   thousand a second.
//! - leaky-bucket is made to be awaited; what is asked here is its `try_acquire`, which takes no
//!   part in its queue, and whose no does not say how long to wait. A fair one (the default) takes
//!   a lock and reads the clock in every call. An unfair one reads no clock as long as there are
//!   tokens, so its yes does less than all others. With two threads the unfair one is left out:
//!   in 1.1.2 a `try_acquire` that finds no tokens writes back a state that may be outdated, and
//!   two threads soon make it say no for ever.
//! - backon, tokio-retry2 and retry-policies all make ten delays of the same schedule, 200 ms to
//!   10 s. Only their chance differs. Full jitter, ours, is up to the whole delay; so is
//!   retry-policies' and, with these bounds, tokio-retry2's. backon's adds up to the whole delay to
//!   the delay, also beyond the cap. backon seeds a generator each time, as one of our rows does; the
//!   two others use the thread's, which is made for secrets. retry-policies answers with a time of
//!   the wall clock, which it reads for each delay.
//! - recloser and failsafe are asked by their `call`, with a closure that returns `Ok`, which the
//!   compiler sees on both sides. None of them reads a clock while the breaker is closed, but
//!   failsafe's rate over time does, so that row reads the same clock on our side. recloser judges
//!   the last so many calls, and only that: it stands beside all our rules. failsafe's rate is a
//!   moving average.
//! - A call of backon is retried, and no more: it has no breaker, budget, deadline or clock.

// Nanoseconds and bytes, all far below 2^52.
#![allow(clippy::cast_precision_loss)]

mod breakers;
mod calls;
mod contenders;
mod delays;
mod floor;
mod keyed;
mod keys;
mod measure;
mod memory;
mod one_limiter;
mod policies;
mod second;
mod table;
mod two_threads;

use measure::Effort;
use table::Table;

const USAGE: &str = "steadfast beside its peers, in one interleaved run

usage: steadfast-bench [--quick] [WING ...] [PART ...]

  --quick          fewer rounds: a look, not a figure to quote

  limiting         all of these:
  limiter          one limiter, the time passed in
  clock            one limiter with a clock
  coarse           one limiter with a clock that is read for it
  threads          one limiter that two threads ask at the same time
  keyed            a limiter a key: u64, IpAddr, String
  keyed-coarse     the same with a clock that is read for it
  keyed-threads    the same from two threads
  read             a million keys beside one read of memory
  memory           bytes a key

  calling          all of these:
  delays           ten delays of a backoff with jitter
  breaker          a closed circuit breaker: permit and success
  breaker-threads  the same from two threads
  call             a whole call that works at once

Without the name of a wing or a part: all of them.";

struct Part {
    wing: &'static str,
    name: &'static str,
    measure: fn(&mut Table),
}

const fn limiting(name: &'static str, measure: fn(&mut Table)) -> Part {
    let wing = "limiting";
    Part {
        wing,
        name,
        measure,
    }
}

const fn calling(name: &'static str, measure: fn(&mut Table)) -> Part {
    let wing = "calling";
    Part {
        wing,
        name,
        measure,
    }
}

const PARTS: [Part; 13] = [
    limiting("limiter", one_limiter::time_passed_in),
    limiting("clock", one_limiter::with_a_clock),
    limiting("coarse", one_limiter::with_a_coarse_clock),
    limiting("threads", two_threads::on_one_limiter),
    limiting("keyed", keyed::speed),
    limiting("keyed-coarse", keyed::coarsely),
    limiting("keyed-threads", keyed::two_threads),
    limiting("read", keyed::one_read),
    limiting("memory", keyed::memory),
    calling("delays", delays::ten),
    calling("breaker", breakers::closed),
    calling("breaker-threads", breakers::on_two_threads),
    calling("call", calls::at_once),
];

impl Part {
    fn is_called(&self, name: &str) -> bool {
        name == self.wing || name == self.name
    }
}

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
            name if PARTS.iter().any(|part| part.is_called(name)) => chosen.push(argument),
            _ => {
                eprintln!("{USAGE}");
                return std::process::ExitCode::FAILURE;
            }
        }
    }
    let mut table = Table::new(effort);
    for part in PARTS {
        if chosen.is_empty() || chosen.iter().any(|name| part.is_called(name)) {
            (part.measure)(&mut table);
        }
    }
    table.end();
    std::process::ExitCode::SUCCESS
}
