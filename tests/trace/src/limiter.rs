//! The script for one limiter.

use steadfast::limit::{Policy, RateLimiter, Reserve};
use steadfast::time::Duration;

use crate::digest::Yes;
use crate::stage::{Kept, Stage};

/// Plays a limiter of the first of `policies`, reconfigured to any of them on the way.
pub(crate) fn play<P: Policy<Granted: Yes>>(stage: &mut Stage, policies: &[P]) {
    play_with(stage, policies, |_, _, _| {});
}

/// As [`play`], with reservations too.
pub(crate) fn play_reserving<P: Reserve>(stage: &mut Stage, policies: &[P]) {
    play_with(stage, policies, |stage, limiter, kept| {
        let now = stage.now();
        if stage.random.below(3) == 0 {
            if let Some(reserved) = kept.take(&mut stage.random) {
                limiter.cancel(now, &reserved);
            }
        } else {
            let cost = stage.cost(limiter.policy().capacity());
            let longest = Duration::from_nanos(stage.random.up_to_bits(40));
            if let Ok(reserved) = stage.judge(limiter.reserve(now, cost, longest)) {
                kept.keep(reserved, &mut stage.random);
            }
        }
    });
}

/// As [`play`], with debts too.
pub(crate) fn play_charging<P: Reserve>(stage: &mut Stage, policies: &[P]) {
    play_with(stage, policies, |stage, limiter, _| {
        let cost = stage.cost(limiter.policy().capacity());
        stage.tell(limiter.charge(stage.now(), cost));
    });
}

fn play_with<P: Policy<Granted: Yes>>(
    stage: &mut Stage,
    policies: &[P],
    mut also: impl FnMut(&mut Stage, &mut RateLimiter<P>, &mut Kept<P::Granted>),
) {
    let Some(&first) = policies.first() else {
        return;
    };
    let mut limiter = RateLimiter::new(first);
    let mut kept = Kept::new();
    stage.each_step(|stage| {
        let now = stage.now();
        let capacity = limiter.policy().capacity();
        match stage.random.below(64) {
            0..36 => {
                let cost = stage.cost(capacity);
                if let Ok(granted) = stage.judge(limiter.try_acquire_n(now, cost)) {
                    kept.keep(granted, &mut stage.random);
                }
            }
            36..40 => {
                let cost = stage.cost(capacity);
                stage.tell(limiter.peek(now, cost));
            }
            40..44 => stage.tell(limiter.available(now)),
            44..46 => stage.tell(limiter.standing(now)),
            46..50 => {
                if let Some(granted) = kept.take(&mut stage.random) {
                    limiter.refund(now, &granted);
                }
            }
            50 => {
                if let Some(&policy) = stage.random.pick(policies) {
                    limiter.reconfigure(now, policy);
                }
            }
            51 => {
                // As tables do it to places whose key stays away.
                let (policy, mut left) = limiter.clone().into_parts();
                policy.mend(&mut left, now);
                limiter = RateLimiter::from_parts(policy, left);
            }
            52..56 => {
                let (policy, left) = limiter.clone().into_parts();
                stage.tell(policy.at_rest(&left, now));
                stage.tell(policy.rests_in(&left, now));
            }
            _ => also(stage, &mut limiter, &mut kept),
        }
    });
    stage.tell(limiter.standing(stage.now()));
}
