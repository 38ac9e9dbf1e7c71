//! One of each limiting algorithm in one image, and a keyed table, each asked for one.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use steadfast_firmware::one_of_each::limits;

steadfast_firmware::size_image!(|now| limits::ask(now));
