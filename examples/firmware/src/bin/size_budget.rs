//! A retry budget of tokens by itself, by all its verbs.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::outcome::Outcome;
use steadfast::retry::{Budget, RetryBudget};
use steadfast::shared::Shared;

static PURSE: Shared<RetryBudget> = Shared::budget(RetryBudget::standard());

steadfast_firmware::size_image!(|now| {
    PURSE.began(now);
    PURSE.failed(now);
    let said = PURSE.withdraw(now, black_box(Outcome::TimedOut));
    PURSE.succeeded(now, said.ok());
    said
});
