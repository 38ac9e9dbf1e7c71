//! A server's headers read, any of those that say how much and when.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::http::ServerQuota;

steadfast_firmware::size_image!(|now| {
    ServerQuota::new(now).header(black_box("Retry-After"), black_box("60"))
});
