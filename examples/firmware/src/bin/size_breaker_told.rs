//! A breaker of failures in a row in a static: a permit, any outcome recorded,
//! and what that changed.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::breaker::Breaker;
use steadfast::{outcome::Outcome, shared::Shared};

static BUS: Shared<Breaker> = Shared::breaker(Breaker::standard());

steadfast_firmware::size_image!(|now| {
    let permit = BUS.try_enter(now);
    permit.map(|permit| BUS.record(now, permit, black_box(Outcome::TimedOut)))
});
