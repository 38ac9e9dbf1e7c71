//! Long counts from short counters, also where the counter wraps while it is being read.
//!
//! Nothing here touches a register: the caller says how to read, so the image `clock` can try
//! every moment at which a counter can wrap.

/// A counter that runs down from a value to zero and starts again, as `SysTick` does.
pub trait DownCounter {
    /// What it stands at.
    fn value(&mut self) -> u32;

    /// Has it come to zero since this was asked last?
    fn came_to_zero(&mut self) -> bool;
}

/// How often a [`DownCounter`] has come round.
///
/// It has to be read at least once a period, which a tick interrupt sees to: with interrupts
/// switched off for longer than that, time is lost.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    reload: u32,
    rounds: u32,
}

impl Rounds {
    /// Of a counter that starts again at `reload`, so that a period is one tick more.
    pub const fn new(reload: u32) -> Self {
        Self { reload, rounds: 0 }
    }

    /// Ticks since the counter stood at its reload value for the first time.
    ///
    /// To be called with interrupts off, or by one caller alone. Asking whether it came to zero
    /// takes that knowledge away from whoever asks later, so it is written down at once.
    pub fn ticks(&mut self, counter: &mut impl DownCounter) -> u64 {
        loop {
            let value = counter.value();
            if counter.came_to_zero() {
                // The value may be from before that or from after it: read it again.
                self.rounds = self.rounds.wrapping_add(1);
            } else if value != 0 {
                // It came from the round that is counted, since it had not ended a moment later.
                let period = u64::from(self.reload).wrapping_add(1);
                let in_round = self.reload.wrapping_sub(value);
                return u64::from(self.rounds)
                    .wrapping_mul(period)
                    .wrapping_add(u64::from(in_round));
            }
            // Zero is told as the end of one round by the value and as the beginning of the next
            // by the flag. It lasts one tick: let it pass.
        }
    }
}

/// A 64-bit counter that is read in halves, as RISC-V's `mtime` is: between two readings the low
/// half may wrap into the high one.
pub fn halves(mut high: impl FnMut() -> u32, mut low: impl FnMut() -> u32) -> u64 {
    let mut before = high();
    loop {
        let below = low();
        let after = high();
        if before == after {
            return u64::from(after) << 32 | u64::from(below);
        }
        before = after;
    }
}

/// A 32-bit tick count that only ever wraps, as many HALs have it: `so_far` is the last result.
///
/// To be called more than once in 2^32 ticks, which at 1 kHz are 49.7 days.
pub const fn extended(so_far: u64, ticks: u32) -> u64 {
    let more = ticks.wrapping_sub(so_far as u32);
    so_far.wrapping_add(more as u64)
}
