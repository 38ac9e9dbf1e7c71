//! When to try again: delays that grow, and jitter that spreads them.
//!
//! Whatever fails under load fails for many at once. Delays that grow take the load away; chance
//! keeps those who failed together from coming back together. How much each kind of chance helps is
//! told by M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015; the names and
//! formulas of [`Jitter`] are from there where it has them.
//!
//! A delay of zero is for a connection that broke: a server that answers 503 is asked again at once
//! by it. [`Backoff::immediate`] has no other, and a table may begin with one. [`Jitter::Full`] draws
//! from zero on, so that one delay in twenty is below a twentieth of the schedule's;
//! [`Jitter::Equal`] draws no less than half.
//!
//! All is reckoned in whole nanoseconds. What is not whole is rounded down, at each step of a
//! schedule, and once more when chance is added.

mod config;
mod delays;
mod jitter;
mod schedule;

pub use config::BackoffConfig;
pub use delays::Delays;
pub use jitter::Jitter;

use crate::policy;
use crate::random::{Random, fraction_of};
use crate::time::{Duration, millis, secs};
use schedule::Schedule;

/// How long to wait before each further attempt.
///
/// A *schedule* says how long without chance; the *cap* is the longest delay there is, and what the
/// schedule says beyond it is the cap; the [`Jitter`] draws a delay from that, and the cap holds
/// for what it draws, too.
///
/// | schedule | the first five delays | configured by |
/// |---|---|---|
/// | immediate | 0, 0, 0, 0, 0 | [`Backoff::immediate`] |
/// | fixed | 1, 1, 1, 1, 1 | [`Backoff::fixed`] |
/// | linear | 1, 2, 3, 4, 5 | [`Backoff::linear`] |
/// | exponential | 1, 2, 4, 8, 16 | [`Backoff::exponential`] |
/// | Fibonacci | 1, 1, 2, 3, 5 | [`Backoff::fibonacci`] |
/// | table | what it lists; the last for ever | [`Backoff::table`] |
///
/// However many attempts there are, a delay is never wrong and never overflows: it stays at the
/// cap.
///
/// The policy is constant and 48 bytes on a 64-bit machine. A delay costs an addition or a
/// multiplication, and two or four multiplications for the jitter. Only a factor that is not whole
/// divides, twice a delay. Of a constant policy the compiler leaves out what it does not use.
///
/// ```
/// use steadfast::backoff::{Backoff, BackoffState, Jitter};
/// use steadfast::policy;
/// use steadfast::random::SplitMix32;
/// use steadfast::time::{millis, secs};
///
/// const RETRY: Backoff =
///     policy!(Backoff::exponential(millis(200)).cap(secs(10)).jitter(Jitter::Equal));
///
/// let device_id = 0x1a2b;
/// let mut random = SplitMix32::new(device_id);
/// let mut state = BackoffState::START;
/// let first = RETRY.next_delay(&mut state, &mut random);
/// assert!(first >= millis(100) && first < millis(200));
/// let second = RETRY.next_delay(&mut state, &mut random);
/// assert!(second >= millis(200) && second < millis(400));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct Backoff {
    schedule: Schedule,
    /// The first delay without chance.
    base: u64,
    /// At least `base`, at most [`MAX_WAIT`](crate::time::MAX_WAIT), 2^62 ns: so the sum of two
    /// delays and three times a delay fit in 64 bits.
    cap: u64,
    jitter: Jitter,
    /// Of a proportional jitter, how far it goes to either side, in 2^-32 of the delay.
    reach: u32,
}

/// Where a sequence of delays is: what the next one follows from. 16 bytes.
///
/// [`START`](Self::START) is the beginning, whatever the policy. To begin anew, as after a success,
/// assign it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct BackoffState {
    /// The delay before: without chance, but for the decorrelated jitter. Zero at the start.
    previous: u64,
    /// Of Fibonacci, the delay before that. Of a table, how many of its delays were used.
    before: u64,
}

impl BackoffState {
    /// No delay was taken yet.
    pub const START: Self = Self {
        previous: 0,
        before: 0,
    };
}

impl Backoff {
    /// 200 ms, doubled each time up to 10 s, with full jitter: a common choice for calls between
    /// services.
    ///
    /// ```
    /// use steadfast::{backoff::Backoff, time::{millis, secs}};
    ///
    /// assert_eq!(Backoff::standard().nominal(0), millis(200));
    /// assert_eq!(Backoff::standard().nominal(3), millis(1_600));
    /// assert_eq!(Backoff::standard().nominal(u32::MAX), secs(10));
    /// ```
    #[must_use]
    pub const fn standard() -> Self {
        policy!(
            Backoff::exponential(millis(200))
                .cap(secs(10))
                .jitter(Jitter::Full)
        )
    }

    /// The next delay, of `state` and chance. Moves `state` on.
    ///
    /// Draws one number from `random`, and none without jitter. Give each sequence numbers of its
    /// own, or one generator to all, and never a copy of a generator to two.
    #[expect(
        clippy::inline_always,
        reason = "so that a constant policy is folded in, which a call prevents"
    )]
    #[inline(always)]
    pub fn next_delay(&self, state: &mut BackoffState, random: &mut impl Random) -> Duration {
        let Self { base, cap, .. } = *self;
        if matches!(self.jitter, Jitter::Decorrelated) {
            // At the start it is the base. At most 3 * 2^62, and no less than the base.
            let previous = state.previous.max(base);
            let width = previous.wrapping_mul(3).wrapping_sub(base);
            let delay = base.wrapping_add(fraction_of(width, random.next_u32()));
            state.previous = delay.min(cap);
            return Duration::from_nanos(state.previous);
        }
        let nominal = self.schedule.next(base, cap, state);
        // No sum here is above 2^63, since neither `nominal` nor `base` is above 2^62.
        Duration::from_nanos(match self.jitter {
            Jitter::None | Jitter::Decorrelated => nominal,
            Jitter::Full => fraction_of(nominal, random.next_u32()),
            Jitter::Equal => nominal.wrapping_add(fraction_of(nominal, random.next_u32())) >> 1,
            Jitter::Proportional { .. } => {
                let reach = fraction_of(nominal, self.reach);
                let drawn = fraction_of(reach << 1, random.next_u32());
                nominal.wrapping_sub(reach).wrapping_add(drawn).min(cap)
            }
            Jitter::Additive => {
                let drawn = fraction_of(base, random.next_u32());
                nominal.wrapping_add(drawn).min(cap)
            }
        })
    }

    /// The delay that the schedule has for `attempt`, without chance; zero is the first delay.
    ///
    /// The same for every jitter: the decorrelated one does not look at it. Whatever the attempt,
    /// it ends where the cap is reached: an exponential schedule takes at most 62 steps and
    /// Fibonacci 90; a factor of 1.01, the least above one, takes at most 3,914, and two 64-bit
    /// divisions for each. The other schedules take one.
    pub fn nominal(&self, attempt: u32) -> Duration {
        Duration::from_nanos(self.schedule.at(self.base, self.cap, attempt))
    }

    /// The longest delay there is.
    pub const fn cap(&self) -> Duration {
        Duration::from_nanos(self.cap)
    }

    /// How chance spreads the delays.
    pub const fn jitter(&self) -> Jitter {
        self.jitter
    }

    /// The delays one after the other, from the first on, without an end.
    ///
    /// Takes a generator of its own: [`fork`](crate::random::SplitMix32::fork) makes one.
    ///
    /// ```
    /// use steadfast::{backoff::Backoff, policy, time::{millis, secs}};
    ///
    /// const STEADY: Backoff = policy!(Backoff::fibonacci(millis(100)).cap(secs(1)));
    /// let delays: Vec<_> = STEADY.delays(|| 0).take(8).collect();
    /// assert_eq!(delays, [100, 100, 200, 300, 500, 800, 1_000, 1_000].map(millis));
    /// ```
    pub const fn delays<R: Random>(&self, random: R) -> Delays<R> {
        Delays::new(*self, random)
    }
}
