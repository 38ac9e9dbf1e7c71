//! Every machine and every verb of the library, with values that the compiler cannot know.
//!
//! `core::hint::black_box` hides each input, policies included, so that nothing is worked out
//! while compiling and no branch is left out. Where the compiler knew that a divisor is not zero
//! or an index in range, an image without panics would prove nothing.
//!
//! A new part of the library gets a file here.

mod backoff;
mod breaker;
mod call;
mod client;
mod fallback;
mod http;
mod limit;
mod retry;
mod time;
mod waiting;

use core::fmt::{self, Write};
use core::hint::black_box;

use steadfast::time::{Duration, Instant};

/// Asks everything once.
pub fn everything() {
    time::all();
    limit::all();
    http::all();
    client::all();
    waiting::all();
    backoff::all();
    retry::all();
    breaker::all();
    fallback::all();
    call::all();
}

fn now() -> Instant {
    Instant::from_nanos(black_box(1))
}

fn wait() -> Duration {
    Duration::from_nanos(black_box(1))
}

fn cost() -> u32 {
    black_box(1)
}

/// An answer as text.
fn words(answer: impl fmt::Display) {
    let mut length = Length(0);
    let _ = write!(length, "{answer}");
    black_box(length.0);
}

/// A writer that keeps only how much was written.
struct Length(usize);

impl Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.wrapping_add(black_box(text).len());
        Ok(())
    }
}
