//! Rates as they are read: a hundred a minute is a hundred a minute, on any day, however often
//! the limiter is asked.

use steadfast::limit::{CompactBucket, FixedWindow, Policy, RateLimiter, TokenBucket};
use steadfast::policy;
use steadfast::time::{Duration, Instant, days, millis, minutes, nanos, secs};

/// Takes one by one until the limiter says no; how many there were.
fn drain<P: Policy>(limiter: &mut RateLimiter<P>, now: Instant) -> u64 {
    let mut count = 0;
    while limiter.try_acquire(now).is_ok() {
        count += 1;
    }
    count
}

/// Takes all there is at once; how many there were.
fn drain_at_once<P: Policy>(limiter: &mut RateLimiter<P>, now: Instant) -> u64 {
    let there = limiter.available(now);
    assert!(limiter.try_acquire_n(now, there).is_ok());
    u64::from(there)
}

/// How many pass in each `every` of `length`, asked at each `every` until the no.
fn admitted<P: Policy>(policy: P, start: Instant, every: Duration, length: Duration) -> Vec<u64> {
    let mut limiter = RateLimiter::new(policy);
    assert_eq!(
        drain_at_once(&mut limiter, start),
        u64::from(policy.capacity())
    );
    let mut now = start;
    let mut counts = Vec::new();
    while now < start + length {
        now = now + every;
        counts.push(drain(&mut limiter, now));
    }
    counts
}

#[test]
fn a_hundred_a_minute_asked_on_each_whole_second_is_a_hundred_in_every_60_seconds() {
    const WIDE: TokenBucket = policy!(TokenBucket::per_minute(100));
    const COMPACT: CompactBucket = policy!(TokenBucket::per_minute(100).compact());
    let start = Instant::from_secs(1_000);
    for counts in [
        admitted(WIDE, start, secs(1), minutes(10)),
        admitted(COMPACT, start, secs(1), minutes(10)),
    ] {
        for minute in counts.windows(60) {
            assert_eq!(minute.iter().sum::<u64>(), 100);
        }
    }
}

#[test]
fn a_hundred_a_minute_asked_every_millisecond_is_a_hundred_in_every_60_seconds() {
    const POLICY: TokenBucket = policy!(TokenBucket::per_minute(100));
    let counts = admitted(POLICY, Instant::from_nanos(77), millis(1), minutes(3));
    let mut minute: u64 = counts[..60_000].iter().sum();
    for n in 60_000..counts.len() {
        assert_eq!(minute, 100);
        minute = minute + counts[n] - counts[n - 60_000];
    }
}

/// Rounded to whole nanoseconds a token this would be a thousand million a second.
#[test]
fn seven_hundred_million_a_second_is_exactly_that() {
    const WIDE: TokenBucket = policy!(TokenBucket::per_second(700_000_000));
    const COMPACT: CompactBucket = policy!(TokenBucket::per_second(700_000_000).compact());

    fn in_ten_seconds<P: Policy>(policy: P) -> u64 {
        let start = Instant::from_secs(5);
        let mut limiter = RateLimiter::new(policy);
        assert_eq!(drain_at_once(&mut limiter, start), 700_000_000);
        (1..=10_000)
            .map(|n| drain_at_once(&mut limiter, start + millis(n)))
            .sum()
    }
    assert_eq!(in_ten_seconds(WIDE), 7_000_000_000);
    assert_eq!(in_ten_seconds(COMPACT), 7_000_000_000);
}

/// A remainder dropped at each look would lose all of it here: seven tokens in ten nanoseconds.
#[test]
fn asking_each_nanosecond_loses_nothing() {
    const WIDE: TokenBucket = policy!(TokenBucket::per_second(700_000_000).burst(10));
    const COMPACT: CompactBucket =
        policy!(TokenBucket::per_second(700_000_000).burst(10).compact());
    let start = Instant::from_nanos(123_456_789);
    for counts in [
        admitted(WIDE, start, nanos(1), nanos(20_000)),
        admitted(COMPACT, start, nanos(1), nanos(20_000)),
    ] {
        for ten in counts.windows(10) {
            assert_eq!(ten.iter().sum::<u64>(), 7);
        }
    }
}

/// Seven a minute is one every 8,571,428,571 3/7 ns.
#[test]
fn seven_a_minute_is_10_080_a_day_on_any_day() {
    const WIDE: TokenBucket = policy!(TokenBucket::per_minute(7));
    const COMPACT: CompactBucket = policy!(TokenBucket::per_minute(7).compact());

    /// How many pass on the day that starts at `day`, by one who comes back just when told.
    fn on_the_day<P: Policy>(limiter: &mut RateLimiter<P>, day: Instant) -> u64 {
        let mut now = day;
        let mut count = 0;
        while now < day + days(1) {
            now = match limiter.try_acquire(now) {
                Ok(_) => {
                    count += 1;
                    now
                }
                Err(denied) => now + denied.retry_after().unwrap(),
            };
        }
        count
    }
    fn check<P: Policy>(policy: P) {
        // The first days; a day after ten years; one that starts at no round time.
        for start in [
            0,
            86_400_000_000_000,
            315_360_000_000_000_000,
            1_234_567_890_123_456_789,
        ] {
            let mut limiter = RateLimiter::new(policy);
            let mut day = Instant::from_nanos(start);
            // The burst is spent as the first day starts; what comes due at midnight is the next
            // day's.
            assert_eq!(drain(&mut limiter, day), 7);
            // The first token of the next day comes at midnight sharp and was due to this one.
            assert_eq!(on_the_day(&mut limiter, day), 10_079);
            for _ in 0..3 {
                day = day + days(1);
                assert_eq!(on_the_day(&mut limiter, day), 10_080);
            }
        }
    }
    check(WIDE);
    check(COMPACT);
}

/// A prime count in a prime period shares no factor to hide a rounding behind: 11 hours in steps
/// of odd length, to the token.
#[test]
fn odd_rates_do_not_drift() {
    const PERIOD: u64 = 1_000_000_007;
    let policy = TokenBucket::new(999_983, nanos(PERIOD))
        .burst(2_000_000)
        .build()
        .unwrap();
    let mut limiter = RateLimiter::new(policy);
    let start = Instant::from_nanos(31);
    drain_at_once(&mut limiter, start);
    let mut taken = 0;
    for n in 1..=40_009 {
        taken += drain_at_once(&mut limiter, start + nanos(n * 999_999_937));
    }
    let elapsed = 40_009_u128 * 999_999_937;
    assert_eq!(u128::from(taken), elapsed * 999_983 / u128::from(PERIOD));
}

/// Read in a tick of 25 ns the count must not drift either.
#[test]
fn a_coarse_tick_does_not_drift() {
    let policy = TokenBucket::per_second(799).compact().build().unwrap();
    assert!(policy.tick() > nanos(1));
    let mut limiter = RateLimiter::new(policy);
    let start = Instant::from_secs(1);
    drain_at_once(&mut limiter, start);
    let mut taken = 0;
    for n in 1..=200_000 {
        taken += drain_at_once(&mut limiter, start + nanos(n * 1_000_003));
        let elapsed = n * 1_000_003 / policy.tick().as_nanos() * policy.tick().as_nanos();
        assert_eq!(taken, elapsed * 799 / 1_000_000_000);
    }
}

#[test]
fn idle_never_yields_more_than_the_burst() {
    const POLICY: TokenBucket = policy!(TokenBucket::per_second(5));
    let mut limiter = RateLimiter::new(POLICY);
    let mut now = Instant::from_secs(1);
    for idle in [secs(1), secs(2), minutes(1), days(1), days(3_650)] {
        assert_eq!(drain(&mut limiter, now), 5);
        now = now + idle;
    }
}

#[test]
fn a_window_admits_its_limit_and_turns_on_time() {
    const POLICY: FixedWindow = policy!(FixedWindow::new(10, minutes(15)));
    let mut limiter = RateLimiter::new(POLICY);
    let start = Instant::from_nanos(7);
    for window in 0..1_000 {
        let opened = start + minutes(15 * window);
        assert_eq!(drain(&mut limiter, opened), 10);
        assert_eq!(drain(&mut limiter, opened + minutes(15) - nanos(1)), 0);
    }
}

/// 12:59:59 and 13:00:00 lie in two windows, though they are a second apart.
#[test]
fn aligned_windows_turn_with_the_clock_and_its_phase() {
    const POLICY: FixedWindow = policy!(FixedWindow::new(3, minutes(60)).phase(minutes(5)));
    let mut limiter = RateLimiter::new(POLICY);
    for hour in 1..50 {
        let turn = Instant::from_secs(hour * 3_600 + 300);
        assert_eq!(
            drain(&mut limiter, turn - secs(1)),
            if hour == 1 { 3 } else { 0 }
        );
        assert_eq!(drain(&mut limiter, turn), 3);
    }
}
