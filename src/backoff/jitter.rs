//! The ways in which chance spreads delays.

/// How chance spreads delays, so that those who failed together do not come back together.
///
/// With `v` what the schedule says, at most the cap; `base` its first delay; and `u` a random
/// number from 0 to just below 1, a multiple of 2^-32:
///
/// | jitter | the delay | between | on average |
/// |---|---|---|---|
/// | [`None`](Self::None) | `v` | `v` | `v` |
/// | [`Full`](Self::Full) | `u*v` | 0 and `v` | `v/2` |
/// | [`Equal`](Self::Equal) | `v/2 + u*v/2` | `v/2` and `v` | `3v/4` |
/// | [`Decorrelated`](Self::Decorrelated) | `base + u*(3*previous - base)` | `base` and three times the delay before | |
/// | [`Proportional`](Self::Proportional) | `v*(1 - r + 2*r*u)` | `v - r*v` and `v + r*v` | `v` |
/// | [`Additive`](Self::Additive) | `v + u*base` | `v` and `v + base` | `v + base/2` |
///
/// No delay is above the cap: what the last three draw above it becomes the cap. Where `v` has
/// reached the cap, that is half of what `Proportional` draws and all that `Additive` draws, so
/// these two spread less or nothing there; the first two spread as before.
///
/// Full, equal and decorrelated jitter: M. Brooker, "Exponential Backoff And Jitter", AWS
/// Architecture Blog, 2015, and its simulator, `aws-arch-backoff-simulator`. There full jitter took
/// the fewest calls and decorrelated a little less time. Proportional jitter is what gRPC
/// does between connection attempts (`doc/connection-backoff.md`) and Resilience4j calls a
/// randomization factor. Additive jitter never comes back before the schedule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
#[non_exhaustive]
pub enum Jitter {
    /// No chance. For one caller alone, or for tests.
    None,
    /// Anything from nothing to the whole delay.
    Full,
    /// Half of the delay, and anything up to the other half.
    Equal,
    /// Anything from the base to three times the delay before, which was drawn likewise. Before
    /// the first delay it is the base that counts.
    ///
    /// Of the schedule only the base and the cap count.
    Decorrelated,
    /// Up to a part of the delay more or less.
    Proportional {
        /// The part, in thousandths of the delay, 0 to 999: 200 is 20 % to either side. It is held
        /// as a multiple of 2^-32, rounded down.
        permille: u16,
    },
    /// Up to the first delay more.
    Additive,
}
