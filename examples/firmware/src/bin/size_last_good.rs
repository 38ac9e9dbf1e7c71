//! The last good answer: an answer that is remembered, or none and the one before it.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::fallback::{Freshness, LastGood, primary};
use steadfast::shared::Shared;

static LAST: Shared<LastGood<u32>> = Shared::last_good(Freshness::STANDARD);

steadfast_firmware::size_image!(|now| {
    let answer: Result<u32, u32> = black_box(Ok(1));
    primary(answer).backed_by(&LAST, now).or_default(|| 0)
});
