//! One of each limiting algorithm and of each machine of calling out in one image.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use steadfast_firmware::one_of_each::{calling_out, limits};

steadfast_firmware::size_image!(|now| limits::ask(now) & calling_out::ask(now));
