//! The scripts for what is answered when the one who should answer cannot.

use steadfast::fallback::{
    DeferredQueue, FallbackMeter, Freshness, LastGood, Memory, Part, Parts, StaleCache, primary,
};
use steadfast::time::Duration;

use crate::stage::{Kept, Stage};

/// What the primary says: an error of one in two, else a number.
fn asked(stage: &mut Stage) -> Result<u32, &'static str> {
    match stage.random.below(2) {
        0 => Err("no answer"),
        _ => Ok(stage.random.below(1_000)),
    }
}

/// One answer and its substitutes. A yes is an answer that is no default.
fn serve(stage: &mut Stage, memory: impl Memory<u32>) {
    let now = stage.now();
    let result = asked(stage);
    let secondary = (stage.random.below(8) == 0).then(|| stage.random.below(1_000));
    let served = primary(result)
        .backed_by(memory, now)
        .or_secondary(|| secondary.ok_or("no replica"));
    let event = served.event("trace", now);
    stage.count(served.is_served());
    stage.tell(event.label());
    for counter in event.counters() {
        stage.tell(counter);
    }
    let parts = Parts([
        ("first", Part::of(&result)),
        ("second", Part::chained(&served.served())),
    ]);
    stage.tell(served.or_default(|| 1_000));
    stage.tell_words(parts.served(()).source);
}

/// Plays a cache of `N` places with twice as many keys.
pub(crate) fn play_cache<const N: usize>(stage: &mut Stage, freshness: Freshness) {
    let mut cache: StaleCache<u16, u32, N> = StaleCache::new(freshness);
    let keys = (N as u32).saturating_mul(2);
    stage.each_step(|stage| {
        let now = stage.now();
        let key = stage.random.below(keys) as u16;
        match stage.random.below(16) {
            0..8 => serve(stage, cache.at(key)),
            8..10 => stage.tell(cache.get(&key, now)),
            10..12 => stage.tell(cache.fresh(&key, now)),
            12 => stage.tell(cache.put(key, 1, now).map(|(key, _)| u32::from(key))),
            13 => stage.tell(cache.invalidate(&key)),
            _ => {
                stage.tell(cache.len() as u32);
                stage.tell(cache.evicted());
            }
        }
    });
}

/// Plays a memory of one answer.
pub(crate) fn play_last_good(stage: &mut Stage, freshness: Freshness) {
    let mut last = LastGood::new(freshness);
    stage.each_step(|stage| {
        let now = stage.now();
        match stage.random.below(16) {
            0..11 => serve(stage, &mut last),
            11..13 => stage.tell(last.get(now)),
            13 => stage.tell(last.fresh(now)),
            14 => stage.tell(last.put(1, now)),
            _ => stage.tell(last.invalidate()),
        }
    });
}

/// Plays a queue of `N` places and its workers. A yes is an item that finds a place, or one that
/// is due.
pub(crate) fn play_queue<const N: usize>(stage: &mut Stage) {
    let mut queue: DeferredQueue<u32, N> = DeferredQueue::new();
    let mut tickets = Kept::new();
    let mut number = 0_u32;
    stage.each_step(|stage| {
        let now = stage.now();
        let wait = Duration::from_nanos(stage.random.up_to_bits(36));
        match stage.random.below(32) {
            0..10 => {
                number = number.wrapping_add(1);
                let due = now.saturating_add(wait);
                let said = queue.push_at(number, now, due);
                stage.count(said.is_ok());
                match said {
                    Ok(id) => stage.tell(id.number()),
                    Err(full) => {
                        stage.tell(full.item);
                        stage.tell_words(full);
                    }
                }
            }
            10..20 => {
                let work = queue.begin(now, wait);
                stage.count(work.is_some());
                if let Some(work) = work {
                    tickets.keep(work.ticket, &mut stage.random);
                    stage.tell((*work.item, work.attempt));
                    stage.tell((work.ticket.id().number(), work.until));
                }
            }
            20..24 => {
                if let Some(ticket) = tickets.take(&mut stage.random) {
                    stage.tell(queue.done(ticket));
                }
            }
            24..26 => {
                if let Some(ticket) = tickets.take(&mut stage.random) {
                    let retry_at = now.saturating_add(wait);
                    stage.tell(queue.failed(ticket, now, retry_at));
                }
            }
            26 => {
                if let Some(ticket) = tickets.take(&mut stage.random) {
                    stage.tell(queue.renew(ticket, now, wait));
                    tickets.keep(ticket, &mut stage.random);
                }
            }
            27 => {
                let first = queue.iter().next().map(|(id, _)| id);
                stage.tell(first.and_then(|id| queue.remove(id)));
            }
            _ => {
                let due = queue.next_due(now);
                stage.tell(due);
                if let Some(due) = due {
                    stage.promise(due.since(now));
                }
                stage.tell(queue.len() as u32);
            }
        }
    });
}

/// Plays an alarm. A yes is an answer while all is quiet.
pub(crate) fn play_meter<const B: usize>(stage: &mut Stage, meter: FallbackMeter<B>) {
    let mut so_far = FallbackMeter::QUIET;
    stage.each_step(|stage| {
        let now = stage.now();
        match stage.random.below(16) {
            0..13 => {
                let is_degraded = stage.random.below(2) == 0;
                let alarm = meter.record(&mut so_far, now, is_degraded);
                stage.count(!meter.is_raised(&so_far));
                stage.tell(alarm);
            }
            13..15 => stage.tell(meter.check(&mut so_far, now)),
            _ => stage.tell(meter.totals(&so_far, now)),
        }
    });
}
