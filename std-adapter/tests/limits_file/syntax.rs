//! Text that is neither TOML nor JSON, and text that tries to write messages of its own.

use steadfast_std::limits_file::LimitsFile;

use crate::alike::{problems, wrong};

#[test]
fn text_that_is_not_the_format_is_told_with_its_line() {
    for (toml, expected) in [
        (
            "[limits.a]\nlimit = \nper = '1m'",
            "line 2: limits.a.limit: string values must be quoted, expected literal string",
        ),
        ("[limits.a]\nlimit = 5\nper = 15m", "line 3: limits.a.per: "),
        (
            "[limits.a\nlimit = 5",
            "line 1: limits.a: unclosed table, expected `]`",
        ),
        (
            "[limits.a]\noverrides = { bob = { limit = 5",
            "line 2: limits.a.overrides.bob.limit: unclosed inline table, expected `}`",
        ),
        ("limits = 1\nlimits.a.limit = 2", "line 2: limits"),
        ("[limits.a]\nlimit = {} per = 5", "line 2: limits.a.limit: "),
    ] {
        let found = problems(LimitsFile::parse_toml(toml));
        assert!(found.starts_with(expected), "{found}");
        assert_eq!(found.lines().count(), 1, "{found}");
    }
    for (json, expected) in [
        ("{\n\"limits\": {\n", "line 3: EOF while parsing an object"),
        ("{\"limits\": {},\n}", "line 2: key must be a string"),
        ("{\"limits\":\n{\"a\": 5} x}", "line 2: expected `,` or `}`"),
        ("{\"limits\":\n{\"a\": 05}}", "line 2: invalid number"),
        (
            "{\"limits\":\n{\"a\":\n{\"limit\": \"\\ud800\"}}}",
            "line 3: limits.a.limit: ",
        ),
        ("{\"limits\":\n{\"\\ud800\":\n{}}}", "line 2: limits: "),
    ] {
        let found = problems(LimitsFile::parse_json(json));
        assert!(found.starts_with(expected), "{found}");
        assert_eq!(found.lines().count(), 1, "{found}");
        assert!(!found.contains("column"), "{found}");
    }
}

#[test]
fn text_of_the_file_cannot_break_a_message_into_lines() {
    wrong(
        "[limits.a]\nlimit = 1\nper = \"\\u001b[2J\\nline 9: all is well\"",
        "{\"limits\":{\"a\":{\n\"limit\":1,\n\"per\":\"\\u001b[2J\\nline 9: all is well\"}}}",
        "line 3: limits.a.per = \"\\u001b[2J\\nline 9: all is well\": a duration is a whole \
         number and a unit: ns, us, ms, s, m, h or d, such as \"15m\"",
    );
    let toml = format!(
        "[limits.a]\nlimit = 1\nper = '''\n{}'''\n\"\\n\" = 1",
        "x".repeat(100)
    );
    let found = problems(LimitsFile::parse_toml(&toml));
    assert_eq!(
        found,
        format!(
            "line 3: limits.a.per = '''\\n{}…: a duration is a whole number and a unit: ns, us, \
             ms, s, m, h or d, such as \"15m\"\n\
             line 5: limits.a.\"\\n\" = 1: unknown field, allowed are `algorithm`, `limit`, `per`, \
             `burst`, `aligned`, `shadow`, `places`, `when_full`, `overrides`",
            "x".repeat(56)
        )
    );
}
