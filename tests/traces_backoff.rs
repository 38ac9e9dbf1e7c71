//! The delays that other libraries test themselves with, and the formulas that they draw by.
//!
//! Overruled here:
//!
//! - Delays end at 2^62 ns, 146 years, where Polly's end at the longest duration of its platform.
//! - A cap below the first delay is refused; Polly takes it. So is a fixed delay of nothing:
//!   `immediate` says so in a word.
//! - The cap holds after jitter, for every kind. gRPC's connection backoff goes 20 % beyond it, and
//!   backon up to twice; here those draws are the cap.
//! - The jitters are the six that have a name. Not there: the smoothed "decorrelated jitter v2" of
//!   Polly, seatbelt and cockatiel (a hyperbolic tangent, in floats); a jitter as long as the delay
//!   itself on top of it (backon, tower: here as long as the base); from half of the shortest delay
//!   up (retry-policies); part of the delay downwards (chrono-machines) but for the whole, which is
//!   full jitter, and the half, which is equal jitter.
//! - Resilience4j draws whole milliseconds, both ends included, and no less than one. Here it is
//!   nanoseconds, the upper end is not reached, and there is no least delay.
//! - gRPC's first delay has no jitter. Here all have.

use steadfast::ConfigError;
use steadfast::backoff::{Backoff, BackoffConfig, BackoffState, Jitter};
use steadfast::limit::MAX_WAIT;
use steadfast::policy;
use steadfast::time::{Duration, days, millis, nanos, secs};

/// A random number of 0, a quarter, a half, three quarters, and just below one.
const DRAWS: [u32; 5] = [0, 1 << 30, 1 << 31, 3 << 30, u32::MAX];
const HALF: u32 = 1 << 31;

/// As many of the first delays as are expected, one after the other and by their number.
#[track_caller]
fn check<const N: usize>(policy: Backoff, expected: [Duration; N]) {
    let drawn: Vec<_> = policy.delays(|| 0).take(N).collect();
    assert_eq!(drawn, expected);
    for (attempt, delay) in (0..).zip(expected) {
        assert_eq!(policy.nominal(attempt), delay, "attempt {attempt}");
    }
}

/// The delay after `before` others that were drawn by the same random number.
fn after(policy: &Backoff, before: usize, draw: u32) -> Duration {
    policy.delays(|| draw).nth(before).expect("no end")
}

fn built(config: BackoffConfig) -> Backoff {
    config.build().expect("allowed")
}

#[test]
fn smithy_doubles_up_to_its_longest() {
    for (initial, expected) in [
        (secs(1), [1_000, 2_000, 4_000]),
        (secs(3), [3_000, 6_000, 12_000]),
        (millis(30), [30, 60, 120]),
    ] {
        let policy = built(Backoff::exponential(initial).cap(secs(20)));
        check(policy, expected.map(millis));
    }
}

#[test]
fn smithy_is_at_its_longest_at_attempt_100_000_and_where_32_bits_end() {
    let policy = policy!(Backoff::exponential(secs(10)).cap(secs(20)));
    assert_eq!(policy.nominal(100_000), secs(20));
    assert_eq!(after(&policy, 100_000, 0), secs(20));

    let policy = policy!(Backoff::exponential(secs(1)).cap(secs(20)));
    for attempt in [31, 32, 33, 34, 63, 64, 65, u32::MAX] {
        assert_eq!(policy.nominal(attempt), secs(20));
    }
    assert_eq!(after(&policy, 33, 0), secs(20));
}

#[test]
fn polly_repeats_adds_and_doubles() {
    check(policy!(Backoff::fixed(secs(1))), [1, 1, 1].map(secs));
    check(policy!(Backoff::immediate()), [0, 0, 0].map(secs));
    check(policy!(Backoff::linear(secs(1))), [1, 2, 3].map(secs));
    check(policy!(Backoff::exponential(secs(1))), [1, 2, 4].map(secs));
    let policy = policy!(Backoff::fixed(secs(1)).cap(secs(2)));
    assert_eq!(after(&policy, 2, 0), secs(1));
}

/// The third delay of each schedule that starts at 10 s, drawn by a half, with a cap of 1 s: the
/// cap. Here the cap is the least that is allowed, 10 s, and the first delay.
#[test]
fn pollys_cap_comes_after_the_jitter() {
    for config in [
        Backoff::fixed(secs(10)),
        Backoff::linear(secs(10)),
        Backoff::exponential(secs(10)),
    ] {
        assert_eq!(
            config.cap(secs(1)).build(),
            Err(ConfigError::new(
                "cap (ns)",
                secs(1).as_nanos(),
                secs(10).as_nanos(),
                MAX_WAIT.as_nanos()
            ))
        );
        for jitter in [
            Jitter::None,
            Jitter::Proportional { permille: 250 },
            Jitter::Decorrelated,
            Jitter::Additive,
        ] {
            let policy = built(config.cap(secs(10)).jitter(jitter));
            assert_eq!(after(&policy, 2, HALF), secs(10), "{policy:?}");
        }
    }
}

#[test]
fn pollys_delays_end_where_time_does() {
    let policy = policy!(Backoff::exponential(days(1)));
    assert_eq!(policy.nominal(1_000), MAX_WAIT);
    assert_eq!(after(&policy, 1_000, 0), MAX_WAIT);
    let policy = policy!(Backoff::exponential(days(1)).cap(days(2)));
    assert_eq!(policy.nominal(1_000), days(2));
    assert_eq!(after(&policy, 1_000, 0), days(2));
}

#[test]
fn failsafe_and_cockatiel_double_up_to_their_longest() {
    check(
        policy!(Backoff::exponential(secs(2)).factor(2).cap(secs(30))),
        [2, 4, 8, 16, 30].map(secs),
    );
    check(
        policy!(Backoff::exponential(millis(128)).cap(millis(30_000))),
        [
            128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 30_000, 30_000, 30_000,
        ]
        .map(millis),
    );
    check(
        policy!(Backoff::exponential(secs(10)).cap(secs(100))),
        [10, 20, 40, 80, 100, 100].map(secs),
    );
}

/// `(v, u) -> delay` for the third delay: 4 s of a base of 1 s, and a cap of 5 s.
#[track_caller]
fn check_formula(jitter: Jitter, expected: [Duration; 5]) {
    let policy = built(Backoff::exponential(secs(1)).cap(secs(5)).jitter(jitter));
    for (draw, delay) in DRAWS.into_iter().zip(expected) {
        assert_eq!(after(&policy, 2, draw), delay, "{jitter:?}, {draw}");
    }
}

#[test]
fn full_jitter_as_aws_smithy_and_grpc_draw_it() {
    let expected = [nanos(0), secs(1), secs(2), secs(3), nanos(3_999_999_999)];
    check_formula(Jitter::Full, expected);
}

#[test]
fn equal_jitter_as_aws_cockatiel_and_failsafe_draw_it() {
    let expected = [2_000, 2_500, 3_000, 3_500].map(millis);
    let [a, b, c, d] = expected;
    check_formula(Jitter::Equal, [a, b, c, d, nanos(3_999_999_999)]);
    // cockatiel: floor((v + u * v) / 2), so one of 3 ns and a half is floor(4.5 / 2).
    let policy = policy!(Backoff::fixed(nanos(3)).jitter(Jitter::Equal));
    assert_eq!(after(&policy, 0, HALF), nanos(2));
}

/// `sleep = min(cap, uniform(base, sleep * 3))`, where `sleep` starts as the base.
#[test]
fn decorrelated_jitter_as_aws_draws_it() {
    let policy = policy!(
        Backoff::exponential(secs(1))
            .cap(secs(20))
            .jitter(Jitter::Decorrelated)
    );
    let delays: Vec<_> = policy.delays(|| HALF).take(7).collect();
    // Each is 1.5 times the one before and half a second.
    let expected = [2_000, 3_500, 5_750, 9_125, 14_187].map(millis);
    assert_eq!(delays[..4], expected[..4]);
    assert_eq!(delays[4], expected[4] + Duration::from_micros(500));
    assert_eq!(delays[5..], [secs(20), secs(20)]);
    // From the cap it comes down again.
    let mut draws = [u32::MAX, u32::MAX, u32::MAX, 0, HALF].into_iter();
    let delays: Vec<_> = policy
        .delays(|| draws.next().expect("five draws"))
        .take(5)
        .collect();
    // Just below 3 s and 9 s, which 2^-32 of the width and the rounding take off.
    let near = |delay: Duration, of: Duration| delay < of && of - delay < nanos(20);
    assert!(near(delays[0], secs(3)) && near(delays[1], secs(9)));
    assert_eq!(delays[2..], [secs(20), secs(1), secs(2)]);
}

#[test]
fn proportional_jitter_as_polly_and_tokio_retry2_draw_it() {
    // v * (0.75 + 0.5 * u), of 4 s, up to the cap.
    let expected = [3_000, 3_500, 4_000, 4_500].map(millis);
    let [a, b, c, d] = expected;
    let quarter = Jitter::Proportional { permille: 250 };
    check_formula(quarter, [a, b, c, d, nanos(4_999_999_999)]);
    // v * (0.5 + u): three quarters are the cap, and so is what lies beyond.
    let half = Jitter::Proportional { permille: 500 };
    check_formula(half, [2, 3, 4, 5, 5].map(secs));
}

/// Resilience4j draws from `v - r * v` to `v + r * v`.
#[test]
fn proportional_jitter_stays_within_its_reach_as_resilience4js_does() {
    let policy = policy!(
        Backoff::fixed(millis(500))
            .cap(secs(1))
            .jitter(Jitter::Proportional { permille: 500 })
    );
    assert_eq!(after(&policy, 0, 0), millis(250));
    assert_eq!(after(&policy, 0, u32::MAX), nanos(749_999_999));
}

/// tower: `min(v + u * j * v, max)`, where `j` is one and `v` the base.
#[test]
fn additive_jitter_is_capped_as_towers_is() {
    let policy = policy!(
        Backoff::exponential(secs(1))
            .cap(secs(5))
            .jitter(Jitter::Additive)
    );
    assert_eq!(after(&policy, 0, HALF), millis(1_500));
    check_formula(
        Jitter::Additive,
        [
            secs(4),
            millis(4_250),
            millis(4_500),
            millis(4_750),
            nanos(4_999_999_999),
        ],
    );
    for draw in DRAWS {
        assert_eq!(after(&policy, 3, draw), secs(5));
    }
}

/// chrono-machines draws `v * (1 - j + u * j)`: full jitter is that of one, and equal jitter that
/// of a half.
#[test]
fn blended_jitter_of_one_is_full_and_of_a_half_is_equal() {
    for draw in DRAWS {
        let v = u128::from(secs(4).as_nanos());
        let u = u128::from(draw);
        let whole = (v * u) >> 32;
        let half = (v * ((1 << 32) + u)) >> 33;
        for (jitter, expected) in [(Jitter::Full, whole), (Jitter::Equal, half)] {
            let policy = built(Backoff::exponential(secs(1)).jitter(jitter));
            assert_eq!(u128::from(after(&policy, 2, draw).as_nanos()), expected);
        }
    }
}

#[test]
fn grpc_waits_1_6_times_as_long_each_time_20_percent_more_or_less() {
    let connect = |jitter| {
        let config = Backoff::exponential(secs(1)).factor_ratio(16, 10);
        built(config.cap(secs(120)).jitter(jitter))
    };
    let nominal = [
        1_000_000_000,
        1_600_000_000,
        2_560_000_000,
        4_096_000_000,
        6_553_600_000,
        10_485_760_000,
        16_777_216_000,
        26_843_545_600,
        42_949_672_960,
        68_719_476_736,
        // 109,951,162,777.6: rounded down.
        109_951_162_777,
        120_000_000_000,
        120_000_000_000,
    ]
    .map(nanos);
    check(connect(Jitter::None), nominal);

    let policy = connect(Jitter::Proportional { permille: 200 });
    for (attempt, v) in nominal.into_iter().enumerate() {
        let v = v.as_nanos();
        let lowest = after(&policy, attempt, 0).as_nanos();
        let middle = after(&policy, attempt, HALF).as_nanos();
        let highest = after(&policy, attempt, u32::MAX).as_nanos();
        // A fifth is held in 2^-32, rounded down: at most 28 ns of 120 s.
        let reach = v / 5;
        assert!((v - reach..=v - reach + 29).contains(&lowest), "{attempt}");
        assert_eq!(middle, v, "{attempt}");
        if v + reach <= 120_000_000_000 {
            let short = v + reach - highest;
            assert!(short <= 60, "{attempt}: {short}");
        } else {
            assert_eq!(highest, 120_000_000_000);
        }
    }
}

/// AWS's simulator, gRPC and the rest count a failure on from the same state; a success begins
/// anew.
#[test]
fn a_success_begins_anew() {
    let policy = policy!(Backoff::exponential(secs(1)).cap(secs(20)));
    let mut state = BackoffState::START;
    let next = |state: &mut BackoffState| policy.next_delay(state, &mut || 0);
    assert_eq!([next(&mut state), next(&mut state)], [secs(1), secs(2)]);
    state = BackoffState::START;
    assert_eq!([next(&mut state), next(&mut state)], [secs(1), secs(2)]);
}
