//! An image that links only if no panic is reachable from anything the library offers: its panic
//! handler calls a function that nobody defines.

#![no_std]
#![no_main]

use core::panic::PanicInfo;

use steadfast_firmware::{board, tour};

#[board::entry]
fn main() -> ! {
    tour::everything();
    #[cfg(feature = "negative-control")]
    negative_control();
    board::exit(true)
}

/// One division that panics if the divisor is zero; it shows that the gate is shut.
#[cfg(feature = "negative-control")]
fn negative_control() {
    use core::hint::black_box;

    black_box(black_box(1_u32) / black_box(1_u32));
}

unsafe extern "C" {
    // The linker prints this name where a panic is reachable.
    safe fn a_panic_is_reachable() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    a_panic_is_reachable()
}
