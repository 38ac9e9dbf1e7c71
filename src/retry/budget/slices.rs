//! A balance whose deposits and withdrawals are forgotten after a while.

use crate::time::{CLOCK_LEAD, Duration, Instant};

/// Into how many slices a window is cut; as many as in Finagle.
pub(super) const SLICES: u64 = 10;

/// What was deposited less what was withdrawn, in ten slices of time. 48 bytes.
///
/// The slices follow each other from the first call on, and the oldest is dropped whole. So what is
/// deposited counts for nine to ten slices. After a pause in which all were dropped, the next call
/// begins a new row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub(super) struct Slices {
    /// When the latest slice ends; zero before the first call.
    until: Instant,
    /// The latest first.
    net: [i32; SLICES as usize],
}

impl Slices {
    pub(super) const EMPTY: Self = Self {
        until: Instant::ZERO,
        net: [0; SLICES as usize],
    };

    /// Drops what is over at `now`; `slice` is at most [`MAX_WAIT`](crate::time::MAX_WAIT).
    pub(super) fn pass_to(&mut self, now: Instant, slice: Duration) {
        // Later than this the clock is taken to stand still, so that no slice ends at the end.
        let horizon = Instant::MAX - slice - CLOCK_LEAD;
        let now = now.min(horizon);
        if self.until > now + slice + CLOCK_LEAD {
            // The clock went back. What there is counts as of now.
            self.until = now + slice;
            return;
        }
        let turns = if self.until == Instant::ZERO {
            1
        } else {
            SLICES
        };
        for _ in 1..turns {
            if now < self.until {
                return;
            }
            // Each goes one place back, and the oldest falls out.
            let mut in_front = 0;
            for net in &mut self.net {
                in_front = core::mem::replace(net, in_front);
            }
            self.until = self.until + slice;
        }
        if now >= self.until {
            *self = Self {
                until: now + slice,
                ..Self::EMPTY
            };
        }
    }

    /// Adds to the latest slice, up to what it can hold.
    pub(super) const fn deposit(&mut self, units: i32) {
        let [latest, ..] = &mut self.net;
        *latest = latest.saturating_add(units);
    }

    /// Takes from the latest slice; false if that would be more than it can tell.
    #[must_use]
    pub(super) const fn withdraw(&mut self, units: i32) -> bool {
        let [latest, ..] = &mut self.net;
        match latest.checked_sub(units) {
            Some(left) => {
                *latest = left;
                true
            }
            None => false,
        }
    }

    pub(super) fn sum(&self) -> i64 {
        // Ten numbers of 32 bits: far from the ends of 64.
        self.net
            .iter()
            .fold(0, |sum: i64, net| sum.wrapping_add(i64::from(*net)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than a slice can tell is refused or cut off, and both mean fewer retries.
    #[test]
    fn no_number_of_calls_overflows() {
        let mut slices = Slices::EMPTY;
        for second in 0..SLICES {
            slices.pass_to(Instant::from_secs(second), Duration::from_secs(1));
            slices.deposit(i32::MAX);
            slices.deposit(i32::MAX);
        }
        assert_eq!(slices.sum(), 10 * i64::from(i32::MAX));
        assert!(slices.withdraw(i32::MAX));
        assert!(slices.withdraw(i32::MAX));
        assert!(slices.withdraw(1));
        assert!(!slices.withdraw(1));
        assert_eq!(
            slices.sum(),
            9 * i64::from(i32::MAX) - i64::from(i32::MAX) - 1
        );
    }
}
