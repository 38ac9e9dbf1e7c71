//! A queue of eight: an item that is put off, begun, and done or put off again.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::fallback::DeferredQueue;
use steadfast::shared::Shared;
use steadfast::time::secs;

static LATER: Shared<DeferredQueue<u32, 8>> = Shared::deferred_queue();

steadfast_firmware::size_image!(|now| {
    let pushed = LATER.push(black_box(1), now).is_ok();
    let begun = LATER.begin(now, secs(30));
    if let Some(work) = begun {
        if black_box(true) {
            LATER.done(work.ticket);
        } else {
            LATER.failed(work.ticket, now, now + secs(10));
        }
    }
    (pushed, begun.is_some())
});
