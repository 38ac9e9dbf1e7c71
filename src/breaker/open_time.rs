//! How long a breaker stays open: the same each time, or longer while it keeps reopening, and by
//! chance a little longer still.
//!
//! Not a [`Backoff`](crate::backoff::Backoff), whose jitters may shorten a delay down to nothing: an
//! open time is a promise to leave the other side alone for that long, so chance only adds to it.

use crate::random::{fraction_of, mixed};
use crate::time::Duration;

/// Each opening without a closing in between doubles it, up to `cap`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub(super) struct OpenTime {
    /// At most `cap`.
    pub(super) base: Duration,
    /// At most 2^62 ns.
    pub(super) cap: Duration,
    /// How much chance may add, in 2^-32 of the open time.
    pub(super) reach: u32,
}

impl OpenTime {
    /// Always `length`.
    pub(super) const fn fixed(length: Duration) -> Self {
        Self {
            base: length,
            cap: length,
            reach: 0,
        }
    }

    /// After so many openings. The same seed and generation draw the same number.
    #[inline]
    pub(super) fn length(&self, mut openings: u32, seed: u32, generation: u32) -> Duration {
        let (mut length, cap) = (self.base.as_nanos(), self.cap.as_nanos());
        // At most 62 times. Below 2^62, so the double fits.
        while openings > 0 && length < cap {
            length <<= 1;
            openings = openings.wrapping_sub(1);
        }
        length = length.min(cap);
        if self.reach > 0 {
            let random = mixed(seed ^ mixed(generation ^ 0x9e37_79b9));
            // Less than `length`, so the sum is below 2^63.
            length = length.wrapping_add(fraction_of(fraction_of(length, self.reach), random));
        }
        Duration::from_nanos(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{MAX_WAIT, nanos, secs};

    #[test]
    fn it_doubles_up_to_the_cap_and_never_overflows() {
        let time = |base, cap| OpenTime {
            base,
            cap,
            reach: 0,
        };
        let grows = time(secs(3), secs(20));
        let lengths = [0, 1, 2, 3, 4, u32::MAX].map(|openings| grows.length(openings, 0, 0));
        assert_eq!(lengths, [3, 6, 12, 20, 20, 20].map(secs));
        assert_eq!(time(nanos(1), MAX_WAIT).length(61, 0, 0), nanos(1 << 61));
        assert_eq!(time(nanos(1), MAX_WAIT).length(u32::MAX, 0, 0), MAX_WAIT);
        let most = OpenTime {
            reach: u32::MAX,
            ..OpenTime::fixed(MAX_WAIT)
        };
        for generation in 0..1_000 {
            let length = most.length(9, 7, generation);
            assert!(length >= MAX_WAIT && length < MAX_WAIT + MAX_WAIT);
        }
    }

    #[test]
    fn chance_adds_evenly_and_differs_from_seed_to_seed_and_time_to_time() {
        // A tenth.
        let time = OpenTime {
            reach: u32::MAX / 10,
            ..OpenTime::fixed(secs(100))
        };
        let added = |seed, generation| time.length(0, seed, generation) - secs(100);
        let mut quarters = [0; 4];
        for draw in 0..4_000 {
            let (by_seed, by_time) = (added(draw, 2), added(0, draw));
            assert!(by_seed < secs(10) && by_time < secs(10));
            quarters[(by_seed.as_nanos() / 2_500_000_000) as usize] += 1;
            quarters[(by_time.as_nanos() / 2_500_000_000) as usize] += 1;
        }
        // Of 8,000 a quarter each: 2,000, sigma 39.
        assert!(
            quarters
                .iter()
                .all(|quarter| (1_800..2_200).contains(quarter)),
            "{quarters:?}"
        );
        assert_ne!(added(1, 2), added(2, 2));
        assert_ne!(added(1, 2), added(1, 5));
        assert_eq!(added(1, 2), added(1, 2));
    }
}
