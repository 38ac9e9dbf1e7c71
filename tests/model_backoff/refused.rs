//! What cannot be configured, as text: what was wrong, the value, and what is allowed.

use std::error::Error;

use steadfast::ConfigError;
use steadfast::backoff::{Backoff, BackoffConfig, Jitter};
use steadfast::limit::MAX_WAIT;
use steadfast::time::{Duration, millis, nanos, secs};

static AT_ONCE_FIRST: [Duration; 2] = [Duration::ZERO, millis(1)];

static SEVEN: [Duration; 1] = [nanos(7)];

#[track_caller]
fn refuses(config: BackoffConfig, text: &str) {
    let error: ConfigError = config.build().unwrap_err();
    assert_eq!(error.to_string(), text);
    assert_eq!(error.message().as_str(), text);
    assert!(error.source().is_none());
}

#[test]
fn a_base_of_nothing_or_beyond_what_can_be_told() {
    for config in [
        Backoff::fixed(Duration::ZERO),
        Backoff::linear(Duration::ZERO),
        Backoff::exponential(Duration::ZERO),
        Backoff::fibonacci(Duration::ZERO),
        Backoff::immediate().jitter(Jitter::Additive),
        Backoff::immediate().jitter(Jitter::Decorrelated),
        Backoff::table(&AT_ONCE_FIRST).jitter(Jitter::Additive),
    ] {
        refuses(config, "base = 0s, allowed 1ns..=4611686018.427387904s");
    }
    refuses(
        Backoff::exponential(MAX_WAIT + nanos(1)),
        "base = 4611686018.427387905s, allowed 1ns..=4611686018.427387904s",
    );
}

#[test]
fn a_base_that_its_factor_cannot_move() {
    let config = |base, by, over| Backoff::exponential(nanos(base)).factor_ratio(by, over);
    refuses(
        config(1, 3, 2),
        "base = 1ns, allowed 2ns..=4611686018.427387904s",
    );
    refuses(
        config(99, 101, 100),
        "base = 99ns, allowed 100ns..=4611686018.427387904s",
    );
    assert_eq!(config(2, 3, 2).build().unwrap().nominal(1), nanos(3));
    assert_eq!(
        config(100, 101, 100).build().unwrap().nominal(1),
        nanos(101)
    );
    assert_eq!(config(1, 5, 2).build().unwrap().nominal(1), nanos(2));
}

#[test]
fn a_cap_below_the_base_or_beyond_what_can_be_told() {
    refuses(
        Backoff::exponential(secs(2)).cap(secs(1)),
        "cap = 1s, allowed 2s..=4611686018.427387904s",
    );
    refuses(
        Backoff::table(&SEVEN).cap(nanos(6)),
        "cap = 6ns, allowed 7ns..=4611686018.427387904s",
    );
    refuses(
        Backoff::immediate().cap(Duration::MAX),
        "cap = 18446744073.709551615s, allowed 0s..=4611686018.427387904s",
    );
}

#[test]
fn a_factor_below_one_or_next_to_it() {
    let config = Backoff::exponential(secs(1));
    refuses(config.factor(0), "factor = 0, allowed 1..=4294967295");
    refuses(
        config.factor_ratio(1, 0),
        "denominator = 0, allowed 1..=2147483648",
    );
    refuses(
        config.factor_ratio(u32::MAX, (1 << 31) + 1),
        "denominator = 2147483649, allowed 1..=2147483648",
    );
    refuses(
        config.factor_ratio(4, 5),
        "numerator = 4, allowed 5..=4294967295",
    );
    refuses(
        config.factor_ratio(1_001, 1_000),
        "numerator = 1001, allowed 1010..=4294967295",
    );
    assert!(config.factor_ratio(1_010, 1_000).build().is_ok());
    // 1.01 times 150 is 151.5.
    refuses(
        config.factor_ratio(151, 150),
        "numerator = 151, allowed 152..=4294967295",
    );
}

#[test]
fn a_factor_of_a_schedule_that_has_none() {
    for config in [
        Backoff::immediate(),
        Backoff::fixed(secs(1)),
        Backoff::linear(secs(1)),
        Backoff::fibonacci(secs(1)),
        Backoff::table(&SEVEN),
    ] {
        refuses(config.factor(2), "factor = 2, allowed 1..=1");
        refuses(config.factor_ratio(8, 5), "numerator = 8, allowed 5..=5");
        assert_eq!(config.factor(1).build(), config.build());
    }
}

#[test]
fn a_table_of_nothing_or_with_a_delay_beyond_what_can_be_told() {
    refuses(Backoff::table(&[]), "delays = 0, allowed 1..=4294967295");
    refuses(
        Backoff::table(&[Duration::ZERO, Duration::MAX]),
        "delay = 18446744073.709551615s, allowed 0s..=4611686018.427387904s",
    );
}

#[test]
fn a_jitter_of_the_whole_delay_to_either_side() {
    refuses(
        Backoff::fixed(secs(1)).jitter(Jitter::Proportional { permille: 1_000 }),
        "permille = 1000, allowed 0..=999",
    );
}
