//! A name in a line of a log.

use core::fmt::{self, Write as _};

/// Shown as it is, but for what ends a line or is a control character, which is escaped: whoever
/// chooses the name of a target, a host of a webhook say, must not write lines of a log.
pub(super) struct OneLine<'a>(pub(super) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            // The two that Unicode ends a line or a paragraph by are no control characters.
            if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::super::{CallEvent, CallOutcome, RetryEvent};
    use crate::outcome::Outcome;
    use crate::retry::{Step, StopReason};
    use crate::time::{Instant, millis};

    #[test]
    fn a_name_from_outside_writes_no_line_of_a_log() {
        let operation = "m\u{fc}ll.example\r\nbank: success\u{1b}[2K\u{85}\u{2028}\u{2029}";
        let shown = r"müll.example\r\nbank: success\u{1b}[2K\u{85}\u{2028}\u{2029}";
        let ended = CallEvent {
            operation,
            outcome: CallOutcome::DeadlineExceeded,
            attempts: 2,
            took: millis(8_000),
            at: Instant::ZERO,
        };
        let told = "deadline_exceeded in 8s (attempts: 2; the deadline has passed)";
        assert_eq!(ended.to_string(), std::format!("{shown}: {told}"));
        let tried = RetryEvent {
            operation,
            attempt: 1,
            max_attempts: 4,
            outcome: Outcome::Success,
            step: Step::Stop(StopReason::Succeeded),
            took: millis(1),
            at: Instant::ZERO,
        };
        let told = "attempt 1 of 4 success, stop: it worked";
        assert_eq!(tried.to_string(), std::format!("{shown}: {told}"));
    }
}
