//! A breaker's state that has a seed of its process, without being told: a fleet that was started
//! from one image, and opened together, does not probe in the same instant.

use steadfast::breaker::{BreakerState, Locked, Trip};

use super::MutexLocked;
use crate::random::drawn_seed;

/// A state whose seed is [drawn](drawn_seed) when its lock is first taken, which is before it can
/// open. One that is set by hand is set under the lock, and so after that.
///
/// What passes without the lock costs no more; what takes it, a look at a flag.
#[derive(Debug)]
pub(super) struct OwnSeed<T: Trip, const PROBES: usize>(MutexLocked<Seeded<T, PROBES>>);

#[derive(Debug)]
struct Seeded<T: Trip, const PROBES: usize> {
    state: BreakerState<T, PROBES>,
    has_seed: bool,
}

impl<T: Trip, const PROBES: usize> OwnSeed<T, PROBES> {
    /// The seed of `state` is still to be drawn.
    pub(super) const fn to_be_drawn(state: BreakerState<T, PROBES>) -> Self {
        let has_seed = false;
        Self(MutexLocked::new(Seeded { state, has_seed }))
    }

    /// The seed of `state` is the one that was meant.
    pub(super) const fn of(state: BreakerState<T, PROBES>) -> Self {
        let has_seed = true;
        Self(MutexLocked::new(Seeded { state, has_seed }))
    }
}

impl<T: Trip, const PROBES: usize> Seeded<T, PROBES> {
    #[cold]
    fn draw(&mut self) {
        self.state.seed(drawn_seed());
        self.has_seed = true;
    }
}

impl<T: Trip, const PROBES: usize> Locked<BreakerState<T, PROBES>> for OwnSeed<T, PROBES> {
    #[inline]
    fn with<R>(&self, work: impl FnOnce(&mut BreakerState<T, PROBES>) -> R) -> R {
        self.0.with(|seeded| {
            if !seeded.has_seed {
                seeded.draw();
            }
            work(&mut seeded.state)
        })
    }
}
