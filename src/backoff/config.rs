//! How a backoff is configured, and what is allowed.

use super::schedule::{Schedule, scaled};
use super::{Backoff, Jitter};
use crate::config::ConfigError;
use crate::time::{Duration, MAX_WAIT};

/// The largest denominator of a factor, so that 1.01 times it is still a `u32`.
const MOST_PARTS: u64 = 1 << 31;

/// A backoff being configured; [`build`](Self::build) or [`policy!`](crate::policy) checks it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct BackoffConfig {
    growth: Growth,
    base: Duration,
    factor: Option<Factor>,
    cap: Duration,
    jitter: Jitter,
}

/// Which schedule.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
enum Growth {
    Immediate,
    Fixed,
    Linear,
    Exponential,
    Fibonacci,
    Table(&'static [Duration]),
}

#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
enum Factor {
    Whole(u32),
    Ratio { numerator: u32, denominator: u32 },
}

impl Backoff {
    /// At once, each time: for what fails by chance and not under load, such as a connection that
    /// broke.
    ///
    /// Not for a server that answers: a 503 without a `Retry-After` is retried at once too, and a
    /// server under load has that many more calls; see [`crate::retry`].
    pub const fn immediate() -> BackoffConfig {
        BackoffConfig::new(Growth::Immediate, Duration::ZERO)
    }

    /// `delay` each time. 1 ns to [`MAX_WAIT`]; for no delay see [`immediate`](Self::immediate).
    pub const fn fixed(delay: Duration) -> BackoffConfig {
        BackoffConfig::new(Growth::Fixed, delay)
    }

    /// `base` more each time, `base * (n + 1)`. 1 ns to [`MAX_WAIT`].
    pub const fn linear(base: Duration) -> BackoffConfig {
        BackoffConfig::new(Growth::Linear, base)
    }

    /// Twice as long each time, `base * 2^n`; [`factor`](BackoffConfig::factor) and
    /// [`factor_ratio`](BackoffConfig::factor_ratio) set another factor. 1 ns to [`MAX_WAIT`].
    pub const fn exponential(base: Duration) -> BackoffConfig {
        BackoffConfig::new(Growth::Exponential, base)
    }

    /// `base` times 1, 1, 2, 3, 5, 8 ...: each is the sum of the two before, which grows by 1.6
    /// in the long run. 1 ns to [`MAX_WAIT`].
    pub const fn fibonacci(base: Duration) -> BackoffConfig {
        BackoffConfig::new(Growth::Fibonacci, base)
    }

    /// The delays of a table, and its last one from then on. At least one; each at most
    /// [`MAX_WAIT`], zero is allowed. They need not grow. The base, of which a jitter may speak, is
    /// the first. Put the table in a `static` or a `const` of its own.
    ///
    /// One that begins at zero retries the first 503 at once, as [`immediate`](Self::immediate) does
    /// each: for a connection that broke.
    ///
    /// ```
    /// use steadfast::{backoff::Backoff, policy, time::{Duration, millis, secs}};
    ///
    /// static DELAYS: [Duration; 3] = [Duration::ZERO, millis(500), secs(3)];
    /// const LISTED: Backoff = policy!(Backoff::table(&DELAYS));
    /// assert_eq!(LISTED.nominal(0), Duration::ZERO);
    /// assert_eq!(LISTED.nominal(100), secs(3));
    /// ```
    pub const fn table(delays: &'static [Duration]) -> BackoffConfig {
        let base = match delays {
            [first, ..] => *first,
            [] => Duration::ZERO,
        };
        BackoffConfig::new(Growth::Table(delays), base)
    }
}

impl BackoffConfig {
    const fn new(growth: Growth, base: Duration) -> Self {
        Self {
            growth,
            base,
            factor: None,
            cap: MAX_WAIT,
            jitter: Jitter::None,
        }
    }

    /// How many times as long each delay is as the one before; of an exponential schedule only.
    /// 2 unless set; 1 to `u32::MAX`.
    #[must_use]
    pub const fn factor(mut self, factor: u32) -> Self {
        self.factor = Some(Factor::Whole(factor));
        self
    }

    /// A factor that need not be whole: `numerator / denominator`. Each delay is rounded down to
    /// whole nanoseconds, and the next one follows from that.
    ///
    /// `denominator` is 1 to 2^31. The factor is whole or at least 1.01, which bounds the work of
    /// [`Backoff::nominal`]. The base must be long enough for the second delay to be longer, though
    /// rounded down: of 1 ns, 1.5 times as much would be 1 ns for ever.
    ///
    /// What gRPC does between two attempts to connect (`doc/connection-backoff.md`: 1 s, a factor
    /// of 1.6, at most 120 s, 20 % more or less), but that the cap holds for the jitter, too:
    ///
    /// ```
    /// use steadfast::backoff::{Backoff, Jitter};
    /// use steadfast::{policy, time::{millis, secs}};
    ///
    /// const CONNECT: Backoff = policy!(
    ///     Backoff::exponential(secs(1))
    ///         .factor_ratio(16, 10)
    ///         .cap(secs(120))
    ///         .jitter(Jitter::Proportional { permille: 200 })
    /// );
    /// assert_eq!(CONNECT.nominal(2), millis(2_560));
    /// ```
    #[must_use]
    pub const fn factor_ratio(mut self, numerator: u32, denominator: u32) -> Self {
        self.factor = Some(Factor::Ratio {
            numerator,
            denominator,
        });
        self
    }

    /// The longest delay there is, jitter included. From the first delay of the schedule to
    /// [`MAX_WAIT`].
    ///
    /// [`MAX_WAIT`] unless set, 146 years: a schedule that grows passes any sensible time sooner or
    /// later, so set a cap unless the attempts are few.
    #[must_use]
    pub const fn cap(mut self, longest: Duration) -> Self {
        self.cap = longest;
        self
    }

    /// How chance spreads the delays; [`Jitter::None`] unless set.
    #[must_use]
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// Checks the whole and makes the policy.
    ///
    /// # Errors
    ///
    /// The first field that is out of range: `delays` (how many a table has), `delay (ns)` (one of
    /// a table), `base (ns)`, `cap (ns)`, `factor`, `denominator`, `numerator` or `permille`.
    ///
    /// - A cap is at least the base: the first delay of the schedule.
    /// - A factor is set for an exponential schedule only; others have the factor one.
    /// - Decorrelated and additive jitter need a base of at least 1 ns, which an immediate schedule
    ///   does not have.
    pub const fn build(self) -> Result<Backoff, ConfigError> {
        let longest = MAX_WAIT.as_nanos();
        let (base, cap) = (self.base.as_nanos(), self.cap.as_nanos());
        if let Growth::Table(delays) = self.growth
            && let Err(error) = check_table(delays)
        {
            return Err(error);
        }
        let least = match (self.growth, self.jitter) {
            (Growth::Immediate | Growth::Table(_), Jitter::Decorrelated | Jitter::Additive) => 1,
            (Growth::Immediate | Growth::Table(_), _) => 0,
            _ => 1,
        };
        if let Err(error) = ConfigError::check("base (ns)", base, least, longest) {
            return Err(error);
        }
        if let Err(error) = ConfigError::check("cap (ns)", cap, base, longest) {
            return Err(error);
        }
        let schedule = match self.schedule(base, cap) {
            Ok(schedule) => schedule,
            Err(error) => return Err(error),
        };
        let permille = match self.jitter {
            Jitter::Proportional { permille } => permille as u64,
            _ => 0,
        };
        if let Err(error) = ConfigError::check("permille", permille, 0, 999) {
            return Err(error);
        }
        Ok(Backoff {
            schedule,
            base,
            cap,
            jitter: self.jitter,
            reach: ((permille << 32) / 1_000) as u32,
        })
    }

    /// The schedule of a base and a cap that are in range.
    const fn schedule(self, base: u64, cap: u64) -> Result<Schedule, ConfigError> {
        let (numerator, denominator) = match self.factor {
            Some(Factor::Whole(factor)) => (factor, 1),
            Some(Factor::Ratio {
                numerator,
                denominator,
            }) => (numerator, denominator),
            None => (
                if matches!(self.growth, Growth::Exponential) {
                    2
                } else {
                    1
                },
                1,
            ),
        };
        let field = match self.factor {
            Some(Factor::Ratio { .. }) => "numerator",
            _ => "factor",
        };
        let parts = denominator as u64;
        if let Err(error) = ConfigError::check("denominator", parts, 1, MOST_PARTS) {
            return Err(error);
        }
        let most = match self.growth {
            Growth::Exponential => u32::MAX as u64,
            _ => parts,
        };
        if let Err(error) = ConfigError::check(field, numerator as u64, parts, most) {
            return Err(error);
        }
        Ok(match self.growth {
            Growth::Immediate | Growth::Fixed => Schedule::Fixed,
            Growth::Linear => Schedule::Linear,
            Growth::Fibonacci => Schedule::Fibonacci,
            Growth::Table(delays) => Schedule::Table(delays),
            Growth::Exponential => return exponential(base, cap, numerator, denominator),
        })
    }
}

/// The schedule of a factor of at least one.
const fn exponential(
    base: u64,
    cap: u64,
    numerator: u32,
    denominator: u32,
) -> Result<Schedule, ConfigError> {
    let room = scaled(cap, denominator, numerator);
    if let (Some(factor), Some(0)) = (
        numerator.checked_div(denominator),
        numerator.checked_rem(denominator),
    ) {
        return Ok(match factor {
            1 => Schedule::Fixed,
            _ => Schedule::Exponential { factor, room },
        });
    }
    let least = (denominator as u64 * 101).div_ceil(100);
    if let Err(error) = ConfigError::check("numerator", numerator as u64, least, u32::MAX as u64) {
        return Err(error);
    }
    // The second delay is longer if base * (numerator - denominator) >= denominator. So the base is
    // at least the quotient of the two, rounded up; neither is zero, the check above says.
    let least = match denominator
        .wrapping_sub(1)
        .checked_div(numerator.wrapping_sub(denominator))
    {
        Some(whole) => whole as u64 + 1,
        None => 1,
    };
    if let Err(error) = ConfigError::check("base (ns)", base, least, MAX_WAIT.as_nanos()) {
        return Err(error);
    }
    Ok(Schedule::Ratio {
        numerator,
        denominator,
        room,
    })
}

const fn check_table(delays: &[Duration]) -> Result<(), ConfigError> {
    let count = delays.len() as u64;
    if let Err(error) = ConfigError::check("delays", count, 1, u32::MAX as u64) {
        return Err(error);
    }
    let mut rest = delays;
    while let [delay, after @ ..] = rest {
        let longest = MAX_WAIT.as_nanos();
        if let Err(error) = ConfigError::check("delay (ns)", delay.as_nanos(), 0, longest) {
            return Err(error);
        }
        rest = after;
    }
    Ok(())
}
