//! Breakers by target in eight places: a permit, and a result recorded.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::breaker::{Breaker, Breakers};
use steadfast::{outcome::Outcome, shared::Shared};

static NODES: Shared<Breakers<u16, 8>> = Shared::breakers(Breaker::standard());

fn called() -> Result<u32, u32> {
    black_box(Ok(1))
}

steadfast_firmware::size_image!(|now| {
    let key = black_box(1);
    let permit = NODES.try_enter(key, now);
    if let Ok(permit) = permit {
        NODES.record(key, now, permit, Outcome::of(&called()));
    }
    permit.is_ok()
});
