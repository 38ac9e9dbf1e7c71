//! A breaker of failures in a row in a static: a permit, and a result recorded.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::breaker::Breaker;
use steadfast::{outcome::Outcome, shared::Shared};

static BUS: Shared<Breaker> = Shared::breaker(Breaker::standard());

fn called() -> Result<u32, u32> {
    black_box(Ok(1))
}

steadfast_firmware::size_image!(|now| {
    let permit = BUS.try_enter(now);
    if let Ok(permit) = permit {
        BUS.record(now, permit, Outcome::of(&called()));
    }
    permit.is_ok()
});
