//! The last 64 calls: one counted, and the share of failures judged.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::cell::Cell;
use core::hint::black_box;

use critical_section::Mutex;
use steadfast::policy;
use steadfast::window::{Call, CountWindow, Window};

const LAST: CountWindow<2> = policy!(CountWindow::new(64));
static STATE: Mutex<Cell<<CountWindow<2> as Window>::State>> =
    Mutex::new(Cell::new(CountWindow::EMPTY));

steadfast_firmware::size_image!(|now| critical_section::with(|cs| {
    let mut state = STATE.borrow(cs).get();
    let totals = LAST.record(&mut state, now, black_box(Call::FAILED));
    STATE.borrow(cs).set(state);
    totals.failures_reach(black_box(500))
}));
