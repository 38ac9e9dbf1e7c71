//! What is said about a file that cannot be: where, which field, its value, what is allowed.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use steadfast::http::NameError;
use steadfast::time::Duration;

use super::LimitsFile;
use super::duration::{self, DurationError};

/// How many problems of a file are told; the others are counted.
const MOST: usize = 20;

/// A file of limits is wrong, and this is all of it. One line of text a problem.
///
/// ```
/// use steadfast_std::limits_file::LimitsFile;
///
/// let error = LimitsFile::parse_toml("[limits.orders]\nlimit = 0\nper = \"-5m\"").unwrap_err();
/// assert_eq!(error.problems()[0].line, Some(2));
/// assert_eq!(error.problems()[1].field, "limits.orders.per");
/// assert_eq!(
///     error.to_string(),
///     "line 2: limits.orders.limit = 0: allowed 1..=4294967295\n\
///      line 3: limits.orders.per = \"-5m\": it is negative; a duration is a whole number and a \
///      unit: ns, us, ms, s, m, h or d, such as \"15m\""
/// );
/// ```
///
/// `Debug` says what `Display` does, since that is what a `main` that fails prints.
#[derive(Clone, PartialEq, Eq)]
pub struct LimitsFileError {
    path: Option<PathBuf>,
    problems: Vec<Problem>,
    more: usize,
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Counted from 1; `None` if it is not about one line.
    pub line: Option<usize>,
    /// The field with the tables around it, such as `limits.orders.per`; names that are not plain
    /// words are quoted, and long ones cut off. Empty if it is not about one field.
    pub field: String,
    /// The value as it is written there, cut off after 60 characters; `None` for tables, arrays
    /// and what is missing.
    pub value: Option<String>,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// What can be wrong with a file of limits. What it says includes what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wrong {
    /// The operating system did not give us the file.
    Unreadable {
        /// Its reason.
        kind: io::ErrorKind,
        /// Its reason in words.
        message: String,
    },
    /// The file's name ends neither in `.toml` nor in `.json`.
    Extension,
    /// It has more than [`LimitsFile::MAX_BYTES`].
    TooLarge,
    /// It is not UTF-8.
    NotUtf8,
    /// It is not TOML or not JSON; what its parser says.
    Syntax(String),
    /// Brackets, or the parts of a dotted name, nest deeper than any limit does.
    TooDeep {
        /// How many levels may be open.
        max: usize,
    },
    /// There is no limit in it.
    NoLimits,
    /// The field is written a second time.
    Duplicate,
    /// It cannot be the name of a limit.
    Name(NameError),
    /// The field must be there, and is not.
    Missing {
        /// What should be there.
        expected: &'static str,
    },
    /// There is no such field.
    UnknownField {
        /// The field that is spelled nearly so.
        meant: Option<&'static str>,
        /// Those that there are.
        allowed: &'static [&'static str],
    },
    /// The algorithm has no such field.
    NotOfAlgorithm {
        /// Which algorithm.
        algorithm: &'static str,
        /// Its fields.
        allowed: &'static [&'static str],
    },
    /// An override has no such field: it is the limit's.
    NotOfOverride,
    /// An override is for a network, and no key is one.
    Network,
    /// It is of another type.
    Type {
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// It is none of the words that it may be.
    UnknownWord {
        /// The word that is spelled nearly so.
        meant: Option<&'static str>,
        /// Those that there are.
        allowed: &'static [&'static str],
    },
    /// A number is too small or too large.
    Range {
        /// The least it may be.
        min: u64,
        /// The most it may be.
        max: u64,
    },
    /// It is not a duration.
    Duration(DurationError),
    /// A duration is too long.
    DurationRange {
        /// The longest it may be.
        max: Duration,
    },
}

impl LimitsFileError {
    /// What is wrong, the first 20 of it, at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many more problems there are.
    pub fn more(&self) -> usize {
        self.more
    }

    /// The file, if it was [`read`](LimitsFile::read).
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    pub(super) fn with_path(self, path: &Path) -> Self {
        Self {
            path: Some(path.to_owned()),
            ..self
        }
    }
}

impl From<Problem> for LimitsFileError {
    fn from(problem: Problem) -> Self {
        Self {
            path: None,
            problems: vec![problem],
            more: 0,
        }
    }
}

impl Problem {
    pub(super) fn of_the_file(wrong: Wrong) -> Self {
        Self {
            line: None,
            field: String::new(),
            value: None,
            wrong,
        }
    }

    pub(super) fn at(line: usize, field: impl fmt::Display, wrong: Wrong) -> Self {
        Self {
            line: Some(line),
            field: field.to_string(),
            value: None,
            wrong,
        }
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(super) struct Problems {
    told: Vec<Problem>,
    more: usize,
}

impl Problems {
    pub fn add(&mut self, problem: Problem) {
        if self.told.len() < MOST {
            self.told.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// An error if there are any, in the order of their lines.
    pub fn into_result(mut self) -> Result<(), LimitsFileError> {
        if self.told.is_empty() {
            return Ok(());
        }
        self.told.sort_by_key(|problem| problem.line);
        Err(LimitsFileError {
            path: None,
            problems: self.told,
            more: self.more,
        })
    }
}

/// Text of the file on one line of bounded length: control characters are escaped, and what comes
/// after `most` characters is cut off.
pub(super) fn excerpt(text: &str, most: usize) -> String {
    let mut excerpt = String::new();
    for (at, character) in text.chars().enumerate() {
        if at == most {
            excerpt.push('…');
            break;
        }
        if character.is_control() {
            excerpt.extend(character.escape_default());
        } else {
            excerpt.push(character);
        }
    }
    excerpt
}

impl fmt::Debug for LimitsFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for LimitsFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            match (&self.path, problem.line) {
                (Some(path), Some(line)) => write!(f, "{}:{line}: ", path.display())?,
                (Some(path), None) => write!(f, "{}: ", path.display())?,
                (None, Some(line)) => write!(f, "line {line}: ")?,
                (None, None) => {}
            }
            write!(f, "{problem}")?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for LimitsFileError {}

impl fmt::Display for Problem {
    /// Without the line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.field)?;
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        if !self.field.is_empty() {
            f.write_str(": ")?;
        }
        write!(f, "{}", self.wrong)
    }
}

/// Words with commas between, each between two `quote`s.
fn list(f: &mut fmt::Formatter<'_>, words: &[&str], quote: char) -> fmt::Result {
    for (at, word) in words.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        write!(f, "{comma}{quote}{word}{quote}")?;
    }
    Ok(())
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { message, .. } => write!(f, "it cannot be read: {message}"),
            Self::Extension => f.write_str("the file's name must end in .toml or .json"),
            Self::TooLarge => write!(
                f,
                "the file is too large, allowed are {} bytes",
                LimitsFile::MAX_BYTES
            ),
            Self::NotUtf8 => f.write_str("the file must be UTF-8"),
            Self::Syntax(message) => f.write_str(message),
            Self::TooDeep { max } => {
                write!(f, "nested too deeply, allowed are {max} levels")
            }
            Self::NoLimits => f.write_str(
                "there is no limit, which is most likely a mistake; a limit is a table such as \
                 [limits.login], in JSON {\"limits\": {\"login\": {...}}}",
            ),
            Self::Duplicate => f.write_str("it is here a second time"),
            Self::Name(error) => write!(f, "{error}"),
            Self::Missing { expected } => write!(f, "it is missing, expected {expected}"),
            Self::UnknownField {
                meant: Some(meant), ..
            } => write!(f, "unknown field, did you mean `{meant}`?"),
            Self::UnknownField { allowed, .. } => {
                f.write_str("unknown field, allowed are ")?;
                list(f, allowed, '`')
            }
            Self::NotOfAlgorithm { algorithm, allowed } => {
                write!(f, "the algorithm \"{algorithm}\" has no such field")?;
                if !allowed.is_empty() {
                    f.write_str(", only ")?;
                    list(f, allowed, '`')?;
                }
                Ok(())
            }
            Self::Network => f.write_str(
                "no key is a network; name an address, or give the network a limit of its own",
            ),
            Self::NotOfOverride => {
                f.write_str("an override has no such field, it belongs to the limit as a whole")
            }
            Self::Type { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::UnknownWord {
                meant: Some(meant), ..
            } => write!(f, "did you mean \"{meant}\"?"),
            Self::UnknownWord { allowed, .. } => {
                f.write_str("allowed are ")?;
                list(f, allowed, '"')
            }
            Self::Range { min, max } => write!(f, "allowed {min}..={max}"),
            Self::Duration(error) => write!(f, "{error}"),
            Self::DurationRange { max } => {
                write!(f, "allowed \"1ns\" to \"{}\"", duration::written(*max))
            }
        }
    }
}
