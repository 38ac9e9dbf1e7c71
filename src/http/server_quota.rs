//! What a server's headers ask of its client.

use core::cmp::Reverse;

use super::{LimitItems, RetryAfter, XRateLimit, header, read_number};
use crate::time::{Duration, Instant};

/// What a server's answer says about how soon to send the next request.
///
/// It is fed the answer's headers, in any order, and passes over those that say nothing about it.
/// [`pace`](Self::pace) is the answer in one number, counted from when the headers came:
///
/// 1. `Retry-After`, if it is there; it wins over all others, as the draft demands.
/// 2. Nothing remains: until the reset.
/// 3. Else the reset divided by what remains, rounded up: requests spread evenly up to the reset.
///    Keeping to it, the pace stays the same from answer to answer.
///
/// `RateLimit` is read before `X-RateLimit`, since its times do not depend on two clocks that
/// agree. Of several limits in it, the one with the longest pace counts; one that has nothing left
/// and does not say for how long comes before all. `RateLimit-Policy` is not looked at: it says
/// what is allowed, not what is left.
///
/// An answer with an `Age` above zero came out of a cache. `Retry-After` counts from when the
/// server said it, so it is taken less the age; what was left then is not known now, and counts as
/// absent.
///
/// The pace has no upper end, and a server may send anything: set a limit of your own. Sources:
/// draft-ietf-httpapi-ratelimit-headers, section on the client's behaviour; RFC 9111, section 5.1,
/// for the age.
///
/// ```
/// use steadfast::{http::ServerQuota, time::{Instant, secs}};
///
/// let headers = [
///     ("Content-Type", "application/json"),
///     ("RateLimit", r#""perhr";r=600;t=3000, "permin";r=40;t=30"#),
/// ];
/// let now = Instant::from_secs(1_700_000_000);
/// let quota = headers
///     .into_iter()
///     .fold(ServerQuota::new(now), |quota, (name, value)| quota.header(name, value));
///
/// assert_eq!(quota.remaining(), Some(600));
/// assert_eq!(quota.pace(), Some(secs(5)));
///
/// let refused = quota.header("Retry-After", "120");
/// assert_eq!(refused.pace(), Some(secs(120)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct ServerQuota {
    unix_now: Instant,
    retry_after: Option<Duration>,
    /// How long ago the server said it.
    age: Duration,
    /// Of the limits in `RateLimit`, the one with the longest pace.
    listed: Option<Left>,
    /// `X-RateLimit-Remaining` and `-Reset`.
    plain_remaining: Option<u64>,
    plain_reset: Option<Duration>,
}

impl ServerQuota {
    /// What an answer without headers says, when the Unix clock reads `unix_now`: nanoseconds
    /// since 1970.
    ///
    /// Only dates and `X-RateLimit-Reset` need the time. A device that does not know it passes the
    /// answer's `Date`, read by [`parse_http_date`](super::parse_http_date), or [`Instant::MAX`],
    /// with which whatever names a point in time counts as absent.
    pub const fn new(unix_now: Instant) -> Self {
        Self {
            unix_now,
            retry_after: None,
            age: Duration::ZERO,
            listed: None,
            plain_remaining: None,
            plain_reset: None,
        }
    }

    /// Adds one header. Names may be in upper or lower case; a value that cannot be read counts as
    /// absent, and a malformed `RateLimit` is ignored as a whole.
    ///
    /// A header that comes more than once is given as often: of two waits or resets the longer
    /// counts, of two remainders the smaller, and the items of two `RateLimit` lines are one list.
    /// Names and values are anything that has bytes, such as `&str` and the types of `http`. Costs
    /// a comparison of the name, and one pass over a value that is read.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.add(name.as_ref(), value.as_ref());
        self
    }

    fn add(&mut self, name: &[u8], value: &[u8]) {
        let is = |header: &str| name.eq_ignore_ascii_case(header.as_bytes());
        // What is not UTF-8 is none of these values.
        let Ok(value) = core::str::from_utf8(value) else {
            return;
        };
        if is(header::RETRY_AFTER) {
            // `None` is less than any wait.
            let wait = RetryAfter::parse(value, self.unix_now);
            self.retry_after = self.retry_after.max(wait);
        } else if is("Age") {
            let age = read_number(value).map_or(Duration::ZERO, Duration::from_secs);
            self.age = self.age.max(age);
        } else if is(header::RATELIMIT) {
            self.add_list(value);
        } else if is(header::X_RATELIMIT_REMAINING) {
            let remaining = read_number(value);
            self.plain_remaining = match (self.plain_remaining, remaining) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        } else if is(header::X_RATELIMIT_RESET) {
            let reset = XRateLimit::parse_reset(value, self.unix_now);
            self.plain_reset = self.plain_reset.max(reset);
        }
    }

    fn add_list(&mut self, value: &str) {
        let mut listed = self.listed;
        for item in LimitItems::new(value) {
            let Ok(item) = item else {
                return;
            };
            // The draft requires `r`.
            let Some(remaining) = item.remaining else {
                continue;
            };
            let left = Left {
                remaining,
                resets_in: item.reset_secs.map(Duration::from_secs),
            };
            if listed.is_none_or(|other| left.is_before(&other)) {
                listed = Some(left);
            }
        }
        self.listed = listed;
    }

    /// What `Retry-After` says, less the answer's age: how long to wait before this request is
    /// tried again. `None` if that is over.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.retry_after {
            Some(wait) if wait.as_nanos() > self.age.as_nanos() => {
                Some(wait.saturating_sub(self.age))
            }
            _ => None,
        }
    }

    /// Is it what the server says now?
    const fn is_fresh(&self) -> bool {
        self.age.as_nanos() == 0
    }

    /// How many requests, or other units of the server's, are left until the reset.
    pub const fn remaining(&self) -> Option<u64> {
        match self.listed {
            _ if !self.is_fresh() => None,
            Some(left) => Some(left.remaining),
            None => self.plain_remaining,
        }
    }

    /// In how long the server counts anew, seen from when the headers came.
    pub const fn resets_in(&self) -> Option<Duration> {
        match self.listed {
            _ if !self.is_fresh() => None,
            Some(left) => left.resets_in,
            None => self.plain_reset,
        }
    }

    /// How long to wait, from when the headers came, before the next request.
    ///
    /// `None` if the server did not say; then, and after a no, your own policy decides. Costs one
    /// 64-bit division.
    pub fn pace(&self) -> Option<Duration> {
        self.retry_after().or_else(|| {
            let left = Left {
                remaining: self.remaining()?,
                resets_in: self.resets_in(),
            };
            left.pace()
        })
    }
}

/// What is left of one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
struct Left {
    remaining: u64,
    resets_in: Option<Duration>,
}

impl Left {
    fn pace(&self) -> Option<Duration> {
        let reset = self.resets_in?;
        let nanos = reset.as_nanos();
        // Of a remainder of zero there is no quotient.
        let Some(each) = nanos.checked_div(self.remaining) else {
            return Some(reset);
        };
        let up = u64::from(each.saturating_mul(self.remaining) < nanos);
        Some(Duration::from_nanos(each.saturating_add(up)))
    }

    /// Whether this limit tells more about the next request than `other`.
    fn is_before(&self, other: &Self) -> bool {
        self.urgency() > other.urgency()
    }

    /// Greater for the limit that counts: an unknown wait with nothing left, then the longest
    /// pace, then the least that is left.
    /// The reset only makes the order of the list not matter.
    fn urgency(&self) -> impl Ord + use<> {
        let unknown = self.remaining == 0 && self.resets_in.is_none();
        (
            unknown,
            self.pace(),
            Reverse(self.remaining),
            self.resets_in,
        )
    }
}
