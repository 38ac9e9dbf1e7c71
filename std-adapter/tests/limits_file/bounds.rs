//! Large files, deep ones, and those with many mistakes: answered, never a crash.

use std::fmt::Write as _;

use steadfast::time::millis;
use steadfast_std::limits_file::LimitsFile;

use crate::alike::problems;
use crate::bucket;

#[test]
fn of_many_problems_twenty_are_told_and_the_others_counted() {
    let mut toml = String::new();
    for at in 0..30 {
        writeln!(
            toml,
            "limits.a{at:02}.limit = 0\nlimits.a{at:02}.per = '1s'"
        )
        .unwrap();
    }
    let error = LimitsFile::parse_toml(&toml).unwrap_err();
    assert_eq!(error.problems().len(), 20);
    assert_eq!(error.more(), 10);
    assert!(error.to_string().ends_with("4294967295\nand 10 more"));
}

#[test]
fn deep_nesting_is_an_error_and_no_crash() {
    const TOO_DEEP: &str = "nested too deeply, allowed are 16 levels";
    // Each of these is within the bounds that the TOML parser sets itself, but not their product.
    let dots = vec!["a"; 70].join(".");
    let product = format!("{}1{}", format!("{{{dots}=").repeat(70), "}".repeat(70));
    for (toml, line) in [
        ("\na = ".to_owned() + &"[".repeat(1_000_000), 2),
        ("a = ".to_owned() + &"{a = ".repeat(200_000), 1),
        ("a.".repeat(500_000) + "a = 1", 1),
        (format!("\n\n[{}]", "a.".repeat(500_000)), 3),
        (format!("b = 1\na = {product}"), 2),
        (format!("a = 1\na = {product}"), 2),
    ] {
        let found = problems(LimitsFile::parse_toml(&toml));
        assert_eq!(found, format!("line {line}: {TOO_DEEP}"));
    }
    // As many dots as one likes, in strings and in other names.
    let dotted = "1.".repeat(100);
    let toml = format!(
        "# {dotted}[[[[\n[limits.'{dotted}']\nlimit = 1\nper = '1s'\n[limits.a.overrides]\n\
         10.0.0.7.8.limit = 1"
    );
    let found = problems(LimitsFile::parse_toml(&toml));
    assert!(!found.contains(TOO_DEEP), "{found}");

    for json in ["[".repeat(1_000_000), "{\"a\":".repeat(200_000)] {
        let found = problems(LimitsFile::parse_json(&json));
        assert!(found.starts_with("line 1: EOF while parsing"), "{found}");
    }
    let json = format!(
        "{{\"limits\":\n{}{}}}",
        "[".repeat(500_000),
        "]".repeat(500_000)
    );
    assert_eq!(
        problems(LimitsFile::parse_json(&json)),
        "line 1: limits: expected a table, in JSON an object, found an array"
    );
    let json = format!("{}1{}", "{\"limits\":".repeat(50_000), "}".repeat(50_000));
    assert_eq!(
        problems(LimitsFile::parse_json(&json)),
        "line 1: limits.limits.limits: unknown field, did you mean `limit`?\n\
         line 1: limits.limits.limit: it is missing, expected a whole number, 1..=4294967295\n\
         line 1: limits.limits.per: it is missing, expected a duration such as \"15m\""
    );
}

#[test]
fn a_file_may_have_a_mebibyte_and_not_a_byte_more() {
    for (start, end, parse) in [
        (
            "[limits.a]\nlimit = 1\nper = '1s'\n#",
            "",
            LimitsFile::parse_toml as fn(&str) -> _,
        ),
        (
            "{\"limits\":{\"a\":{\"limit\":1,\"per\":\"1s\"}}",
            "}",
            LimitsFile::parse_json,
        ),
    ] {
        let fill = |bytes: usize| {
            let spaces = bytes - start.len() - end.len();
            format!("{start}{}{end}", " ".repeat(spaces))
        };
        assert_eq!(parse(&fill(1 << 20)).unwrap().limits.len(), 1);
        assert_eq!(
            problems(parse(&fill((1 << 20) + 1))),
            "the file is too large, allowed are 1048576 bytes"
        );
    }
}

#[test]
fn a_large_file_is_read_whole() {
    let mut toml = String::new();
    let mut json = String::from("{\"limits\":{");
    for at in 0..10_000 {
        writeln!(toml, "[limits.a{at}]\nlimit = {}\nper = '1s'", at + 1).unwrap();
        let comma = if at == 0 { "" } else { ",\n" };
        let limit = at + 1;
        write!(
            json,
            "{comma}\"a{at}\":{{\"limit\":{limit},\"per\":\"1s\"}}"
        )
        .unwrap();
    }
    json += "}}";
    let file = LimitsFile::parse_toml(&toml).unwrap();
    assert_eq!(file.limits.len(), 10_000);
    assert_eq!(file.limits[9_999].name, "a9999");
    assert_eq!(
        file.limits[9_999].policy,
        bucket(10_000, millis(1_000), 10_000)
    );
    assert_eq!(LimitsFile::parse_json(&json), Ok(file));
    // Nothing but mistakes.
    for toml in [
        "a=1\n".repeat(200_000),
        "[limits.a.b.c]\n".repeat(60_000),
        "=\n".repeat(500_000),
    ] {
        assert!(LimitsFile::parse_toml(&toml).is_err());
    }
    let json = format!("{{{}\"a\":1}}", "\"a\":1,\n".repeat(120_000));
    let error = LimitsFile::parse_json(&json).unwrap_err();
    assert_eq!(error.problems().len() + error.more(), 120_001);
}
