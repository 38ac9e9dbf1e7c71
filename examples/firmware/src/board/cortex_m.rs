//! Cortex-M: `SysTick` is the clock and the tick.

pub use cortex_m_rt::{entry, exception as tick_interrupt};

use core::cell::Cell;

use cortex_m::peripheral::SYST;
use critical_section::Mutex;
use steadfast::time::Instant;

use crate::counter::{DownCounter, Rounds};

/// The core clock, which `SysTick` counts.
pub const TICKS_A_SECOND: u32 = if cfg!(target_board = "microbit") {
    16_000_000
} else if cfg!(target_board = "lm3s6965evb") {
    12_500_000
} else {
    25_000_000
};

/// `SysTick` has 24 bits.
const LONGEST_PERIOD: u32 = 1 << 24;

const ENABLE: u32 = 1 << 0;
const INTERRUPT: u32 = 1 << 1;
const CORE_CLOCK: u32 = 1 << 2;
const COUNT_FLAG: u32 = 1 << 16;

/// How often `SysTick` has come round; `None` until it is started.
static ROUNDS: Mutex<Cell<Option<Rounds>>> = Mutex::new(Cell::new(None));

/// `SysTick`'s registers, to be touched under a critical section.
struct SysTick;

impl SysTick {
    fn start(reload: u32, interrupt: u32) {
        // SAFETY: the registers are there on every Cortex-M that these images are for, and this
        // module is the only one that touches them, under a critical section.
        unsafe {
            (*SYST::PTR).rvr.write(reload);
            // Any value clears the counter, and the flag with it.
            (*SYST::PTR).cvr.write(0);
            (*SYST::PTR).csr.write(ENABLE | CORE_CLOCK | interrupt);
        }
    }
}

impl DownCounter for SysTick {
    fn value(&mut self) -> u32 {
        SYST::get_current()
    }

    fn came_to_zero(&mut self) -> bool {
        // SAFETY: as above. Reading the register clears the flag.
        let control = unsafe { (*SYST::PTR).csr.read() };
        control & COUNT_FLAG != 0
    }
}

/// Starts the clock at zero, with `hz` tick interrupts a second.
///
/// False, and nothing started, if it runs already or if the 24-bit timer cannot count that slowly
/// or that fast.
#[must_use]
pub fn start_clock(hz: u32) -> bool {
    let Some(period @ 64..=LONGEST_PERIOD) = TICKS_A_SECOND.checked_div(hz) else {
        return false;
    };
    let reload = period.wrapping_sub(1);
    critical_section::with(|cs| {
        let rounds = ROUNDS.borrow(cs);
        let stands = rounds.get().is_none();
        if stands {
            rounds.set(Some(Rounds::new(reload)));
            SysTick::start(reload, INTERRUPT);
        }
        stands
    })
}

/// Ticks of the counter since the start of the clock; zero until then.
///
/// May be called from anywhere, from interrupts of any priority too.
pub fn ticks() -> u64 {
    critical_section::with(|cs| {
        let cell = ROUNDS.borrow(cs);
        let Some(mut rounds) = cell.get() else {
            return 0;
        };
        let ticks = rounds.ticks(&mut SysTick);
        cell.set(Some(rounds));
        ticks
    })
}

/// The time since the start of the clock; zero until then.
pub fn now() -> Instant {
    super::instant(ticks())
}

/// Sleeps until an interrupt has been served.
pub fn wait_for_interrupt() {
    cortex_m::asm::wfi();
}

/// What has to be done in each tick interrupt.
#[doc(hidden)]
pub fn came_tick() {
    // Reading it counts the round.
    ticks();
}

/// Names the function that the tick interrupt calls.
#[macro_export]
macro_rules! on_tick {
    ($act:path) => {
        #[$crate::board::tick_interrupt]
        fn SysTick() {
            $crate::board::came_tick();
            $act();
        }
    };
}

/// Counts instructions, for as long as QEMU runs with `-icount shift=0`.
///
/// `SysTick` counts virtual time, and a block of `nop`s tells how much of it an instruction
/// takes. These are instructions and not cycles: a load on a real core takes two.
pub struct InstructionCounter {
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
    /// `None` if the clock runs, which has the timer.
    pub fn start() -> Option<Self> {
        if critical_section::with(|cs| ROUNDS.borrow(cs).get().is_some()) {
            return None;
        }
        // What reading the timer costs is in both, and goes.
        let nothing = Self::ticks(|| {});
        let nops = Self::ticks(nops);
        Some(Self {
            ticks_of_nops: nops.wrapping_sub(nothing),
        })
    }

    fn ticks(work: impl FnOnce()) -> u32 {
        SysTick::start(LONGEST_PERIOD.wrapping_sub(1), 0);
        let before = SysTick.value();
        work();
        let after = SysTick.value();
        // It counts down.
        before.wrapping_sub(after) & LONGEST_PERIOD.wrapping_sub(1)
    }

    /// How many instructions `work` takes. The timer is coarser than one instruction, so let
    /// `work` be long and divide.
    pub fn count(&mut self, work: impl FnOnce()) -> Option<u32> {
        let ticks = u64::from(Self::ticks(work));
        let instructions = ticks
            .wrapping_mul(u64::from(NOPS))
            .checked_div(u64::from(self.ticks_of_nops))?;
        u32::try_from(instructions).ok()
    }
}
