//! A breaker whose open time doubles each time it reopens, with jitter: a permit, and a result
//! recorded.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::breaker::Breaker;
use steadfast::time::{minutes, secs};
use steadfast::{outcome::Outcome, policy, shared::Shared};

static BUS: Shared<Breaker> = Shared::breaker(policy!(
    Breaker::consecutive(5)
        .open_for(secs(5))
        .growing_to(minutes(5))
        .open_jitter_percent(20)
));

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
