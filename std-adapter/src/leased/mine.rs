//! Which shard a thread asks.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// No thread yet. A number that would collide with it comes after as many threads as there are
/// addresses.
const NONE: usize = usize::MAX;

thread_local! {
    // Constant and without a destructor: reading it is one load, and never allocates.
    static MINE: Cell<usize> = const { Cell::new(NONE) };
}

/// The number of this thread: given out in turn, to each thread when it first asks.
#[inline]
pub(super) fn number() -> usize {
    match MINE.get() {
        NONE => first(),
        number => number,
    }
}

#[cold]
fn first() -> usize {
    // The standard library's even under loom: which shard a thread asks changes no decision that
    // loom checks.
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    MINE.set(number);
    number
}
