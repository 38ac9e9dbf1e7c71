//! What a server has asked for: an answer recorded, and asked for one.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::cell::Cell;
use core::hint::black_box;

use critical_section::Mutex;
use steadfast::http::ServerQuota;
use steadfast::limit::{Policy, ServerHold, ServerHoldState};

static HOLD: Mutex<Cell<ServerHoldState>> = Mutex::new(Cell::new(ServerHold::FULL));

steadfast_firmware::size_image!(|now| critical_section::with(|cs| {
    let mut state = HOLD.borrow(cs).get();
    // The headers are read elsewhere: `size_headers`.
    let quota = black_box(ServerQuota::new(now));
    ServerHold::STANDARD.record(&mut state, now, black_box(429), &quota);
    let said = ServerHold::STANDARD.decide(&mut state, now, 1).is_ok();
    HOLD.borrow(cs).set(state);
    said
}));
