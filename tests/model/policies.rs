//! Made-up policies, each with the rule of its model: plain ones, large primes, and the ends of
//! every range.

use proptest::prelude::*;
use steadfast::limit::{
    AnyPolicy, CompactBucket, FixedWindow, IntervalBucket, LeakyBucket, MAX_WAIT,
    SlidingWindowCounter, SlidingWindowLog, TokenBucket,
};
use steadfast::time::Duration;

use super::{any, bucket, intervals, leaky_queue, sliding_counter, sliding_log, window};

/// The largest prime of 32 bits.
pub const BIG_PRIME: u32 = 4_294_967_291;

/// Counts and bursts, large as often as small.
pub fn counts() -> impl Strategy<Value = u32> {
    prop_oneof![
        3 => 1_u32..=12,
        1 => Just(100),
        1 => Just(700_000_000),
        1 => Just(BIG_PRIME),
        1 => Just(u32::MAX),
        3 => (any::<u32>(), 0_u32..32).prop_map(|(count, by)| (count >> by).max(1)),
    ]
}

/// Periods from a nanosecond to 146 years.
pub fn periods() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => 1_u64..=12,
        2 => Just(1_000_000_000),
        1 => Just(60_000_000_000),
        1 => Just(86_400_000_000_000),
        // A prime.
        1 => Just(1_000_000_007),
        1 => Just(MAX_WAIT.as_nanos()),
        3 => (any::<u64>(), 2_u32..64).prop_map(|(period, by)| (period >> by).max(1)),
    ]
}

/// The most tokens that fill within the longest wait.
fn most(count: u32, period: u64) -> u32 {
    let most = i128::from(MAX_WAIT.as_nanos()) * i128::from(count) / i128::from(period);
    u32::try_from(most).unwrap_or(u32::MAX)
}

/// A burst within the range, sometimes the largest.
fn burst_of(burst: Option<u32>, count: u32, period: u64) -> u32 {
    burst
        .map_or(u32::MAX, |burst| burst)
        .min(most(count, period))
}

fn bursts() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![9 => counts().prop_map(Some), 1 => Just(None)]
}

fn aheads() -> impl Strategy<Value = u64> {
    prop_oneof![
        2 => Just(0),
        3 => (any::<u64>(), 2_u32..64).prop_map(|(ahead, by)| ahead >> by),
        1 => Just(u64::MAX),
    ]
}

/// Token buckets, configured in tokens or as cells.
pub fn token_buckets() -> impl Strategy<Value = (TokenBucket, bucket::Rule)> {
    let in_tokens =
        (counts(), periods(), bursts(), aheads()).prop_map(|(count, period, burst, ahead)| {
            let burst = burst_of(burst, count, period);
            let fill = i128::from(burst) * i128::from(period) / i128::from(count);
            let most = i128::from(MAX_WAIT.as_nanos()) - fill;
            let ahead = u64::try_from(most).unwrap().min(ahead);
            let config = TokenBucket::new(count, Duration::from_nanos(period))
                .burst(burst)
                .reserve_ahead(Duration::from_nanos(ahead));
            (
                config,
                bucket::Rule::tokens(count, period, burst).ahead(ahead),
            )
        });
    let in_cells = (periods(), any::<u64>(), 2_u32..64).prop_map(|(interval, tolerance, by)| {
        let room = MAX_WAIT.as_nanos() - interval;
        // No more tokens than can be counted.
        let tokens = interval.saturating_mul(u64::from(u32::MAX) - 1);
        let tolerance = (tolerance >> by).min(room).min(tokens);
        let nanos = Duration::from_nanos;
        let config = TokenBucket::every(nanos(interval), nanos(tolerance));
        (config, bucket::Rule::cells(interval, tolerance))
    });
    prop_oneof![5 => in_tokens, 1 => in_cells]
        .prop_map(|(config, rule)| (config.build().expect("within range"), rule))
}

/// Compact buckets that read time to the nanosecond.
pub fn exact_compact_buckets() -> impl Strategy<Value = (CompactBucket, bucket::Rule)> {
    (counts(), periods(), bursts()).prop_map(|(count, period, burst)| {
        // The word has room for 2^62 portions of 1 / count ns, less the lead of 2^32 ns.
        let count = (count - 1) % 32 + 1;
        let room = (i128::from(MAX_WAIT.as_nanos()) - (i128::from(count) << 32) - 1)
            / i128::from(period).max(1);
        let (period, burst) = match u32::try_from(room) {
            Ok(0) => (1_000_000_000, 7),
            Ok(room) => (period, burst_of(burst, count, period).min(room)),
            Err(_) => (period, burst_of(burst, count, period)),
        };
        let config = TokenBucket::new(count, Duration::from_nanos(period)).burst(burst);
        let policy = config.compact().build().expect("within range");
        assert_eq!(policy.tick(), Duration::from_nanos(1));
        (policy, bucket::Rule::tokens(count, period, burst))
    })
}

/// Compact buckets that read time in a coarser tick.
pub fn coarse_compact_buckets() -> impl Strategy<Value = (CompactBucket, bucket::Rule)> {
    let seconds = prop_oneof![
        Just(1_u64),
        Just(60),
        Just(3_600),
        Just(86_400),
        1..100_000_u64
    ];
    (33_u32..40_000_000, seconds, counts()).prop_filter_map(
        "a tick that fits",
        |(count, seconds, burst)| {
            let period = seconds * 1_000_000_000;
            // A burst of at least two ticks' worth, so that the tick is within the tolerance.
            let burst = burst.clamp(count / 1_000 + 40, 1 << 24);
            let config = TokenBucket::new(count, Duration::from_nanos(period)).burst(burst);
            let policy = config.compact().build().ok()?;
            let tick = policy.tick().as_nanos();
            (tick > 1).then(|| {
                (
                    policy,
                    bucket::Rule::tokens(count, period, burst).tick(tick),
                )
            })
        },
    )
}

/// Fixed windows, from the first hit and aligned.
pub fn fixed_windows() -> impl Strategy<Value = (FixedWindow, window::Rule)> {
    (counts(), periods(), any::<Option<u64>>()).prop_map(|(limit, period, phase)| {
        let phase = phase.map(|phase| phase % period);
        let config = FixedWindow::new(limit, Duration::from_nanos(period));
        let config = match phase {
            Some(phase) => config.phase(Duration::from_nanos(phase)),
            None => config,
        };
        let policy = config.build().expect("within range");
        (policy, window::Rule::new(limit, period, phase))
    })
}

/// Sliding logs of up to `N` tokens, `N` as often as any other number.
pub fn sliding_logs<const N: usize>()
-> impl Strategy<Value = (SlidingWindowLog<N>, sliding_log::Rule)> {
    let most = u32::try_from(N).expect("a small log");
    (prop_oneof![Just(most), 1..=most], periods()).prop_map(|(limit, period)| {
        let config = SlidingWindowLog::new(limit, Duration::from_nanos(period));
        let rule = sliding_log::Rule::new(limit, period, N);
        (config.build().expect("within range"), rule)
    })
}

/// Sliding counters; the longest wait is two periods.
pub fn sliding_counters() -> impl Strategy<Value = (SlidingWindowCounter, sliding_counter::Rule)> {
    (counts(), periods()).prop_map(|(limit, period)| {
        let period = period.min(MAX_WAIT.as_nanos() / 2);
        let config = SlidingWindowCounter::new(limit, Duration::from_nanos(period));
        let rule = sliding_counter::Rule::new(limit, period);
        (config.build().expect("within range"), rule)
    })
}

/// Interval buckets of one portion and of many.
pub fn interval_buckets() -> impl Strategy<Value = (IntervalBucket, intervals::Rule)> {
    (counts(), periods(), bursts()).prop_map(|(amount, interval, capacity)| {
        // Whole portions that fall within the longest wait.
        let portions = i128::from(MAX_WAIT.as_nanos() / interval);
        let most = u32::try_from(portions * i128::from(amount)).unwrap_or(u32::MAX);
        let capacity = capacity.map_or(most, |capacity| capacity.min(most));
        let config = IntervalBucket::new(amount, Duration::from_nanos(interval));
        let rule = intervals::Rule::new(amount, interval, capacity);
        let policy = config.capacity(capacity).build().expect("within range");
        (policy, rule)
    })
}

/// Leaky buckets with a queue of none, of some, and of as many as can wait.
pub fn leaky_buckets() -> impl Strategy<Value = (LeakyBucket, leaky_queue::Rule)> {
    let queues = prop_oneof![1 => Just(0), 3 => 0_u32..9, 2 => counts()];
    (periods(), queues).prop_map(|(interval, queue)| {
        let most = MAX_WAIT.as_nanos() / interval - 1;
        let queue = u32::try_from(most).unwrap_or(u32::MAX).min(queue);
        let config = LeakyBucket::spacing(Duration::from_nanos(interval), queue);
        let rule = leaky_queue::Rule::new(interval, queue);
        (config.build().expect("within range"), rule)
    })
}

/// Any of the algorithms that can be chosen at run time, or none.
pub fn any_policies() -> impl Strategy<Value = (AnyPolicy, any::Rule)> {
    prop_oneof![
        4 => token_buckets().prop_map(|(policy, rule)| (policy.into(), any::Rule::Bucket(rule))),
        4 => fixed_windows().prop_map(|(policy, rule)| (policy.into(), any::Rule::Window(rule))),
        4 => sliding_counters()
            .prop_map(|(policy, rule)| (policy.into(), any::Rule::Counter(rule))),
        4 => interval_buckets()
            .prop_map(|(policy, rule)| (policy.into(), any::Rule::Intervals(rule))),
        1 => Just((AnyPolicy::Unlimited, any::Rule::Unlimited)),
    ]
    // On the stack of a test three of these are too many.
    .boxed()
}
