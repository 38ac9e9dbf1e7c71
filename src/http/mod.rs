//! HTTP's words, written into a caller's buffer and read from the caller's text, without
//! allocating.
//!
//! # Writing, for a server
//!
//! | value | header or body |
//! |---|---|
//! | [`XRateLimit`] | `X-RateLimit-Limit`, `-Remaining`, `-Reset`: one limit, three numbers |
//! | [`QuotaPolicy`] | `RateLimit-Policy`: what is allowed, an item for each limit |
//! | [`ServiceLimit`] | `RateLimit`: what is left, an item for each limit |
//! | [`RetryAfter`] | `Retry-After`: whole seconds to wait |
//! | [`Refusal`] | status, `Retry-After` and JSON body of a no |
//! | [`Unavailable`] | the same, where somebody else's service did not answer |
//!
//! The headers' names are in [`header`].
//!
//! - Times are rounded up to whole seconds, so that a client that believes them is never early.
//! - Every `write` fills a `&mut [u8]` and returns the text as `&str`. A buffer that is too small
//!   is an error that says how many bytes were needed; a `MAX_LEN` beside it always suffices.
//! - Writing costs a 64-bit division for each digit, and no memory but the buffer.
//!
//! A yes and a no, answered:
//!
//! ```
//! use steadfast::http::{LimitName, QuotaPolicy, Refusal, ServiceLimit, XRateLimit};
//! use steadfast::limit::{FixedWindow, Policy, Standing};
//! use steadfast::policy;
//! use steadfast::time::{Instant, minutes};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! const SEARCH: FixedWindow = policy!(FixedWindow::new(2, minutes(1)));
//! let name = LimitName::new("search")?;
//! let mut buffer = [0; QuotaPolicy::MAX_LEN];
//!
//! // The limiter runs on any clock; `X-RateLimit-Reset` needs the Unix time as well.
//! let mut state = FixedWindow::FULL;
//! let (now, unix_now) = (Instant::from_secs(5), Instant::from_secs(1_700_000_000));
//!
//! SEARCH.decide(&mut state, now, 2)?;
//! let standing: Standing = SEARCH.standing(&state, now);
//!
//! let numbers = XRateLimit::new(&standing, unix_now);
//! assert_eq!((numbers.limit, numbers.remaining, numbers.reset), (2, 0, 1_700_000_060));
//! let policy = QuotaPolicy::from_standing(name, &standing);
//! assert_eq!(policy.write(&mut buffer)?, r#""search";q=2;w=60"#);
//! let left = ServiceLimit::granted(name, &standing);
//! assert_eq!(left.write(&mut buffer)?, r#""search";r=0;t=60"#);
//!
//! let denied = SEARCH.decide(&mut state, now, 1).unwrap_err();
//! let refusal = Refusal::new(&denied);
//! assert_eq!(refusal.status(), 429);
//! assert_eq!(refusal.retry_after().map(|after| after.secs()), Some(60));
//! # Ok(()) }
//! ```
//!
//! # Reading, for a client
//!
//! | read by | header |
//! |---|---|
//! | [`ServerQuota`] | all of them: how long to wait before the next request |
//! | [`RetryAfter::parse`] | `Retry-After`: seconds or a date |
//! | [`LimitItems`] | `RateLimit` and `RateLimit-Policy` |
//! | [`XRateLimit::parse_reset`] | `X-RateLimit-Reset` |
//! | [`read_number`] | `X-RateLimit-Limit` and `-Remaining` |
//! | [`parse_http_date`] | `Date` |
//!
//! What a server sends is not trusted: no text panics, and what cannot be read counts as absent.
//!
//! # Calling out
//!
//! | value or function | for |
//! |---|---|
//! | [`http_outcome`] | what an answer means to retry and breaker |
//! | [`is_idempotent`], [`may_repeat`] | whether a request may be sent twice |
//! | [`RemainingTime`] | `grpc-timeout`, or milliseconds: the deadline, handed on |
//! | [`RetriedBelow`] | that an answer is not to be retried, since it was below or must not be: told and read |

pub mod header;
mod http_date;
mod item_error;
mod item_name;
mod limit_items;
mod limit_name;
mod outcome;
mod quota_policy;
mod refusal;
mod remaining_time;
mod retried_below;
mod retry_after;
mod server_quota;
mod service_limit;
mod structured;
mod text;
mod unavailable;
mod x_rate_limit;

pub use http_date::parse_http_date;
pub use item_error::{ItemError, MAX_INTEGER};
pub use item_name::ItemName;
pub use limit_items::{LimitItem, LimitItems, ListError};
pub use limit_name::{LimitName, NameError};
pub use outcome::{http_outcome, is_idempotent, may_repeat};
pub use quota_policy::QuotaPolicy;
pub use refusal::Refusal;
pub use remaining_time::RemainingTime;
pub use retried_below::RetriedBelow;
pub use retry_after::RetryAfter;
pub use server_quota::ServerQuota;
pub use service_limit::ServiceLimit;
pub use text::{BufferTooSmall, MAX_NUMBER_LEN, read_number, write_number};
pub use unavailable::Unavailable;
pub use x_rate_limit::XRateLimit;
