//! The IETF headers, read.

use core::fmt;
use core::iter::FusedIterator;

use super::ItemName;
use super::structured::{Bare, Scan};
use super::text::is_space;

/// One limit as a server tells of it: an item of `RateLimit-Policy` or of `RateLimit`.
///
/// A parameter is `None` where it is missing, and where its value is anything but an integer of 0
/// to [`MAX_INTEGER`](super::MAX_INTEGER). Of one that is there twice, the last counts. Others
/// (`pk` and `qu`, and what a server adds of its own) are checked for their syntax and skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct LimitItem<'a> {
    /// What the server calls the limit; the same in both headers.
    pub name: ItemName<'a>,
    /// `q`: what the policy allows in each window, in the server's units, mostly requests.
    pub quota: Option<u64>,
    /// `w`: the policy's window in seconds. The draft allows no 0, but a server may send it.
    pub window_secs: Option<u64>,
    /// `r`: what is left.
    pub remaining: Option<u64>,
    /// `t`: no more than `remaining` can be used in so many seconds.
    pub reset_secs: Option<u64>,
}

impl<'a> LimitItem<'a> {
    fn read(scan: &mut Scan<'a>) -> Option<Self> {
        let start = *scan;
        let name = match scan.bare()? {
            Bare::String(name) | Bare::Token(name) => ItemName::new(name),
            // An item of another type is wrong from its first byte on.
            Bare::Count(_) | Bare::Other => {
                *scan = start;
                return None;
            }
        };
        let mut item = Self {
            name,
            quota: None,
            window_secs: None,
            remaining: None,
            reset_secs: None,
        };
        scan.parameters(|key, value| {
            let count = match value {
                Bare::Count(count) => Some(count),
                _ => None,
            };
            match key {
                "q" => item.quota = count,
                "w" => item.window_secs = count,
                "r" => item.remaining = count,
                "t" => item.reset_secs = count,
                _ => {}
            }
        })?;
        Some(item)
    }
}

/// The items of a `RateLimit-Policy` or `RateLimit` header, one by one.
///
/// A list that is malformed anywhere counts as absent, says RFC 9651 (section 4.2):
/// [`checked`](Self::checked) reads it in this way. [`new`](Self::new) gives what there is before
/// the fault, then [`ListError`] once, then nothing; it is for logs and for those who keep the
/// items back until the end.
///
/// If the header is there more than once, join the lines with a comma, in their order, or read
/// each for itself; the two differ only in what a malformed line takes with it.
///
/// An item's value must be a string, or a token as in earlier drafts; a list with anything else
/// (a number, an inner list) is malformed. Costs one pass over the text and no memory. Source:
/// RFC 9651, section 4.2.1; draft-ietf-httpapi-ratelimit-headers.
///
/// ```
/// use steadfast::http::LimitItems;
///
/// let policies = r#""permin";q=50;w=60, "peruser";q=65535;qu="content-bytes";w=10;pk=:aGk=:"#;
/// for item in LimitItems::checked(policies)? {
///     assert!(item.quota >= Some(50));
///     assert!(item.window_secs <= Some(60));
/// }
/// assert_eq!(LimitItems::checked(r#""a";r=1, "b";"#).err().map(|error| error.at), Some(13));
/// # Ok::<(), steadfast::http::ListError>(())
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct LimitItems<'a> {
    scan: Scan<'a>,
    ended: bool,
}

impl<'a> LimitItems<'a> {
    /// Reads as far as the list is well formed. Spaces and tabs around the value are skipped; of
    /// an empty value there are no items.
    pub fn new(value: &'a str) -> Self {
        let scan = Scan::new(value);
        Self {
            scan,
            ended: scan.is_at_end(),
        }
    }

    /// Reads the list only if all of it is well formed. Costs two passes.
    ///
    /// # Errors
    ///
    /// [`ListError`]; ignore the header then.
    pub fn checked(
        value: &'a str,
    ) -> Result<impl Iterator<Item = LimitItem<'a>> + Clone, ListError> {
        let items = Self::new(value);
        for item in items.clone() {
            item?;
        }
        Ok(items.map_while(Result::ok))
    }

    /// An item, and what must follow it: the end, or a comma and something more.
    fn read(&mut self) -> Option<LimitItem<'a>> {
        let scan = &mut self.scan;
        let item = LimitItem::read(scan)?;
        scan.skip(is_space);
        if !scan.is_at_end() {
            scan.take(b',')?;
            scan.skip(is_space);
            if scan.is_at_end() {
                return None;
            }
        }
        Some(item)
    }
}

impl<'a> Iterator for LimitItems<'a> {
    type Item = Result<LimitItem<'a>, ListError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = self.read();
        self.ended = item.is_none() || self.scan.is_at_end();
        Some(item.ok_or(ListError { at: self.scan.at() }))
    }
}

impl FusedIterator for LimitItems<'_> {}

/// A text is not a list of limits.
///
/// ```
/// use steadfast::http::{LimitItems, ListError};
///
/// let error = LimitItems::new(r#""a";R=1"#).next().unwrap().unwrap_err();
/// assert_eq!(error, ListError { at: 4 });
/// assert_eq!(error.to_string(), "the list is malformed at byte 4");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct ListError {
    /// How many bytes come before the one that does not fit; all of them, but for spaces at the
    /// end, if the text ends too early.
    pub at: usize,
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the list is malformed at byte {}", self.at)
    }
}

impl core::error::Error for ListError {}
