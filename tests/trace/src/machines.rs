//! Every machine that the script plays: here those that limit, in `calling_out.rs` the others.

use steadfast::limit::{
    AllOf, AnyPolicy, CompactBucket, FixedWindow, Gcra, IntervalBucket, KeyedPolicy, LeakyBucket,
    LeakyMeter, Shadow, SlidingWindowCounter, SlidingWindowLog, TokenBucket, WhenFull,
};
use steadfast::policy;
use steadfast::time::{hours, micros, millis, minutes, nanos, secs};

use crate::stage::Stage;
use crate::{calling_out, keyed, limiter};

pub(crate) struct Machine {
    pub name: &'static str,
    pub play: fn(&mut Stage),
}

/// All of them, in the order in which they are played. A new one goes to the end, so that the
/// others keep their seeds.
pub(crate) fn all() -> impl Iterator<Item = &'static Machine> {
    LIMITS.iter().chain(calling_out::MACHINES)
}

/// The names of the machines, in the order in which they are played.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|machine| machine.name)
}

/// One line a machine. Counts that do not divide the period show what an exact rate costs a
/// home whose arithmetic is not.
macro_rules! machines {
    ($list:ident: $($name:literal => $play:expr;)*) => {
        pub(crate) const $list: &[$crate::machines::Machine] = &[
            $($crate::machines::Machine { name: $name, play: |stage| $play(stage) }),*
        ];
    };
}

pub(crate) use machines;

machines! {
    LIMITS:
    "token bucket, odd counts" => |stage| limiter::play(stage, &[
        policy!(TokenBucket::per_minute(7)),
        policy!(TokenBucket::per_minute(7).burst(1)),
        policy!(TokenBucket::per_hour(1_001).burst(30)),
        policy!(TokenBucket::new(4_294_967_291, secs(1_000)).burst(3_000_000_000)),
    ]);
    "token bucket, 700 million a second" => |stage| limiter::play(stage, &[
        policy!(TokenBucket::per_second(700_000_000)),
        policy!(TokenBucket::per_second(700_000_000).burst(5)),
        policy!(TokenBucket::new(u32::MAX, nanos(1))),
    ]);
    "token bucket with reservations" => |stage| limiter::play_reserving(stage, &[
        policy!(TokenBucket::per_minute(7).burst(3).reserve_ahead(secs(30))),
        policy!(TokenBucket::per_second(3).burst(10).reserve_ahead(minutes(5))),
        policy!(TokenBucket::per_second(1)),
    ]);
    "token bucket of a century" => |stage| limiter::play_reserving(stage, &[
        policy!(TokenBucket::new(3, hours(24 * 365 * 40)).burst(9).reserve_ahead(hours(24 * 365))),
    ]);
    "gcra" => |stage| limiter::play_reserving(stage, &[
        policy!(Gcra::every(nanos(333_333_333), nanos(999_999_997))),
        policy!(Gcra::every(secs(1), millis(2_500)).reserve_ahead(secs(2))),
        policy!(Gcra::every(micros(1), nanos(0))),
    ]);
    "leaky meter" => |stage| limiter::play(stage, &[
        policy!(LeakyMeter::leaking(11, secs(3), 40)),
    ]);
    "compact bucket, exact" => |stage| limiter::play(stage, &[
        policy!(TokenBucket::per_minute(7).compact()),
        policy!(TokenBucket::per_minute(100).burst(20).compact()),
        policy!(TokenBucket::per_second(31).compact()),
    ]);
    "compact bucket, coarse tick" => |stage| limiter::play(stage, &[
        policy!(TokenBucket::per_hour(1_001).burst(500).compact()),
        policy!(TokenBucket::per_day(86_399).burst(100).compact()),
    ]);
    "fixed window from the first hit" => |stage| limiter::play(stage, &[
        policy!(FixedWindow::new(10, secs(5))),
        policy!(FixedWindow::new(3, minutes(1))),
        policy!(FixedWindow::new(u32::MAX, nanos(7))),
    ]);
    "fixed window, aligned" => |stage| limiter::play(stage, &[
        policy!(FixedWindow::new(5, secs(7)).aligned()),
        policy!(FixedWindow::new(8, secs(7))),
    ]);
    "fixed window with a phase" => |stage| limiter::play(stage, &[
        policy!(FixedWindow::new(50, hours(24)).phase(hours(5))),
        policy!(FixedWindow::new(4, secs(11)).phase(nanos(10_999_999_999))),
    ]);
    "sliding window log" => |stage| limiter::play(stage, &[
        policy!(SlidingWindowLog::<9>::new(9, secs(5))),
        policy!(SlidingWindowLog::new(4, secs(3))),
        policy!(SlidingWindowLog::new(7, nanos(11))),
    ]);
    "sliding window counter" => |stage| limiter::play(stage, &[
        policy!(SlidingWindowCounter::new(10, secs(7))),
        policy!(SlidingWindowCounter::new(7, nanos(999_999_937))),
        policy!(SlidingWindowCounter::new(u32::MAX, minutes(1))),
    ]);
    "interval bucket" => |stage| limiter::play(stage, &[
        policy!(IntervalBucket::new(3, secs(2)).capacity(20)),
        policy!(IntervalBucket::new(10, secs(5))),
        policy!(IntervalBucket::new(1, nanos(333_333_333)).capacity(7)),
    ]);
    "leaky bucket" => |stage| limiter::play_reserving(stage, &[
        policy!(LeakyBucket::spacing(millis(700), 3)),
        policy!(LeakyBucket::spacing(nanos(1_000_000_007), 40)),
        policy!(LeakyBucket::spacing(secs(1), 0)),
    ]);
    "all of two" => |stage| limiter::play(stage, &[
        AllOf(SECOND, policy!(FixedWindow::new(50, minutes(1)))),
        AllOf(SECOND, policy!(FixedWindow::new(20, secs(11)))),
    ]);
    "shadow" => |stage| limiter::play(stage, &[
        Shadow(SECOND),
        Shadow(policy!(TokenBucket::per_minute(7).burst(9))),
    ]);
    "16 places, overflow" => |stage| keyed::play::<_, 16>(stage, HALF_MINUTE);
    "16 places, deny" => |stage| keyed::play::<_, 16>(stage, WINDOWS.when_full(WhenFull::Deny));
    "9 places, allow" => |stage| keyed::play::<_, 9>(stage, COMPACT.when_full(WhenFull::Allow));
    "16 places, evict" => |stage| keyed::play::<_, 16>(
        stage, HALF_MINUTE.when_full(WhenFull::EvictLeastUsed));
    "64 places, overflow" => |stage| keyed::play::<_, 64>(stage, COMPACT.seed(1));
    "64 places, deny" => |stage| keyed::play::<_, 64>(
        stage, HALF_MINUTE.when_full(WhenFull::Deny).seed(0x0123_4567_89ab_cdef));
    "64 places, allow" => |stage| keyed::play::<_, 64>(
        stage, WINDOWS.when_full(WhenFull::Allow).seed(u64::MAX));
    "64 places, evict" => |stage| keyed::play::<_, 64>(
        stage, HALF_MINUTE.when_full(WhenFull::EvictLeastUsed).seed(2));
    "any policy" => |stage| limiter::play(stage, &[
        AnyPolicy::TokenBucket(policy!(TokenBucket::per_minute(7).burst(9))),
        AnyPolicy::FixedWindow(policy!(FixedWindow::new(10, secs(5)))),
        AnyPolicy::SlidingWindowCounter(policy!(SlidingWindowCounter::new(10, secs(7)))),
        AnyPolicy::IntervalBucket(policy!(IntervalBucket::new(3, secs(2)).capacity(20))),
        AnyPolicy::TokenBucket(policy!(TokenBucket::per_second(3).burst(30))),
    ]);
    "token bucket with debts" => |stage| limiter::play_charging(stage, &[
        policy!(TokenBucket::per_minute(7).burst(3).debt_up_to(minutes(2))),
        policy!(TokenBucket::per_second(700).burst(10_000).debt_up_to(hours(1))),
        policy!(LeakyBucket::spacing(nanos(1_000_000_007), 40)),
    ]);
    "16 places, reconfigured" => |stage| keyed::play_live::<_, 16>(stage, HALF_MINUTE, &[
        policy!(TokenBucket::per_minute(7).burst(3)),
        policy!(TokenBucket::per_second(3).burst(12)),
        policy!(TokenBucket::per_hour(1_001).burst(5)),
    ]);
}

const SECOND: TokenBucket = policy!(TokenBucket::per_second(3).burst(12));
const HALF_MINUTE: KeyedPolicy<TokenBucket> =
    KeyedPolicy::new(policy!(TokenBucket::per_minute(7).burst(3)));
const COMPACT: KeyedPolicy<CompactBucket> =
    KeyedPolicy::new(policy!(TokenBucket::per_minute(7).burst(4).compact()));
const WINDOWS: KeyedPolicy<FixedWindow> =
    KeyedPolicy::new(policy!(FixedWindow::new(3, minutes(1))));
