//! Rate limiting: every algorithm in every holder.

use core::hint::black_box;

use steadfast::limit::{
    AllOf, AnyPolicy, Clocked, CompactBucket, Denied, FixedWindow, Gcra, Granted, IntervalBucket,
    Keyed, KeyedPolicy, LeakyBucket, LeakyMeter, Limiter, Named, Places, Policy, RateLimiter,
    Reserve, Shadow, SlidingWindowCounter, SlidingWindowLog, TokenBucket, WhenFull,
};
use steadfast::policy;
use steadfast::shared::{Live, Shared};
use steadfast::time::{Clock, Duration, Instant, ManualClock, clock_fn, millis, minutes, secs};

use super::{cost, now, wait, words};

static CLOCK: ManualClock = ManualClock::new(Instant::ZERO);
static BUCKET: Shared<RateLimiter<TokenBucket>> = Shared::new(RateLimiter::new(policy!(
    TokenBucket::per_minute(7).burst(3)
)));
static COMPACT: Shared<RateLimiter<CompactBucket>> = Shared::new(RateLimiter::new(policy!(
    TokenBucket::per_minute(7).compact()
)));
static WINDOW: Shared<RateLimiter<FixedWindow>> = Shared::new(RateLimiter::new(policy!(
    FixedWindow::new(9, minutes(1)).aligned()
)));
static LIVE: Shared<Live<TokenBucket>> = Shared::live(RateLimiter::new(policy!(
    TokenBucket::per_minute(7).debt_up_to(secs(30))
)));
static LIVE_FEW: Shared<Keyed<u16, TokenBucket, 16>> =
    Shared::keyed(KeyedPolicy::new(policy!(TokenBucket::per_minute(7))));
static FEW: Shared<Places<u16, TokenBucket, 16>> = Shared::places();

const MINUTE: TokenBucket = policy!(TokenBucket::per_minute(7).burst(3));
const COUNTER: SlidingWindowCounter = policy!(SlidingWindowCounter::new(9, minutes(1)));

pub(super) fn all() {
    limiter(MINUTE);
    limiter(policy!(Gcra::every(millis(7), millis(20))));
    limiter(policy!(LeakyMeter::leaking(3, secs(1), 9)));
    limiter(policy!(TokenBucket::per_hour(1_001).burst(500).compact()));
    limiter(policy!(FixedWindow::new(9, minutes(1))));
    limiter(policy!(FixedWindow::new(9, minutes(1)).phase(secs(5))));
    limiter(policy!(SlidingWindowLog::<8>::new(8, minutes(1))));
    limiter(COUNTER);
    limiter(policy!(IntervalBucket::new(9, minutes(1)).capacity(50)));
    reserving(policy!(TokenBucket::per_minute(7).reserve_ahead(secs(30))));
    reserving(policy!(LeakyBucket::spacing(millis(50), 2)));
    let _ = combined(AllOf(MINUTE, COUNTER));
    if let Ok(granted) = combined(AnyPolicy::from(COUNTER)) {
        black_box((granted.at(), granted.cost()));
    }
    if let Ok(said) = black_box(combined(Shadow(COUNTER))) {
        black_box(said.would_pass());
    }

    let when_full = black_box(WhenFull::Overflow);
    keyed::<_, 16>(policy!(TokenBucket::per_minute(7)), when_full);
    keyed::<_, 5>(policy!(TokenBucket::per_minute(7).compact()), when_full);
    keyed::<_, 24>(policy!(FixedWindow::new(9, minutes(1))), when_full);

    shared(&BUCKET);
    shared(&COMPACT);
    shared(&WINDOW);
    if let Ok(reserved) = black_box(BUCKET.reserve(now(), cost(), wait())) {
        BUCKET.cancel(now(), &reserved);
    }
    shared_places();
    live();
    layered();
    clocks();
    configured();
}

fn limiter<P: Policy<Granted = Granted>>(policy: P) {
    if let Ok(granted) = combined(policy) {
        black_box((granted.at(), granted.cost()));
    }
}

fn combined<P: Policy>(policy: P) -> Result<P::Granted, Denied> {
    let policy = black_box(policy);
    let mut limiter = black_box(RateLimiter::new(policy));
    let said = black_box(limiter.try_acquire_n(now(), cost()));
    match &said {
        Ok(granted) => limiter.refund(now(), granted),
        Err(denied) => words(denied),
    }
    let _ = black_box(limiter.try_acquire(now()));
    let _ = black_box(limiter.peek(now(), cost()));
    black_box(limiter.available(now()));
    black_box(limiter.standing(now()));
    limiter.reconfigure(now(), black_box(policy));
    let (policy, mut left) = limiter.into_parts();
    policy.mend(&mut left, now());
    black_box(policy.at_rest(&left, now()));
    black_box(policy.rests_in(&left, now()));
    black_box(policy.capacity());
    if let Err(error) = RateLimiter::starting_with(policy, now(), cost()) {
        words(error);
    }
    said
}

fn reserving<P: Reserve>(policy: P) {
    let mut limiter = black_box(RateLimiter::new(black_box(policy)));
    match black_box(limiter.reserve(now(), cost(), wait())) {
        Ok(reserved) => limiter.cancel(now(), &reserved),
        Err(denied) => {
            black_box(denied.retry_after().map(Duration::as_secs_ceil));
        }
    }
    black_box(limiter.charge(now(), cost()));
}

fn keyed<P: Policy, const N: usize>(policy: P, when_full: WhenFull) {
    let rule = KeyedPolicy::new(black_box(policy))
        .when_full(when_full)
        .seed(black_box(1));
    let mut table: Keyed<u32, P, N> = Keyed::new(rule);
    let key = black_box(1);
    let _ = black_box(table.try_acquire(key, now()));
    if let Ok(granted) = black_box(table.try_acquire_n(key, now(), cost())) {
        table.refund(key, now(), &granted);
    }
    let _ = black_box(table.peek(key, now(), cost()));
    black_box(table.available(key, now()));
    black_box(table.standing(key, now()));
    table.reconfigure(now(), black_box(policy));
    black_box(table.places().active(&rule, now()));
    black_box((table.places().crowded(), table.places().evicted()));
    black_box(table.forget(key));
}

fn shared<P: Policy>(limiter: &Shared<RateLimiter<P>>) {
    let limiter = black_box(limiter);
    let _ = black_box(limiter.try_acquire(now()));
    if let Ok(granted) = black_box(limiter.try_acquire_n(now(), cost())) {
        limiter.refund(now(), &granted);
    }
    let _ = black_box(limiter.peek(now(), cost()));
    black_box(limiter.available(now()));
    black_box(limiter.standing(now()));
}

fn shared_places() {
    let rule = KeyedPolicy::new(black_box(policy!(TokenBucket::per_minute(7))))
        .when_full(black_box(WhenFull::Overflow));
    let key = black_box(1);
    let _ = black_box(FEW.try_acquire(&rule, key, now()));
    let _ = black_box(FEW.try_acquire_n(&rule, key, now(), cost()));
    black_box(FEW.with(|places| places.forget(&rule, key)));
}

fn live() {
    let limiter = black_box(&LIVE);
    limiter.reconfigure(now(), black_box(MINUTE));
    if let Ok(granted) = black_box(limiter.try_acquire_n(now(), cost())) {
        limiter.refund(now(), &granted);
    }
    if let Ok(reserved) = black_box(limiter.reserve(now(), cost(), wait())) {
        limiter.cancel(now(), &reserved);
    }
    black_box(limiter.charge(now(), cost()));
    black_box((limiter.policy(), limiter.standing(now())));
    black_box(BUCKET.charge(now(), cost()));
    let table = black_box(&LIVE_FEW);
    let _ = black_box(table.try_acquire_n(black_box(1), now(), cost()));
    table.reconfigure(now(), black_box(MINUTE));
    black_box(table.with(|rule, places| places.active(rule, now())));
}

fn layered() {
    let rule = KeyedPolicy::new(black_box(MINUTE));
    let exempt = black_box(false);
    let limits = Named::new("all", &BUCKET)
        .and("node", FEW.of(&rule, black_box(1)))
        .and("uplink", LIVE_FEW.of(black_box(1)))
        .and("live", (!exempt).then_some(&LIVE));
    match black_box(limits.try_acquire_n(now(), cost())) {
        Ok(granted) => limits.refund(now(), &granted),
        Err(denied) => words(denied),
    }
    let _ = black_box(limits.peek(now(), cost()));
    black_box(limits.nearest(now()));
    black_box(Limiter::available(&limits, now()));
}

fn clocks() {
    CLOCK.set(now());
    CLOCK.advance(wait());
    let limiter = Clocked::new(&BUCKET, &CLOCK);
    if let Ok(granted) = black_box(limiter.try_acquire()) {
        limiter.refund(&granted);
    }
    let limiter = Clocked::new(&BUCKET, clock_fn(now));
    let _ = black_box(limiter.try_acquire_n(cost()));
    let _ = black_box(limiter.peek(cost()));
    black_box((limiter.available(), limiter.standing()));
    Clocked::new(&LIVE, &CLOCK).reconfigure(black_box(MINUTE));
    black_box(limiter.clock().now());
    let _ = black_box(Limiter::try_acquire_n(limiter.limiter(), now(), cost()));
}

/// Policies of values that are known only at run time.
fn configured() {
    let config = TokenBucket::new(black_box(7), wait())
        .burst(black_box(3))
        .reserve_ahead(wait());
    if let Err(error) = black_box(config.build()) {
        words(error);
    }
    let _ = black_box(Gcra::every(wait(), wait()).build());
    if let Ok(compact) = black_box(config.compact().build()) {
        black_box((compact.tick(), compact.memory()));
    }
    let _ = black_box(FixedWindow::new(black_box(7), wait()).phase(wait()).build());
    let _ = black_box(SlidingWindowLog::<8>::new(black_box(7), wait()).build());
    let _ = black_box(SlidingWindowCounter::new(black_box(7), wait()).build());
    let interval = IntervalBucket::new(black_box(7), wait());
    let _ = black_box(interval.capacity(black_box(3)).build());
    let _ = black_box(LeakyBucket::spacing(wait(), black_box(3)).build());
}
