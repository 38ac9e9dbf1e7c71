//! Clocks and timers of a server.
//!
//! | | reading | for |
//! |---|---|---|
//! | [`SystemClock`] | the operating system's | everything |
//! | [`CoarseClock`] | one relaxed load, up to a tick old | limits that are asked millions of times a second |
//! | [`TokioTime`] | tokio's, which a test can pause | waiting in async code (feature `tokio`) |
//! | [`ThreadTime`] | the operating system's | waiting in a plain thread, with [`block_on`] |

mod coarse;
mod system;
mod thread;
#[cfg(feature = "tokio")]
mod tokio;

#[cfg(feature = "tokio")]
pub use self::tokio::TokioTime;
pub use coarse::CoarseClock;
pub use system::SystemClock;
pub use thread::{ThreadSleep, ThreadTime, block_on};
