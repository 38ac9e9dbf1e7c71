//! The script's clock, which misbehaves in every way that clocks do.

use steadfast::limit::CLOCK_LEAD;
use steadfast::time::{Duration, Instant, hours, secs};

use crate::random::Random;

pub(crate) struct Timeline {
    now: Instant,
    /// When the last no said to come back.
    promised: Instant,
}

impl Timeline {
    pub const fn new() -> Self {
        Self {
            now: Instant::ZERO,
            promised: Instant::ZERO,
        }
    }

    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Remembers when a no said to come back, since that instant and the one before it are where
    /// an error of one would show.
    pub fn promise(&mut self, wait: Duration) {
        self.promised = self.now.saturating_add(wait);
    }

    /// Moves the clock, mostly forward and mostly by little.
    pub fn step(&mut self, random: &mut Random) {
        self.now = match random.below(64) {
            0..8 => self.now,
            8..32 => self.now + Duration::from_nanos(random.up_to_bits(33)),
            32..40 => self.now + Duration::from_nanos(random.up_to_bits(42)),
            40..48 => self.promised,
            48..52 => self.promised - Duration::from_nanos(1),
            // Another core's clock lags a little: believed.
            52..55 => self.now - Duration::from_nanos(random.up_to_bits(31)),
            // About as far as is believed, on either side.
            55 => self.now - CLOCK_LEAD + Duration::from_nanos(random.up_to_bits(3)),
            56 => self.now - CLOCK_LEAD - Duration::from_nanos(random.up_to_bits(3)),
            // A clock that was set back.
            57 => self.now - CLOCK_LEAD - Duration::from_nanos(random.up_to_bits(45)),
            58 => Instant::ZERO + Duration::from_nanos(random.up_to_bits(8)),
            59 => Instant::MAX - Duration::from_nanos(random.up_to_bits(46)),
            60 => Instant::MAX,
            61 => Instant::from_nanos(random.word()),
            // Somewhere in the first days, from where ordinary life goes on.
            _ => Instant::ZERO + hours(u64::from(random.below(100))) + secs(1),
        };
    }
}
