//! The seeded script over every machine, as a module: its digest must be the one that a PC prints.
//!
//! A module of its own, since it holds every machine there is, which the limiters' users should
//! not have to download.

#![no_std]

use core::panic::PanicInfo;

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// Told after each step: where the machine's name lies, its length, which step it was, and the
    /// digest so far.
    safe fn step(name: *const u8, name_len: usize, step: u32, digest: u64);
}

/// Runs the script, tells the host of every step, and returns the digest.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> u64 {
    steadfast_trace::run_with(steadfast_trace::STEPS, |taken| {
        let name = taken.machine;
        step(name.as_ptr(), name.len(), taken.step, taken.digest);
    })
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
