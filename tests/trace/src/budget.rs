//! The script for one retry budget.

use steadfast::retry::{RetryBudget, RetryBudgetState};

use crate::retry::outcome;
use crate::stage::{Kept, Stage};

/// Plays a budget of the first of `policies`, which begins anew as another of them at times. A yes
/// is a retry that it allows.
pub(crate) fn play(stage: &mut Stage, policies: &[RetryBudget]) {
    let Some(&first) = policies.first() else {
        return;
    };
    let mut policy = first;
    let mut so_far = RetryBudgetState::FULL;
    let mut kept = Kept::new();
    stage.each_step(|stage| {
        let now = stage.now();
        match stage.random.below(64) {
            0..28 => {
                let after = outcome(&mut stage.random, 16);
                let said = policy.withdraw(&mut so_far, now, after);
                stage.count(said.is_ok());
                match said {
                    Ok(withdrawn) => {
                        stage.tell(withdrawn);
                        kept.keep(withdrawn, &mut stage.random);
                    }
                    Err(spent) => {
                        stage.tell(spent);
                        stage.tell_words(spent);
                    }
                }
            }
            28..40 => policy.began(&mut so_far, now),
            40..46 => {
                let last = kept.take(&mut stage.random);
                policy.succeeded(&mut so_far, last);
            }
            46..54 => policy.failed(&mut so_far),
            55..58 => {
                if let Some(unused) = kept.take(&mut stage.random) {
                    policy.refund(&mut so_far, unused);
                }
            }
            54 => {
                if let Some(&other) = stage.random.pick(policies) {
                    (policy, so_far) = (other, RetryBudgetState::FULL);
                }
            }
            _ => {}
        }
        stage.tell(policy.available(&so_far, now));
    });
}
