//! A breaker by the rate of failures among the last 64 calls: a permit, and a result recorded.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::breaker::{Breaker, Rate};
use steadfast::window::CountWindow;
use steadfast::{outcome::Outcome, policy, shared::Shared};

static BUS: Shared<Breaker<Rate<CountWindow<2>>>> =
    Shared::breaker(policy!(Breaker::rate_over_calls::<2>(64)));

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
