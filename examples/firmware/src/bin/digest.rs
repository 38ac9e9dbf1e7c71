//! Runs the script of `tests/trace` on the board and prints its digest, which must be the one
//! that a PC prints.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::panic::PanicInfo;

use steadfast_firmware::board::{self, println};

#[board::entry]
fn main() -> ! {
    let digest = steadfast_trace::run(steadfast_trace::STEPS);
    println!("{} {:016x}", board::NAME, digest);
    board::exit(true)
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    board::panicked(info)
}
