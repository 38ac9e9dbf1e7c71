//! Random limits in both formats, and random harm to them.

use proptest::prelude::*;
use steadfast::limit::{AnyPolicy, WhenFull};
use steadfast_std::limits_file::{LimitsFile, NamedLimit};

use crate::EXAMPLE;
use crate::model::{WHEN_FULL, json_of, models, toml_of};

fn by_name(file: LimitsFile) -> Vec<NamedLimit> {
    let mut limits = file.limits;
    limits.sort_by(|one, other| one.name.cmp(&other.name));
    limits
}

/// A valid text that somebody's editor, disk or network was not kind to.
#[derive(Clone, Debug)]
enum Harm {
    Cut(usize),
    Flip(usize, u8),
    Repeat(usize),
    Drop(usize),
    Swap(usize, usize),
}

fn harmed(text: &str, harms: &[Harm]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for harm in harms {
        let mut lines: Vec<Vec<u8>> = bytes.split(|&byte| byte == b'\n').map(Vec::from).collect();
        let (length, count) = (bytes.len().max(1), lines.len());
        match *harm {
            Harm::Cut(at) => bytes.truncate(at % length),
            Harm::Flip(at, mask) => {
                if let Some(byte) = bytes.get_mut(at % length) {
                    *byte ^= mask;
                }
            }
            Harm::Repeat(line) => {
                lines.insert(line % count, lines[line % count].clone());
                bytes = lines.join(&b'\n');
            }
            Harm::Drop(line) => {
                lines.remove(line % count);
                bytes = lines.join(&b'\n');
            }
            Harm::Swap(one, other) => {
                lines.swap(one % count, other % count);
                bytes = lines.join(&b'\n');
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        1 => any::<usize>().prop_map(Harm::Cut),
        4 => (any::<usize>(), 1..=255_u8).prop_map(|(at, mask)| Harm::Flip(at, mask)),
        2 => any::<usize>().prop_map(Harm::Repeat),
        1 => any::<usize>().prop_map(Harm::Drop),
        1 => any::<(usize, usize)>().prop_map(|(one, other)| Harm::Swap(one, other)),
    ]
}

/// Whatever the text: limits, or problems that lie in it.
fn is_answered(text: &str) {
    for parse in [LimitsFile::parse_toml, LimitsFile::parse_json] {
        match parse(text) {
            Ok(file) => assert!(!file.limits.is_empty()),
            Err(error) => {
                assert!((1..=20).contains(&error.problems().len()));
                let lines = text.bytes().filter(|&byte| byte == b'\n').count() + 1;
                for problem in error.problems() {
                    let line = problem.line.expect("every problem of a text has its line");
                    assert!((1..=lines).contains(&line), "{error}\n{text}");
                }
                let told = error.to_string();
                let more = usize::from(error.more() > 0);
                assert_eq!(
                    told.lines().count(),
                    error.problems().len() + more,
                    "{told}"
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn both_formats_say_what_the_model_says(models in models()) {
        let (toml, json) = (toml_of(&models), json_of(&models));
        let from_json = LimitsFile::parse_json(&json);
        let from_json = from_json.map_err(|error| TestCaseError::fail(format!("{error}\n{json}")))?;
        // The order is the file's.
        for ((name, model), limit) in models.iter().zip(&from_json.limits) {
            prop_assert_eq!(name, &limit.name);
            prop_assert_eq!(model.policy(None, None), limit.policy);
            prop_assert_eq!(model.shadow.unwrap_or(false), limit.shadow);
            prop_assert_eq!(model.places.map(|places| places as usize), limit.places);
            let when_full = model.when_full.map_or(WhenFull::Overflow, |at| WHEN_FULL[at].1);
            prop_assert_eq!(when_full, limit.when_full);
            let overrides: Vec<_> = model
                .overrides
                .iter()
                .map(|(key, own)| {
                    let unlimited = AnyPolicy::Unlimited;
                    let policy = own.map_or(unlimited, |(limit, per)| model.policy(limit, per));
                    (key.clone(), policy)
                })
                .collect();
            prop_assert_eq!(&overrides, &limit.overrides);
        }
        let from_toml = LimitsFile::parse_toml(&toml);
        let from_toml = from_toml.map_err(|error| TestCaseError::fail(format!("{error}\n{toml}")))?;
        prop_assert_eq!(by_name(from_toml), by_name(from_json));
    }

    #[test]
    fn a_harmed_file_is_answered(
        models in models(),
        harms in prop::collection::vec(harm(), 0..6),
    ) {
        is_answered(&harmed(&toml_of(&models), &harms));
        is_answered(&harmed(&json_of(&models), &harms));
        is_answered(&harmed(EXAMPLE, &harms));
    }

    #[test]
    fn any_text_is_answered(text in any::<String>(), dense in "[\\[\\]{}=.,\"'a\n\\\\ :1#]{0,40}") {
        is_answered(&text);
        is_answered(&dense);
    }
}
