//! The board: where an image starts, what it prints, how it ends, its clock and its tick.
//!
//! An image's source is the same on every board. What differs between the chip families is in
//! `board/cortex_m.rs` and `board/riscv.rs`, which offer the same few names; what differs between
//! the boards of a family is a memory map in `memory/` and a line in `./qemu`.
//!
//! | name | what it does |
//! |---|---|
//! | `entry` | attribute of the function that the image starts with |
//! | [`on_tick!`](crate::on_tick) | names the function that the tick interrupt calls |
//! | `start_clock(hz)` | starts the clock, and the tick, which comes `hz` times a second |
//! | `now()` | the time since the start of the clock; zero until then |
//! | `wait_for_interrupt()` | sleeps |
//! | `InstructionCounter` | counts instructions |

#[cfg_attr(target_arch = "arm", path = "board/cortex_m.rs")]
#[cfg_attr(target_arch = "riscv32", path = "board/riscv.rs")]
mod family;

pub use family::{
    InstructionCounter, TICKS_A_SECOND, entry, now, start_clock, ticks, wait_for_interrupt,
};
#[doc(hidden)]
pub use family::{came_tick, tick_interrupt};
pub use semihosting::println;

use core::panic::PanicInfo;

use steadfast::time::Instant;

/// What the target is called in tables.
pub const NAME: &str = env!("TARGET_NAME");

/// Ends the program with a status that QEMU passes on: 0 if all went well, else 1.
pub fn exit(well: bool) -> ! {
    semihosting::process::exit(i32::from(!well))
}

/// What a panic does in the images that may have one: tell, and fail.
pub fn panicked(info: &PanicInfo) -> ! {
    println!("{info}");
    exit(false)
}

/// Says whether the story was as it should be, and ends the program with that.
pub fn end(well: bool) -> ! {
    println!("{}as it should be", if well { "" } else { "NOT " });
    exit(well)
}

/// Ticks of the board's counter as time, rounded down: one multiplication.
const fn instant(ticks: u64) -> Instant {
    const {
        assert!(
            2_000_000_000 % TICKS_A_SECOND == 0,
            "a tick is a whole number of half nanoseconds"
        );
    }
    let halves = (2_000_000_000 / TICKS_A_SECOND) as u64;
    Instant::from_nanos(ticks.wrapping_mul(halves) >> 1)
}
