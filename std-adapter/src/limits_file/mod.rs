//! Limits from a file, TOML or JSON, so that they can be changed without building the program.
//!
//! This is the reading only: from text to checked values, or to a list of all that is wrong with
//! it. Nothing is half applied, since nothing is applied here.
//!
//! ```toml
//! [limits.login]
//! algorithm = "fixed-window"
//! limit = 10
//! per = "15m"
//!
//! [limits.orders]
//! limit = 100
//! per = "1m"
//! burst = 200
//!
//! [limits.orders.overrides]
//! partner = { limit = 1_000, burst = 2_000 }
//! "10.0.0.7" = "unlimited"
//! ```
//!
//! A limit's name is its name in the answers' headers:
//! [`LimitName`](steadfast::http::LimitName). JSON is the same tree of objects.
//!
//! | field of a limit | | if omitted |
//! |---|---|---|
//! | `algorithm` | `"token-bucket"`, `"fixed-window"`, `"sliding-window"` (the counter), `"interval"` or `"unlimited"` | `"token-bucket"` |
//! | `limit` | how many, 1 to 4294967295 | an error |
//! | `per` | in which time | an error |
//! | `burst` | how many at once; `token-bucket` and `interval` only | `limit` |
//! | `aligned` | `true`: windows start at multiples of `per`; `fixed-window` only | `false` |
//! | `shadow` | `true`: on trial, decides and never denies | `false` |
//! | `places` | how many keys can be remembered, 1 to 16777216 | whoever makes the table chooses |
//! | `when_full` | `"overflow"`, `"deny"`, `"allow"` or `"evict-least-used"`: [`WhenFull`] | `"overflow"` |
//! | `overrides` | a key's own policy | none |
//!
//! Under `"unlimited"` there is no `limit`, `per`, `burst` or `aligned`.
//!
//! An override is `"unlimited"` or a table of `algorithm`, `limit`, `per`, `burst` and `aligned`.
//! What it omits is taken from the limit itself, as far as it is written there and the override's
//! algorithm has it. So with `limit = 100` and `burst = 200`, the override `{ limit = 1000 }` still
//! has a burst of 200; without that `burst`, one of 1,000.
//!
//! A time is text: whole numbers with the units `d`, `h`, `m`, `s`, `ms`, `us`, `ns`, each at most
//! once and from large to small, such as `"15m"` or `"1h30m"`. It is exact, and 1 ns to
//! [`MAX_WAIT`](steadfast::limit::MAX_WAIT), under `sliding-window` to half of that.
//!
//! An override is for a key that is that text. A network such as `"10.0.0.0/8"` is no key, and is
//! refused, so that nobody believes it to hold for its addresses.
//!
//! A file has at most [`LimitsFile::MAX_BYTES`]. Reading takes time in proportion to its size.

mod check;
mod duration;
mod field;
mod json_tree;
mod problem;
mod rule;
mod suggestion;
mod toml_trail;
mod toml_tree;
mod tree;

pub use duration::DurationError;
pub use problem::{LimitsFileError, Problem, Wrong};

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use steadfast::limit::{AnyPolicy, WhenFull};

use self::problem::Problems;
use self::tree::Node;

/// The limits of a file, checked.
///
/// ```
/// use steadfast::limit::{FixedWindow, TokenBucket};
/// use steadfast::time::minutes;
/// use steadfast_std::limits_file::LimitsFile;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let file = LimitsFile::parse_toml(
///     r#"
///     [limits.login]
///     algorithm = "fixed-window"
///     limit = 10
///     per = "15m"
///
///     [limits.orders]
///     limit = 100
///     per = "1m"
///     overrides.partner = { limit = 1_000 }
///     "#,
/// )?;
/// let [login, orders] = &file.limits[..] else { panic!() };
/// assert_eq!(login.name, "login");
/// assert_eq!(login.policy, FixedWindow::new(10, minutes(15)).build()?.into());
/// assert_eq!(orders.policy, TokenBucket::per_minute(100).build()?.into());
/// let partner = TokenBucket::per_minute(1_000).build()?.into();
/// assert_eq!(orders.overrides, [("partner".to_owned(), partner)]);
///
/// let error = LimitsFile::parse_json(
///     r#"{ "limits": { "orders": {
///         "limit": 100,
///         "per": "15 parsecs"
///     } } }"#,
/// );
/// assert_eq!(
///     error.unwrap_err().to_string(),
///     "line 3: limits.orders.per = \"15 parsecs\": a duration is a whole number and a unit: \
///      ns, us, ms, s, m, h or d, such as \"15m\""
/// );
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitsFile {
    /// In the order of the file, at least one; their names differ.
    pub limits: Vec<NamedLimit>,
}

/// One limit of a [`LimitsFile`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamedLimit {
    /// A [`LimitName`](steadfast::http::LimitName) can be made of it.
    pub name: String,
    /// For every key that has none of its own.
    pub policy: AnyPolicy,
    /// On trial: it decides and reports, and denies nobody.
    pub shadow: bool,
    /// How many keys can be remembered, 1 to 2^24; `None` if the file does not say.
    pub places: Option<usize>,
    /// What happens to a newcomer when all its places are taken.
    pub when_full: WhenFull,
    /// Keys with a policy of their own, in the order of the file; the keys differ.
    pub overrides: Vec<(String, AnyPolicy)>,
}

impl LimitsFile {
    /// The most that a file may have: 1 MiB, 1,048,576 bytes.
    pub const MAX_BYTES: usize = 1 << 20;

    /// Reads TOML 1.1.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its line. Of text that is no TOML, the first
    /// place.
    pub fn parse_toml(text: &str) -> Result<Self, LimitsFileError> {
        Self::parse(text, toml_tree::tree)
    }

    /// Reads JSON (RFC 8259). A name that comes twice in one object is an error.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its line. Of text that is no JSON, the first
    /// place.
    pub fn parse_json(text: &str) -> Result<Self, LimitsFileError> {
        Self::parse(text, json_tree::tree)
    }

    /// Reads a file whose name ends in `.toml` or `.json`, in capitals too.
    ///
    /// # Errors
    ///
    /// As [`parse_toml`](Self::parse_toml), and [`Wrong::Unreadable`], [`Wrong::Extension`] or
    /// [`Wrong::NotUtf8`]. The path is part of the message.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, LimitsFileError> {
        let path = path.as_ref();
        Self::parse_content(path, &Content::of(path))
    }

    /// What was read from `path`, which says by its extension how to read it.
    pub(crate) fn parse_content(path: &Path, content: &Content) -> Result<Self, LimitsFileError> {
        Self::parse_by_extension(path, content).map_err(|error| error.with_path(path))
    }

    fn parse_by_extension(path: &Path, content: &Content) -> Result<Self, LimitsFileError> {
        let is = |extension| {
            path.extension()
                .is_some_and(|given| given.eq_ignore_ascii_case(extension))
        };
        let parse = if is("toml") {
            Self::parse_toml
        } else if is("json") {
            Self::parse_json
        } else {
            return Err(Problem::of_the_file(Wrong::Extension).into());
        };
        let bytes = match content {
            Content::Bytes(bytes) => bytes,
            Content::Unreadable { kind, message } => {
                let (kind, message) = (*kind, message.clone());
                return Err(Problem::of_the_file(Wrong::Unreadable { kind, message }).into());
            }
        };
        let text = str::from_utf8(bytes).map_err(|error| Problem {
            line: Some(tree::line_of(bytes, error.valid_up_to())),
            ..Problem::of_the_file(Wrong::NotUtf8)
        })?;
        parse(text)
    }

    fn parse(
        text: &str,
        tree: for<'t> fn(&'t str, &mut Problems) -> Option<Node<'t>>,
    ) -> Result<Self, LimitsFileError> {
        if text.len() > Self::MAX_BYTES {
            return Err(Problem::of_the_file(Wrong::TooLarge).into());
        }
        // Some editors begin a file with a mark that says it is UTF-8.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut problems = Problems::default();
        let limits = if text.trim_ascii().is_empty() {
            problems.add(Problem::at(1, "limits", Wrong::NoLimits));
            Vec::new()
        } else {
            tree(text, &mut problems)
                .map(|root| check::limits(&root, &mut problems))
                .unwrap_or_default()
        };
        problems.into_result()?;
        Ok(Self { limits })
    }
}

/// What is in a file, or why it cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Of a file that is too large, one byte more than is allowed.
    Bytes(Vec<u8>),
    Unreadable {
        kind: io::ErrorKind,
        message: String,
    },
}

impl Content {
    pub fn of(path: &Path) -> Self {
        let mut bytes = Vec::new();
        let most = LimitsFile::MAX_BYTES as u64 + 1;
        let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
        match read {
            Ok(_) => Self::Bytes(bytes),
            Err(error) => Self::Unreadable {
                kind: error.kind(),
                message: error.to_string(),
            },
        }
    }
}
