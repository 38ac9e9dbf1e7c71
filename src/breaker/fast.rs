//! A shared breaker that costs two loads a call while all is well.

use core::cell::Cell;

use critical_section::Mutex;
#[cfg(steadfast_loom)]
use loom::sync::atomic::AtomicU32;
#[cfg(not(steadfast_loom))]
use portable_atomic::AtomicU32;
use portable_atomic::Ordering::Relaxed;

use super::permit::NO_TICKET;
use super::state::Stage;
use super::{
    Breaker, BreakerState, Cause, CircuitBreaker, Consecutive, GoodCalls, OneByOne, Permit, Phase,
    Rejected, Standing, Transition, Trip,
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

/// A breaker shared by reference. While it is closed and nothing is counted, a call that works
/// costs one load when it enters and one when its result is recorded: no store, no lock, no clock.
///
/// Everything else takes the lock, and runs the same pure machine. For [`Consecutive`] that is: a
/// failure, a success after a failure, and all calls while the breaker is open or half-open. With a
/// [`Rate`](super::Rate) over so many calls, each result until the window is full of good calls; if
/// calls are counted over time, each result.
///
/// Where threads have places of their own to count good calls in
/// ([`with_good_calls`](Self::with_good_calls)), rates take the lock only for what is no good call,
/// once a slice of the window, once in 65,536 good calls of a thread, and while so many calls have
/// failed that a good one could open the breaker, by making up the least number of calls.
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
/// written only under the lock, by whoever has changed the state, before the lock is released. No
/// other memory is read because of what it says: the state is read under the lock alone. So what
/// matters is the order of the values of this one word, and of one word every thread sees one order,
/// and never goes back in it (coherence, which relaxed loads have).
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
/// Good calls that are counted apart are recorded when they are taken, at the order of the lock.
/// One whose count is seen too late for a failure was recorded after that failure; too late for its
/// generation, after the breaker had opened, when it changes nothing. If it makes up the least
/// number of calls, which it could not when its thread looked, the next call that is recorded finds
/// that the breaker should have opened, and opens it.
#[derive(Debug)]
pub struct FastBreaker<
    T: Trip = Consecutive,
    const PROBES: usize = 1,
    L = InSection<BreakerState<T, PROBES>>,
    G = OneByOne,
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
        Self::with_good_calls(policy, state, OneByOne)
    }

    /// A breaker whose state lies behind a lock of yours. Loom's words cannot be constants.
    #[cfg(steadfast_loom)]
    pub fn with_lock(policy: Breaker<T, PROBES>, state: L) -> Self {
        Self::with_good_calls(policy, state, OneByOne)
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
        self.with_state(|policy, state| policy.try_enter(state, now))
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
        let passes = permit.generation << 2 | PASSES;
        word == passes | AT_REST || word == passes && self.good_calls.count(permit.generation, now)
    }

    #[cold]
    fn record_locked(&self, now: Instant, permit: Permit, outcome: Outcome) -> Option<Transition> {
        self.under_lock(|policy, state, late| {
            let opened = late.and_then(|cause| policy.trip(state, now, cause));
            let change = policy.record(state, now, permit, outcome);
            opened.or(change)
        })
    }

    /// The call was given up; see [`Breaker::cancel`]. Takes the lock only for a probe.
    #[inline]
    pub fn cancel(&self, permit: Permit) {
        if permit.is_probe() {
            self.with_state(|policy, state| policy.cancel(state, permit));
        }
    }

    /// The phase at `now`.
    pub fn phase(&self, now: Instant) -> Phase {
        self.state.with(|state| self.policy.phase(state, now))
    }

    /// Everything a status page shows.
    pub fn standing(&self, now: Instant) -> Standing {
        self.with_state(|policy, state| policy.standing(state, now))
    }

    /// Policy and state, for what is done by hand: [`Breaker::force_open`], [`Breaker::reset`] and
    /// the like. `work` runs under the lock; let it be short, and do not let it ask this breaker.
    pub fn with_state<R>(
        &self,
        work: impl FnOnce(&Breaker<T, PROBES>, &mut BreakerState<T, PROBES>) -> R,
    ) -> R {
        self.under_lock(|policy, state, _| work(policy, state))
    }

    /// With all good calls in the state, and why they should have opened the breaker if they should.
    fn under_lock<R>(
        &self,
        work: impl FnOnce(&Breaker<T, PROBES>, &mut BreakerState<T, PROBES>, Option<Cause>) -> R,
    ) -> R {
        let Self {
            policy,
            word,
            good_calls,
            ..
        } = self;
        self.state.with(|state| {
            // Should `work` panic, whatever it has left behind: everybody asks the lock.
            word.store(0, Relaxed);
            good_calls.set_steady(Steady::NEVER);
            let late = match good_calls.take(state.generation) {
                0 => None,
                calls => policy.add_good(state, calls),
            };
            let said = work(policy, state, late);
            // Under the lock, so that the words are written in the order of the states.
            good_calls.set_steady(policy.steady(state));
            word.store(policy.word(state), Relaxed);
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
