//! Values out of range, of another type, or none of the words that there are.

use steadfast_std::limits_file::LimitsFile;

use crate::alike::{fourth, orders, problems, wrong};

#[test]
fn a_number_out_of_range_is_told_with_the_range() {
    for value in [
        "0",
        "-1",
        "4294967296",
        "-9223372036854775808",
        &"9".repeat(40),
    ] {
        orders(
            &[("limit", value), ("per", "\"1m\"")],
            &format!("line 2: limits.orders.limit = {value}: allowed 1..=4294967295"),
        );
        fourth("burst", value, "allowed 1..=4294967295");
    }
    for value in ["0", "-7", "16777217"] {
        fourth("places", value, "allowed 1..=16777216");
    }
}

#[test]
fn a_network_is_no_key_and_other_slashes_are() {
    let limit = "[limits.a]\nlimit = 1\nper = \"1s\"\n";
    for network in ["10.0.0.0/8", "2001:db8::/32", "1.2.3.4/99"] {
        let text = format!("{limit}overrides.\"{network}\" = \"unlimited\"");
        let error = LimitsFile::parse_toml(&text).unwrap_err().to_string();
        let says = format!("line 4: limits.a.overrides.\"{network}\": no key is a network; ");
        assert!(error.starts_with(&says), "{error}");
    }
    for key in ["/search", "a/8", "10.0.0.0/", "10.0.0.0/x"] {
        let text = format!("{limit}overrides.\"{key}\" = \"unlimited\"");
        assert_eq!(
            LimitsFile::parse_toml(&text).unwrap().limits[0].overrides[0].0,
            key
        );
    }
}

#[test]
fn a_burst_that_would_fill_for_too_long_is_told_with_the_largest() {
    for algorithm in ["token-bucket", "interval"] {
        orders(
            &[
                ("algorithm", &format!("\"{algorithm}\"")),
                ("limit", "10"),
                ("per", "\"10000d\""),
                ("burst", "54"),
            ],
            // 146 years are 53,375 days: five refills of ten, and of a bucket 3.4 tokens more.
            &format!(
                "line 5: limits.orders.burst = 54: allowed 1..={}",
                if algorithm == "interval" { 50 } else { 53 }
            ),
        );
    }
}

#[test]
fn a_value_of_another_type_is_told() {
    const NUMBER: &str = "expected a whole number, 1..=4294967295, found";
    for (value, found) in [
        ("\"10\"", "text"),
        ("1.5", "a floating-point number"),
        ("1e3", "a floating-point number"),
        ("true", "true or false"),
    ] {
        orders(
            &[("limit", value), ("per", "\"1m\"")],
            &format!("line 2: limits.orders.limit = {value}: {NUMBER} {found}"),
        );
        fourth("burst", value, &format!("{NUMBER} {found}"));
    }
    orders(
        &[("limit", "[1, 2]"), ("per", "\"1m\"")],
        &format!("line 2: limits.orders.limit: {NUMBER} an array"),
    );
    fourth("shadow", "1", "expected true or false, found a number");
    fourth("shadow", "\"yes\"", "expected true or false, found text");
    fourth(
        "places",
        "\"many\"",
        "expected a whole number, 1..=16777216, found text",
    );
    fourth(
        "overrides",
        "5",
        "expected a table, in JSON an object, found a number",
    );
    wrong(
        "limits.orders.limit = {}\nlimits.orders.per = {}",
        "{\"limits\":{\"orders\":{\"limit\":{},\n\"per\":{}}}}",
        &format!(
            "line 1: limits.orders.limit: {NUMBER} a table\n\
             line 2: limits.orders.per: expected a duration in quotes, a whole number and a unit: \
             ns, us, ms, s, m, h or d, such as \"15m\", found a table"
        ),
    );
    wrong(
        "limits.orders = 5",
        "{\"limits\":{\"orders\":5}}",
        "line 1: limits.orders = 5: expected a table, in JSON an object, found a number",
    );
    wrong(
        "\nlimits = 'none'".replace('\'', "\"").as_str(),
        "\n{\"limits\":\"none\"}",
        "line 2: limits = \"none\": expected a table, in JSON an object, found text",
    );
    // Only TOML has these, only JSON those.
    let toml = "[limits.orders]\nlimit = 2026-01-01\nper = \"1m\"";
    assert_eq!(
        problems(LimitsFile::parse_toml(toml)),
        format!("line 2: limits.orders.limit = 2026-01-01: {NUMBER} a date or time")
    );
    let toml = "[[limits]]\nlimit = 1\nper = \"1m\"";
    assert_eq!(
        problems(LimitsFile::parse_toml(toml)),
        "line 1: limits: expected a table, in JSON an object, found an array"
    );
    let json = "{\"limits\":{\"orders\":{\"limit\":null,\n\"per\":\"1m\"}}}";
    assert_eq!(
        problems(LimitsFile::parse_json(json)),
        format!("line 1: limits.orders.limit = null: {NUMBER} null")
    );
    assert_eq!(
        problems(LimitsFile::parse_json("\"limits\"")),
        "line 1: expected a table, in JSON an object, found text"
    );
}

#[test]
fn an_unknown_word_is_told_with_those_that_there_are() {
    const ALGORITHMS: &str = "allowed are \"token-bucket\", \"fixed-window\", \
                              \"sliding-window\", \"interval\", \"unlimited\"";
    fourth(
        "algorithm",
        "\"fixed_window\"",
        "did you mean \"fixed-window\"?",
    );
    fourth("algorithm", "\"leaky\"", ALGORITHMS);
    fourth("algorithm", "7", ALGORITHMS);
    fourth("algorithm", "\"\"", ALGORITHMS);
    fourth("when_full", "\"Allow\"", "did you mean \"allow\"?");
    fourth(
        "when_full",
        "\"evict\"",
        "allowed are \"overflow\", \"deny\", \"allow\", \"evict-least-used\"",
    );
}
