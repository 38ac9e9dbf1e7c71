//! Whoever holds the state, the decision is the policy's: one owner, a critical section, an
//! atomic word, a clock of its own. And among real threads none is granted twice or lost. One part of
//! it a file.

mod decide;
mod forms;
#[path = "../model/mod.rs"]
mod model;
mod reconfigure;
mod threads;

use proptest::prelude::*;
use steadfast::limit::{Denied, Granted, Places};
use steadfast::shared::Shared;
use steadfast::time::Instant;

type Said = Result<Granted, Denied>;

/// How far time moves, what is asked, its cost, and which earlier grant is meant.
type Call = (i64, u8, u32, usize);

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let by = (any::<i64>(), 0_u32..64).prop_map(|(by, shift)| by >> shift);
    let cost = (any::<u32>(), 0_u32..32).prop_map(|(cost, shift)| cost >> shift);
    prop::collection::vec((by, any::<u8>(), cost, any::<usize>()), 50)
}

/// Half of 2^63 ns, so that steps lead both ways.
const MIDDLE: Instant = Instant::from_nanos(1 << 62);

fn moved(now: Instant, by: i64) -> Instant {
    Instant::from_nanos(now.as_nanos().saturating_add_signed(by))
}

/// A table whose only key is the limiter.
type OneKey<P> = Shared<Places<u8, P, 1>>;
