//! The header by which a layer tells the one above that it has retried already.

use super::{BufferTooSmall, read_number, write_number};
use crate::call::{CallError, is_final};
use crate::event::{CallEvent, CallOutcome};
use crate::outcome::Outcome;

/// How many attempts the layer has made that answers, and that it is not to be asked again: 1 or
/// more.
///
/// Three layers that each make four attempts send 64 requests to a target that is down. So a layer
/// that has retried in vain says so on its answer, under
/// [`header::RETRIED_BELOW`](super::header::RETRIED_BELOW), and the one above does not retry that. It
/// is 1 after a single attempt that nobody is to make again: what was asked may not be repeated, the
/// retry budget was spent, or a layer further below said the same. What layers further below have
/// made is not in the number.
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

    /// After so many attempts; `None` below 2, when nothing was retried. For a single attempt that is
    /// not to be made again: [`of_call`](Self::of_call), [`of_ended`](Self::of_ended).
    pub const fn new(attempts: u32) -> Option<Self> {
        if attempts < 2 {
            None
        } else {
            Some(Self(attempts))
        }
    }

    /// What the answer to one's own client says of a call that came to nothing; `None` if the layer
    /// above may try it again.
    ///
    /// It is there after more than one attempt, and after one if that was not to be made again: it is
    /// [not repeatable](crate::retry::StopReason::NotRepeatable), the
    /// [budget was spent](crate::retry::StopReason::BudgetSpent), or a
    /// [layer below](crate::retry::StopReason::RetriedBelow) said so. Those are the calls whose
    /// [`outcome`](CallError::outcome) says the same to a layer above in the same program.
    ///
    /// ```
    /// use steadfast::{call::CallError, http::RetriedBelow, outcome::Outcome, retry::StopReason};
    ///
    /// let error: CallError<&str> = CallError::DeadlineExceeded { attempts: 3 };
    /// assert_eq!(RetriedBelow::of_call(&error), RetriedBelow::new(3));
    ///
    /// // A POST without a key.
    /// let error = CallError::Failed {
    ///     error: "connection reset",
    ///     attempts: 1,
    ///     stopped: StopReason::NotRepeatable,
    ///     outcome: Outcome::TRANSIENT,
    /// };
    /// assert_eq!(RetriedBelow::of_call(&error).unwrap().attempts(), 1);
    /// ```
    pub const fn of_call<E>(error: &CallError<E>) -> Option<Self> {
        let told = match error {
            CallError::Failed {
                attempts, stopped, ..
            }
            | CallError::TimedOut {
                attempts, stopped, ..
            } => is_final(*attempts, stopped),
            CallError::DeadlineExceeded { attempts } | CallError::Rejected { attempts, .. } => {
                *attempts > 1
            }
        };
        Self::told(told, error.attempts())
    }

    /// The same for a call whose last answer comes back as `Ok` although it is no success, a 503 that
    /// is handed on as it came: [`Observe::ended`](crate::call::Observe::ended) tells of it. `None`
    /// after a success as well.
    ///
    /// ```
    /// # use core::cell::Cell;
    /// # use steadfast::backoff::Backoff;
    /// # use steadfast::time::{BlockingSleep, Clock, Duration, Instant};
    /// # struct Board;
    /// # impl Clock for Board {
    /// #     fn now(&self) -> Instant {
    /// #         Instant::from_secs(1)
    /// #     }
    /// # }
    /// # impl BlockingSleep for Board {
    /// #     fn sleep_blocking(&self, _: Duration) {}
    /// # }
    /// # let board = Board;
    /// use steadfast::call::{Call, Observe};
    /// use steadfast::event::CallEvent;
    /// use steadfast::http::{RetriedBelow, http_outcome};
    /// use steadfast::{outcome::Outcome, retry::RetryPolicy};
    ///
    /// #[derive(Default)]
    /// struct Mark(Cell<Option<RetriedBelow>>); // between threads a `OnceLock`
    /// impl Observe for Mark {
    ///     fn ended(&self, event: &CallEvent<'_>) {
    ///         self.0.set(RetriedBelow::of_ended(event));
    ///     }
    /// }
    ///
    /// let mark = Mark::default();
    /// let answer = Call::blocking(|_| Ok::<u16, ()>(503), &board, || 0)
    ///     .retry(&RetryPolicy::standard())
    ///     .judged_by(|answer| answer.map_or(Outcome::TRANSIENT, |status| http_outcome(status, None)))
    ///     .observed_by(&mark)
    ///     .call_blocking();
    /// assert_eq!(answer, Ok(503));
    /// assert_eq!(mark.0.get(), RetriedBelow::new(4)); // for the header of the answer
    /// ```
    pub const fn of_ended(event: &CallEvent<'_>) -> Option<Self> {
        let attempts = event.attempts;
        let told = match &event.outcome {
            CallOutcome::Attempted { outcome, stopped } => {
                !outcome.is_success() && is_final(attempts, stopped)
            }
            CallOutcome::DeadlineExceeded | CallOutcome::Rejected(_) | CallOutcome::GivenUp(_) => {
                attempts > 1
            }
        };
        Self::told(told, attempts)
    }

    const fn told(told: bool, attempts: u32) -> Option<Self> {
        if told && attempts > 0 {
            Some(Self(attempts))
        } else {
            None
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

    /// Reads the header. `None`, and so as if it were absent, for zero and for anything that is not a
    /// whole number; above `u32::MAX` it reads as that.
    pub fn parse(value: &str) -> Option<Self> {
        let attempts = u32::try_from(read_number(value)?).unwrap_or(u32::MAX);
        Self::told(true, attempts)
    }

    /// The outcome of an answer with this header that would otherwise be `outcome`.
    ///
    /// What would be retried is not: [`Transient`](Outcome::Transient) and
    /// [`TimedOut`](Outcome::TimedOut) become [`Exhausted`](Outcome::Exhausted), which a breaker
    /// counts as them; [`Throttled`](Outcome::Throttled), which it does not count, becomes
    /// [`ThrottledBelow`](Outcome::ThrottledBelow), whose wait is handed on. Others stay what they
    /// are.
    #[must_use]
    pub const fn outcome(self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Transient { .. } | Outcome::TimedOut => Outcome::Exhausted,
            Outcome::Throttled { retry_after } => Outcome::ThrottledBelow { retry_after },
            other => other,
        }
    }
}
