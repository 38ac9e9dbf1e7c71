//! What a limit is called in the IETF headers.

use core::fmt;

use super::text::Text;

/// The name of a limit, checked: 1 to 128 bytes of printable ASCII, spaces included.
///
/// It is written as a quoted string of RFC 9651 (section 3.3.3), with `"` and `\` escaped. A
/// fixed name is checked while compiling by [`limit_name!`](crate::limit_name); one that comes from
/// a configuration by [`new`](Self::new).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct LimitName<'a>(&'a str);

/// A [`LimitName`] that is checked while compiling.
///
/// ```
/// use steadfast::{http::LimitName, limit_name};
///
/// const SEARCH: LimitName = limit_name!("search");
/// assert_eq!(SEARCH.as_str(), "search");
/// ```
///
/// ```compile_fail
/// use steadfast::{http::LimitName, limit_name};
///
/// const NOTHING: LimitName = limit_name!("");
/// ```
#[macro_export]
macro_rules! limit_name {
    ($name:expr) => {
        const {
            match $crate::http::LimitName::new($name) {
                Ok(name) => name,
                Err(_) => panic!("a limit's name is 1 to 128 printable ASCII characters"),
            }
        }
    };
}

impl<'a> LimitName<'a> {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 128;

    /// The bytes that the quoted name takes at most: every byte escaped, and two quotes.
    pub(super) const MAX_LEN: usize = 2 * Self::MAX_BYTES + 2;

    /// `default`, for a service with one limit.
    pub const DEFAULT: LimitName<'static> = LimitName("default");

    /// Checks a name. Costs one pass over it.
    ///
    /// # Errors
    ///
    /// [`NameError`] says what is wrong and where. A line break is refused like any control
    /// character, so a name cannot start a header of its own.
    pub const fn new(name: &'a str) -> Result<Self, NameError> {
        let bytes = name.len();
        if bytes == 0 {
            return Err(NameError::Empty);
        }
        if bytes > Self::MAX_BYTES {
            return Err(NameError::TooLong { bytes });
        }
        let mut rest = name.as_bytes();
        let mut at = 0;
        while let [byte, after @ ..] = rest {
            if !matches!(*byte, b' '..=b'~') {
                return Err(NameError::NotPrintableAscii { byte: *byte, at });
            }
            rest = after;
            at += 1;
        }
        Ok(Self(name))
    }

    /// The name as it was given, without quotes.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }

    /// Writes the name in quotes.
    pub(super) fn write_quoted(self, text: &mut Text<'_>) {
        text.byte(b'"');
        for byte in self.0.bytes() {
            if matches!(byte, b'"' | b'\\') {
                text.byte(b'\\');
            }
            text.byte(byte);
        }
        text.byte(b'"');
    }
}

/// Why a text cannot be the name of a limit.
///
/// ```
/// use steadfast::http::{LimitName, NameError};
///
/// let error = LimitName::new("a\r\nb").unwrap_err();
/// assert_eq!(error, NameError::NotPrintableAscii { byte: 0x0d, at: 1 });
/// assert_eq!(error.to_string(), "name has byte 0x0d at 1, allowed 0x20..=0x7e");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[non_exhaustive]
pub enum NameError {
    /// It has no bytes.
    Empty,
    /// It is longer than [`LimitName::MAX_BYTES`].
    TooLong {
        /// How many bytes it has.
        bytes: usize,
    },
    /// It holds something other than a printable ASCII character.
    NotPrintableAscii {
        /// The first such byte.
        byte: u8,
        /// How many bytes come before it.
        at: usize,
    },
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let max = LimitName::MAX_BYTES;
        match self {
            Self::Empty => write!(f, "name has 0 bytes, allowed 1..={max}"),
            Self::TooLong { bytes } => write!(f, "name has {bytes} bytes, allowed 1..={max}"),
            Self::NotPrintableAscii { byte, at } => {
                write!(f, "name has byte {byte:#04x} at {at}, allowed 0x20..=0x7e")
            }
        }
    }
}

impl core::error::Error for NameError {}
