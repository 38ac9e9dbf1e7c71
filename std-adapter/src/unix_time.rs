//! The wall clock, which only headers show.

use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderMap, header};
use steadfast::http::parse_http_date;
use steadfast::time::{Duration, Instant};

/// What the clock of this machine says, in nanoseconds since 1970; one before 1970 reads as 1970.
pub fn unix_now() -> Instant {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Instant::ZERO + Duration::from_core(since)
}

/// When an answer was made, in nanoseconds since 1970.
///
/// Its own date comes first, since the other dates in it are by the same clock.
pub fn unix_time_of(headers: &HeaderMap) -> Instant {
    let here = unix_now();
    headers
        .get(header::DATE)
        .and_then(|date| parse_http_date(date.to_str().ok()?, here))
        .unwrap_or(here)
}
