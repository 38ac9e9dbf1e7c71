//! How many instructions a yes and a no take of limits that are put together or chosen at run time.
//!
//! Apart from `instructions`, since the compiler makes one function of what several places ask,
//! which is smaller and slower: in one image with these, each machine would seem to cost more.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::hint::black_box;
use core::panic::PanicInfo;

use steadfast::limit::{
    AllOf, AnyPolicy, FixedWindow, KeyedPolicy, Named, Places, RateLimiter, Shadow, TokenBucket,
};
use steadfast::policy;
use steadfast::shared::Shared;
use steadfast::time::hours;
use steadfast_firmware::bench::Bench;
use steadfast_firmware::board;

const BUCKET: TokenBucket = policy!(TokenBucket::per_minute(7).burst(2_000));
const WINDOW: FixedWindow = policy!(FixedWindow::new(2_000, hours(1)));
const PER_NODE: KeyedPolicy<TokenBucket> = KeyedPolicy::new(BUCKET);

static TRIAL: Shared<RateLimiter<Shadow<TokenBucket>>> =
    Shared::new(RateLimiter::new(Shadow(BUCKET)));
static TWO: Shared<RateLimiter<AllOf<TokenBucket, FixedWindow>>> =
    Shared::new(RateLimiter::new(AllOf(BUCKET, WINDOW)));
static ANY: Shared<RateLimiter<AnyPolicy>> =
    Shared::new(RateLimiter::new(AnyPolicy::TokenBucket(BUCKET)));
static RADIO: Shared<RateLimiter<TokenBucket>> = Shared::new(RateLimiter::new(BUCKET));
static NODES: Shared<Places<u16, TokenBucket, 16>> = Shared::places();

steadfast_firmware::asks! {
    all_of: |now| TWO.try_acquire(now).is_ok();
    shadow: |now| TRIAL.try_acquire(now).is_ok_and(|said| said.would_pass());
    any: |now| black_box(&ANY).try_acquire(now).is_ok();
    layered: |now| Named::new("radio", &RADIO)
        .and("node", NODES.of(&PER_NODE, black_box(9)))
        .try_acquire(now)
        .is_ok();
}

#[board::entry]
fn main() -> ! {
    let mut bench = Bench::new();
    bench.machine("shadow", shadow);
    bench.machine("all_of", all_of);
    bench.machine("layered", layered);
    bench.machine("any", any);
    bench.end()
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    board::panicked(info)
}
