//! What a server asks of its client: which answers are obeyed, for how long, and by whom. One part
//! of it a file.

mod answers;
mod clocks;
mod company;
mod config;
mod every_answer;
#[path = "../model/mod.rs"]
mod model;
mod pace;

use steadfast::http::ServerQuota;
use steadfast::limit::ServerHold;
use steadfast::policy;
use steadfast::time::{Instant, minutes};

const UNIX_NOW: Instant = Instant::from_secs(1_700_000_000);
const OBEDIENT: ServerHold = policy!(ServerHold::new(minutes(1)));
const SPREADING: ServerHold = policy!(ServerHold::new(minutes(1)).spread());

fn retry_after(text: &str) -> ServerQuota {
    ServerQuota::new(UNIX_NOW).header("Retry-After", text)
}

fn left(remaining: u64, reset: u64) -> ServerQuota {
    ServerQuota::new(UNIX_NOW).header("RateLimit", format!("\"a\";r={remaining};t={reset}"))
}
