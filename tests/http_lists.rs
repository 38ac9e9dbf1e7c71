//! Lists of limits, read: as servers send them, malformed, cut, and as this library writes them.

use proptest::collection::vec;
use proptest::prelude::*;
use steadfast::http::{
    BufferTooSmall, LimitItem, LimitItems, LimitName, ListError, MAX_INTEGER, QuotaPolicy,
    ServerQuota, ServiceLimit,
};
use steadfast::limit::Standing;
use steadfast::time::{Instant, nanos};

mod any_text;

use any_text::any_text;

/// An item as plain values: name without escapes, `q`, `w`, `r`, `t`.
type Plain = (String, Option<u64>, Option<u64>, Option<u64>, Option<u64>);

fn plain(item: LimitItem) -> Plain {
    (
        item.name.to_string(),
        item.quota,
        item.window_secs,
        item.remaining,
        item.reset_secs,
    )
}

fn policy(name: &str, quota: u64, window: u64) -> Plain {
    (name.into(), Some(quota), Some(window), None, None)
}

fn left(name: &str, remaining: u64, reset: Option<u64>) -> Plain {
    (name.into(), None, None, Some(remaining), reset)
}

/// Reads a whole list, in both ways, which must agree.
fn read(text: &str) -> Result<Vec<Plain>, ListError> {
    let mut items = LimitItems::new(text);
    let mut so_far = Vec::new();
    let mut error = None;
    for item in items.by_ref() {
        assert_eq!(error, None, "nothing comes after an error");
        match item {
            Ok(item) => so_far.push(plain(item)),
            Err(fault) => error = Some(fault),
        }
    }
    assert!(items.next().is_none());
    if let Some(fault) = error {
        assert!(fault.at <= text.len());
        assert!(text.is_char_boundary(fault.at));
    }

    let checked = LimitItems::checked(text).map(|items| items.map(plain).collect::<Vec<_>>());
    assert_eq!(checked, error.map_or(Ok(so_far), Err));
    checked
}

fn written(write: impl FnOnce(&mut [u8]) -> Result<&str, BufferTooSmall>) -> String {
    write(&mut [0; 4096]).unwrap().to_owned()
}

#[test]
fn three_items_of_the_draft() {
    assert_eq!(
        read(r#""permin";q=50;w=60,"perhr";q=1000;w=3600"#),
        Ok(vec![
            policy("permin", 50, 60),
            policy("perhr", 1_000, 3_600)
        ])
    );
    assert_eq!(
        read(r#""peruser";q=65535;qu="content-bytes";w=10;pk=:sdfjLJUOUH==:"#),
        Ok(vec![policy("peruser", 65_535, 10)])
    );
    assert_eq!(
        read(r#""default";r=999;pk=:dHJpYWwxMjEzMjM=:"#),
        Ok(vec![left("default", 999, None)])
    );
}

#[test]
fn items_of_other_services() {
    for (text, items) in [
        (r#""search";q=100;w=60"#, vec![policy("search", 100, 60)]),
        (r#""search";r=49;t=37"#, vec![left("search", 49, Some(37))]),
        (r#""default";r=0;t=2"#, vec![left("default", 0, Some(2))]),
        (
            r#""quoted \"name\" \\ path";r=1;t=1"#,
            vec![left(r#"quoted "name" \ path"#, 1, Some(1))],
        ),
        ("", vec![]),
        (" \t ", vec![]),
        (
            " \"a\" \t,\t \"b\" ",
            vec![
                ("a".into(), None, None, None, None),
                ("b".into(), None, None, None, None),
            ],
        ),
        ("default;r=50; t=30", vec![left("default", 50, Some(30))]),
        (
            "*a:/!#$%&'*+-.^_`|~9;r=1",
            vec![left("*a:/!#$%&'*+-.^_`|~9", 1, None)],
        ),
        (r#""";r=5"#, vec![left("", 5, None)]),
        (
            r#""a,b;c=\"";r=1,"b";r=2"#,
            vec![left("a,b;c=\"", 1, None), left("b", 2, None)],
        ),
        // The last of two counts, even where it is not a number.
        (r#""a";r=1;r=2;t=5;t=?1"#, vec![left("a", 2, None)]),
        // Numbers of every size, and what is none.
        (
            r#""a";r=000000000000007;t=999999999999999"#,
            vec![left("a", 7, Some(MAX_INTEGER))],
        ),
        (r#""a";r=-0;t=-1"#, vec![left("a", 0, None)]),
        (
            r#""a";r=1.0;t="5";q=5;w"#,
            vec![("a".into(), Some(5), None, None, None)],
        ),
        // Every other type, skipped.
        (
            concat!(
                r#""a";*=tok/en;a=?0;b=:YQ==:;c=::;d=@-1659578233;e=-1.5;f=123456789012.123"#,
                r#";g=%"f%c3%bc%22 ,;r=9";h="\\\",;r=9";i;j-k_l.m*9=*;r=3"#,
            ),
            vec![left("a", 3, None)],
        ),
    ] {
        assert_eq!(read(text), Ok(items), "{text}");
    }
}

/// Each text, and where it goes wrong.
#[test]
fn malformed_lists() {
    for (text, at) in [
        (",", 0),
        (r#""a","#, 4),
        (r#""a" , "#, 5),
        (r#""a",,"b""#, 4),
        (r#""a" "b""#, 4),
        (r#""a";r=1 ;t=2"#, 8),
        ("\"a\";\tr=1", 4),
        (r#""a""b""#, 3),
        (r#""a"#, 2),
        (r#"""#, 1),
        (r#""a\"#, 3),
        (r#""a\b""#, 3),
        ("\"a\nb\"", 2),
        ("\"a\u{7f}\"", 2),
        ("\"ä\"", 1),
        ("ä", 0),
        ("aä", 1),
        (r#"a"b""#, 1),
        (r#""a";"#, 4),
        (r#""a";=1"#, 4),
        (r#""a";R=1"#, 4),
        (r#""a";1=1"#, 4),
        (r#""a";r="#, 6),
        (r#""a";r=="#, 6),
        (r#""a";r=1;t= 2"#, 10),
        (r#""a";r=-"#, 7),
        (r#""a";r=--1"#, 7),
        (r#""a";r=+1"#, 6),
        (r#""a";r=1000000000000000"#, 21),
        (r#""a";r=0000000000000001"#, 21),
        (r#""a";r=1."#, 8),
        (r#""a";r=1.2.3"#, 9),
        (r#""a";r=.5"#, 6),
        (r#""a";r=1.2345"#, 11),
        (r#""a";r=1234567890123.1"#, 19),
        (r#""a";r=1e3"#, 7),
        (r#""a";pk=:a"#, 9),
        (r#""a";pk=:a b:"#, 9),
        (r#""a";pk=:aa=b:"#, 11),
        (r#""a";pk=:_-:"#, 8),
        (r#""a";pk=:a:"#, 9),
        (r#""a";pk=:=:"#, 8),
        (r#""a";pk=:YQ===:"#, 12),
        (r#""a";pk=:YWI==:"#, 12),
        (r#""a";x=?2"#, 7),
        (r#""a";x=?"#, 7),
        (r#""a";x=@1.5"#, 8),
        (r#""a";x=@"#, 7),
        (r#""a";x=%a"#, 7),
        (r#""a";x=%"%C3%BC""#, 9),
        (r#""a";x=%"%c""#, 10),
        (r#""a";x=%"%c3""#, 11),
        (r#""a";x=%"%c3z""#, 11),
        (r#""a";x=%"a%ff""#, 9),
        (r#""a";x=%"%f0%9f%a6%80%80""#, 20),
        (r#""a";x=%"a"#, 9),
        (r#""a";x=(1 2)"#, 6),
        // Well formed, but no item of these headers.
        ("5;r=1", 0),
        (r#""a", 5.5"#, 5),
        ("?1", 0),
        (":YQ==:", 0),
        (r#"("a" "b");r=1"#, 0),
    ] {
        assert_eq!(read(text), Err(ListError { at }), "{text}");
        let quota = ServerQuota::new(Instant::ZERO);
        assert_eq!(
            quota.header("ratelimit", text),
            quota,
            "a malformed header is ignored as a whole"
        );
    }

    let mut items = LimitItems::new(r#""a";r=1, "b";r=2;"#);
    assert_eq!(
        items.next().map(|item| item.map(plain)),
        Some(Ok(left("a", 1, None)))
    );
    assert_eq!(items.next(), Some(Err(ListError { at: 17 })));
    assert_eq!(items.next(), None);
}

#[test]
fn names_are_compared_and_written_without_escapes() {
    let item = LimitItems::new(r#""a\"b\\";r=1"#).next().unwrap().unwrap();
    let name = item.name;
    assert_eq!(name.as_raw(), r#"a\"b\\"#);
    assert_eq!(name.to_string(), r#"a"b\"#);
    assert_eq!(name, r#"a"b\"#);
    assert_eq!(name, LimitName::new(r#"a"b\"#).unwrap());
    assert_ne!(name, *r#"a"b"#);
    assert_ne!(name, r#"a"b\c"#);
    assert_eq!(name.write(&mut [0; 4]), Ok(r#"a"b\"#));
    assert_eq!(
        name.write(&mut [0; 3]),
        Err(BufferTooSmall {
            needed: 4,
            given: 3
        })
    );
}

/// A well-formed parameter that is skipped.
fn other_parameter() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(r#"qu="content-bytes""#.to_owned()),
        "pk=:([a-zA-Z0-9+/]{4}){0,3}([a-zA-Z0-9+/]{2}={0,2}|[a-zA-Z0-9+/]{3}=?)?:",
        "[a-p*][a-z0-9_.*-]{2,5}=[A-Za-z*][a-z:/!~]{0,5}",
        "acme-x(=\\?[01])?",
        "acme-n=-?[0-9]{1,12}(\\.[0-9]{1,3})?",
        "acme-d=@-?[0-9]{1,15}",
        vec(
            prop_oneof![
                "[ !#-\\[\\]-~]",
                Just("\\\"".to_owned()),
                Just("\\\\".to_owned())
            ],
            0..9
        )
        .prop_map(|parts| format!("acme-s=\"{}\"", parts.concat())),
        ".{0,5}".prop_map(|text| {
            let bytes = text.bytes().map(|byte| format!("%{byte:02x}"));
            format!("acme-u=%\"{}\"", bytes.collect::<String>())
        }),
    ]
}

/// A well-formed list, and what it says.
fn any_list() -> impl Strategy<Value = (String, Vec<Plain>)> {
    let item = (
        "[ -~]{0,9}",
        vec(other_parameter(), 0..3),
        0..=MAX_INTEGER,
        proptest::option::of(0..=MAX_INTEGER),
        vec(other_parameter(), 0..3),
        "[ ]{0,2}",
        "[ \t]{0,2}",
    )
        .prop_map(|(name, before, remaining, reset, after, inner, outer)| {
            let escaped = name.replace('\\', r"\\").replace('"', "\\\"");
            let mut parts = vec![format!("\"{escaped}\"")];
            parts.extend(before);
            parts.push(format!("r={remaining}"));
            parts.extend(reset.map(|reset| format!("t={reset}")));
            parts.extend(after);
            let text = format!("{outer}{}{outer}", parts.join(&format!(";{inner}")));
            (text, left(&name, remaining, reset))
        });
    vec(item, 1..4).prop_map(|items| {
        let (texts, items): (Vec<_>, Vec<_>) = items.into_iter().unzip();
        (texts.join(","), items)
    })
}

proptest! {
    #[test]
    fn no_text_panics(text in any_text()) {
        let _ = read(&text);
    }

    #[test]
    fn lists_are_read_and_cut_at_every_byte((text, items) in any_list()) {
        prop_assert_eq!(read(&text), Ok(items.clone()), "{}", &text);
        for (cut, _) in text.char_indices() {
            if let Ok(fewer) = read(&text[..cut]) {
                // The last may have lost parameters and digits, never its name.
                prop_assert!(fewer.len() <= items.len());
                if let Some((last, whole)) = fewer.split_last() {
                    prop_assert_eq!(whole, &items[..whole.len()]);
                    prop_assert_eq!(&last.0, &items[whole.len()].0);
                }
            }
        }
    }

    #[test]
    fn what_is_written_reads_back(
        limits in vec(
            ("[ -~]{1,40}", any::<u32>(), any::<u64>(), any::<u32>(), any::<u64>()),
            1..4,
        ),
    ) {
        let limits: Vec<_> = limits
            .iter()
            .map(|(name, limit, window, remaining, full_in)| {
                let at = Standing {
                    limit: *limit,
                    window: nanos(*window),
                    remaining: *remaining,
                    full_in: nanos(*full_in),
                };
                (LimitName::new(name).unwrap(), at)
            })
            .collect();

        let text = written(|b| QuotaPolicy::write_list(
            limits.iter().map(|(name, at)| QuotaPolicy::from_standing(*name, at)), b));
        let expected: Vec<_> = limits
            .iter()
            .map(|(name, at)| {
                policy(name.as_str(), at.limit.into(), at.window.as_secs_ceil().max(1))
            })
            .collect();
        prop_assert_eq!(read(&text), Ok(expected));

        let text = written(|b| ServiceLimit::write_list(
            limits.iter().map(|(name, at)| ServiceLimit::granted(*name, at)), b));
        let expected: Vec<_> = limits
            .iter()
            .map(|(name, at)| {
                left(name.as_str(), at.remaining.into(), Some(at.full_in.as_secs_ceil()))
            })
            .collect();
        prop_assert_eq!(read(&text), Ok(expected));
        for (item, (name, _)) in LimitItems::checked(&text).unwrap().zip(&limits) {
            prop_assert_eq!(item.name, *name);
            prop_assert_eq!(
                written(|b| item.name.write(b)),
                name.as_str(),
            );
        }
    }
}
