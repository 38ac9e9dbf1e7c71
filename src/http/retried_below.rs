//! The header by which a layer tells the one above that it has retried already.

use super::{BufferTooSmall, read_number, write_number};
use crate::call::CallError;
use crate::outcome::Outcome;
use crate::retry::StopReason;

/// How many attempts were made below to get an answer: at least 2.
///
/// Three layers that each make four attempts send 64 requests to a target that is down. So a layer
/// that has retried in vain says so on its answer, under
/// [`header::RETRIED_BELOW`](super::header::RETRIED_BELOW), and the one above does not retry that.
///
/// ```
/// use steadfast::http::{RetriedBelow, http_outcome};
/// use steadfast::outcome::Outcome;
///
/// // Below: the fourth attempt has failed as well.
/// let mut buffer = [0; RetriedBelow::MAX_LEN];
/// let told = RetriedBelow::new(4).unwrap();
/// assert_eq!(told.write(&mut buffer), Ok("4"));
///
/// // Above: the answer is a 503 with this header.
/// let outcome = RetriedBelow::parse("4").map_or(
///     http_outcome(503, None),
///     |below| below.outcome(http_outcome(503, None)),
/// );
/// assert_eq!(outcome, Outcome::Exhausted);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct RetriedBelow(u32);

impl RetriedBelow {
    /// The bytes that the value takes at most: the digits of `u32::MAX`.
    pub const MAX_LEN: usize = "4294967295".len();

    /// After so many attempts; `None` below 2, when nothing was retried.
    pub const fn new(attempts: u32) -> Option<Self> {
        if attempts < 2 {
            None
        } else {
            Some(Self(attempts))
        }
    }

    /// What the answer to one's own client says of a call that came to nothing; `None` if it was
    /// tried once.
    ///
    /// What a layer further below says is not to be retried is told upwards too, by the number 2 if it
    /// was tried once here: the least that can be told. How many there were is not known; a call below
    /// that may not be repeated, or whose budget was spent, was made once.
    ///
    /// ```
    /// use steadfast::{call::CallError, http::RetriedBelow};
    ///
    /// let error: CallError<&str> = CallError::DeadlineExceeded { attempts: 3 };
    /// assert_eq!(RetriedBelow::of_call(&error), RetriedBelow::new(3));
    /// ```
    pub const fn of_call<E>(error: &CallError<E>) -> Option<Self> {
        match error {
            CallError::Failed {
                attempts: 1,
                stopped: StopReason::RetriedBelow,
                ..
            } => Some(Self(2)),
            error => Self::new(error.attempts()),
        }
    }

    /// How many attempts there were.
    pub const fn attempts(self) -> u32 {
        self.0
    }

    /// Writes the number.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`]; never with [`MAX_LEN`](Self::MAX_LEN) bytes.
    pub fn write(self, buffer: &mut [u8]) -> Result<&str, BufferTooSmall> {
        write_number(self.0.into(), buffer)
    }

    /// Reads the header. `None`, and so as if it were absent, for less than 2 and for anything that
    /// is not a whole number; above `u32::MAX` it reads as that.
    pub fn parse(value: &str) -> Option<Self> {
        let attempts = u32::try_from(read_number(value)?).unwrap_or(u32::MAX);
        Self::new(attempts)
    }

    /// The outcome of an answer with this header that would otherwise be `outcome`.
    ///
    /// What would be retried is not: [`Transient`](Outcome::Transient) and
    /// [`TimedOut`](Outcome::TimedOut) become [`Exhausted`](Outcome::Exhausted), which a breaker
    /// counts as them; [`Throttled`](Outcome::Throttled), which it does not count, becomes
    /// [`Rejected`](Outcome::Rejected). Others stay what they are.
    #[must_use]
    pub const fn outcome(self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Transient { .. } | Outcome::TimedOut => Outcome::Exhausted,
            Outcome::Throttled { .. } => Outcome::Rejected,
            other => other,
        }
    }
}
