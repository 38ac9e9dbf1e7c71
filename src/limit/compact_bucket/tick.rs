//! Time read in ticks, without a division.

/// How coarsely time is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub(super) struct Tick {
    pub nanos: u64,
    /// `2^64 / nanos`, rounded down, so that reading the time takes no division.
    reciprocal: u64,
}

impl Tick {
    pub const fn new(nanos: u64) -> Self {
        Self {
            nanos,
            // Unused where the tick is one nanosecond.
            reciprocal: if nanos <= 1 {
                0
            } else {
                ((1 << 64) / nanos as u128) as u64
            },
        }
    }

    /// `now` in ticks, rounded down.
    #[inline]
    pub fn read(self, now: u64) -> u64 {
        if self.nanos == 1 {
            return now;
        }
        // At most one too small, since the reciprocal lacks less than one unit in 2^64.
        let ticks = ((u128::from(now) * u128::from(self.reciprocal)) >> 64) as u64;
        let rest = now.wrapping_sub(ticks.wrapping_mul(self.nanos));
        ticks.wrapping_add(u64::from(rest >= self.nanos))
    }
}
