//! The operating system's monotonic clock.

use steadfast::time::{Clock, Instant};

/// The operating system's monotonic clock, the one behind `std::time::Instant`.
///
/// It does not run backwards and does not follow changes of the wall clock. Instants of all
/// `SystemClock`s in a process can be compared; where the clock starts (often at boot) is the
/// system's affair. Costs what the system's clock costs, and never allocates.
///
/// ```
/// use steadfast::time::Clock;
/// use steadfast_std::SystemClock;
///
/// let start = SystemClock.now();
/// assert!(SystemClock.now() >= start);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// Read directly, where it is the standard library's: there, a reading is two instants and their
/// difference.
#[cfg(all(unix, not(target_vendor = "apple"), not(miri)))]
impl Clock for SystemClock {
    #[inline]
    fn now(&self) -> Instant {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        // Neither is ever negative.
        let (secs, nanos) = (now.tv_sec.cast_unsigned(), now.tv_nsec.cast_unsigned());
        Instant::from_nanos(secs.wrapping_mul(1_000_000_000).wrapping_add(nanos))
    }
}

/// From the first reading on, since the standard library does not tell where its clock starts.
#[cfg(not(all(unix, not(target_vendor = "apple"), not(miri))))]
impl Clock for SystemClock {
    #[inline]
    fn now(&self) -> Instant {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        let start = START.get_or_init(std::time::Instant::now);
        Instant::ZERO + steadfast::time::Duration::from_core(start.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ours and the standard library's run at the same speed.
    #[test]
    fn it_is_the_clock_of_the_standard_library() {
        let (before, theirs) = (SystemClock.now(), std::time::Instant::now());
        std::thread::sleep(std::time::Duration::from_millis(20));
        let (theirs, after) = (theirs.elapsed(), SystemClock.now());
        // Read outside theirs, so never shorter.
        assert!(after.since(before).to_core() >= theirs);
        assert!(theirs >= std::time::Duration::from_millis(20));
    }
}
