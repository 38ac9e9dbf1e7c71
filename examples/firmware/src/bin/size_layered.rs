//! Two limits that lie in different places, asked for one: the radio's, and the node's in 16 places.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;

use steadfast::limit::{KeyedPolicy, Named, Places, RateLimiter, TokenBucket};
use steadfast::{policy, shared::Shared};

static RADIO: Shared<RateLimiter<TokenBucket>> = Shared::new(RateLimiter::new(policy!(
    TokenBucket::per_second(5).burst(10)
)));
const PER_NODE: KeyedPolicy<TokenBucket> =
    KeyedPolicy::new(policy!(TokenBucket::per_second(2).burst(4)));
static NODES: Shared<Places<u16, TokenBucket, 16>> = Shared::places();

steadfast_firmware::size_image!(|now| {
    Named::new("radio", &RADIO)
        .and("node", NODES.of(&PER_NODE, black_box(1)))
        .try_acquire(now)
        .is_ok()
});
