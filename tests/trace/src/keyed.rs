//! The script for a table of keys.

use steadfast::limit::{Granted, Keyed, KeyedPolicy, Policy};

use crate::stage::{Kept, Stage};

/// Plays a table of `N` places with about twice as many keys.
pub(crate) fn play<P: Policy<Granted = Granted>, const N: usize>(
    stage: &mut Stage,
    rule: KeyedPolicy<P>,
) {
    play_with::<P, N>(stage, rule, |_, _, _| {});
}

/// As [`play`], reconfigured to any of `policies` on the way, and asked what would become of a
/// key.
pub(crate) fn play_live<P: Policy<Granted = Granted>, const N: usize>(
    stage: &mut Stage,
    rule: KeyedPolicy<P>,
    policies: &[P],
) {
    play_with::<P, N>(stage, rule, |stage, table, key| {
        let now = stage.now();
        if stage.random.below(64) == 0
            && let Some(&policy) = stage.random.pick(policies)
        {
            table.reconfigure(now, policy);
        }
        stage.tell(table.peek(key, now, 1));
        stage.tell(table.available(key, now));
    });
}

fn play_with<P: Policy<Granted = Granted>, const N: usize>(
    stage: &mut Stage,
    rule: KeyedPolicy<P>,
    mut also: impl FnMut(&mut Stage, &mut Keyed<u16, P, N>, u16),
) {
    let mut table: Keyed<u16, P, N> = Keyed::new(rule);
    let mut kept = Kept::new();
    let keys = (N as u32).saturating_mul(2);
    stage.each_step(|stage| {
        let now = stage.now();
        // Half of the calls go to an eighth of the keys.
        let busy = stage.random.below(2) == 0;
        let key = stage.random.below(if busy { keys / 8 } else { keys }) as u16;
        also(stage, &mut table, key);
        match stage.random.below(32) {
            0..24 => {
                let cost = stage.cost(table.rule().policy().capacity());
                if let Ok(granted) = stage.judge(table.try_acquire_n(key, now, cost)) {
                    kept.keep((key, granted), &mut stage.random);
                }
            }
            24..26 => stage.tell(table.standing(key, now)),
            26..28 => {
                if let Some((key, granted)) = kept.take(&mut stage.random) {
                    table.refund(key, now, &granted);
                }
            }
            28 => stage.tell(table.forget(key)),
            29 => stage.tell(table.places().active(table.rule(), now) as u64),
            _ => {
                stage.tell(table.places().crowded());
                stage.tell(table.places().evicted());
            }
        }
    });
    for key in 0..keys as u16 {
        stage.tell(table.standing(key, stage.now()));
    }
}
