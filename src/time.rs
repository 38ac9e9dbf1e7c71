//! Time as every machine here sees it: a `u64` count of nanoseconds, handed in by the caller.
//!
//! One unit everywhere is what makes a decision equal to the bit in every home, and it leaves
//! the machines without a type parameter for the tick. Arithmetic saturates: a sum past the end
//! of the range stays at the end, and never panics or wraps.
//!
//! A clock converts its own tick once, in [`Clock::now`]. A reading rounds down and a delay
//! rounds up, so that nobody is called back too early.

mod clock;
#[cfg(feature = "defmt-v1")]
mod defmt_v1;
mod duration;
#[cfg(feature = "embassy-time-v0_5")]
mod embassy_v0_5;
#[cfg(feature = "fugit-v0_6")]
mod fugit_v0_6;
mod instant;
mod sleep;

pub use clock::{Clock, FnClock, ManualClock, clock_fn};
pub use duration::{Duration, TooLong, days, hours, micros, millis, minutes, nanos, secs};
#[cfg(feature = "embassy-time-v0_5")]
pub use embassy_v0_5::EmbassyTime;
pub use instant::Instant;
pub use sleep::{BlockingSleep, Sleep};
