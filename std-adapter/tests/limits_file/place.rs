//! Fields that are unknown, missing, out of place or there twice; names; overrides.

use steadfast_std::limits_file::LimitsFile;

use crate::alike::{fourth, orders, problems, wrong};

#[test]
fn an_unknown_field_is_told_with_the_one_that_was_meant() {
    fourth("brust", "20", "unknown field, did you mean `burst`?");
    fourth("limits", "20", "unknown field, did you mean `limit`?");
    fourth("Places", "20", "unknown field, did you mean `places`?");
    fourth(
        "when-full",
        "\"deny\"",
        "unknown field, did you mean `when_full`?",
    );
    fourth(
        "colour",
        "\"red\"",
        "unknown field, allowed are `algorithm`, `limit`, `per`, `burst`, `aligned`, `shadow`, \
         `places`, `when_full`, `overrides`",
    );
    wrong(
        "[limit.orders]\nlimit = 1\nper = '1m'",
        "{\"limit\":{\"orders\":{\"limit\":1,\"per\":\"1m\"}}}",
        "line 1: limit: unknown field, did you mean `limits`?",
    );
    wrong(
        "version = 1\n[limits.orders]\nlimit = 1\nper = '1m'",
        "{\"version\": 1, \"limits\": {\"orders\": {\"limit\":1,\"per\":\"1m\"}}}",
        "line 1: version = 1: unknown field, allowed are `limits`",
    );
}

#[test]
fn a_field_that_the_algorithm_lacks_is_told_with_those_it_has() {
    for (algorithm, field, value, has) in [
        (
            "token-bucket",
            "aligned",
            "true",
            ", only `limit`, `per`, `burst`",
        ),
        (
            "interval",
            "aligned",
            "false",
            ", only `limit`, `per`, `burst`",
        ),
        (
            "fixed-window",
            "burst",
            "20",
            ", only `limit`, `per`, `aligned`",
        ),
        ("sliding-window", "burst", "20", ", only `limit`, `per`"),
        ("sliding-window", "aligned", "true", ", only `limit`, `per`"),
    ] {
        orders(
            &[
                ("algorithm", &format!("\"{algorithm}\"")),
                ("limit", "10"),
                ("per", "\"1m\""),
                (field, value),
            ],
            &format!(
                "line 5: limits.orders.{field} = {value}: the algorithm \"{algorithm}\" has no \
                 such field{has}"
            ),
        );
    }
    for (field, value) in [
        ("limit", "10"),
        ("per", "\"1m\""),
        ("burst", "5"),
        ("aligned", "true"),
    ] {
        orders(
            &[("algorithm", "\"unlimited\""), (field, value)],
            &format!(
                "line 3: limits.orders.{field} = {value}: the algorithm \"unlimited\" has no such \
                 field"
            ),
        );
    }
}

#[test]
fn what_is_missing_is_told() {
    const LIMIT: &str = "it is missing, expected a whole number, 1..=4294967295";
    const PER: &str = "it is missing, expected a duration such as \"15m\"";
    orders(
        &[("per", "\"1m\"")],
        &format!("line 1: limits.orders.limit: {LIMIT}"),
    );
    orders(
        &[("limit", "5")],
        &format!("line 1: limits.orders.per: {PER}"),
    );
    orders(
        &[("shadow", "true")],
        &format!("line 1: limits.orders.limit: {LIMIT}\nline 1: limits.orders.per: {PER}"),
    );
    // Once, not again for each override that would inherit it.
    wrong(
        "[limits.a]\nlimit = 5\noverrides.b = {limit=7}\noverrides.c = {limit=8,per='1s'}",
        "{\"limits\":{\"a\":{\n\"limit\":5,\"overrides\":{\"b\":{\"limit\":7}}}}}",
        &format!("line 1: limits.a.per: {PER}"),
    );
    // An override of an unlimited limit has nothing to inherit.
    wrong(
        "[limits.a]\nalgorithm='unlimited'\n[limits.a.overrides]\nb={algorithm='interval'}",
        "{\"limits\":{\"a\":{\"algorithm\":\"unlimited\",\n\n\"overrides\":{\n\
         \"b\":{\"algorithm\":\"interval\"}}}}}",
        &format!(
            "line 4: limits.a.overrides.b.limit: {LIMIT}\nline 4: limits.a.overrides.b.per: {PER}"
        ),
    );
}

#[test]
fn a_file_without_a_limit_is_most_likely_a_mistake() {
    const NONE: &str = "limits: there is no limit, which is most likely a mistake; a limit is a \
                        table such as [limits.login], in JSON {\"limits\": {\"login\": {...}}}";
    wrong("", "", &format!("line 1: {NONE}"));
    wrong("\u{feff} \n", "\u{feff} \n", &format!("line 1: {NONE}"));
    wrong("# to do", "{}", &format!("line 1: {NONE}"));
    wrong(
        "\n[limits]",
        "{\n\"limits\": {}}",
        &format!("line 2: {NONE}"),
    );
}

#[test]
fn a_name_that_cannot_go_into_a_header_is_told() {
    let long = "x".repeat(129);
    for (name, field, expected) in [
        ("", r#""""#, "name has 0 bytes, allowed 1..=128"),
        (
            &long,
            &*format!("{}…", "x".repeat(60)),
            "name has 129 bytes, allowed 1..=128",
        ),
        (
            "größe",
            "\"größe\"",
            "name has byte 0xc3 at 2, allowed 0x20..=0x7e",
        ),
        (
            r"a\nb",
            r#""a\nb""#,
            "name has byte 0x0a at 1, allowed 0x20..=0x7e",
        ),
    ] {
        wrong(
            &format!("[limits.\"{name}\"]\nlimit = 1"),
            &format!("{{\"limits\":{{\"{name}\":{{\n\"limit\":1}}}}}}"),
            &format!("line 1: limits.{field}: {expected}"),
        );
    }
}

#[test]
fn what_is_written_twice_is_told_with_its_second_line() {
    const TWICE: &str = "it is here a second time";
    orders(
        &[
            ("limit", "1"),
            ("per", "\"1m\""),
            ("limit", "2"),
            ("limit", "3"),
        ],
        &format!("line 4: limits.orders.limit: {TWICE}\nline 5: limits.orders.limit: {TWICE}"),
    );
    wrong(
        "[limits.a]\nlimit=1\nper='1m'\n[limits.a]\nlimit=1\nper='1m'",
        "{\"limits\":{\"a\":{\n\"limit\":1,\n\"per\":\"1m\"},\n\
         \"a\":{\"limit\":1,\n\"per\":\"1m\"}}}",
        &format!("line 4: limits.a: {TWICE}"),
    );
    wrong(
        "[limits.a]\nlimit=1\nper='1m'\n[limits.a.overrides]\nbob='unlimited'\nbob='unlimited'",
        "{\"limits\":{\"a\":{\n\"limit\":1,\n\"per\":\"1m\",\n\"overrides\":{\n\
         \"bob\":\"unlimited\",\n\"bo\\u0062\":\"unlimited\"}}}}",
        &format!("line 6: limits.a.overrides.bob: {TWICE}"),
    );
    wrong(
        "[limits.a]\nlimit=1\nper='1m'\noverrides = { bob = { limit=2, limit=3 } }",
        "{\"limits\":{\"a\":{\n\"limit\":1,\n\"per\":\"1m\",\n\"overrides\":{\
         \"bob\":{\"limit\":2,\"limit\":3}}}}}",
        &format!("line 4: limits.a.overrides.bob.limit: {TWICE}"),
    );
    // An array of tables is found to be a second one at its end only.
    let toml = "[limits.a]\nlimit=1\nper='1m'\n[[limits.a]]\nlimit=2\nlimit=3\n";
    assert_eq!(
        problems(LimitsFile::parse_toml(toml)),
        format!("line 4: limits.a: {TWICE}")
    );
    // Beside other problems.
    wrong(
        "[limits.a]\nlimit=0\nper='1m'\nper='2m'",
        "{\"limits\":{\"a\":{\n\"limit\":0,\n\"per\":\"1m\",\n\"per\":\"2m\"}}}",
        &format!(
            "line 2: limits.a.limit = 0: allowed 1..=4294967295\nline 4: limits.a.per: {TWICE}"
        ),
    );
}

#[test]
fn an_override_is_checked_like_a_limit() {
    // Its policy on line 5, in both.
    let of = |toml: &str, json: &str, expected: &str| {
        wrong(
            &format!("[limits.a]\nlimit = 10\nper = \"1m\"\n[limits.a.overrides]\n{toml}"),
            &format!(
                "{{\"limits\":{{\"a\":{{\n\"limit\":10,\n\"per\":\"1m\",\"overrides\":{{\n\n{json}}}}}}}}}"
            ),
            &format!("line 5: limits.a.overrides.{expected}"),
        );
    };
    of(
        "bob = 5",
        "\"bob\": 5",
        "bob = 5: expected \"unlimited\" or a table such as { limit = 1000 }, found a number",
    );
    of(
        "bob = \"none\"",
        "\"bob\": \"none\"",
        "bob = \"none\": expected \"unlimited\" or a table such as { limit = 1000 }, found text",
    );
    of(
        "bob = { limit = 0 }",
        "\"bob\": {\"limit\": 0}",
        "bob.limit = 0: allowed 1..=4294967295",
    );
    of(
        "\"10.0.0.7\" = { limits = 5 }",
        "\"10.0.0.7\": {\"limits\": 5}",
        "\"10.0.0.7\".limits = 5: unknown field, did you mean `limit`?",
    );
    of(
        "bob.x = 5",
        "\"bob\": {\"x\": 5}",
        "bob.x = 5: unknown field, allowed are `algorithm`, `limit`, `per`, `burst`, `aligned`",
    );
    of(
        "bob.shadow = true",
        "\"bob\": {\"shadow\": true}",
        "bob.shadow = true: an override has no such field, it belongs to the limit as a whole",
    );
    of(
        "bob.limit = { limit = { limit = 5 } }",
        "\"bob\": {\"limit\": {\"limit\": {\"limit\": 5}}}",
        "bob.limit: expected a whole number, 1..=4294967295, found a table",
    );
    of(
        "bob = { algorithm = \"fixed-window\", burst = 5 }",
        "\"bob\": {\"algorithm\": \"fixed-window\", \"burst\": 5}",
        "bob.burst = 5: the algorithm \"fixed-window\" has no such field, only `limit`, `per`, \
         `aligned`",
    );
}

#[test]
fn what_an_override_inherits_must_go_with_what_it_says() {
    wrong(
        "[limits.a]\nlimit = 10\nper = \"1m\"\nburst = 1000\noverrides.b = { per = \"10000d\" }",
        "{\"limits\":{\"a\":{\n\"limit\":10,\n\"per\":\"1m\",\n\"burst\":1000,\n\
         \"overrides\":{\"b\":{\"per\":\"10000d\"}}}}}",
        "line 5: limits.a.overrides.b.burst = 1000: allowed 1..=53",
    );
    wrong(
        "[limits.a]\nlimit = 10\nper = \"50000d\"\noverrides.b.algorithm = \"sliding-window\"",
        "{\"limits\":{\"a\":{\n\"limit\":10,\n\"per\":\"50000d\",\n\
         \"overrides\":{\"b\":{\"algorithm\":\"sliding-window\"}}}}}",
        "line 4: limits.a.overrides.b.per = \"50000d\": allowed \"1ns\" to \
         \"26687d23h56m49s213ms693us952ns\"",
    );
}

#[test]
fn all_problems_are_told_in_the_order_of_the_file() {
    wrong(
        "[limits.a]\nlimit = 0\nper = \"1\"\n[limits.b]\nlimit = 5\nper = \"5m\"\nbrust = 7",
        "{\"limits\":{\"a\":{\n\"limit\":0,\n\"per\":\"1\"},\n\"b\":{\n\"limit\":5,\n\
         \"per\":\"5m\",\n\"brust\":7}}}",
        "line 2: limits.a.limit = 0: allowed 1..=4294967295\n\
         line 3: limits.a.per = \"1\": its last number has no unit; a duration is a whole number \
         and a unit: ns, us, ms, s, m, h or d, such as \"15m\"\n\
         line 7: limits.b.brust = 7: unknown field, did you mean `burst`?",
    );
}
