//! JSON as a tree with lines.
//!
//! `serde_json` neither says where a value stands nor that a name came twice. So each object is
//! read as pairs of raw text, and where the text lies in the input gives the line.

use std::collections::HashSet;
use std::fmt;

use serde_core::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::problem::{Problem, Problems, Wrong};
use super::tree::{DEPTH, Entry, Lines, Node, Path, Value};

/// The tree of a text; `None` if it is no JSON.
pub(super) fn tree<'t>(text: &'t str, problems: &mut Problems) -> Option<Node<'t>> {
    // Checks all of the text, without recursion however deep it nests.
    let raw = match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => raw.get(),
        Err(error) => {
            problems.add(syntax(error.line(), &Path::ROOT, &error));
            return None;
        }
    };
    let mut reader = Reader {
        text,
        lines: Lines::of(text),
        duplicates: Vec::new(),
    };
    match reader.node(raw, &Path::ROOT, 0) {
        Ok(root) => {
            for duplicate in reader.duplicates {
                problems.add(duplicate);
            }
            Some(root)
        }
        Err(problem) => {
            problems.add(problem);
            None
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    lines: Lines,
    duplicates: Vec<Problem>,
}

impl<'t> Reader<'t> {
    /// The line of a part of the text.
    fn line(&self, part: &str) -> usize {
        self.lines
            .at(part.as_ptr().addr().wrapping_sub(self.text.as_ptr().addr()))
    }

    fn node(&mut self, raw: &'t str, path: &Path, depth: usize) -> Result<Node<'t>, Problem> {
        let value = match raw.as_bytes() {
            [b'{', ..] if depth == DEPTH => Value::Other("a table"),
            [b'{', ..] => Value::Table(self.entries(raw, path, depth)?),
            [b'[', ..] => Value::Other("an array"),
            [b'"', ..] => Value::Text(self.read::<String>(raw, path)?.into()),
            [b't', ..] => Value::Flag(true),
            [b'f', ..] => Value::Flag(false),
            [b'n', ..] => Value::Other("null"),
            _ if raw.contains(['.', 'e', 'E']) => Value::Other("a floating-point number"),
            _ => Value::Integer(raw.parse().ok()),
        };
        let written = match raw.as_bytes() {
            [b'{' | b'[', ..] => "",
            _ => raw,
        };
        Ok(Node { written, value })
    }

    fn entries(
        &mut self,
        raw: &'t str,
        path: &Path,
        depth: usize,
    ) -> Result<Vec<Entry<'t>>, Problem> {
        let Pairs(pairs) = self.read(raw, path)?;
        let mut seen = HashSet::new();
        let mut entries = Vec::new();
        for (key, value) in pairs {
            let line = self.line(key);
            let key = self.read::<String>(key, path)?;
            let inner = path.inner(&key);
            if !seen.insert(key.clone()) {
                let twice = Problem::at(line, inner, Wrong::Duplicate);
                self.duplicates.push(twice);
                continue;
            }
            let node = self.node(value, &inner, depth + 1)?;
            entries.push(Entry {
                key: key.into(),
                line,
                node,
            });
        }
        Ok(entries)
    }

    /// Reads a part. Whether its escapes mean anything is only known now.
    fn read<T: Deserialize<'t>>(&self, raw: &'t str, path: &Path) -> Result<T, Problem> {
        serde_json::from_str(raw).map_err(|error| syntax(self.line(raw), path, &error))
    }
}

/// What the parser says, without the line that it counts from the start of a part.
fn syntax(line: usize, path: &Path, error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    let message = match message.rsplit_once(" at line ") {
        Some((message, _)) => message.to_owned(),
        None => message,
    };
    Problem::at(line, path, Wrong::Syntax(message))
}

/// The names and values of an object as they are written, those that come twice included.
struct Pairs<'t>(Vec<(&'t str, &'t str)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsPairs;

        impl<'de> Visitor<'de> for AsPairs {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut pairs = Vec::new();
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    pairs.push((key.get(), value.get()));
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(AsPairs)
    }
}
