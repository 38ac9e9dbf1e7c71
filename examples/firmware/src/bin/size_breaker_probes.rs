//! A breaker with up to four probes out at a time: a permit, and a result recorded.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::breaker::{Breaker, Consecutive};
use steadfast::{outcome::Outcome, policy, shared::Shared};

static BUS: Shared<Breaker<Consecutive, 4>> =
    Shared::breaker(policy!(Breaker::consecutive(5).probes::<4>()));

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
