//! A retry budget of tokens by itself, by all its verbs.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use steadfast::retry::RetryBudget;
use steadfast::shared::Shared;
use steadfast_firmware::budget_verbs::all_verbs;

static PURSE: Shared<RetryBudget> = Shared::budget(RetryBudget::standard());

steadfast_firmware::size_image!(|now| all_verbs(&PURSE, now));
