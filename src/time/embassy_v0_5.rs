//! Embassy's clock and timer, by embassy-time 0.5, and conversions to and from its durations and
//! instants, whatever its tick: readings round down, durations round up.

use embassy_time::TICK_HZ;

use super::{Clock, Duration, Instant, Sleep};

/// The time and the timers of embassy-time 0.5: a [`Clock`] and a [`Sleep`] that agree.
///
/// The firmware chooses the driver (its HAL's, as a rule), and with it the length of a tick: 1 us
/// unless a feature `tick-hz-...` of embassy-time says otherwise. A wait is rounded up to whole
/// ticks, so it ends up to one tick late, and never early.
///
/// Where a tick is a whole number of nanoseconds a reading costs one multiplication; at 32,768 Hz
/// another one and shifts; at other rates a 64-bit division, as does starting a wait. Takes no
/// memory.
///
/// ```no_run
/// use steadfast::limit::{Queued, RateLimiter, StaticWaitQueue, TokenBucket};
/// use steadfast::policy;
/// use steadfast::shared::Shared;
/// use steadfast::time::EmbassyTime;
///
/// /// Ten frames a second, and up to eight tasks that wait for their turn.
/// static UPLINK: Queued<Shared<RateLimiter<TokenBucket>>, EmbassyTime, StaticWaitQueue<8>> =
///     Queued::new(
///         Shared::new(RateLimiter::new(policy!(TokenBucket::per_second(10)))),
///         EmbassyTime,
///         StaticWaitQueue::new(),
///     );
///
/// async fn send_a_frame() {
///     if UPLINK.acquire().await.is_ok() {
///         // send it
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct EmbassyTime;

impl Clock for EmbassyTime {
    #[inline]
    fn now(&self) -> Instant {
        embassy_time::Instant::now().into()
    }
}

impl Sleep for EmbassyTime {
    type Future = embassy_time::Timer;

    /// The timer runs from this call on, not from the first time it is polled. One that would end
    /// after the last tick never ends.
    fn sleep(&self, duration: Duration) -> embassy_time::Timer {
        let now = embassy_time::Instant::now().as_ticks();
        let ticks = Tick::<TICK_HZ>::ticks_ceil(duration.as_nanos());
        // `Timer::after` would panic where this saturates.
        embassy_time::Timer::at(embassy_time::Instant::from_ticks(now.saturating_add(ticks)))
    }
}

/// A tick of embassy, as a fraction of a nanosecond in its lowest terms.
struct Tick<const HZ: u64>;

impl<const HZ: u64> Tick<HZ> {
    /// So many nanoseconds are as long as [`Self::TICKS`].
    const NANOS: u64 = 1_000_000_000 / greatest_common_divisor(HZ, 1_000_000_000);
    const TICKS: u64 = HZ / greatest_common_divisor(HZ, 1_000_000_000);

    /// The rest of a division by one, times the other, must fit 64 bits.
    const FITS: () = assert!(Self::NANOS.checked_mul(Self::TICKS).is_some());

    const fn nanos_floor(ticks: u64) -> u64 {
        let () = Self::FITS;
        let (whole, rest) = (ticks / Self::TICKS, ticks % Self::TICKS);
        whole
            .saturating_mul(Self::NANOS)
            .saturating_add(rest * Self::NANOS / Self::TICKS)
    }

    const fn nanos_ceil(ticks: u64) -> u64 {
        let () = Self::FITS;
        let (whole, rest) = (ticks / Self::TICKS, ticks % Self::TICKS);
        whole
            .saturating_mul(Self::NANOS)
            .saturating_add((rest * Self::NANOS).div_ceil(Self::TICKS))
    }

    const fn ticks_floor(nanos: u64) -> u64 {
        let () = Self::FITS;
        let (whole, rest) = (nanos / Self::NANOS, nanos % Self::NANOS);
        whole
            .saturating_mul(Self::TICKS)
            .saturating_add(rest * Self::TICKS / Self::NANOS)
    }

    const fn ticks_ceil(nanos: u64) -> u64 {
        let () = Self::FITS;
        let (whole, rest) = (nanos / Self::NANOS, nanos % Self::NANOS);
        whole
            .saturating_mul(Self::TICKS)
            .saturating_add((rest * Self::TICKS).div_ceil(Self::NANOS))
    }
}

/// Euclid's.
const fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

impl From<embassy_time::Duration> for Duration {
    fn from(duration: embassy_time::Duration) -> Self {
        Self::from_nanos(Tick::<TICK_HZ>::nanos_ceil(duration.as_ticks()))
    }
}

impl From<Duration> for embassy_time::Duration {
    fn from(duration: Duration) -> Self {
        Self::from_ticks(Tick::<TICK_HZ>::ticks_ceil(duration.as_nanos()))
    }
}

impl From<embassy_time::Instant> for Instant {
    #[inline]
    fn from(instant: embassy_time::Instant) -> Self {
        Self::from_nanos(Tick::<TICK_HZ>::nanos_floor(instant.as_ticks()))
    }
}

impl From<Instant> for embassy_time::Instant {
    fn from(instant: Instant) -> Self {
        Self::from_ticks(Tick::<TICK_HZ>::ticks_floor(instant.as_nanos()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `count * times / per` in 128 bits, at most `u64::MAX`.
    fn exactly(count: u64, times: u64, per: u64, round_up: bool) -> u64 {
        let product = u128::from(count) * u128::from(times);
        let answer = if round_up {
            product.div_ceil(u128::from(per))
        } else {
            product / u128::from(per)
        };
        u64::try_from(answer).unwrap_or(u64::MAX)
    }

    fn agrees<const HZ: u64>() {
        const BILLION: u64 = 1_000_000_000;
        // Every remainder of small numbers, the neighbourhood of each power of two, the ends.
        let near_powers = (0..64).flat_map(|bit| {
            let power = 1_u64 << bit;
            [power - 1, power, power + 1, power / 3 * 2]
        });
        for count in (0..2_000)
            .chain(near_powers)
            .chain(u64::MAX - 2_000..=u64::MAX)
        {
            let told = [
                Tick::<HZ>::nanos_floor(count),
                Tick::<HZ>::nanos_ceil(count),
                Tick::<HZ>::ticks_floor(count),
                Tick::<HZ>::ticks_ceil(count),
            ];
            let true_ones = [
                exactly(count, BILLION, HZ, false),
                exactly(count, BILLION, HZ, true),
                exactly(count, HZ, BILLION, false),
                exactly(count, HZ, BILLION, true),
            ];
            assert_eq!(told, true_ones, "{count} at {HZ} Hz");

            // Never early: a clock that reads whole nanoseconds has moved by the whole wait.
            let (Some(end), wait) = (count.checked_add(told[3]), count) else {
                continue;
            };
            let moved = Tick::<HZ>::nanos_floor(end) - Tick::<HZ>::nanos_floor(count);
            assert!(
                moved >= wait || Tick::<HZ>::nanos_floor(end) == u64::MAX,
                "a wait of {wait} ns at {HZ} Hz ends after {moved} ns"
            );
        }
    }

    #[test]
    fn every_tick_rate_converts_exactly() {
        agrees::<1>();
        agrees::<10>();
        agrees::<64>();
        agrees::<1_000>();
        agrees::<32_768>();
        agrees::<1_000_000>();
        agrees::<1_048_576>();
        agrees::<3_000_000>();
        agrees::<48_000_000>();
        agrees::<133_000_000>();
        agrees::<1_000_000_000>();
        agrees::<5_242_880_000>();
    }

    #[test]
    fn readings_round_down_and_durations_round_up() {
        assert_eq!(TICK_HZ, 1_000_000, "what the mock driver has");
        let reading: embassy_time::Instant = Instant::from_nanos(1_999).into();
        assert_eq!(reading.as_ticks(), 1);
        let wait: embassy_time::Duration = Duration::from_nanos(1_001).into();
        assert_eq!(wait.as_ticks(), 2);
        let long = embassy_time::Duration::from_ticks(u64::MAX);
        assert_eq!(Duration::from(long), Duration::MAX);
        let late = embassy_time::Instant::from_ticks(u64::MAX);
        assert_eq!(Instant::from(late), Instant::MAX);
        let second = embassy_time::Instant::from_ticks(1_000_000);
        assert_eq!(Instant::from(second), Instant::from_secs(1));
    }
}
