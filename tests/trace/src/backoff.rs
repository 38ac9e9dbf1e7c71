//! The scripts for delays that grow, and for the generator that their jitter comes from.

use steadfast::backoff::{Backoff, BackoffState};
use steadfast::random::{Random, SplitMix32};

use crate::stage::Stage;

/// Plays sequences of delays of `policies`. A yes is a delay that can still grow, a no is one at
/// the cap; both before chance is added.
pub(crate) fn play(stage: &mut Stage, policies: &[Backoff]) {
    let Some(&first) = policies.first() else {
        return;
    };
    let mut policy = first;
    let mut random = SplitMix32::new(stage.random.word());
    let mut so_far = BackoffState::START;
    let mut attempt = 0_u32;
    stage.each_step(|stage| match stage.random.below(32) {
        0..24 => {
            let nominal = policy.nominal(attempt);
            stage.count(nominal < policy.cap());
            stage.tell(nominal);
            stage.tell(policy.next_delay(&mut so_far, &mut random));
            attempt = attempt.saturating_add(1);
        }
        24..27 => (so_far, attempt) = (BackoffState::START, 0),
        27 => {
            if let Some(&other) = stage.random.pick(policies) {
                (policy, so_far, attempt) = (other, BackoffState::START, 0);
            }
            stage.tell(&policy);
        }
        28 => {
            for delay in policy.delays(random.fork()).take(4) {
                stage.tell(delay);
            }
        }
        _ => {
            let attempt = stage.random.up_to_bits(32) as u32;
            stage.tell(policy.nominal(attempt));
        }
    });
}

/// Plays generators of any seeds, neighbours included. A yes is a number in the upper half.
pub(crate) fn play_random(stage: &mut Stage) {
    let mut random = SplitMix32::new(0);
    stage.each_step(|stage| {
        match stage.random.below(32) {
            0 => random = SplitMix32::new(stage.random.word()),
            1 => random = SplitMix32::new(stage.random.up_to_bits(3)),
            2 => random = random.fork(),
            _ => {}
        }
        let number = random.next_u32();
        stage.count(number >= 1 << 31);
        stage.tell(number);
    });
}
