//! What is left: an item of the `RateLimit` header.

use super::text::Text;
use super::{BufferTooSmall, ItemError, LimitName, RetryAfter};
use crate::limit::Standing;
use crate::time::Duration;

/// What one limit has left: an item of the `RateLimit` header.
///
/// `"search";r=49;t=37` says: of the limit called "search" 49 remain, and in 37 seconds it is
/// full again. After a no, `t` is how long to wait. Source: draft-ietf-httpapi-ratelimit-headers,
/// section on the field; the syntax is RFC 9651.
///
/// Where several limits apply, list them all: [`denied`](Self::denied) for the one that said no,
/// [`granted`](Self::granted) for the others. A [`StoreFull`](crate::limit::Denied::StoreFull) has
/// no item, since no limit was asked.
///
/// ```
/// use steadfast::{http::{LimitName, ServiceLimit}, limit::Standing, time::{millis, secs}};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let name = LimitName::new("search")?;
/// let mut standing =
///     Standing { limit: 100, window: secs(60), remaining: 49, full_in: millis(36_001) };
/// let mut buffer = [0; ServiceLimit::MAX_LEN];
/// assert_eq!(
///     ServiceLimit::granted(name, &standing).write(&mut buffer)?,
///     r#""search";r=49;t=37"#,
/// );
///
/// standing.remaining = 0;
/// assert_eq!(
///     ServiceLimit::denied(name, &standing, millis(1_001)).write(&mut buffer)?,
///     r#""search";r=0;t=2"#,
/// );
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct ServiceLimit<'a> {
    name: LimitName<'a>,
    remaining: u64,
    reset_secs: u64,
}

impl<'a> ServiceLimit<'a> {
    /// The bytes that one item takes at most. A list of `n` takes at most
    /// `n * (MAX_LEN + 1) - 1`.
    pub const MAX_LEN: usize = LimitName::MAX_LEN + ";r=999999999999999;t=18446744074".len();

    /// `remaining` are left until `reset` has passed, which is rounded up to whole seconds. To
    /// tell of a limiter, use [`granted`](Self::granted) and [`denied`](Self::denied).
    ///
    /// # Errors
    ///
    /// [`ItemError`] if `remaining` is above [`MAX_INTEGER`](super::MAX_INTEGER).
    pub const fn new(
        name: LimitName<'a>,
        remaining: u64,
        reset: Duration,
    ) -> Result<Self, ItemError> {
        if let Err(error) = ItemError::check("remaining", remaining) {
            return Err(error);
        }
        Ok(Self {
            name,
            remaining,
            reset_secs: reset.as_secs_ceil(),
        })
    }

    /// A limiter that said yes: `t` is when it is full again, rounded up to whole seconds; 0 if it
    /// is full.
    pub const fn granted(name: LimitName<'a>, standing: &Standing) -> Self {
        Self {
            name,
            remaining: standing.remaining as u64,
            reset_secs: standing.full_in.as_secs_ceil(),
        }
    }

    /// A limiter that said no: `t` is the wait, rounded up to whole seconds, at least 1; the same
    /// number as in [`RetryAfter`].
    ///
    /// Some may remain, if the cost was more than that. If waiting does not help
    /// ([`CostAboveCapacity`](crate::limit::Denied::CostAboveCapacity)) there is no wait; use
    /// [`granted`](Self::granted).
    pub const fn denied(name: LimitName<'a>, standing: &Standing, wait: Duration) -> Self {
        Self {
            name,
            remaining: standing.remaining as u64,
            reset_secs: RetryAfter::new(wait).secs(),
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
            text.str(";r=");
            text.number(item.remaining);
            text.str(";t=");
            text.number(item.reset_secs);
        });
        text.finish()
    }
}
