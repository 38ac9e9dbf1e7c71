//! RISC-V: `mtime` is the clock, and a comparison with it the tick.

pub use riscv_rt::{core_interrupt as tick_interrupt, entry};

use core::cell::Cell;

use critical_section::Mutex;
use riscv::register::{mcycle, mie, mstatus};
use steadfast::time::Instant;

use crate::counter::halves;

/// How fast `mtime` counts on QEMU's board.
pub const TICKS_A_SECOND: u32 = 10_000_000;

/// The timer's registers (CLINT) on QEMU's board, each of two halves, the low one first.
const MTIME: *const u32 = 0x0200_bff8 as *const u32;
const MTIMECMP: *mut u32 = 0x0200_4000 as *mut u32;

/// The started clock.
#[derive(Clone, Copy)]
struct Timer {
    /// What `mtime` stood at.
    start: u64,
    /// Ticks between two interrupts.
    period: u32,
    /// When the next is due.
    due: u64,
}

/// `None` until it is started.
static TIMER: Mutex<Cell<Option<Timer>>> = Mutex::new(Cell::new(None));

fn mtime() -> u64 {
    // SAFETY: the registers are there on this board; reading them changes nothing.
    halves(
        || unsafe { MTIME.add(1).read_volatile() },
        || unsafe { MTIME.read_volatile() },
    )
}

/// To be called under a critical section.
fn interrupt_at(due: u64) {
    // SAFETY: the registers are there on this board, and nobody else writes them. The low half
    // first goes as far as it can, so that no time between the old and the new one is reached.
    unsafe {
        MTIMECMP.write_volatile(u32::MAX);
        MTIMECMP.add(1).write_volatile((due >> 32) as u32);
        MTIMECMP.write_volatile(due as u32);
    }
}

/// Starts the clock at zero, with `hz` tick interrupts a second.
///
/// False, and nothing started, if it runs already or if `hz` is zero or more than the timer has.
#[must_use]
pub fn start_clock(hz: u32) -> bool {
    let Some(period @ 1..) = TICKS_A_SECOND.checked_div(hz) else {
        return false;
    };
    let started = critical_section::with(|cs| {
        let timer = TIMER.borrow(cs);
        let stands = timer.get().is_none();
        if stands {
            let start = mtime();
            let due = start.wrapping_add(u64::from(period));
            timer.set(Some(Timer { start, period, due }));
            interrupt_at(due);
        }
        stands
    });
    if started {
        // SAFETY: what the interrupt touches is behind critical sections.
        unsafe {
            mie::set_mtimer();
            mstatus::set_mie();
        }
    }
    started
}

/// Ticks of the counter since the start of the clock; zero until then.
///
/// May be called from anywhere, from interrupts too.
pub fn ticks() -> u64 {
    critical_section::with(|cs| {
        let timer = TIMER.borrow(cs).get();
        timer.map_or(0, |timer| mtime().wrapping_sub(timer.start))
    })
}

/// The time since the start of the clock; zero until then.
pub fn now() -> Instant {
    super::instant(ticks())
}

/// Sleeps until an interrupt has been served.
pub fn wait_for_interrupt() {
    riscv::asm::wfi();
}

/// What has to be done in each tick interrupt.
#[doc(hidden)]
pub fn came_tick() {
    critical_section::with(|cs| {
        let cell = TIMER.borrow(cs);
        if let Some(mut timer) = cell.get() {
            // From when it was due, or each would be a little later than the last.
            timer.due = timer.due.wrapping_add(u64::from(timer.period));
            interrupt_at(timer.due);
            cell.set(Some(timer));
        }
    });
}

/// Names the function that the tick interrupt calls.
#[macro_export]
macro_rules! on_tick {
    ($act:path) => {
        #[$crate::board::tick_interrupt(::riscv::interrupt::Interrupt::MachineTimer)]
        fn machine_timer() {
            $crate::board::came_tick();
            $act();
        }
    };
}

/// Counts instructions: `mcycle`, for as long as QEMU runs with `-icount shift=0`.
///
/// These are instructions and not cycles.
pub struct InstructionCounter {
    of_nothing: u32,
}

impl InstructionCounter {
    /// Always there; `Option` since on other boards it is not.
    pub fn start() -> Option<Self> {
        Some(Self {
            // What reading the counter costs.
            of_nothing: Self::cycles(|| {}),
        })
    }

    fn cycles(work: impl FnOnce()) -> u32 {
        let before = mcycle::read();
        work();
        let after = mcycle::read();
        after.wrapping_sub(before) as u32
    }

    /// How many instructions `work` takes.
    pub fn count(&mut self, work: impl FnOnce()) -> Option<u32> {
        Some(Self::cycles(work).wrapping_sub(self.of_nothing))
    }
}
