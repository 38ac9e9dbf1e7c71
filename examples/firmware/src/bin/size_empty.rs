//! The frame alone: what the other `size_` images are compared with.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

steadfast_firmware::size_image!(|now| now);
