//! Delays that double, with full jitter: one drawn, with a generator that interrupts share.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::cell::Cell;

use critical_section::Mutex;
use steadfast::backoff::{Backoff, BackoffState};
use steadfast::random::SharedRandom;

static DELAYS: Mutex<Cell<BackoffState>> = Mutex::new(Cell::new(BackoffState::START));
static DICE: SharedRandom = SharedRandom::new(7);

steadfast_firmware::size_image!(|_now| critical_section::with(|cs| {
    let mut state = DELAYS.borrow(cs).get();
    let delay = Backoff::standard().next_delay(&mut state, &mut &DICE);
    DELAYS.borrow(cs).set(state);
    delay
}));
