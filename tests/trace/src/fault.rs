//! The script for faults put in on purpose.

use steadfast::fault::{Fault, FaultPlan};
use steadfast::random::SplitMix32;

use crate::stage::Stage;

/// Plays plans of faults. A yes is a call that is let alone.
pub(crate) fn play(stage: &mut Stage, plans: &[FaultPlan<'static>]) {
    let mut random = SplitMix32::new(stage.random.word());
    stage.each_step(|stage| {
        let now = stage.now();
        let Some(plan) = stage.random.pick(plans) else {
            return;
        };
        let injected = plan.draw(now, &mut random);
        stage.count(injected.fault == Fault::None);
        stage.tell(injected);
        stage.tell(injected.fault.outcome());
        stage.tell(plan.next_change(now));
    });
}
