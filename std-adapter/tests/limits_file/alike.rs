//! The same mistakes written in TOML and in JSON, which must be told alike.

use std::fmt::Write as _;

use steadfast_std::limits_file::{LimitsFile, LimitsFileError};

/// What is wrong, one line a problem; each says the same as the parts that a program reads.
pub fn problems(result: Result<LimitsFile, LimitsFileError>) -> String {
    let error = result.expect_err("there is something wrong");
    assert!(!error.problems().is_empty());
    let text = error.to_string();
    for (problem, line) in error.problems().iter().zip(text.lines()) {
        let place = problem
            .line
            .map_or(String::new(), |at| format!("line {at}: "));
        let start = format!("{place}{}", problem.field);
        assert!(line.starts_with(&start), "{line}");
    }
    text
}

/// The same mistakes, on the same lines, in TOML and in JSON.
pub fn wrong(toml: &str, json: &str, expected: &str) {
    assert_eq!(problems(LimitsFile::parse_toml(toml)), expected, "{toml}");
    assert_eq!(problems(LimitsFile::parse_json(json)), expected, "{json}");
}

/// One limit, `orders`, on line 1, and a field on each line after it. The values are such that
/// both formats write them alike.
pub fn orders(fields: &[(&str, &str)], expected: &str) {
    let mut toml = String::from("[limits.orders]");
    let mut json = String::from("{\"limits\": {\"orders\": {");
    for (at, (field, value)) in fields.iter().enumerate() {
        write!(toml, "\n{field} = {value}").unwrap();
        let comma = if at == 0 { "" } else { "," };
        write!(json, "{comma}\n\"{field}\": {value}").unwrap();
    }
    json += "}}}";
    wrong(&toml, &json, expected);
}

/// A token bucket whose line 4 is wrong.
pub fn fourth(field: &str, value: &str, expected: &str) {
    orders(
        &[("limit", "100"), ("per", "\"1m\""), (field, value)],
        &format!("line 4: limits.orders.{field} = {value}: {expected}"),
    );
}
