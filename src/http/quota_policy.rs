//! What is allowed: an item of the `RateLimit-Policy` header.

use super::text::Text;
use super::{BufferTooSmall, ItemError, LimitName};
use crate::limit::Standing;
use crate::time::Duration;

const NANOS_PER_SEC: u64 = 1_000_000_000;

/// What one limit allows: an item of the `RateLimit-Policy` header.
///
/// `"search";q=100;w=60` says: the limit called "search" allows 100 in 60 seconds. Source:
/// draft-ietf-httpapi-ratelimit-headers, section on the field; the syntax is RFC 9651.
///
/// ```
/// use steadfast::{http::{LimitName, QuotaPolicy}, time::{hours, minutes}};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let short = QuotaPolicy::new(LimitName::new("permin")?, 50, minutes(1))?;
/// let long = QuotaPolicy::new(LimitName::new("perhr")?, 1_000, hours(1))?;
///
/// let mut buffer = [0; 100];
/// assert_eq!(
///     QuotaPolicy::write_list([short, long], &mut buffer)?,
///     r#""permin";q=50;w=60,"perhr";q=1000;w=3600"#,
/// );
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct QuotaPolicy<'a> {
    name: LimitName<'a>,
    quota: u64,
    window_secs: u64,
}

impl<'a> QuotaPolicy<'a> {
    /// The bytes that one item takes at most. A list of `n` takes at most
    /// `n * (MAX_LEN + 1) - 1`.
    pub const MAX_LEN: usize = LimitName::MAX_LEN + ";q=999999999999999;w=18446744074".len();

    /// `quota` in each `window`. To tell of a limiter, use
    /// [`from_standing`](Self::from_standing).
    ///
    /// # Errors
    ///
    /// [`ItemError`] if `quota` is above [`MAX_INTEGER`](super::MAX_INTEGER), or if `window` is
    /// zero or not in whole seconds.
    pub const fn new(name: LimitName<'a>, quota: u64, window: Duration) -> Result<Self, ItemError> {
        if let Err(error) = ItemError::check("quota", quota) {
            return Err(error);
        }
        let window_secs = window.as_nanos() / NANOS_PER_SEC;
        if window_secs == 0 || window.as_nanos() != window_secs * NANOS_PER_SEC {
            return Err(ItemError::Window { window });
        }
        Ok(Self {
            name,
            quota,
            window_secs,
        })
    }

    /// What a limiter allows: its capacity in its window.
    ///
    /// A window that is not in whole seconds is rounded up, to 1 at least, since the header knows
    /// no smaller unit. So it may promise less than the limiter grants, and never more: 10 in
    /// 100 ms is told as 10 in 1 s.
    pub const fn from_standing(name: LimitName<'a>, standing: &Standing) -> Self {
        let window_secs = standing.window.as_secs_ceil();
        Self {
            name,
            quota: standing.limit as u64,
            window_secs: if window_secs == 0 { 1 } else { window_secs },
        }
    }

    /// Writes the item, as the whole value of a header with one limit.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`]; never with [`MAX_LEN`](Self::MAX_LEN) bytes.
    pub fn write<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b str, BufferTooSmall> {
        Self::write_list([*self], buffer)
    }

    /// Writes several items with a comma between them. Of none it writes nothing: leave the header
    /// out then (RFC 9651, section 3.1).
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`]; never with [`MAX_LEN`](Self::MAX_LEN)` + 1` bytes an item.
    pub fn write_list(
        items: impl IntoIterator<Item = Self>,
        buffer: &mut [u8],
    ) -> Result<&str, BufferTooSmall> {
        let mut text = Text::new(buffer);
        text.list(items, |item, text| {
            item.name.write_quoted(text);
            text.str(";q=");
            text.number(item.quota);
            text.str(";w=");
            text.number(item.window_secs);
        });
        text.finish()
    }
}
