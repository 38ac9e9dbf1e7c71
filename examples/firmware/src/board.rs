//! The board: where an image starts, what it prints, how it ends, and its tick.
//!
//! All that differs between one core and another is here and in `memory/`.

pub use cortex_m_rt::{entry, exception};
pub use cortex_m_semihosting::{hprint as print, hprintln as println};

use core::panic::PanicInfo;

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{Peripherals, SYST};
use cortex_m_semihosting::debug;

/// What the target is called in tables.
pub const NAME: &str = env!("TARGET_NAME");

/// The core clock. The nRF51 of a micro:bit runs at 16 MHz.
const CORE_HZ: u32 = 16_000_000;

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

/// What a panic does in the images that may have one: tell, and fail.
pub fn panicked(info: &PanicInfo) -> ! {
    println!("{}", info);
    exit(false)
}

/// Starts `SysTick`: `hz` interrupts a second.
///
/// False if it was started before, or if the 24-bit timer cannot count that slowly.
#[must_use]
pub fn start_tick(hz: u32) -> bool {
    let (Some(peripherals), Some(reload)) = (Peripherals::take(), CORE_HZ.checked_div(hz)) else {
        return false;
    };
    if reload == 0 || reload > 0x0100_0000 {
        return false;
    }
    let mut systick = peripherals.SYST;
    systick.set_clock_source(SystClkSource::Core);
    systick.set_reload(reload.wrapping_sub(1));
    systick.clear_current();
    systick.enable_counter();
    systick.enable_interrupt();
    true
}

/// Sleeps until an interrupt has been served.
pub fn wait_for_interrupt() {
    cortex_m::asm::wfi();
}

/// Counts instructions, for as long as QEMU runs with `-icount shift=0`.
///
/// `SysTick` counts virtual time, and a block of `nop`s tells how much of it an instruction
/// takes. These are instructions and not cycles: a load on a real core takes two.
pub struct InstructionCounter {
    systick: SYST,
    ticks_of_nops: u32,
}

/// How many `nop`s the counter is calibrated with.
const NOPS: u32 = 4_000;

/// A function of its own, since its caller could not reach its constants across the block.
#[inline(never)]
fn nops() {
    // SAFETY: `nop` does nothing.
    unsafe {
        core::arch::asm!(".rept {count}", "nop", ".endr", count = const NOPS);
    }
}

impl InstructionCounter {
    /// `None` if something else has the timer.
    pub fn start() -> Option<Self> {
        let mut systick = Peripherals::take()?.SYST;
        systick.set_clock_source(SystClkSource::Core);
        systick.set_reload(0x00ff_ffff);
        systick.clear_current();
        systick.enable_counter();
        let mut counter = Self {
            systick,
            ticks_of_nops: 0,
        };
        // What reading the timer costs is in both, and goes.
        let nothing = counter.ticks(|| {});
        let nops = counter.ticks(nops);
        counter.ticks_of_nops = nops.wrapping_sub(nothing);
        Some(counter)
    }

    fn ticks(&mut self, work: impl FnOnce()) -> u32 {
        self.systick.clear_current();
        let before = SYST::get_current();
        work();
        let after = SYST::get_current();
        // It counts down.
        before.wrapping_sub(after) & 0x00ff_ffff
    }

    /// How many instructions `work` takes. The timer is coarser than one instruction, so let
    /// `work` be long and divide.
    pub fn count(&mut self, work: impl FnOnce()) -> Option<u32> {
        let ticks = u64::from(self.ticks(work));
        let instructions = ticks
            .wrapping_mul(u64::from(NOPS))
            .checked_div(u64::from(self.ticks_of_nops))?;
        u32::try_from(instructions).ok()
    }
}
