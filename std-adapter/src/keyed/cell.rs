//! One key's state, shared between threads.

use std::fmt::Debug;
use std::sync::PoisonError;

use steadfast::limit::{
    AllOf, CompactBucket, FixedWindow, IntervalBucket, Policy, Shadow, SlidingWindowCounter,
    SlidingWindowLog, TokenBucket, Word,
};

use crate::sync::{AtomicU64, Mutex, Ordering, yield_now};

/// A policy that [`KeyedLimiter`](super::KeyedLimiter) can hold: it names the cell that its state
/// lies in.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a finished policy",
    note = "a configuration becomes a policy by `policy!(...)`, or by `.build()?` at run time"
)]
pub trait Stored: Policy {
    /// [`LockedCell`] for any state; [`WordCell`] for one that fits a word.
    type Cell: StateCell<State = Self::State>;
}

impl Stored for CompactBucket {
    type Cell = WordCell<Self::State>;
}

impl Stored for TokenBucket {
    type Cell = LockedCell<Self::State>;
}

impl Stored for FixedWindow {
    type Cell = LockedCell<Self::State>;
}

impl Stored for IntervalBucket {
    type Cell = LockedCell<Self::State>;
}

impl Stored for SlidingWindowCounter {
    type Cell = LockedCell<Self::State>;
}

impl<const N: usize> Stored for SlidingWindowLog<N> {
    type Cell = LockedCell<Self::State>;
}

impl<A: Policy, B: Policy> Stored for AllOf<A, B>
where
    A::State: Send,
    B::State: Send,
{
    type Cell = LockedCell<Self::State>;
}

impl<P: Stored> Stored for Shadow<P> {
    type Cell = P::Cell;
}

/// A state that several threads change, each change as one step, and that can be handed from one
/// key to another.
pub trait StateCell: Debug + Send + Sync {
    /// What lies in it.
    type State: Copy;

    /// A cell that holds `state`.
    fn new(state: Self::State) -> Self;

    /// Changes the state, if `mine` says that the cell is still the caller's. `change` may run
    /// more than once; only the last run counts.
    fn visit<R>(
        &self,
        mine: impl Fn() -> bool,
        change: impl FnMut(&mut Self::State) -> R,
    ) -> Option<R>;

    /// Hands the cell over with a new state, if `may` allows it for the one that is there:
    /// nobody changes the state between `may` and the end of `take`, which moves the key.
    fn claim(
        &self,
        may: impl Fn(&Self::State) -> bool,
        take: impl FnOnce(),
        state: Self::State,
    ) -> bool;
}

/// Any state, behind a mutex of its own.
#[derive(Debug)]
pub struct LockedCell<S>(Mutex<S>);

impl<S: Copy + Debug + Send> StateCell for LockedCell<S> {
    type State = S;

    fn new(state: S) -> Self {
        Self(Mutex::new(state))
    }

    fn visit<R>(&self, mine: impl Fn() -> bool, mut change: impl FnMut(&mut S) -> R) -> Option<R> {
        // A state is a plain value and is replaced whole, so a panic leaves nothing half-done.
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        mine().then(|| change(&mut state))
    }

    fn claim(&self, may: impl Fn(&S) -> bool, take: impl FnOnce(), state: S) -> bool {
        let mut there = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !may(&there) {
            return false;
        }
        take();
        *there = state;
        true
    }
}

/// A state of one word, changed by compare-and-swap.
///
/// While the cell is handed over, the word is one that no state looks like. A change
/// reads the word, then asks whether the key is still the same, then swaps. If the cell moved in
/// between, the word has changed and the swap fails: the new state lies ahead of `now`, and the
/// old one, at rest, did not. (Only an evicted state need not be at rest. Where the newcomer's
/// happens to be the same word, a call of the evicted key that was under way is charged to the
/// newcomer, once.)
#[derive(Debug)]
pub struct WordCell<S> {
    word: AtomicU64,
    state: std::marker::PhantomData<fn() -> S>,
}

/// Marks a cell that is being handed over; [`Word::to_word`] never returns it.
const MOVING: u64 = u64::MAX;

impl<S: Word + Debug> StateCell for WordCell<S> {
    type State = S;

    fn new(state: S) -> Self {
        Self {
            word: AtomicU64::new(state.to_word()),
            state: std::marker::PhantomData,
        }
    }

    #[inline]
    fn visit<R>(&self, mine: impl Fn() -> bool, mut change: impl FnMut(&mut S) -> R) -> Option<R> {
        let mut seen = self.word.load(Ordering::Acquire);
        loop {
            if seen == MOVING {
                // Two stores away from done, unless that thread was put to sleep.
                yield_now();
                seen = self.word.load(Ordering::Acquire);
                continue;
            }
            if !mine() {
                return None;
            }
            let mut state = S::from_word(seen);
            let said = change(&mut state);
            let next = state.to_word();
            if next == seen {
                return Some(said);
            }
            match self
                .word
                .compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return Some(said),
                Err(there) => seen = there,
            }
        }
    }

    fn claim(&self, may: impl Fn(&S) -> bool, take: impl FnOnce(), state: S) -> bool {
        let seen = self.word.load(Ordering::Acquire);
        if seen == MOVING || !may(&S::from_word(seen)) {
            return false;
        }
        let swap = self
            .word
            .compare_exchange(seen, MOVING, Ordering::AcqRel, Ordering::Relaxed);
        if swap.is_err() {
            return false;
        }
        take();
        self.word.store(state.to_word(), Ordering::Release);
        true
    }
}
