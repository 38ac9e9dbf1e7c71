//! What to answer when the one who should have it cannot: an earlier answer, another's, a safe
//! one, or that it will be done later; and always which of these it is.
//!
//! | for | there is |
//! |---|---|
//! | one answer and its substitutes, in order | [`primary`], which begins a [`Chain`] |
//! | the answer, where it came from, how old it is | [`Served`] |
//! | the last good answer, to one question or to several | [`LastGood`], [`StaleCache`] |
//! | work that is accepted now and done later | [`DeferredQueue`] |
//! | a function that can be done without | [`FeatureSwitch`] |
//! | an answer of which parts are missing | [`Parts`] |
//! | an alarm when all this happens too often | [`FallbackMeter`] |
//!
//! ```
//! use steadfast::fallback::{Freshness, StaleCache, primary};
//! use steadfast::shared::Shared;
//! use steadfast::time::Instant;
//!
//! static RECENT: Shared<StaleCache<u16, u32, 64>> = Shared::stale_cache(Freshness::STANDARD);
//!
//! # fn fetch(_: u16) -> Result<u32, &'static str> { Err("503") }
//! # fn replica(_: u16) -> Result<u32, &'static str> { Err("no connection") }
//! # let (id, now) = (7, Instant::from_secs(60));
//! let days = primary(fetch(id))
//!     .inspect_err(|error| eprintln!("quote: {error}"))
//!     .backed_by(RECENT.at(id), now)
//!     .or_secondary(|| replica(id))
//!     .or_default(|| 5);
//! if days.is_degraded() {
//!     println!("about {} days ({}, asked before: {})", days.value, days.source, days.missed);
//! }
//! # assert_eq!(days.missed.to_string(), "primary, stale, secondary");
//! ```
//!
//! # What holds for all of them
//!
//! - An answer that is not what was asked for never looks as if it were: its
//!   [`source`](Served::source) says so, and only the primary's own answer is remembered.
//! - No error is swallowed: without a default it is the primary's own that comes back.
//! - Decide beforehand what can be done without. For a payment, a login, a lock, there may be no
//!   substitute: let the error through.

mod chain;
mod deferred_queue;
mod feature_switch;
mod freshness;
mod last_good;
mod meter;
mod parts;
mod served;
mod shared;
mod stale_cache;

pub use chain::{Chain, primary};
pub use deferred_queue::{DeferredFull, DeferredId, DeferredQueue, DeferredTicket, DeferredWork};
pub use feature_switch::{FeatureSwitch, Switched, SwitchedOff};
pub use freshness::{Aged, Freshness, FreshnessConfig, Memory};
pub use last_good::{LastGood, LastGoodState};
pub use meter::{FallbackAlarm, FallbackMeter, FallbackMeterConfig, FallbackMeterState};
pub use parts::{Part, Parts};
pub use served::{Missed, Served, Source};
pub use stale_cache::{AtKey, StaleCache};
