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

/// How far ahead of `now` an instant that a machine wrote down may lie, beyond the longest wait that
/// there can truly be, and still be believed: 2^32 ns, about 4.3 s. Another core's clock may lead a
/// little; what is further ahead is of before the clock went back.
pub const CLOCK_LEAD: Duration = Duration::from_nanos(1 << 32);

/// The longest wait that a policy may have: 2^62 ns, about 146 years.
pub const MAX_WAIT: Duration = Duration::from_nanos(1 << 62);
