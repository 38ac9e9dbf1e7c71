//! A token bucket a key in 16 places, asked for one.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::limit::{KeyedPolicy, Places, TokenBucket};
use steadfast::{policy, shared::Shared};

const PER_NODE: KeyedPolicy<TokenBucket> =
    KeyedPolicy::new(policy!(TokenBucket::per_second(2).burst(4)));
static NODES: Shared<Places<u16, TokenBucket, 16>> = Shared::places();

steadfast_firmware::size_image!(|now| NODES.try_acquire(&PER_NODE, black_box(1), now).is_ok());
