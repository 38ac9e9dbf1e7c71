//! Time: arithmetic at its ends, and the conversions.

use core::hint::black_box;

use super::{now, wait, words};
use steadfast::time::{Duration, Instant, days, secs};

type Watch = fugit::Instant<u64, 1, 32_768, fugit::kind::Monotonic>;
type Ticks = fugit::Duration<u64, 1, 32_768>;

pub(super) fn all() {
    black_box(now() + wait() - wait());
    black_box(now().since(now()));
    black_box((wait() + wait() - wait()).saturating_mul(black_box(3)));
    black_box((days(black_box(1)), secs(black_box(1))));
    black_box(Duration::from_core(wait().to_core()).as_secs_ceil());
    words(wait());

    black_box(Instant::from(Watch::from_ticks(black_box(1))));
    black_box(Watch::from(now()));
    black_box(Duration::from(Ticks::from_ticks(black_box(1))));
    black_box(Ticks::from(wait()));
}
