//! A shared breaker that costs two loads a call while all is well.

use core::cell::Cell;

use critical_section::Mutex;
#[cfg(steadfast_loom)]
use loom::sync::atomic::AtomicU32;
#[cfg(not(steadfast_loom))]
use portable_atomic::AtomicU32;
use portable_atomic::Ordering::{Acquire, Relaxed, Release};

use super::permit::NO_TICKET;
use super::state::Stage;
use super::{
    Breaker, BreakerState, CircuitBreaker, Consecutive, GoodCalls, Permit, Phase, Rejected,
    Standing, Transition, Trip, UnderLock,
};
use crate::outcome::Outcome;
use crate::time::Instant;
use crate::window::Steady;

/// A value behind a lock, whichever: a critical section, a mutex of the standard library.
pub trait Locked<S> {
    /// Runs `work` on the value while nobody else can.
    fn with<R>(&self, work: impl FnOnce(&mut S) -> R) -> R;
}

/// A small value behind a critical section. `work` gets a copy, which is stored when it returns.
pub struct InSection<S>(Mutex<Cell<S>>);

impl<S> InSection<S> {
    /// Puts it there.
    pub const fn new(value: S) -> Self {
        Self(Mutex::new(Cell::new(value)))
    }
}

impl<S: Copy> Locked<S> for InSection<S> {
    #[inline]
    fn with<R>(&self, work: impl FnOnce(&mut S) -> R) -> R {
        critical_section::with(|cs| {
            let cell = self.0.borrow(cs);
            let mut value = cell.get();
            let said = work(&mut value);
            cell.set(value);
            said
        })
    }
}

/// Calls pass without the lock.
const PASSES: u32 = 1;
/// And a call that works in time changes nothing.
const AT_REST: u32 = 2;

/// Does the word say that calls of this permit's generation pass?
#[inline]
const fn passes(permit: Permit, word: u32) -> bool {
    word & !AT_REST == permit.generation << 2 | PASSES
}

/// A breaker shared by reference. While it is closed and nothing is counted, a call that works
/// costs one load when it enters and one when its result is recorded: no store, no lock, no clock.
///
/// Everything else takes the lock, and runs the same pure machine. For [`Consecutive`] that is: a
/// failure, a success after a failure, and all calls while the breaker is open or half-open. With a
/// [`Rate`](super::Rate) over so many calls, each result until the window is full of good calls; if
/// calls are counted over time, each result. What says nothing about the other side never does
/// while the breaker is closed.
///
/// Where threads have places of their own to count good calls in
/// ([`with_good_calls`](Self::with_good_calls)), rates take the lock for a good call only
///
/// - where it is the first of all, of a slice of time, or of its thread in a generation;
/// - while a window over calls has no failure in it and is not full yet;
/// - while so many calls have failed that it could open the breaker, by making up the least number;
/// - once in 65,536 of a thread.
///
/// Whoever takes the lock takes over the good calls of all: O(1) a place, and with a window over
/// calls O(its words).
///
/// The lock is a critical section unless another is passed ([`with_lock`](Self::with_lock)). One
/// word is added to the policy and the state.
///
/// ```
/// use steadfast::breaker::{Breaker, FastBreaker};
/// use steadfast::{outcome::Outcome, time::Instant};
///
/// static QUOTES: FastBreaker = FastBreaker::new(Breaker::standard());
///
/// let uptime = || Instant::from_secs(1);
/// let permit = QUOTES.try_enter(uptime)?;
/// QUOTES.record(uptime, permit, Outcome::Success);
/// # Ok::<(), steadfast::breaker::Rejected>(())
/// ```
///
/// # Why relaxed order is enough
///
/// The word says the generation, whether calls pass, and whether a good call changes nothing. It is
/// written only under the lock, by whoever has changed the state, before the lock is released. But
/// for good calls that are counted apart (below) no other memory is read because of what it says:
/// the state is read under the lock alone. So what matters is the order of the values of this one
/// word, and of one word every thread sees one order, and never goes back in it (coherence, which
/// relaxed loads have).
///
/// A call that enters by an older word entered before the change. A success that finds the word of
/// its own generation at rest is recorded at that point of the order, where recording it changes
/// nothing. (Any success that finds the word at rest would do; that it is its own generation's is
/// asked so that nothing hangs on how the permit came to the thread that records it.)
///
/// Whoever has learned of a change from another thread, by whatever means orders the two, sees the
/// word of that change or a later one. So after the failure that opens the breaker has been
/// recorded, nobody who knows of that passes.
///
/// Good calls that are counted apart are recorded when they are taken over, in the order of the
/// lock. One whose count is seen too late for a failure was recorded after that failure; too late
/// for its generation, after the breaker had opened, when it changes nothing. If it makes up the
/// least number of calls, which it could not when its thread looked, the breaker is due to open,
/// and opens at the next result that is recorded under the lock. When they may be counted is read
/// after the word, and written before it: for that the word is released and acquired.
#[derive(Debug)]
pub struct FastBreaker<
    T: Trip = Consecutive,
    const PROBES: usize = 1,
    L = InSection<BreakerState<T, PROBES>>,
    G = UnderLock,
> {
    policy: Breaker<T, PROBES>,
    /// `generation << 2` and the two bits above. Zero at first: ask the lock, which then says.
    word: AtomicU32,
    state: L,
    good_calls: G,
}

impl<T: Trip, const PROBES: usize> FastBreaker<T, PROBES> {
    /// A breaker that is closed, behind a critical section.
    #[cfg(not(steadfast_loom))]
    pub const fn new(policy: Breaker<T, PROBES>) -> Self {
        Self::with_lock(policy, InSection::new(BreakerState::CLOSED))
    }
}

impl<T: Trip, const PROBES: usize, L> FastBreaker<T, PROBES, L> {
    /// A breaker whose state lies behind a lock of yours.
    #[cfg(not(steadfast_loom))]
    pub const fn with_lock(policy: Breaker<T, PROBES>, state: L) -> Self {
        Self::with_good_calls(policy, state, UnderLock)
    }

    /// A breaker whose state lies behind a lock of yours. Loom's words cannot be constants.
    #[cfg(steadfast_loom)]
    pub fn with_lock(policy: Breaker<T, PROBES>, state: L) -> Self {
        Self::with_good_calls(policy, state, UnderLock)
    }
}

impl<T: Trip, const PROBES: usize, L, G> FastBreaker<T, PROBES, L, G> {
    /// A breaker whose state lies behind a lock of yours, and whose good calls are counted apart
    /// where that can be done.
    #[cfg(not(steadfast_loom))]
    pub const fn with_good_calls(policy: Breaker<T, PROBES>, state: L, good_calls: G) -> Self {
        Self {
            policy,
            word: AtomicU32::new(0),
            state,
            good_calls,
        }
    }

    /// A breaker whose state lies behind a lock of yours, and whose good calls are counted apart
    /// where that can be done. Loom's words cannot be constants.
    #[cfg(steadfast_loom)]
    pub fn with_good_calls(policy: Breaker<T, PROBES>, state: L, good_calls: G) -> Self {
        Self {
            policy,
            word: AtomicU32::new(0),
            state,
            good_calls,
        }
    }

    /// The policy.
    pub const fn policy(&self) -> &Breaker<T, PROBES> {
        &self.policy
    }
}

impl<T, const PROBES: usize, L, G> FastBreaker<T, PROBES, L, G>
where
    T: Trip,
    L: Locked<BreakerState<T, PROBES>>,
    G: GoodCalls,
{
    /// May a call be made? See [`Breaker::try_enter`]. The time is read only if it matters.
    ///
    /// # Errors
    ///
    /// If it is open, held open, or half-open with all its probes out.
    #[inline]
    pub fn try_enter(&self, now: impl FnOnce() -> Instant) -> Result<Permit, Rejected> {
        let word = self.word.load(Relaxed);
        let permit = if word & PASSES == 0 {
            self.try_enter_locked(now())?
        } else {
            let timed = self.policy.rule().longest_good_call().is_some();
            Permit {
                at: if timed { now() } else { Instant::ZERO },
                generation: word >> 2,
                ticket: NO_TICKET,
            }
        };
        Ok(permit)
    }

    #[cold]
    fn try_enter_locked(&self, now: Instant) -> Result<Permit, Rejected> {
        self.under_lock(|policy, state| policy.try_enter(state, now))
    }

    /// Takes note of what became of a call; see [`Breaker::record`]. The time is read only if it
    /// matters.
    #[inline]
    pub fn record(
        &self,
        now: impl FnOnce() -> Instant,
        permit: Permit,
        outcome: Outcome,
    ) -> Option<Transition> {
        let untimed = self.policy.rule().longest_good_call().is_none();
        let word = self.word.load(Relaxed);
        if outcome.is_success() && untimed && word == permit.generation << 2 | AT_REST | PASSES {
            return None;
        }
        if !outcome.is_success() && !outcome.is_failure() && passes(permit, word) {
            return None;
        }
        let now = now();
        if outcome.is_success() && self.count_good(now, permit, word) {
            return None;
        }
        self.record_locked(now, permit, outcome)
    }

    /// Counts a call that worked, if that needs no lock. Not inlined, so that the call above that
    /// counts nothing stays as short as it is.
    #[inline(never)]
    fn count_good(&self, now: Instant, permit: Permit, word: u32) -> bool {
        let longest = self.policy.rule().longest_good_call();
        if longest.is_some_and(|longest| now.since(permit.at) > longest) {
            return false;
        }
        if word & AT_REST != 0 {
            return passes(permit, word);
        }
        if !G::APART {
            return false;
        }
        // Whoever sees the word of a generation here sees when its good calls may be counted.
        let word = self.word.load(Acquire);
        passes(permit, word) && self.good_calls.count(permit.generation, now)
    }

    #[cold]
    fn record_locked(&self, now: Instant, permit: Permit, outcome: Outcome) -> Option<Transition> {
        self.under_lock(|policy, state| {
            let opened = if G::APART {
                policy.trip(state, now)
            } else {
                None
            };
            let change = policy.record(state, now, permit, outcome);
            opened.or(change)
        })
    }

    /// The call was given up; see [`Breaker::cancel`]. Takes the lock only for a probe.
    #[inline]
    pub fn cancel(&self, permit: Permit) {
        if permit.is_probe() {
            self.under_lock(|policy, state| policy.cancel(state, permit));
        }
    }

    /// The phase at `now`.
    pub fn phase(&self, now: Instant) -> Phase {
        self.state.with(|state| self.policy.phase(state, now))
    }

    /// Everything a status page shows.
    pub fn standing(&self, now: Instant) -> Standing {
        self.under_lock(|policy, state| policy.standing(state, now))
    }

    /// Policy and state, for what is done by hand: [`Breaker::force_open`], [`Breaker::reset`] and
    /// the like. `work` runs under the lock; let it be short, and do not let it ask this breaker. For
    /// the time that it takes, all calls wait for the lock.
    pub fn with_state<R>(
        &self,
        work: impl FnOnce(&Breaker<T, PROBES>, &mut BreakerState<T, PROBES>) -> R,
    ) -> R {
        if G::APART {
            // Should `work` panic, a lock may forget what was done under it, but not this.
            self.under_lock(|_, _| ());
        }
        self.under_lock(|policy, state| {
            // Should `work` panic, whatever it has left behind: everybody asks the lock.
            self.word.store(0, Relaxed);
            self.good_calls.set_steady(Steady::NEVER);
            work(policy, state)
        })
    }

    /// Does `work` on a state that has all good calls. The words are written only if they change, so
    /// that whoever only looks sends nobody else to the lock.
    fn under_lock<R>(
        &self,
        work: impl FnOnce(&Breaker<T, PROBES>, &mut BreakerState<T, PROBES>) -> R,
    ) -> R {
        let (policy, good_calls) = (&self.policy, &self.good_calls);
        self.state.with(|state| {
            let generation = state.generation;
            if G::APART
                && let Stage::Closed(_) | Stage::Watching { .. } = state.stage
            {
                let calls = good_calls.take(generation);
                if calls > 0 {
                    policy.add_good(state, calls);
                }
            }
            let said = work(policy, state);
            if G::APART && state.generation != generation {
                // A state put back by hand has the number of an earlier one.
                good_calls.take(state.generation);
            }
            // Under the lock, so that the words are written in the order of the states.
            if G::APART {
                good_calls.set_steady(policy.steady(state));
            }
            let now = policy.word(state);
            if self.word.load(Relaxed) != now {
                self.word.store(now, Release);
            }
            said
        })
    }
}

impl<T: Trip, const PROBES: usize> Breaker<T, PROBES> {
    /// What needs no lock in this state.
    fn word(&self, state: &BreakerState<T, PROBES>) -> u32 {
        let flags = match &state.stage {
            Stage::Closed(counts) | Stage::Watching { counts, .. } => {
                if self.rule.good_call_changes_nothing(counts) {
                    PASSES | AT_REST
                } else {
                    PASSES
                }
            }
            Stage::Disabled => PASSES | AT_REST,
            Stage::Open { .. } | Stage::HalfOpen(_) | Stage::ForcedOpen => 0,
        };
        state.generation << 2 | flags
    }
}

impl<T, const PROBES: usize, L, G> CircuitBreaker for FastBreaker<T, PROBES, L, G>
where
    T: Trip,
    L: Locked<BreakerState<T, PROBES>>,
    G: GoodCalls,
{
    #[inline]
    fn try_enter(&self, now: impl FnOnce() -> Instant) -> Result<Permit, Rejected> {
        self.try_enter(now)
    }

    #[inline]
    fn record(
        &self,
        now: impl FnOnce() -> Instant,
        permit: Permit,
        outcome: Outcome,
    ) -> Option<Transition> {
        self.record(now, permit, outcome)
    }

    #[inline]
    fn cancel(&self, permit: Permit) {
        self.cancel(permit);
    }
}
