//! The calls of a minute in ten slices: one counted, and the share of failures judged.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::cell::Cell;
use core::hint::black_box;

use critical_section::Mutex;
use steadfast::policy;
use steadfast::time::minutes;
use steadfast::window::{Call, TimeWindow, Window};

const LAST: TimeWindow<10> = policy!(TimeWindow::new(minutes(1)));
static STATE: Mutex<Cell<<TimeWindow<10> as Window>::State>> =
    Mutex::new(Cell::new(TimeWindow::EMPTY));

steadfast_firmware::size_image!(|now| critical_section::with(|cs| {
    let mut state = STATE.borrow(cs).get();
    let totals = LAST.record(&mut state, now, black_box(Call::FAILED));
    STATE.borrow(cs).set(state);
    totals.failures_reach(black_box(500))
}));
