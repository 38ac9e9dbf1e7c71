//! A whole call that blocks: retries under a budget, a breaker, a timeout and a deadline.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::breaker::Breaker;
use steadfast::call::{Attempt, Call};
use steadfast::random::SharedRandom;
use steadfast::retry::{RetryBudget, RetryPolicy};
use steadfast::shared::Shared;
use steadfast::time::{BlockingSleep, Clock, Duration, Instant, secs};

static MAST: Shared<Breaker> = Shared::breaker(Breaker::standard());
static PURSE: Shared<RetryBudget> = Shared::budget(RetryBudget::standard());
static DICE: SharedRandom = SharedRandom::new(7);

/// A clock and a sleep that cost nothing.
struct Board;

impl Clock for Board {
    fn now(&self) -> Instant {
        Instant::from_nanos(black_box(1))
    }
}

impl BlockingSleep for Board {
    fn sleep_blocking(&self, duration: Duration) {
        black_box(duration);
    }
}

steadfast_firmware::size_image!(|_now| {
    Call::blocking(|_: Attempt| black_box(Err::<u32, u32>(1)), Board, &DICE)
        .retry(&RetryPolicy::standard())
        .budget(&PURSE)
        .guarded_by(&MAST)
        .attempt_timeout(secs(5))
        .within(secs(30))
        .call_blocking()
});
