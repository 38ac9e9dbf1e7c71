//! Calling out at a pace: a tower layer for a client, which waits where a server's layer refuses.
//!
//! Each call waits in a queue until a limit of yours lets it go, is sent, and the answer is read
//! for what the server asks. [`PaceLayer`] has one queue, for one server. [`PacePerHostLayer`] has
//! one for each host, for a client that calls whomever it is told to (webhooks, a crawler), so that
//! it floods no third party and one slow host does not stop the others.
//!
//! # What a call may meet
//!
//! - **Its turn.** One that need not wait is sent when it is made. The others stand in a queue from
//!   when their futures are first polled: first come, first served.
//! - **[`PaceError::QueueFull`]**, at once: as many wait as may, 1,024 unless said otherwise.
//! - **[`PaceError::TooLong`]**, with the wait, if its turn would come later than it may wait, 30 s
//!   unless said otherwise. It is told when it is made or first polled where that can be foreseen,
//!   which is when all who wait before it go as soon as they may. If a server's hold comes while it
//!   waits, it is told when those before it have been; at the latest after the time it may wait.
//! - **[`PaceError::Denied`]**: the policy can never let it go.
//! - **[`PaceError::Service`]**: what the service behind the layer says when it fails.
//!
//! A call that is refused, or whose future is dropped while it waits, leaves the limit as if it had
//! never come. One that is first and is neither polled nor dropped holds up those behind it, so
//! spawn it, or await it.
//!
//! # What the server may ask
//!
//! A 403, 429, 503 or 529 with `Retry-After` holds back everybody until it has passed; the rules, the
//! other headers, and how to name further statuses, are those of
//! [`ServerHold`](steadfast::limit::ServerHold). The answer itself is passed on as it is: trying
//! again is another layer's work, outside of this one, so that each attempt takes its turn.
//!
//! The wait of such an answer is not undercut up to the longest hold that is believed, a day unless
//! said otherwise. So after `Retry-After: 3600` calls are refused at once for most of an hour, each
//! with how long is left: a caller may choose to come back then, or to tell its own client.
//!
//! Dates in headers are read against the answer's own `Date`, so a wrong clock on either side does
//! no harm; without one, against the system's clock. An answer with an `Age` came out of a cache:
//! its `Retry-After` counts from when the server said it.
//!
//! Nobody hears the answer to a call that was given up after it was sent. A timeout for the request
//! belongs *inside* of this layer, around the service, where it counts from when the request is
//! sent. One outside counts the wait as well, so after a long wait it gives up on requests that were
//! sent only just before, and a 429 that answers them is not obeyed.
//!
//! # What it costs
//!
//! A call that need not wait allocates nothing. One that waits allocates a boxed future (a queue's
//! `async fn` has no name), its place in the queue, and a clone of the service. One that comes when
//! `n` others wait plays their turns to see its own, which is O(n) and outside the lock: up to two
//! decisions of the policy for each. One that has waited in vain plays none.
//!
//! The service that was ready is kept for the call while it waits. A limit on concurrency *inside*
//! of this layer therefore counts those who wait, too; put it outside, or make it large enough.

mod error;
mod gate;
mod hosts;
mod layer;
mod per_host;

pub use error::PaceError;
pub use gate::{Paced, Timed};
pub use layer::{Pace, PaceLayer, ResponseFuture};
pub use per_host::{PacePerHost, PacePerHostLayer};
