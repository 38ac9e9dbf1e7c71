//! What a retry did.

use core::fmt;

use super::one_line::OneLine;
use crate::outcome::Outcome;
use crate::retry::Step;
use crate::time::{Duration, Instant};

/// What came of one attempt, and what is done about it. 88 bytes.
///
/// ```
/// use steadfast::event::RetryEvent;
/// use steadfast::outcome::Outcome;
/// use steadfast::random::SplitMix32;
/// use steadfast::retry::{NoBudget, RetryPolicy};
/// use steadfast::time::{Instant, millis, secs};
///
/// let policy = RetryPolicy::standard();
/// let began = Instant::from_secs(1);
/// let mut retry = policy.start(began);
/// let now = began + millis(40);
///
/// // `step` goes on to the next attempt, so look at this one before.
/// let attempt = retry.attempt();
/// let outcome = Outcome::Throttled { retry_after: Some(secs(2)) };
/// let step = retry.step(&policy, now, outcome, &NoBudget, &mut SplitMix32::new(7));
/// let event = RetryEvent {
///     operation: "quote",
///     attempt,
///     max_attempts: policy.attempts(),
///     outcome,
///     step,
///     took: now.since(began),
///     at: now,
/// };
/// assert_eq!(event.to_string(), "quote: attempt 1 of 4 throttled, retry in 2s");
/// assert_eq!((event.step.label(), event.delay()), ("retry", Some(secs(2))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt-v1", derive(defmt::Format))]
pub struct RetryEvent<'a> {
    /// What is tried.
    pub operation: &'a str,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// How many there may be.
    pub max_attempts: u32,
    /// What came of it; its [`label`](Outcome::label) is one of [`Outcome::LABELS`].
    pub outcome: Outcome,
    /// What is done about it; its [`label`](Step::label) is one of [`Step::LABELS`].
    pub step: Step,
    /// How long the attempt took, the waits between attempts not included.
    pub took: Duration,
    /// When it ended, on the session's clock.
    pub at: Instant,
}

impl RetryEvent<'_> {
    /// How long until the next attempt; `None` if there is none.
    pub const fn delay(&self) -> Option<Duration> {
        self.step.delay(self.at)
    }
}

impl fmt::Display for RetryEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            attempt,
            max_attempts,
            ..
        } = self;
        let (operation, outcome) = (OneLine(operation), self.outcome.label());
        write!(
            f,
            "{operation}: attempt {attempt} of {max_attempts} {outcome}, "
        )?;
        match &self.step {
            Step::RetryAt(at) => write!(f, "retry in {}", at.since(self.at)),
            Step::Stop(reason) => write!(f, "stop: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn an_event_is_as_large_as_the_documentation_says() {
        assert_eq!(size_of::<RetryEvent<'_>>(), 88);
    }
}
