//! Faults put in on purpose, in three phases: drawn for one call.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::fault::{FaultPlan, Faults};
use steadfast::policy;
use steadfast::random::SharedRandom;
use steadfast::time::{Duration, millis, secs};

static DICE: SharedRandom = SharedRandom::new(7);
static PHASES: [(Duration, Faults); 3] = [
    (
        secs(10),
        policy!(Faults::of().errors(50).latency_up_to(millis(80))),
    ),
    (secs(30), policy!(Faults::of().resets(900).hangs(100))),
    (secs(60), Faults::NONE),
];
const PLAN: FaultPlan = policy!(FaultPlan::phases(&PHASES));

steadfast_firmware::size_image!(|now| black_box(PLAN).draw(now, &mut &DICE));
