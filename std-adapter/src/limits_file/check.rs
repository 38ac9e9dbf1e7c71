//! From the tree to limits: every field is known, of its type, in its range, and in its place.

use std::net::IpAddr;

use steadfast::http::LimitName;
use steadfast::limit::{AnyPolicy, WhenFull};

use super::NamedLimit;
use super::field;
use super::problem::{Problem, Problems, Wrong};
use super::rule::Rule;
use super::suggestion::meant;
use super::tree::{Entry, Node, Path, Value};

/// A limit's own fields, besides those of its policy.
const OF_THE_LIMIT: [&str; 4] = ["shadow", "places", "when_full", "overrides"];

const LIMIT_FIELDS: &[&str] = &[
    "algorithm",
    "limit",
    "per",
    "burst",
    "aligned",
    "shadow",
    "places",
    "when_full",
    "overrides",
];

const WHEN_FULL_WORDS: &[&str] = &["overflow", "deny", "allow", "evict-least-used"];

const WHEN_FULL: [WhenFull; 4] = [
    WhenFull::Overflow,
    WhenFull::Deny,
    WhenFull::Allow,
    WhenFull::EvictLeastUsed,
];

/// The limits that are right; those that are not, and whatever else is wrong, are told.
pub(super) fn limits(root: &Node, problems: &mut Problems) -> Vec<NamedLimit> {
    let path = Path::ROOT.inner("limits");
    let entries = match field::table(&root.value) {
        Ok(entries) => entries,
        Err(wrong) => {
            problems.add(Problem::at(1, Path::ROOT, wrong));
            return Vec::new();
        }
    };
    let mut found = None;
    for entry in entries {
        if entry.key == "limits" {
            found = Some(entry);
        } else {
            problems.add(unknown(entry, &Path::ROOT, &["limits"]));
        }
    }
    let Some(found) = found else {
        if entries.is_empty() {
            problems.add(Problem::at(1, path, Wrong::NoLimits));
        }
        return Vec::new();
    };
    let Some(entries) = table_of(found, &Path::ROOT, problems) else {
        return Vec::new();
    };
    if entries.is_empty() {
        problems.add(Problem::at(found.line, path, Wrong::NoLimits));
    }
    entries
        .iter()
        .filter_map(|entry| limit(entry, &path, problems))
        .collect()
}

fn limit(limit: &Entry, limits: &Path, problems: &mut Problems) -> Option<NamedLimit> {
    let path = limits.inner(&limit.key);
    if let Err(error) = LimitName::new(&limit.key) {
        problems.add(Problem::at(limit.line, path, Wrong::Name(error)));
        return None;
    }
    let entries = table_of(limit, limits, problems)?;
    let mut rule = Rule::default();
    let mut shadow = Some(false);
    let mut places = Some(None);
    let mut when_full = Some(WhenFull::default());
    let mut overrides = None;
    for entry in entries {
        match &*entry.key {
            "shadow" => shadow = field::read(entry, &path, problems, field::flag),
            "places" => places = field::read(entry, &path, problems, field::places).map(Some),
            "when_full" => {
                let word = |value: &Value| field::word(value, WHEN_FULL_WORDS, &WHEN_FULL);
                when_full = field::read(entry, &path, problems, word);
            }
            "overrides" => overrides = Some(entry),
            _ if rule.take(entry, &path, problems) => {}
            _ => problems.add(unknown(entry, &path, LIMIT_FIELDS)),
        }
    }
    let policy = rule.policy(&path, limit.line, problems);
    let overrides = match overrides {
        Some(entry) => overrides_of(entry, &path, &rule, problems),
        None => Vec::new(),
    };
    Some(NamedLimit {
        name: limit.key.to_string(),
        policy: policy?,
        shadow: shadow?,
        places: places?,
        when_full: when_full?,
        overrides,
    })
}

fn overrides_of(
    overrides: &Entry,
    limit: &Path,
    rule: &Rule,
    problems: &mut Problems,
) -> Vec<(String, AnyPolicy)> {
    let path = limit.inner("overrides");
    table_of(overrides, limit, problems)
        .unwrap_or_default()
        .iter()
        .filter_map(|entry| {
            if is_network(&entry.key) {
                problems.add(Problem::at(
                    entry.line,
                    path.inner(&entry.key),
                    Wrong::Network,
                ));
                return None;
            }
            let policy = policy_of(entry, &path, rule, problems)?;
            Some((entry.key.to_string(), policy))
        })
        .collect()
}

/// Does it look like a network, which no key is?
fn is_network(key: &str) -> bool {
    let Some((address, prefix)) = key.split_once('/') else {
        return false;
    };
    address.parse::<IpAddr>().is_ok() && prefix.parse::<u8>().is_ok()
}

/// One key's policy.
fn policy_of(
    key: &Entry,
    overrides: &Path,
    limit: &Rule,
    problems: &mut Problems,
) -> Option<AnyPolicy> {
    let entries = match &key.node.value {
        Value::Table(entries) => entries,
        Value::Text(text) if text == "unlimited" => return Some(AnyPolicy::Unlimited),
        other => {
            let wrong = Wrong::Type {
                expected: "\"unlimited\" or a table such as { limit = 1000 }",
                found: other.called(),
            };
            problems.add(field::wrong_field(key, overrides, wrong));
            return None;
        }
    };
    let path = overrides.inner(&key.key);
    let mut rule = Rule::default();
    for entry in entries {
        if rule.take(entry, &path, problems) {
            continue;
        }
        problems.add(if OF_THE_LIMIT.contains(&&*entry.key) {
            field::wrong_field(entry, &path, Wrong::NotOfOverride)
        } else {
            unknown(entry, &path, Rule::FIELDS)
        });
    }
    rule.inherit(limit);
    rule.policy(&path, key.line, problems)
}

fn table_of<'n, 't>(
    entry: &'n Entry<'t>,
    outer: &Path,
    problems: &mut Problems,
) -> Option<&'n [Entry<'t>]> {
    match field::table(&entry.node.value) {
        Ok(entries) => Some(entries),
        Err(wrong) => {
            problems.add(field::wrong_field(entry, outer, wrong));
            None
        }
    }
}

fn unknown(entry: &Entry, path: &Path, allowed: &'static [&'static str]) -> Problem {
    let wrong = Wrong::UnknownField {
        meant: meant(&entry.key, allowed),
        allowed,
    };
    field::wrong_field(entry, path, wrong)
}
