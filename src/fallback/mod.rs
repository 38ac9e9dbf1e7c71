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
//!
//! # Before it is needed
//!
//! - Decide with the feature what it answers without its source, how old that may be
//!   ([`Freshness`]) and which errors pass ([`Chain::only_if`]). What is written during an incident
//!   runs for the first time in it.
//! - Keep a chain to two or three sources. Each stage is tried after the one before it has failed,
//!   so their times add up, and the chain sets no limit: a stage that waits needs a timeout of its
//!   own. One that asks more is a service by itself, with a breaker for each source, an owner and an
//!   alarm.
//! - Test it by breaking what it stands in for: by [`Faults`](crate::fault::Faults) in a test; by
//!   hand with `POST /mode`, which the partner of `examples/storefront` takes.
//!
//! ```
//! use steadfast::fallback::{Source, primary};
//! use steadfast::fault::{Fault, Faults};
//! use steadfast::{policy, random::SplitMix32};
//!
//! const DOWN: Faults = policy!(Faults::of().errors(700).resets(300));
//!
//! fn days(faults: Faults, random: &mut SplitMix32) -> (u32, Source) {
//!     let fetched = match faults.draw(random).fault {
//!         Fault::None => Ok(2),
//!         fault => Err(fault),
//!     };
//!     let days = primary(fetched).or_default(|| 5);
//!     (days.value, days.source)
//! }
//! let mut random = SplitMix32::new(7);
//! for _ in 0..100 {
//!     assert_eq!(days(DOWN, &mut random), (5, Source::Default));
//!     assert_eq!(days(Faults::NONE, &mut random), (2, Source::Primary));
//! }
//! ```

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
pub(crate) use served::is_degraded;
pub use served::{Missed, Served, Source};
pub use stale_cache::{AtKey, StaleCache};
