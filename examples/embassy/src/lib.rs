//! What the images share: how one ends, the time, and what happened when.

#![no_std]

mod systick;
pub mod timeline;

use core::panic::PanicInfo;

use cortex_m_semihosting::{debug, hprintln};

/// Starts the time. False if it was started before.
#[must_use]
pub fn start_time() -> bool {
    systick::start()
}

/// Ends the program with a status that QEMU passes on: 0 if all went well, else 1.
pub fn exit(well: bool) -> ! {
    debug::exit(if well {
        debug::EXIT_SUCCESS
    } else {
        debug::EXIT_FAILURE
    });
    loop {
        cortex_m::asm::wfi();
    }
}

/// What a panic does: tell, and fail.
pub fn panicked(info: &PanicInfo) -> ! {
    hprintln!("{}", info);
    exit(false)
}
