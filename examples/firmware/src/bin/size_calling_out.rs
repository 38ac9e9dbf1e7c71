//! One of each machine of calling out in one image, each taken through one call.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use steadfast_firmware::one_of_each::calling_out;

steadfast_firmware::size_image!(|now| calling_out::ask(now));
