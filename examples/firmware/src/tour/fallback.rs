//! What is answered instead, and faults put in on purpose.

use core::future::Future;
use core::hint::black_box;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use steadfast::event::FallbackEvent;
use steadfast::fallback::{
    Chain, DeferredQueue, FallbackMeter, FeatureSwitch, Freshness, LastGood, Memory, Part, Parts,
    Served, Source, StaleCache, primary,
};
use steadfast::fault::{FaultPlan, Faults};
use steadfast::policy;
use steadfast::random::SplitMix32;
use steadfast::shared::Shared;
use steadfast::time::{Duration, secs};

use super::retry::outcome;
use super::{cost, now, wait, words};

static LAST: Shared<LastGood<u32>> = Shared::last_good(Freshness::STANDARD);
static CACHE: Shared<StaleCache<u16, u32, 8>> = Shared::stale_cache(Freshness::STANDARD);
static QUEUE: Shared<DeferredQueue<u32, 8>> = Shared::deferred_queue();
static METER: Shared<FallbackMeter<6>> =
    Shared::fallback_meter(policy!(FallbackMeter::over(secs(60))));
static SWITCH: FeatureSwitch = FeatureSwitch::new();

pub(super) fn all() {
    let freshness = match Freshness::up_to(wait()).fresh_for(wait()).build() {
        Ok(freshness) => freshness,
        Err(error) => return words(error),
    };
    black_box((freshness.max_age(), freshness.fresh_for()));
    last_good(LastGood::new(black_box(freshness)));
    cache(StaleCache::new(black_box(freshness)));
    chains();
    queue();
    meter();
    switch();
    parts();
    faults();
}

/// What the primary says; the compiler cannot know.
fn asked() -> Chain<u32, u32> {
    primary(black_box(Err(black_box(1))))
}

fn chains() {
    match asked().only_if(|error| *error == black_box(1)) {
        Ok(chain) => served(chain.or_secondary(|| black_box(Err(2))).served()),
        Err(error) => {
            black_box(error);
        }
    }
    match asked().judged_by(|_| outcome()) {
        Ok(chain) => {
            black_box((chain.is_served(), chain.error()));
            event(chain.event("price", now()));
            event(chain.or_default(|| black_box(1)).event("price", now()));
        }
        Err(error) => {
            black_box(error);
        }
    }
    let chain = asked()
        .inspect_err(|error| _ = black_box(*error))
        .remember(|value| _ = black_box(*value))
        .or_stale(|| LAST.get(now()))
        .or_defer(|| QUEUE.push(black_box(1), now()).map(|_| black_box(1)));
    served(chain.served());

    let mut context = Context::from_waker(Waker::noop());
    let waited = pin!(asked().or_stale_async(|| async { LAST.get(now()) }));
    if let Poll::Ready(chain) = waited.poll(&mut context) {
        served(chain.served());
    }
    let waited = pin!(asked().or_secondary_async(|| async { black_box(Err(2)) }));
    if let Poll::Ready(chain) = waited.poll(&mut context) {
        served(chain.served());
    }
    let waited = pin!(asked().or_defer_async(|| async { black_box(Err(2)) }));
    if let Poll::Ready(chain) = waited.poll(&mut context) {
        served(chain.served());
    }
}

fn served(served: Result<Served<u32>, u32>) {
    black_box(Part::chained(&served));
    if let Ok(served) = served {
        words(served.source);
        words(served.missed);
        black_box((served.is_degraded(), served.map(u64::from).value));
        black_box(Part::served(&served));
        event(served.event(black_box("price"), now()));
    }
}

fn event(event: FallbackEvent<'_>) {
    black_box((event.is_degraded(), event.label()));
    for counter in event.counters() {
        black_box(counter);
    }
}

fn remembered(memory: impl Memory<u32>) {
    served(asked().backed_by(memory, now()).served());
}

fn last_good(mut last: LastGood<u32>) {
    remembered(&mut last);
    remembered(&LAST);
    black_box(last.put(black_box(1), now()));
    black_box((last.look(now()), LAST.fresh(now())));
    if let Some(aged) = last.get(now()) {
        words(Served::cached(aged).source);
    }
    black_box((last.fresh(now()), last.invalidate()));
    LAST.put(black_box(1), now());
    LAST.invalidate();
}

fn cache(mut cache: StaleCache<u16, u32, 8>) {
    let key = black_box(1);
    remembered(cache.at(key));
    remembered(CACHE.at(key));
    black_box(cache.put(key, black_box(1), now()));
    black_box(cache.get(&key, now()));
    black_box(cache.fresh(&key, now()));
    black_box((cache.len(), cache.is_empty(), cache.evicted()));
    black_box(cache.invalidate(&key));
    cache.clear();
    CACHE.put(key, black_box(1), now());
    black_box((CACHE.get(&key, now()), CACHE.fresh(&key, now())));
    black_box(CACHE.invalidate(&key));
    black_box(CACHE.with(|cache| cache.len()));
}

fn queue() {
    let mut queue: DeferredQueue<u32, 8> = DeferredQueue::new();
    match queue.push_at(black_box(1), now(), now()) {
        Ok(id) => {
            words(id);
            black_box((id.number(), queue.remove(id)));
        }
        Err(full) => words(full),
    }
    black_box(queue.push(black_box(1), now()).is_ok());
    if let Some(work) = queue.begin(now(), wait()) {
        let ticket = work.cloned().ticket;
        black_box(ticket.id());
        black_box(queue.renew(ticket, now(), wait()));
        black_box(queue.failed(ticket, now(), now()));
        black_box(queue.done(ticket));
    }
    black_box((queue.next_due(now()), queue.len(), queue.is_empty()));
    black_box(queue.iter().count());

    if let Ok(id) = QUEUE.push_at(black_box(1), now(), now()) {
        black_box(QUEUE.remove(id));
    }
    if let Some(work) = QUEUE.begin(now(), wait()) {
        black_box(QUEUE.renew(work.ticket, now(), wait()));
        black_box(QUEUE.failed(work.ticket, now(), now()));
        black_box(QUEUE.done(work.ticket));
    }
    black_box((QUEUE.next_due(now()), QUEUE.len(), QUEUE.is_empty()));
    black_box(QUEUE.with(|queue| queue.len()));
}

fn meter() {
    let config = FallbackMeter::<3>::over(wait())
        .raised_at(cost())
        .cleared_below(cost())
        .min_answers(cost());
    match config.build() {
        Ok(meter) => {
            let mut state = black_box(FallbackMeter::QUIET);
            if let Some(alarm) = meter.record(&mut state, now(), black_box(true)) {
                words(alarm);
            }
            black_box(meter.check(&mut state, now()));
            black_box((meter.is_raised(&state), meter.totals(&state, now())));
        }
        Err(error) => words(error),
    }
    black_box(METER.record(now(), black_box(true)));
    black_box((METER.check(now()), METER.is_raised(), METER.totals(now())));
}

fn switch() {
    SWITCH.turn_off(black_box("ops"), black_box("maintenance"), now());
    if let Err(off) = SWITCH.check() {
        words(off);
    }
    SWITCH.turn_on(black_box("ops"), black_box("done"), now());
    black_box((SWITCH.is_on(), SWITCH.last()));
}

fn parts() {
    let part = Part::of(&black_box(Ok::<u32, u32>(1)));
    let parts = black_box(Parts([("price", part), ("reviews", Part::Missing)]));
    for name in parts.missing().chain(parts.degraded()) {
        black_box(name);
    }
    black_box((parts.has(black_box("price")), parts.are_whole()));
    black_box(parts.served(black_box(1)).source == Source::Partial);
}

fn faults() {
    let mut random = black_box(SplitMix32::new(1));
    let config = Faults::of()
        .errors(cost())
        .resets(cost())
        .hangs(cost())
        .latency(wait())
        .latency_up_to(wait());
    let faults = match config.build() {
        Ok(faults) => faults,
        Err(error) => return words(error),
    };
    let drawn = faults.draw(&mut random);
    words(drawn.fault);
    black_box((drawn.fault.outcome(), drawn.fault.label()));
    let phases: [(Duration, Faults); 2] = black_box([(wait(), faults), (wait(), Faults::NONE)]);
    match FaultPlan::phases(&phases).starting(now()).build() {
        Ok(plan) => {
            black_box(plan.draw(now(), &mut random));
            black_box((plan.faults(now()), plan.next_change(now())));
        }
        Err(error) => words(error),
    }
}
