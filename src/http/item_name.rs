//! What a limit is called by a server.

use core::fmt;

use super::text::Text;
use super::{BufferTooSmall, LimitName};

/// The name of a limit, as a server wrote it: borrowed from the header's value.
///
/// A string of RFC 9651 has a `\` before each `"` and `\` that it holds, and so has
/// [`as_raw`](Self::as_raw). Comparing, [`write`](Self::write) and `Display` take these away. A
/// name may be empty and of any length, which a [`LimitName`] may not.
///
/// ```
/// use steadfast::http::LimitItems;
///
/// let mut items = LimitItems::new(r#""the \"big\" one";q=5, search;q=7"#);
/// let name = items.next().unwrap()?.name;
/// assert_eq!(name.as_raw(), r#"the \"big\" one"#);
/// assert!(name == r#"the "big" one"#);
///
/// let mut buffer = [0; 20];
/// assert_eq!(name.write(&mut buffer)?, r#"the "big" one"#);
/// assert!(items.next().unwrap()?.name == "search");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct ItemName<'a>(&'a str);

impl<'a> ItemName<'a> {
    /// A name that the reader has checked: each `\` has its character.
    pub(super) const fn new(raw: &'a str) -> Self {
        Self(raw)
    }

    /// The name as it is in the header, without quotes and with its escapes.
    pub const fn as_raw(&self) -> &'a str {
        self.0
    }

    /// Writes the name without escapes. Costs one pass over it.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`]; never with as many bytes as [`as_raw`](Self::as_raw) has.
    pub fn write<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b str, BufferTooSmall> {
        let mut text = Text::new(buffer);
        for byte in self.bytes() {
            text.byte(byte);
        }
        text.finish()
    }

    /// The name's bytes without escapes. All are ASCII.
    fn bytes(self) -> impl Iterator<Item = u8> {
        let mut bytes = self.0.bytes();
        core::iter::from_fn(move || match bytes.next()? {
            b'\\' => bytes.next(),
            byte => Some(byte),
        })
    }
}

impl PartialEq<str> for ItemName<'_> {
    /// Whether the name without escapes is `other`.
    fn eq(&self, other: &str) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl PartialEq<&str> for ItemName<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl PartialEq<LimitName<'_>> for ItemName<'_> {
    fn eq(&self, other: &LimitName<'_>) -> bool {
        *self == *other.as_str()
    }
}

impl fmt::Display for ItemName<'_> {
    /// The name without escapes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes()
            .try_for_each(|byte| fmt::Write::write_char(f, char::from(byte)))
    }
}
