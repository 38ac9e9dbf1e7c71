//! The time of this board for embassy: `SysTick` counts milliseconds.
//!
//! On a real chip the HAL brings a driver that sleeps until the next timer ends, and this file
//! goes.

use core::cell::{Cell, RefCell};
use core::task::Waker;

use cortex_m::peripheral::Peripherals;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::exception;
use critical_section::Mutex;
use embassy_time_driver::{Driver, TICK_HZ, time_driver_impl};
use embassy_time_queue_utils::Queue;

/// The core clock that QEMU gives this board after a reset.
const CORE_HZ: u32 = 12_500_000;

const CYCLES_A_TICK: u32 = CORE_HZ / TICK_HZ as u32;

struct SysTickDriver {
    ticks: Mutex<Cell<u64>>,
    timers: Mutex<RefCell<Queue>>,
}

time_driver_impl!(static DRIVER: SysTickDriver = SysTickDriver {
    ticks: Mutex::new(Cell::new(0)),
    timers: Mutex::new(RefCell::new(Queue::new())),
});

impl Driver for SysTickDriver {
    fn now(&self) -> u64 {
        critical_section::with(|cs| self.ticks.borrow(cs).get())
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|cs| {
            // Each tick looks at every timer, so no alarm has to be set.
            self.timers.borrow_ref_mut(cs).schedule_wake(at, waker);
        });
    }
}

#[exception]
fn SysTick() {
    critical_section::with(|cs| {
        let ticks = DRIVER.ticks.borrow(cs);
        let now = ticks.get().wrapping_add(1);
        ticks.set(now);
        DRIVER.timers.borrow_ref_mut(cs).next_expiration(now);
    });
}

/// Starts the interrupts. False if something else has the timer.
pub fn start() -> bool {
    let Some(peripherals) = Peripherals::take() else {
        return false;
    };
    let mut systick = peripherals.SYST;
    systick.set_clock_source(SystClkSource::Core);
    systick.set_reload(CYCLES_A_TICK - 1);
    systick.clear_current();
    systick.enable_counter();
    systick.enable_interrupt();
    true
}
