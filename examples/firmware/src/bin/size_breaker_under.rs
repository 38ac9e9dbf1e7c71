//! A breaker of failures in a row whose policy stays in the code: a permit, and a result recorded.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::breaker::{Breaker, BreakerState, CircuitBreaker};
use steadfast::{outcome::Outcome, shared::Shared};

const RULE: Breaker = Breaker::standard();

static BUS: Shared<BreakerState> = Shared::breaker_state(BreakerState::CLOSED);

fn called() -> Result<u32, u32> {
    black_box(Ok(1))
}

steadfast_firmware::size_image!(|now| {
    let permit = BUS.under(&RULE).try_enter(|| now);
    if let Ok(permit) = permit {
        BUS.under(&RULE)
            .record(|| now, permit, Outcome::of(&called()));
    }
    permit.is_ok()
});
