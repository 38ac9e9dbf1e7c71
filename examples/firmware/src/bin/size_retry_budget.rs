//! A session of retries under a shared budget of tokens, told of any outcome.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::cell::Cell;
use core::hint::black_box;

use critical_section::Mutex;
use steadfast::outcome::Outcome;
use steadfast::random::SharedRandom;
use steadfast::retry::{Retry, RetryBudget, RetryPolicy};
use steadfast::shared::Shared;
use steadfast::time::Instant;

const POLICY: RetryPolicy = RetryPolicy::standard();
static SESSION: Mutex<Cell<Retry>> = Mutex::new(Cell::new(POLICY.start(Instant::ZERO)));
static DICE: SharedRandom = SharedRandom::new(7);
static PURSE: Shared<RetryBudget> = Shared::budget(RetryBudget::standard());

steadfast_firmware::size_image!(|now| critical_section::with(|cs| {
    let mut retry = SESSION.borrow(cs).get();
    let outcome = black_box(Outcome::TimedOut);
    let step = retry.step(&POLICY, now, outcome, &PURSE, &mut &DICE);
    SESSION.borrow(cs).set(retry);
    step
}));
