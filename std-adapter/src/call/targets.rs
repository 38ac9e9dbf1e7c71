//! A target a name, for those who learn only at run time whom they call.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use steadfast::ConfigError;
use steadfast::breaker::{Breaker, BreakerState, Consecutive, Trip};
use steadfast::retry::RetryBudget;
use steadfast::time::Instant;

use super::Target;

/// Targets by name, made when they are first asked for; so many at most.
///
/// Names that come from outside, the hosts of webhooks, say, cannot take more memory than
/// `capacity` targets do. When there are as many, one that is at rest and that nobody holds makes
/// room: closed, with nothing counted, and with a full budget, it is as good as new. If there is
/// none, newcomers share one target of their own, [`everyone_else`](Self::everyone_else), and
/// [`crowded`](Self::crowded) counts them.
///
/// Finding a target takes a lock and a hash; keep the `Arc` where the name stays the same. Finding
/// room when it is full looks at every target.
///
/// ```
/// use steadfast::breaker::Breaker;
/// use steadfast::retry::RetryBudget;
/// use steadfast::time::Clock;
/// use steadfast_std::{SystemClock, Targets};
///
/// let hosts = Targets::new(Breaker::standard(), RetryBudget::standard(), 1_000)?;
/// let partner = hosts.of("partner.example", SystemClock.now());
/// assert_eq!(partner.name(), "partner.example");
/// # Ok::<(), steadfast::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct Targets<T: Trip = Consecutive, const PROBES: usize = 1> {
    breaker: Breaker<T, PROBES>,
    budget: RetryBudget,
    capacity: usize,
    seeds: RandomState,
    everyone_else: Arc<Target<T, PROBES>>,
    known: Mutex<Known<T, PROBES>>,
}

#[derive(Debug)]
struct Known<T: Trip, const PROBES: usize> {
    by_name: HashMap<Box<str>, Arc<Target<T, PROBES>>>,
    crowded: u64,
}

impl<T: Trip, const PROBES: usize> Targets<T, PROBES> {
    /// No target yet. `capacity` is 1 to `u32::MAX`.
    ///
    /// # Errors
    ///
    /// If `capacity` is zero, or more than that.
    pub fn new(
        breaker: Breaker<T, PROBES>,
        budget: RetryBudget,
        capacity: usize,
    ) -> Result<Self, ConfigError> {
        let most = u64::from(u32::MAX);
        if capacity == 0 || capacity as u64 > most {
            return Err(ConfigError::new("capacity", capacity as u64, 1, most));
        }
        Ok(Self {
            breaker,
            budget,
            capacity,
            seeds: RandomState::new(),
            everyone_else: Arc::new(Target::new("everyone else", breaker, budget)),
            known: Mutex::new(Known {
                by_name: HashMap::new(),
                crowded: 0,
            }),
        })
    }

    /// The target of this name. `now` is what tells which target is at rest.
    pub fn of(&self, name: &str, now: Instant) -> Arc<Target<T, PROBES>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(target) = known.by_name.get(name) {
            return Arc::clone(target);
        }
        if known.by_name.len() >= self.capacity && !self.make_room(&mut known, now) {
            known.crowded = known.crowded.saturating_add(1);
            return Arc::clone(&self.everyone_else);
        }
        let target = Arc::new(Target::of(
            Cow::Owned(name.to_owned()),
            self.breaker,
            self.budget,
            // Of its own, so that targets that failed together do not come back together.
            BreakerState::seeded(self.seeds.hash_one(name)),
        ));
        known.by_name.insert(name.into(), Arc::clone(&target));
        target
    }

    /// The one that is shared by whoever finds no place.
    pub fn everyone_else(&self) -> &Arc<Target<T, PROBES>> {
        &self.everyone_else
    }

    /// How often somebody found no place.
    pub fn crowded(&self) -> u64 {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.crowded
    }

    /// Every target that has a place, in no order.
    pub fn all(&self) -> Vec<Arc<Target<T, PROBES>>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.by_name.values().map(Arc::clone).collect()
    }

    fn make_room(&self, known: &mut Known<T, PROBES>, now: Instant) -> bool {
        let full = self
            .budget
            .available(&steadfast::retry::RetryBudgetState::FULL, now);
        let unused = known.by_name.iter().find(|(_, target)| {
            // Nobody can take it meanwhile: it is found only under the lock.
            Arc::strong_count(target) == 1
                && target.budget_available(now) >= full
                && target.with_breaker(|breaker, state| breaker.at_rest(state, now))
        });
        let Some(name) = unused.map(|(name, _)| name.clone()) else {
            return false;
        };
        known.by_name.remove(&name);
        true
    }
}
