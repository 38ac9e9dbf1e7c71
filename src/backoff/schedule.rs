//! How delays grow, before chance comes in: each from the one before, so that no power is taken
//! and the rounding is the same at each step.

use super::BackoffState;
use crate::time::Duration;

/// How a delay follows from the one before. All are at most the cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub(super) enum Schedule {
    /// The base each time; nothing, if that is nothing.
    Fixed,
    /// The base more each time.
    Linear,
    /// Times a whole factor of at least two.
    Exponential {
        factor: u32,
        /// The longest delay that times the factor is at most the cap.
        room: u64,
    },
    /// Times a factor above one that is not whole.
    Ratio {
        numerator: u32,
        denominator: u32,
        /// As above.
        room: u64,
    },
    /// The sum of the two before.
    Fibonacci,
    /// One after the other, and the last one from then on. Not empty.
    Table(&'static [Duration]),
}

impl Schedule {
    /// The next delay, of `state`, which is moved on.
    #[inline]
    pub(super) fn next(&self, base: u64, cap: u64, state: &mut BackoffState) -> u64 {
        let previous = state.previous;
        // Two delays are at most 2^63.
        let next = match *self {
            Self::Fixed => return base,
            Self::Table(delays) => {
                // A state of another schedule may be past any index of 32 bits, in every home alike.
                let index = usize::try_from(state.before).ok();
                let listed = index.and_then(|index| delays.get(index));
                if listed.is_some() {
                    state.before = state.before.wrapping_add(1);
                }
                return listed
                    .or(delays.last())
                    .map_or(0, |delay| delay.as_nanos())
                    .min(cap);
            }
            Self::Linear => previous.wrapping_add(base).min(cap),
            _ if previous == 0 => base,
            Self::Exponential { factor, room } => {
                if previous > room {
                    cap
                } else {
                    previous.wrapping_mul(u64::from(factor))
                }
            }
            Self::Ratio {
                numerator,
                denominator,
                room,
            } => {
                if previous > room {
                    cap
                } else {
                    scaled(previous, numerator, denominator)
                }
            }
            Self::Fibonacci => previous.wrapping_add(state.before).min(cap),
        };
        if matches!(self, Self::Fibonacci) {
            state.before = previous;
        }
        state.previous = next;
        next
    }

    /// The delay of an attempt; zero is the first.
    pub(super) fn at(&self, base: u64, cap: u64, attempt: u32) -> u64 {
        match *self {
            Self::Fixed => base,
            Self::Linear => base
                .saturating_mul(u64::from(attempt).wrapping_add(1))
                .min(cap),
            Self::Table(_) => {
                let mut state = BackoffState::START;
                state.before = u64::from(attempt);
                self.next(base, cap, &mut state)
            }
            // These grow until they reach the cap, and then stay.
            Self::Exponential { .. } | Self::Ratio { .. } | Self::Fibonacci => {
                let mut state = BackoffState::START;
                let mut delay = self.next(base, cap, &mut state);
                for _ in 0..attempt {
                    if delay >= cap {
                        break;
                    }
                    delay = self.next(base, cap, &mut state);
                }
                delay
            }
        }
    }
}

/// `value * by / over`, rounded down; exact where that is below 2^64. Two divisions.
pub(super) const fn scaled(value: u64, by: u32, over: u32) -> u64 {
    let (by, over) = (by as u64, over as u64);
    // The product of 96 bits is never made: value = whole * over + rest.
    let (Some(whole), Some(rest)) = (value.checked_div(over), value.checked_rem(over)) else {
        // No policy has a denominator of zero.
        return 0;
    };
    match rest.wrapping_mul(by).checked_div(over) {
        Some(part) => whole.wrapping_mul(by).wrapping_add(part),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_value_is_exact() {
        for value in [
            0,
            1,
            2,
            999,
            1 << 32,
            (1 << 32) - 1,
            123_456_789_012_345,
            1 << 62,
        ] {
            for (by, over) in [
                (8, 5),
                (3, 2),
                (5, 8),
                (101, 100),
                (1 << 31, u32::MAX),
                (1, 7),
            ] {
                let exact = u128::from(value) * u128::from(by) / u128::from(over);
                assert_eq!(u128::from(scaled(value, by, over)), exact);
            }
        }
    }
}
