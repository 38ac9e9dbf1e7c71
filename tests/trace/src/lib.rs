//! One seeded script of operations over every machine, folded into a 64-bit digest.
//!
//! A home (a PC, a microcontroller, a browser) runs the script and prints the digest. Equal
//! digests mean that every answer was equal: each yes, each wait to the nanosecond, each count.
//! Where two homes differ, [`run_with`] tells the digest after each step, so the first step that
//! differs can be found.
//!
//! The script draws its times, costs and keys from a seed, so it needs no input and no files. It
//! allocates nothing and holds one machine at a time: the largest takes 2 KiB of stack.
//!
//! A machine joins by a line in [`machines`] or [`calling_out`]; a machine with other verbs gets a
//! file of its own beside `limiter.rs` and `keyed.rs`.

#![no_std]
#![forbid(unsafe_code)]

mod answers;
mod backoff;
mod breaker;
mod budget;
mod call;
mod calling_out;
mod deadline;
mod digest;
mod fallback;
mod fault;
mod keyed;
mod limiter;
mod machines;
mod random;
mod retry;
mod stage;
mod timeline;
mod window;

pub use machines::names;
pub use stage::Step;

use digest::Digest;
use stage::Stage;

/// How many steps each machine takes unless told otherwise.
pub const STEPS: u32 = 2_000;

/// Runs `steps` steps of each machine and returns the digest of all answers.
pub fn run(steps: u32) -> u64 {
    run_with(steps, |_| {})
}

/// As [`run`], and tells `observer` after each step.
pub fn run_with(steps: u32, mut observer: impl FnMut(Step)) -> u64 {
    let mut digest = Digest::new();
    for (index, machine) in (0..).zip(machines::all()) {
        let mut stage = Stage::new(machine.name, index, steps, digest, &mut observer);
        (machine.play)(&mut stage);
        digest = stage.into_digest();
    }
    digest.value()
}
