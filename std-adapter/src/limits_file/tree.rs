//! One small tree for both formats, so that what is in a file is checked once.

use std::borrow::Cow;
use std::fmt;

use super::problem::excerpt;

/// How deep tables are looked into: the file, `limits`, a limit, its overrides, an override. A
/// table further in can only be an error.
pub(super) const DEPTH: usize = 5;

/// A value, and how it is written in the file.
#[derive(Debug)]
pub(super) struct Node<'t> {
    /// Empty for tables and arrays.
    pub written: &'t str,
    pub value: Value<'t>,
}

#[derive(Debug)]
pub(super) enum Value<'t> {
    Text(Cow<'t, str>),
    /// `None` if it does not fit, so certainly out of range.
    Integer(Option<i128>),
    Flag(bool),
    /// In the order of the file; the keys differ.
    Table(Vec<Entry<'t>>),
    /// Something that no field takes: what it is called.
    Other(&'static str),
}

#[derive(Debug)]
pub(super) struct Entry<'t> {
    pub key: Cow<'t, str>,
    /// The key's, counted from 1.
    pub line: usize,
    pub node: Node<'t>,
}

impl Value<'_> {
    /// What it is called in messages.
    pub fn called(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::Table(_) => "a table",
            Self::Other(called) => called,
        }
    }
}

/// A table's place in the tree: `limits.orders.overrides."10.0.0.7"`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'p> {
    outer: Option<&'p Path<'p>>,
    key: &'p str,
}

impl<'p> Path<'p> {
    pub const ROOT: Path<'static> = Path {
        outer: None,
        key: "",
    };

    pub fn inner(&'p self, key: &'p str) -> Path<'p> {
        Path {
            outer: Some(self),
            key,
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Of one key; four of them are in the longest path.
        const MOST: usize = 60;
        let Some(outer) = self.outer else {
            return Ok(());
        };
        if outer.outer.is_some() {
            write!(f, "{outer}.")?;
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let key = excerpt(self.key, MOST);
        // Of a key that is cut off only what is shown, so that the rest need not be looked through.
        let plain = key.trim_end_matches('…').bytes().all(is_plain);
        if plain && !self.key.is_empty() {
            f.write_str(&key)
        } else {
            write!(f, "\"{}\"", key.replace('"', "\\\""))
        }
    }
}

/// Where the lines of a text begin, so that finding one does not count them anew.
#[derive(Debug)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        Self(ends.map(|(at, _)| at).collect())
    }

    /// The line of this byte, counted from 1.
    pub fn at(&self, byte: usize) -> usize {
        self.0.partition_point(|&end| end < byte) + 1
    }
}

/// The line of a byte of something that is no text.
pub(super) fn line_of(bytes: &[u8], at: usize) -> usize {
    bytes.iter().take(at).filter(|&&byte| byte == b'\n').count() + 1
}
