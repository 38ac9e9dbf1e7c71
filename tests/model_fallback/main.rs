//! The caches, the deferred queue and the alarm against models that are lists and rules, under
//! clocks that do what clocks do, and worse. Each machine a file.
//!
//! How to run many: see `model/schedule.rs`.

mod alarm;
mod caches;
#[path = "../model/mod.rs"]
mod model;
mod queue;

use model::{END, LEAD};
use proptest::prelude::*;

/// How the clock moves before a step. Lengths of time are told in tenths of the longest one that
/// matters, for that is where mistakes live.
#[derive(Clone, Copy, Debug)]
enum Move {
    Forward(u64),
    Tenths(u64),
    Back(u64),
    /// Back by the lead of a clock, and so many nanoseconds around it.
    BackByTheLead(i64),
    To(u64),
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        8 => Just(Move::Forward(0)),
        8 => (0_u64..5).prop_map(Move::Forward),
        8 => (1_u64..12).prop_map(Move::Tenths),
        2 => (1_u64..50).prop_map(Move::Back),
        2 => (-2_i64..3).prop_map(Move::BackByTheLead),
        1 => any::<u64>().prop_map(Move::To),
        1 => (0_u64..3).prop_map(|before| Move::To(u64::MAX - before)),
        1 => (0_u64..20_000_000_000).prop_map(Move::To),
    ]
}

fn moved(now: u64, by: Move, length: u64) -> u64 {
    match by {
        Move::Forward(by) => now.saturating_add(by),
        Move::Tenths(tenths) => now.saturating_add((length / 10).saturating_mul(tenths)),
        Move::Back(by) => now.saturating_sub(by),
        Move::BackByTheLead(around) => {
            now.saturating_sub((1_u64 << 32).saturating_add_signed(around))
        }
        Move::To(to) => to,
    }
}

/// An instant as it is believed: too far ahead, it becomes now.
fn believed(at: i128, now: i128) -> i128 {
    if at > (now + LEAD).min(END) { now } else { at }
}
