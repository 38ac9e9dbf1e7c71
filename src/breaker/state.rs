//! What a breaker remembers: in each phase only what that phase needs.

use super::permit::{FURTHER, GENERATIONS, NO_TICKET, Permit};
use super::transition::{Cause, Phase, Transition};
use super::trip::{Consecutive, Trip};
use crate::random::mixed;
use crate::time::{CLOCK_LEAD, Duration, Instant};
use crate::window::{Call, Totals};

/// What a [`Breaker`](super::Breaker) remembers. For [`Consecutive`] and one probe 48 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct BreakerState<T: Trip = Consecutive, const PROBES: usize = 1> {
    pub(super) stage: Stage<T::Counts, PROBES>,
    /// One more with each change of the stage. A permit of another generation is void.
    pub(super) generation: u32,
    /// How often it has opened since it was closed.
    pub(super) openings: u32,
    /// For the jitter of the open time.
    pub(super) seed: u32,
}

/// Its tag and all that it holds are of whole words: on a 32-bit core it is then copied by words,
/// and no byte of padding has to be taken along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[repr(u32)]
pub(super) enum Stage<C, const PROBES: usize> {
    Closed(C),
    /// Counts and lets all pass.
    Watching {
        counts: C,
        watch: Watch,
    },
    /// Half-open when the time is over, without anybody having to come.
    Open {
        since: Instant,
        length: Duration,
        /// The ticket of the first probe. It tells whether the breaker was forced open.
        first: u32,
    },
    HalfOpen(Probes<PROBES>),
    ForcedOpen,
    Disabled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[repr(u32)]
pub(super) enum Watch {
    ForcedClosed,
    ObserveOnly,
    /// And has said that it would have opened.
    Told,
}

impl<T: Trip, const PROBES: usize> BreakerState<T, PROBES> {
    /// Closed, with nothing counted. The jitter's seed is zero: on more than one device, take
    /// [`seeded`](Self::seeded) where the open time has jitter, or [`seed`](Self::seed) it when the
    /// device knows who it is.
    pub const CLOSED: Self = Self::seeded(0);

    /// Closed, with nothing counted, and with a seed for the jitter of the open time. Mix in what
    /// tells this device from the others, so that not all of them come back at once.
    pub const fn seeded(seed: u64) -> Self {
        Self {
            stage: Stage::Closed(T::NONE),
            generation: 0,
            openings: 0,
            seed: mixed(seed as u32 ^ mixed((seed >> 32) as u32)),
        }
    }

    /// Sets the seed, for the next time that it opens.
    pub const fn seed(&mut self, seed: u64) {
        self.seed = Self::seeded(seed).seed;
    }

    /// Which generation of permits counts. It changes with every phase, and returns after 2^30
    /// changes: at one a second, after 34 years.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// A permit, if calls pass and nothing changes by that.
    #[inline]
    pub(super) const fn passes(&self, now: Instant) -> Option<Permit> {
        match self.stage {
            Stage::Closed(_) | Stage::Watching { .. } | Stage::Disabled => Some(Permit {
                at: now,
                generation: self.generation,
                ticket: NO_TICKET,
            }),
            _ => None,
        }
    }

    /// As it is, but in another generation.
    #[must_use]
    pub(super) const fn in_generation(mut self, generation: u32) -> Self {
        self.generation = generation & GENERATIONS;
        self
    }

    /// Moves on to another stage, and with it to another generation.
    pub(super) fn go(&mut self, stage: Stage<T::Counts, PROBES>) {
        self.stage = stage;
        self.generation = self.generation.wrapping_add(1) & GENERATIONS;
    }
}

/// How long from `now` until `length` after `since` is over. A `since` that cannot be, since it
/// lies more than a clock's lead ahead, is moved to `now`. Not inlined: on a 32-bit core it is a
/// sixth of the breaker, and it is asked only when the answer is not an easy yes. Checked sums there
/// are smaller than saturating ones, and say the same.
#[inline(never)]
pub(super) fn left(since: &mut Instant, length: Duration, now: Instant) -> Duration {
    let latest = now.checked_add(CLOCK_LEAD);
    if latest.is_some_and(|latest| *since > latest) {
        *since = now;
    }
    match since.checked_add(length) {
        Some(end) => end.since(now),
        None => Instant::MAX.since(now),
    }
}

/// The probes that are out, at most so many at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub(super) struct Probes<const N: usize> {
    slots: [Slot; N],
    /// The ticket of the next one.
    next: u32,
    pub(super) successes: u32,
}

/// A probe, or none if there is no ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
struct Slot {
    since: Instant,
    ticket: u32,
}

impl Slot {
    /// How long until its probe is written off; `None` if it is free.
    fn taken_for(&mut self, now: Instant, lease: Duration) -> Option<Duration> {
        if self.ticket == NO_TICKET {
            return None;
        }
        Some(left(&mut self.since, lease, now))
    }
}

impl<const N: usize> Probes<N> {
    /// None out yet. The first will get the ticket `first`.
    pub(super) const fn new(first: u32) -> Self {
        Self {
            slots: [Slot {
                since: Instant::ZERO,
                ticket: NO_TICKET,
            }; N],
            next: first,
            successes: 0,
        }
    }

    /// Lets one out: its ticket. Or says how long until the first that is out is written off.
    ///
    /// A slot that is free comes before one whose probe has outlived its lease.
    pub(super) fn admit(&mut self, now: Instant, lease: Duration) -> Result<u32, Duration> {
        // The first of those that are free soonest. A loop: with four probes on a Cortex-M0,
        // `min_by_key` makes a breaker a twentieth larger.
        let mut first: Option<(Option<Duration>, &mut Slot)> = None;
        for slot in &mut self.slots {
            let taken_for = slot.taken_for(now, lease);
            if first.as_ref().is_none_or(|(least, _)| taken_for < *least) {
                first = Some((taken_for, slot));
            }
        }
        match first {
            Some((None | Some(Duration::ZERO), slot)) => {
                let ticket = self.next;
                self.next = self.next.checked_add(1).unwrap_or(FURTHER).max(FURTHER);
                *slot = Slot { since: now, ticket };
                Ok(ticket)
            }
            Some((Some(left), _)) => Err(left),
            // There is a slot at least.
            None => Err(Duration::MAX),
        }
    }

    /// Whichever went out later than can be goes out now.
    pub(super) fn mend(&mut self, now: Instant, lease: Duration) {
        for slot in &mut self.slots {
            let _ = slot.taken_for(now, lease);
        }
    }

    /// The probe with this ticket is back; whether it was out.
    pub(super) fn back(&mut self, ticket: u32) -> bool {
        if ticket == NO_TICKET {
            return false;
        }
        let out = self.slots.iter_mut().filter(|slot| slot.ticket == ticket);
        out.map(|slot| slot.ticket = NO_TICKET).count() > 0
    }

    /// Takes note of what became of a probe that is back: the change that ends half-open, if the
    /// probe failed or was slow, or if `close_after` have worked with it.
    pub(super) fn judge(&mut self, probe: Call, close_after: u32) -> Option<Transition> {
        let worked = !probe.failed && !probe.slow;
        // It closes before they are too many to be told.
        let calls = self.successes.wrapping_add(1);
        if worked {
            self.successes = calls;
            if calls < close_after {
                return None;
            }
        }
        let (to, cause) = if worked {
            (Phase::Closed, Cause::Recovered)
        } else if probe.failed {
            (Phase::Open, Cause::ProbeFailed)
        } else {
            (Phase::Open, Cause::ProbeSlow)
        };
        Some(Transition {
            from: Phase::HalfOpen,
            to,
            cause,
            totals: Totals {
                calls,
                failures: u32::from(probe.failed),
                slow: u32::from(probe.slow),
            },
        })
    }

    /// How many are out.
    pub(super) fn out(&self) -> u32 {
        let out = |slot: &&Slot| slot.ticket != NO_TICKET;
        self.slots.iter().filter(out).count() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::permit::FIRST;
    use crate::breaker::{Breaker, FastBreaker, InSection, Phase};
    use crate::outcome::Outcome;
    use crate::time::secs;

    const NOW: Instant = Instant::from_secs(100);

    /// The last generations there are, and the first after them: permits of the one before are void
    /// across the turn as anywhere else.
    #[test]
    fn generations_turn_over() {
        const BREAKER: Breaker = Breaker::standard();
        let mut state = BreakerState::CLOSED.in_generation(GENERATIONS);
        let early = BREAKER.try_enter(&mut state, NOW).unwrap();
        assert_eq!(early.generation(), GENERATIONS);
        for _ in 0..5 {
            let permit = BREAKER.try_enter(&mut state, NOW).unwrap();
            let _ = BREAKER.record(&mut state, NOW, permit, Outcome::TRANSIENT);
        }
        assert_eq!(
            (state.generation(), BREAKER.phase(&state, NOW)),
            (0, Phase::Open)
        );
        let before = state;
        let late = BREAKER.record(&mut state, NOW, early, Outcome::TRANSIENT);
        assert_eq!((late, state), (None, before));
    }

    #[test]
    fn a_fast_breaker_works_across_the_turn_of_generations() {
        let state = BreakerState::CLOSED.in_generation(GENERATIONS);
        let breaker: FastBreaker =
            FastBreaker::with_lock(Breaker::sensitive(), InSection::new(state));
        for _ in 0..3 {
            let early = breaker.try_enter(|| NOW).unwrap();
            for _ in 0..3 {
                let permit = breaker.try_enter(|| NOW).unwrap();
                let _ = breaker.record(|| NOW, permit, Outcome::TRANSIENT);
            }
            let later = || NOW + secs(15);
            let probe = breaker.try_enter(later).unwrap();
            assert_eq!(breaker.record(later, early, Outcome::Success), None);
            assert!(breaker.record(later, probe, Outcome::Success).is_some());
        }
        assert_eq!(breaker.standing(NOW).generation, 8);
    }

    /// Two tickets are set aside for the first probe.
    #[test]
    fn tickets_turn_over_past_those_of_first_probes() {
        let mut probes = Probes::<1>::new(FIRST);
        probes.next = u32::MAX;
        for right in [u32::MAX, FURTHER, FURTHER + 1] {
            let ticket = probes.admit(NOW, secs(1)).unwrap();
            assert_eq!(ticket, right);
            assert!(probes.back(ticket) && !probes.back(ticket));
        }
    }
}
