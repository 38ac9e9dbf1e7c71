//! How often answers were not what was asked for, in a minute of six slices: one counted.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::fallback::FallbackMeter;
use steadfast::time::secs;
use steadfast::{policy, shared::Shared};

static METER: Shared<FallbackMeter<6>> =
    Shared::fallback_meter(policy!(FallbackMeter::over(secs(60))));

steadfast_firmware::size_image!(|now| METER.record(now, black_box(true)));
