//! The scripts for circuit breakers: one by itself, one behind a word that is read without a lock,
//! and one for each of a few targets.

use core::cell::Cell;

use steadfast::breaker::{
    Breaker, BreakerState, Breakers, CircuitBreaker, FastBreaker, Locked, Permit, Rejected,
    Transition, Trip,
};
use steadfast::time::Duration;

use crate::retry::outcome;
use crate::stage::{Kept, Stage};

/// Plays a breaker of the first of `policies`; when it is reset it may go on under another. A yes
/// is a permit. `by_hand` in 128 calls are those of a person.
pub(crate) fn play<T: Trip, const PROBES: usize>(
    stage: &mut Stage,
    policies: &[Breaker<T, PROBES>],
    by_hand: u32,
) {
    let Some(&first) = policies.first() else {
        return;
    };
    let mut policy = first;
    let mut so_far = BreakerState::seeded(stage.random.word());
    let mut kept = Kept::new();
    stage.each_step(|stage| {
        let now = stage.now();
        if stage.random.below(128) < by_hand {
            act_by_hand(stage, &policy, &mut so_far);
            return;
        }
        match stage.random.below(64) {
            0..40 => {
                let said = policy.try_enter(&mut so_far, now);
                if let Some(permit) = entered(stage, said, &mut kept) {
                    let outcome = outcome(&mut stage.random, 10);
                    told(stage, policy.record(&mut so_far, now, permit, outcome));
                }
            }
            // The result of an earlier call, and now and then once more.
            40..52 => {
                if let Some(permit) = kept.take(&mut stage.random) {
                    let outcome = outcome(&mut stage.random, 8);
                    told(stage, policy.record(&mut so_far, now, permit, outcome));
                    if stage.random.below(4) == 0 {
                        kept.keep(permit, &mut stage.random);
                    }
                }
            }
            52..54 => {
                if let Some(permit) = kept.take(&mut stage.random) {
                    policy.cancel(&mut so_far, permit);
                }
            }
            54 => {
                told(stage, policy.reset(&mut so_far, now));
                policy = stage.random.pick(policies).copied().unwrap_or(policy);
            }
            55..60 => stage.tell(policy.standing(&so_far, now)),
            _ => {
                stage.tell(policy.phase(&so_far, now));
                stage.tell(policy.at_rest(&so_far, now));
            }
        }
    });
    stage.tell(policy.standing(&so_far, stage.now()));
}

/// Holds a breaker open or closed, switches it off, puts it on trial; half of the time ends that.
fn act_by_hand<T: Trip, const PROBES: usize>(
    stage: &mut Stage,
    policy: &Breaker<T, PROBES>,
    so_far: &mut BreakerState<T, PROBES>,
) {
    let now = stage.now();
    let changed = match stage.random.below(10) {
        0 => policy.force_open(so_far, now),
        1 => {
            let duration = Duration::from_nanos(stage.random.up_to_bits(40));
            policy.force_open_for(so_far, now, duration)
        }
        2 => policy.force_closed(so_far, now),
        3 => policy.disable(so_far, now),
        4 => policy.observe_only(so_far, now),
        _ => policy.reset(so_far, now),
    };
    told(stage, changed);
}

/// Folds a permit or a no. What is returned is to be recorded at once; of the other permits some
/// are recorded later, and some never.
fn entered(
    stage: &mut Stage,
    said: Result<Permit, Rejected>,
    kept: &mut Kept<Permit>,
) -> Option<Permit> {
    stage.count(said.is_ok());
    match said {
        Ok(permit) => {
            stage.tell(permit);
            match stage.random.below(8) {
                0..6 => return Some(permit),
                6 => kept.keep(permit, &mut stage.random),
                _ => {}
            }
        }
        Err(rejected) => {
            if let Some(wait) = rejected.retry_after() {
                stage.promise(wait);
            }
            stage.tell(rejected);
            stage.tell_words(rejected);
        }
    }
    None
}

/// Folds what changed, as a value and as a line of a log.
fn told(stage: &mut Stage, changed: Option<Transition>) {
    stage.tell(changed);
    if let Some(transition) = changed {
        stage.tell_words(transition);
    }
}

/// A state behind a `Cell`: this home has no interrupts.
pub(crate) struct Alone<S>(Cell<S>);

impl<S: Copy> Locked<S> for Alone<S> {
    fn with<R>(&self, work: impl FnOnce(&mut S) -> R) -> R {
        let mut value = self.0.get();
        let said = work(&mut value);
        self.0.set(value);
        said
    }
}

/// A breaker that is read without a lock.
pub(crate) const fn fast<T: Trip, const PROBES: usize>(
    policy: Breaker<T, PROBES>,
) -> FastBreaker<T, PROBES, Alone<BreakerState<T, PROBES>>> {
    FastBreaker::with_lock(policy, Alone(Cell::new(BreakerState::CLOSED)))
}

/// As [`play`], of a breaker that is read without a lock, by the verbs of those who drive calls.
pub(crate) fn play_fast<T: Trip, const PROBES: usize>(
    stage: &mut Stage,
    policy: Breaker<T, PROBES>,
) {
    let breaker = fast(policy);
    let mut kept = Kept::new();
    stage.each_step(|stage| {
        let now = stage.now();
        match stage.random.below(64) {
            0..36 => {
                let said = breaker.try_enter(|| now);
                if let Some(permit) = entered(stage, said, &mut kept) {
                    let outcome = outcome(&mut stage.random, 9);
                    told(stage, breaker.record(|| now, permit, outcome));
                }
            }
            36..40 => {
                // Dropped without a result.
                let said = breaker.enter(|| now).map(|call| call.permit());
                stage.count(said.is_ok());
                stage.tell(said.is_ok());
            }
            40..52 => {
                if let Some(permit) = kept.take(&mut stage.random) {
                    let outcome = outcome(&mut stage.random, 8);
                    told(stage, breaker.record(|| now, permit, outcome));
                }
            }
            52..54 => {
                if let Some(permit) = kept.take(&mut stage.random) {
                    breaker.cancel(permit);
                }
            }
            54 => breaker.with_state(|policy, so_far| act_by_hand(stage, policy, so_far)),
            _ => stage.tell(breaker.standing(now)),
        }
    });
}

/// Plays a table of `N` places with twice as many targets. A yes is a permit.
pub(crate) fn play_by_target<const N: usize>(stage: &mut Stage, policy: Breaker) {
    let mut table: Breakers<u16, N> = Breakers::new();
    let mut kept = Kept::new();
    let targets = (N as u32).saturating_mul(2);
    stage.each_step(|stage| {
        let now = stage.now();
        // Half of the calls go to three targets.
        let busy = stage.random.below(2) == 0;
        let key = stage.random.below(if busy { 3 } else { targets }) as u16;
        match stage.random.below(64) {
            0..40 => {
                let said = table.try_enter(&policy, key, now);
                let mut own = Kept::new();
                if let Some(permit) = entered(stage, said, &mut own) {
                    let outcome = outcome(&mut stage.random, 12);
                    told(stage, table.record(&policy, key, now, permit, outcome));
                } else if let Ok(permit) = said {
                    kept.keep((key, permit), &mut stage.random);
                }
            }
            40..50 => {
                if let Some((key, permit)) = kept.take(&mut stage.random) {
                    let outcome = outcome(&mut stage.random, 8);
                    told(stage, table.record(&policy, key, now, permit, outcome));
                }
            }
            50..52 => {
                if let Some((key, permit)) = kept.take(&mut stage.random) {
                    table.cancel(&policy, key, permit);
                }
            }
            52 => {
                let so_far = table.state_mut(&policy, key, now);
                let changed = so_far.and_then(|so_far| policy.reset(so_far, now));
                told(stage, changed);
            }
            53..58 => stage.tell(table.standing(&policy, key, now)),
            58..60 => stage.tell(table.phase(&policy, key, now)),
            _ => {
                stage.tell(table.iter().count() as u32);
                stage.tell(table.unguarded());
            }
        }
    });
}
