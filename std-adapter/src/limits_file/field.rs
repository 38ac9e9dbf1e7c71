//! One field's value: of its type and in its range, or what is wrong with it.

use steadfast::limit::MAX_WAIT;
use steadfast::time::Duration;

use super::duration::{self, DurationError};
use super::problem::{Problem, Problems, Wrong, excerpt};
use super::tree::{Entry, Node, Path, Value};

/// The field's value; `None` if it is wrong, which is then told.
pub(super) fn read<T>(
    entry: &Entry,
    path: &Path,
    problems: &mut Problems,
    convert: impl FnOnce(&Value) -> Result<T, Wrong>,
) -> Option<T> {
    match convert(&entry.node.value) {
        Ok(value) => Some(value),
        Err(wrong) => {
            problems.add(wrong_field(entry, path, wrong));
            None
        }
    }
}

/// A field with its value as it is written.
pub(super) fn wrong_field(entry: &Entry, path: &Path, wrong: Wrong) -> Problem {
    Problem {
        value: written(&entry.node),
        ..Problem::at(entry.line, path.inner(&entry.key), wrong)
    }
}

/// The value as it is written, on one line; `None` for tables and arrays.
pub(super) fn written(node: &Node) -> Option<String> {
    const MOST: usize = 60;
    (!node.written.is_empty()).then(|| excerpt(node.written, MOST))
}

/// What a field of tables has: the entries of one.
pub(super) fn table<'n, 't>(value: &'n Value<'t>) -> Result<&'n [Entry<'t>], Wrong> {
    match value {
        Value::Table(entries) => Ok(entries),
        _ => Err(Wrong::Type {
            expected: "a table, in JSON an object",
            found: value.called(),
        }),
    }
}

pub(super) fn flag(value: &Value) -> Result<bool, Wrong> {
    match value {
        Value::Flag(flag) => Ok(*flag),
        _ => Err(Wrong::Type {
            expected: "true or false",
            found: value.called(),
        }),
    }
}

/// How many of something, from 1.
pub(super) fn count(value: &Value) -> Result<u32, Wrong> {
    let expected = "a whole number, 1..=4294967295";
    number(value, u64::from(u32::MAX), expected)
}

/// How many places: fewer than a table can have, so that a slip of the hand does not take all of
/// the memory. They are enough for eleven million keys at once, in 768 MiB.
pub(super) fn places(value: &Value) -> Result<usize, Wrong> {
    number(value, 1 << 24, "a whole number, 1..=16777216")
}

fn number<T: TryFrom<i128>>(value: &Value, max: u64, expected: &'static str) -> Result<T, Wrong> {
    match value {
        Value::Integer(number) => number
            .filter(|number| (1..=i128::from(max)).contains(number))
            .and_then(|number| T::try_from(number).ok())
            .ok_or(Wrong::Range { min: 1, max }),
        _ => Err(Wrong::Type {
            expected,
            found: value.called(),
        }),
    }
}

pub(super) fn duration(value: &Value) -> Result<Duration, Wrong> {
    match value {
        Value::Text(text) => duration::parse(text).map_err(|error| match error {
            // The longest that a policy may have is the more useful answer.
            DurationError::TooLong => Wrong::DurationRange { max: MAX_WAIT },
            error => Wrong::Duration(error),
        }),
        _ => Err(Wrong::Type {
            expected: "a duration in quotes, a whole number and a unit: ns, us, ms, s, m, h or d, \
                       such as \"15m\"",
            found: value.called(),
        }),
    }
}

/// The meaning of one of `words`, which stands at the same place in `meanings`.
pub(super) fn word<T: Copy>(
    value: &Value,
    words: &'static [&'static str],
    meanings: &[T],
) -> Result<T, Wrong> {
    let text = match value {
        Value::Text(text) => text,
        _ => "",
    };
    let mut pairs = words.iter().zip(meanings);
    match pairs.find(|&(&word, _)| word == text) {
        Some((_, &meaning)) => Ok(meaning),
        None => Err(Wrong::UnknownWord {
            meant: super::suggestion::meant(text, words),
            allowed: words,
        }),
    }
}
