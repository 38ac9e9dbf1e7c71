//! A breaker by the rates of failures and of slow calls in a minute of ten slices: a permit, and a
//! result recorded.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::breaker::{Breaker, Rate};
use steadfast::time::{millis, minutes};
use steadfast::window::TimeWindow;
use steadfast::{outcome::Outcome, policy, shared::Shared};

static BUS: Shared<Breaker<Rate<TimeWindow<10>>>> = Shared::breaker(policy!(
    Breaker::rate_over_time::<10>(minutes(1)).slow_percent(50, millis(20))
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
