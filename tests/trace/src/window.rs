//! The script for a rolling statistic.

use steadfast::window::{Call, Window};

use crate::stage::Stage;

/// Plays a window of the first of `policies`, which begins anew as another of them at times. A yes
/// is a call after which half of those in it were well.
pub(crate) fn play<W: Window>(stage: &mut Stage, policies: &[W]) {
    let Some(&first) = policies.first() else {
        return;
    };
    let mut policy = first;
    let mut so_far = W::EMPTY;
    stage.each_step(|stage| {
        let now = stage.now();
        match stage.random.below(128) {
            0..112 => {
                let call = Call {
                    failed: stage.random.below(2) == 0,
                    slow: stage.random.below(8) == 0,
                };
                let totals = policy.record(&mut so_far, now, call);
                stage.count(!totals.failures_reach(500));
                stage.tell(totals);
            }
            112 => {
                if let Some(&other) = stage.random.pick(policies) {
                    (policy, so_far) = (other, W::EMPTY);
                }
            }
            _ => {
                let totals = policy.totals(&so_far, now);
                stage.tell(totals);
                let permille = stage.random.below(1_001);
                stage.tell(totals.failures_reach(permille));
                stage.tell(totals.slow_reach(permille));
            }
        }
    });
}
