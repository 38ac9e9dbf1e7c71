//! A 64-bit division and nothing else: what a core without one pays for it in flash.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

steadfast_firmware::size_image!(|now| now.as_nanos().checked_rem(black_box(7)));
