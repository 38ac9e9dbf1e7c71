//! Durations: exact, or told with what is allowed.

use steadfast::limit::FixedWindow;
use steadfast::time::{Duration, hours, minutes};
use steadfast_std::limits_file::LimitsFile;

use crate::alike::orders;

#[test]
fn a_compound_duration_is_exact() {
    for (text, nanos) in [
        ("1ns", 1),
        ("1us", 1_000),
        ("1ms", 1_000_000),
        ("1s", 1_000_000_000),
        ("1m", minutes(1).as_nanos()),
        ("1h30m", minutes(90).as_nanos()),
        ("1d", hours(24).as_nanos()),
        ("1d2h3m4s5ms6us7ns", 93_784_005_006_007),
        ("90m", minutes(90).as_nanos()),
        ("0h90m", minutes(90).as_nanos()),
        ("007s", 7_000_000_000),
        ("4611686018427387904ns", 1 << 62),
    ] {
        let toml = format!("[limits.a]\nalgorithm = 'fixed-window'\nlimit = 1\nper = '{text}'");
        let file = LimitsFile::parse_toml(&toml).unwrap();
        let window = FixedWindow::new(1, Duration::from_nanos(nanos)).build();
        assert_eq!(file.limits[0].policy, window.unwrap().into(), "{text}");
    }
}

#[test]
fn a_duration_that_is_none_is_told_with_what_is_allowed() {
    const ALLOWED: &str =
        "a duration is a whole number and a unit: ns, us, ms, s, m, h or d, such as \"15m\"";
    for (text, why) in [
        ("15 parsecs", ""),
        ("15 m", ""),
        ("15x", ""),
        ("15M", ""),
        ("15min", ""),
        ("m", ""),
        ("m15", ""),
        ("+5m", ""),
        ("5 ", ""),
        ("5µs", ""),
        ("1h-5m", ""),
        ("1_000ms", ""),
        ("", "it is empty; "),
        ("-5m", "it is negative; "),
        ("1.5m", "it has a fraction; "),
        ("1,5m", "it has a fraction; "),
        ("1h1.5m", "it has a fraction; "),
        ("15", "its last number has no unit; "),
        ("1h30", "its last number has no unit; "),
        ("0s", "it is zero, allowed from \"1ns\"; "),
        ("0h0ns", "it is zero, allowed from \"1ns\"; "),
        (
            "30m1h",
            "units go from large to small, each once, such as \"1h30m\"; ",
        ),
        (
            "1m1m",
            "units go from large to small, each once, such as \"1h30m\"; ",
        ),
    ] {
        orders(
            &[("limit", "100"), ("per", &format!("\"{text}\""))],
            &format!("line 3: limits.orders.per = \"{text}\": {why}{ALLOWED}"),
        );
    }
    for (value, found) in [
        ("15", "a number"),
        ("-5", "a number"),
        ("0", "a number"),
        ("1.5", "a floating-point number"),
        ("true", "true or false"),
    ] {
        orders(
            &[("limit", "100"), ("per", value)],
            &format!(
                "line 3: limits.orders.per = {value}: expected a duration in quotes, a whole \
                 number and a unit: ns, us, ms, s, m, h or d, such as \"15m\", found {found}"
            ),
        );
    }
}

#[test]
fn a_duration_that_is_too_long_is_told_with_the_longest() {
    let longest = "53375d23h53m38s427ms387us904ns";
    for text in [
        // One more than MAX_WAIT; one more than 64 bits; a number of more than 64 bits.
        "53375d23h53m38s427ms387us905ns",
        "18446744073709551616ns",
        "99999999999999999999999999d",
        "106751d106751h",
        "213504d",
    ] {
        orders(
            &[("limit", "100"), ("per", &format!("\"{text}\""))],
            &format!("line 3: limits.orders.per = \"{text}\": allowed \"1ns\" to \"{longest}\""),
        );
    }
    // Half as long, where two windows must fit.
    orders(
        &[
            ("algorithm", "\"sliding-window\""),
            ("limit", "100"),
            ("per", &format!("\"{longest}\"")),
        ],
        &format!(
            "line 4: limits.orders.per = \"{longest}\": allowed \"1ns\" to \
             \"26687d23h56m49s213ms693us952ns\""
        ),
    );
    for (algorithm, per) in [
        ("token-bucket", longest),
        ("fixed-window", longest),
        ("interval", longest),
        ("sliding-window", "26687d23h56m49s213ms693us952ns"),
    ] {
        let toml = format!("[limits.a]\nalgorithm = '{algorithm}'\nlimit = 1\nper = '{per}'");
        assert!(LimitsFile::parse_toml(&toml).is_ok(), "{toml}");
    }
}
