//! Limits before they are written: what both formats must say.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::select;
use steadfast::limit::{AnyPolicy, FixedWindow, SlidingWindowCounter, WhenFull};
use steadfast::time::nanos;

use crate::{bucket, interval};

/// An override's own limit and time.
pub type Own = (Option<u32>, Option<u64>);

/// A limit before it is written, and what must be read.
#[derive(Clone, Debug)]
pub struct Model {
    pub algorithm: usize,
    pub limit: u32,
    pub per: u64,
    pub burst: Option<u32>,
    pub aligned: Option<bool>,
    pub shadow: Option<bool>,
    pub places: Option<u32>,
    pub when_full: Option<usize>,
    /// Key, then limit and time if it is not unlimited.
    pub overrides: Vec<(String, Option<Own>)>,
    /// Which way TOML is written.
    pub style: usize,
}

const ALGORITHMS: [&str; 5] = [
    "token-bucket",
    "fixed-window",
    "sliding-window",
    "interval",
    "unlimited",
];

pub const WHEN_FULL: [(&str, WhenFull); 4] = [
    ("overflow", WhenFull::Overflow),
    ("deny", WhenFull::Deny),
    ("allow", WhenFull::Allow),
    ("evict-least-used", WhenFull::EvictLeastUsed),
];

pub fn models() -> impl Strategy<Value = Vec<(String, Model)>> {
    prop::collection::btree_map("[ -~]{1,20}", model(), 1..5)
        .prop_map(|models| models.into_iter().collect())
}

fn model() -> impl Strategy<Value = Model> {
    let per = || {
        select(vec![
            1,
            999,
            1_000_000,
            60_000_000_000,
            5_400_000_000_001_u64,
        ])
    };
    let policy = prop::option::of((prop::option::of(1..1_000_u32), prop::option::of(per())));
    (
        (
            0..5_usize,
            1..1_000_u32,
            per(),
            prop::option::of(1..1_000_u32),
        ),
        (
            prop::option::of(any::<bool>()),
            prop::option::of(any::<bool>()),
            prop::option::of(1..=(1_u32 << 24)),
            prop::option::of(0..4_usize),
        ),
        prop::collection::btree_map(any::<String>(), policy, 0..4),
        0..3_usize,
    )
        .prop_map(
            |(
                (algorithm, limit, per, burst),
                (aligned, shadow, places, when_full),
                overrides,
                style,
            )| Model {
                algorithm,
                limit,
                per,
                burst: burst.filter(|_| matches!(algorithm, 0 | 3)),
                aligned: aligned.filter(|_| algorithm == 1),
                shadow,
                places,
                when_full,
                overrides: if algorithm == 4 {
                    overrides.into_keys().map(|key| (key, None)).collect()
                } else {
                    overrides.into_iter().collect()
                },
                style,
            },
        )
}

impl Model {
    pub fn policy(&self, limit: Option<u32>, per: Option<u64>) -> AnyPolicy {
        let limit = limit.unwrap_or(self.limit);
        let per = nanos(per.unwrap_or(self.per));
        let window = FixedWindow::new(limit, per);
        match self.algorithm {
            0 => bucket(limit, per, self.burst.unwrap_or(limit)),
            1 if self.aligned == Some(true) => window.aligned().build().unwrap().into(),
            1 => window.build().unwrap().into(),
            2 => SlidingWindowCounter::new(limit, per)
                .build()
                .unwrap()
                .into(),
            3 => interval(limit, per, self.burst.unwrap_or(limit)),
            _ => AnyPolicy::Unlimited,
        }
    }

    /// Names and values, but for the overrides; written alike in both formats.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = Vec::new();
        if self.algorithm > 0 {
            fields.push(("algorithm", format!("\"{}\"", ALGORITHMS[self.algorithm])));
        }
        if self.algorithm < 4 {
            fields.push(("limit", self.limit.to_string()));
            fields.push(("per", per(self.per)));
        }
        let mut optional = |name, value: Option<String>| fields.extend(value.map(|v| (name, v)));
        optional("burst", self.burst.map(|burst| burst.to_string()));
        optional("aligned", self.aligned.map(|flag| flag.to_string()));
        optional("shadow", self.shadow.map(|flag| flag.to_string()));
        optional("places", self.places.map(|places| places.to_string()));
        let when_full = self.when_full.map(|at| format!("\"{}\"", WHEN_FULL[at].0));
        optional("when_full", when_full);
        fields
    }
}

/// A duration by division, as a test would write it: hours, seconds and nanoseconds.
fn per(nanos: u64) -> String {
    let seconds = nanos % 3_600_000_000_000 / 1_000_000_000;
    let mut text = match nanos / 3_600_000_000_000 {
        0 => String::new(),
        hours => format!("{hours}h"),
    };
    if seconds > 0 {
        write!(text, "{seconds}s").unwrap();
    }
    let rest = nanos % 1_000_000_000;
    if rest > 0 {
        write!(text, "{rest}ns").unwrap();
    }
    format!("\"{text}\"")
}

/// A string that both formats read alike.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\0'..='\u{1f}' | '\u{7f}' => {
                write!(quoted, "\\u{:04x}", u32::from(character)).unwrap();
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

pub fn toml_of(models: &[(String, Model)]) -> String {
    let mut toml = String::new();
    // Dotted names of the root come before its first heading.
    let mut ordered: Vec<_> = models.iter().collect();
    ordered.sort_by_key(|(_, model)| model.style != 2);
    for (name, model) in ordered {
        let name = quoted(name);
        let dotted = model.style == 2;
        if !dotted {
            writeln!(toml, "[limits.{name}] # {name}").unwrap();
        }
        let before = if dotted {
            format!("limits.{name}.")
        } else {
            String::new()
        };
        for (field, value) in model.fields() {
            writeln!(toml, "{before}{field} = {value}").unwrap();
        }
        if model.style == 1 && !model.overrides.is_empty() {
            writeln!(toml, "[limits.{name}.overrides]").unwrap();
        }
        for (key, policy) in &model.overrides {
            let key = quoted(key);
            let before = if model.style == 1 {
                String::new()
            } else {
                format!("{before}overrides.")
            };
            let value = match policy {
                None => "\"unlimited\"".to_owned(),
                Some((limit, time)) => {
                    let limit = limit.map(|limit| format!("limit = {limit:#x}"));
                    let time = time.map(|time| format!("per = {}", per(time)));
                    let both: Vec<_> = limit.into_iter().chain(time).collect();
                    format!("{{ {} }}", both.join(", "))
                }
            };
            writeln!(toml, "{before}{key} = {value}").unwrap();
        }
    }
    toml
}

pub fn json_of(models: &[(String, Model)]) -> String {
    let object = |pairs: Vec<(String, String)>| {
        let pairs: Vec<_> = pairs
            .into_iter()
            .map(|(name, value)| format!("\n {name}: {value}"))
            .collect();
        format!("{{{}}}", pairs.join(","))
    };
    let limits = models.iter().map(|(name, model)| {
        let fields = model.fields().into_iter();
        let mut fields: Vec<_> = fields
            .map(|(field, value)| (quoted(field), value))
            .collect();
        let overrides = model.overrides.iter().map(|(key, policy)| {
            let value = match policy {
                None => "\"unlimited\"".to_owned(),
                Some((limit, time)) => {
                    let limit = limit.map(|limit| (quoted("limit"), limit.to_string()));
                    let time = time.map(|time| (quoted("per"), per(time)));
                    object(limit.into_iter().chain(time).collect())
                }
            };
            (quoted(key), value)
        });
        fields.push((quoted("overrides"), object(overrides.collect())));
        (quoted(name), object(fields))
    });
    let limits = object(limits.collect());
    object(vec![(quoted("limits"), limits)])
}
