//! Runs the script of `tests/trace` on the board and prints its digest, which must be the one
//! that a PC prints. `tests/homes` compares them.
//!
//! | argument | what it does |
//! |---|---|
//! | `--steps` | prints machine, step and digest after each step as well, as the PC does |
//! | `--off=N` | from the step in line N on, every digest is another: to try the comparison |

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::panic::PanicInfo;

use semihosting::experimental::env;
use semihosting::io::{self, Write};
use steadfast_firmware::board::{self, println};
use steadfast_trace::{STEPS, run_with};

/// What the command line asks for.
#[derive(Default)]
struct Asked {
    steps: bool,
    off_from: Option<u32>,
}

impl Asked {
    /// `None` if it is not understood.
    fn read() -> Option<Self> {
        let words = env::args::<128>().ok()?;
        let mut asked = Self::default();
        // The first is the image's name.
        for word in (&words).skip(1) {
            match word.ok()?.split_once('=') {
                None if word == Ok("--steps") => asked.steps = true,
                Some(("--off", line)) => asked.off_from = Some(line.parse().ok()?),
                _ => return None,
            }
        }
        Some(asked)
    }

    /// The digest, or another from where it is to be off.
    fn disturbed(&self, digest: u64, line: u32) -> u64 {
        let off = self.off_from.is_some_and(|from| line >= from);
        digest ^ u64::from(off)
    }
}

#[board::entry]
fn main() -> ! {
    let (Some(asked), Ok(mut out)) = (Asked::read(), io::stdout()) else {
        println!("the arguments are: --steps, --off=N");
        board::exit(false);
    };
    let mut line = 0;
    let mut told = true;
    let digest = run_with(STEPS, |step| {
        line += 1;
        if asked.steps {
            let digest = asked.disturbed(step.digest, line);
            told &= writeln!(out, "{} {} {digest:016x}", step.machine, step.step).is_ok();
        }
    });
    println!("{} {:016x}", board::NAME, asked.disturbed(digest, line));
    board::exit(told)
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    board::panicked(info)
}
