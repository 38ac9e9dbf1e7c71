//! To and from fugit 0.6, whatever the tick: readings round down, durations round up.
//!
//! Only monotonic fugit instants convert. A wrapping counter says nothing about how often it has
//! wrapped; extend it to 64 bits first.

use fugit::kind::Monotonic;

use super::{Duration, Instant};

/// Nanoseconds in `ticks` of `NOM / DENOM` seconds, saturating.
///
/// Where the tick is a whole number of nanoseconds this is one multiplication; the division is
/// compiled only for the ticks that need it (32,768 Hz, say).
const fn nanos<const NOM: u64, const DENOM: u64>(ticks: u64, round_up: bool) -> u64 {
    let scaled = NOM as u128 * 1_000_000_000;
    let denominator = DENOM as u128;
    if scaled.is_multiple_of(denominator) {
        let each = scaled / denominator;
        if each > u64::MAX as u128 {
            return if ticks == 0 { 0 } else { u64::MAX };
        }
        return ticks.saturating_mul(each as u64);
    }
    // `ticks * scaled` may pass 128 bits only where the answer passes 64.
    let Some(product) = scaled.checked_mul(ticks as u128) else {
        return u64::MAX;
    };
    let nanos = if round_up {
        product.div_ceil(denominator)
    } else {
        product / denominator
    };
    if nanos > u64::MAX as u128 {
        u64::MAX
    } else {
        nanos as u64
    }
}

/// Ticks of `NOM / DENOM` seconds in `nanos`, saturating.
const fn ticks<const NOM: u64, const DENOM: u64>(nanos: u64, round_up: bool) -> u64 {
    let tick = NOM as u128 * 1_000_000_000;
    // A product of two 64-bit numbers fits 128 bits.
    let product = nanos as u128 * DENOM as u128;
    let ticks = if round_up {
        product.div_ceil(tick)
    } else {
        product / tick
    };
    if ticks > u64::MAX as u128 {
        u64::MAX
    } else {
        ticks as u64
    }
}

impl<const NOM: u64, const DENOM: u64> From<fugit::Duration<u64, NOM, DENOM>> for Duration {
    fn from(duration: fugit::Duration<u64, NOM, DENOM>) -> Self {
        Self::from_nanos(nanos::<NOM, DENOM>(duration.as_ticks(), true))
    }
}

impl<const NOM: u64, const DENOM: u64> From<fugit::Duration<u32, NOM, DENOM>> for Duration {
    fn from(duration: fugit::Duration<u32, NOM, DENOM>) -> Self {
        Self::from_nanos(nanos::<NOM, DENOM>(u64::from(duration.as_ticks()), true))
    }
}

impl<const NOM: u64, const DENOM: u64> From<Duration> for fugit::Duration<u64, NOM, DENOM> {
    fn from(duration: Duration) -> Self {
        Self::from_ticks(ticks::<NOM, DENOM>(duration.as_nanos(), true))
    }
}

impl<const NOM: u64, const DENOM: u64> From<fugit::Instant<u64, NOM, DENOM, Monotonic>>
    for Instant
{
    fn from(instant: fugit::Instant<u64, NOM, DENOM, Monotonic>) -> Self {
        Self::from_nanos(nanos::<NOM, DENOM>(instant.as_ticks(), false))
    }
}

impl<const NOM: u64, const DENOM: u64> From<fugit::Instant<u32, NOM, DENOM, Monotonic>>
    for Instant
{
    fn from(instant: fugit::Instant<u32, NOM, DENOM, Monotonic>) -> Self {
        Self::from_nanos(nanos::<NOM, DENOM>(u64::from(instant.as_ticks()), false))
    }
}

impl<const NOM: u64, const DENOM: u64> From<Instant>
    for fugit::Instant<u64, NOM, DENOM, Monotonic>
{
    fn from(instant: Instant) -> Self {
        Self::from_ticks(ticks::<NOM, DENOM>(instant.as_nanos(), false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_round_down_and_durations_round_up() {
        let third = fugit::Duration::<u64, 1, 3>::from_ticks(1);
        assert_eq!(Duration::from(third).as_nanos(), 333_333_334);
        let third = fugit::Instant::<u64, 1, 3, Monotonic>::from_ticks(1);
        assert_eq!(Instant::from(third).as_nanos(), 333_333_333);

        let back: fugit::Duration<u64, 1, 32_768> = Duration::from_nanos(1).into();
        assert_eq!(back.as_ticks(), 1);
        let back: fugit::Instant<u64, 1, 32_768, Monotonic> = Instant::from_nanos(30_000).into();
        assert_eq!(back.as_ticks(), 0);
    }

    #[test]
    fn whole_ticks_are_exact_and_the_ends_saturate() {
        let hour = fugit::Duration::<u32, 3_600, 1>::from_ticks(2);
        assert_eq!(Duration::from(hour), super::super::hours(2));
        let never = fugit::Instant::<u64, 3_600, 1, Monotonic>::from_ticks(u64::MAX);
        assert_eq!(Instant::from(never), Instant::MAX);
        let picos: fugit::Duration<u64, 1, 1_000_000_000_000> = Duration::MAX.into();
        assert_eq!(picos.as_ticks(), u64::MAX);
    }
}
