//! A breaker that is read without a critical section while it is closed: a permit, and a result
//! recorded.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::breaker::{Breaker, FastBreaker};
use steadfast::outcome::Outcome;

static BUS: FastBreaker = FastBreaker::new(Breaker::standard());

fn called() -> Result<u32, u32> {
    black_box(Ok(1))
}

steadfast_firmware::size_image!(|now| {
    let permit = BUS.try_enter(|| now);
    if let Ok(permit) = permit {
        BUS.record(|| now, permit, Outcome::of(&called()));
    }
    permit.is_ok()
});
