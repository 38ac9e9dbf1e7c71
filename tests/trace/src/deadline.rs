//! The script for deadlines, and for their way through the headers of HTTP.

use steadfast::deadline::Deadline;
use steadfast::http::{RemainingTime, RetriedBelow, http_outcome};
use steadfast::time::Duration;

use crate::stage::Stage;

/// Plays a deadline that is nested, handed on and begun anew. A yes is one that has not passed.
pub(crate) fn play(stage: &mut Stage) {
    let mut deadline = Deadline::NEVER;
    stage.each_step(|stage| {
        let now = stage.now();
        let limit = Duration::from_nanos(stage.random.up_to_bits(64));
        match stage.random.below(16) {
            0..6 => deadline = Deadline::after(now, limit),
            6..8 => deadline = deadline.nested(Deadline::after(now, limit)),
            8 => deadline = Deadline::NEVER,
            9..13 => {
                if let Some(left) = RemainingTime::until(deadline, now) {
                    let mut buffer = [0; RemainingTime::MAX_LEN];
                    let written = match stage.random.below(2) {
                        0 => left.write_grpc(&mut buffer),
                        _ => left.write_millis(&mut buffer),
                    };
                    let text = written.unwrap_or("it does not fit");
                    stage.tell(text);
                    let read = RemainingTime::parse_grpc(text)
                        .or_else(|| RemainingTime::parse_millis(text));
                    stage.tell(read.map(|left| left.deadline(now)));
                }
            }
            _ => {
                let status = stage.random.below(650) as u16;
                let asked = (stage.random.below(2) == 0).then_some(limit);
                let outcome = http_outcome(status, asked);
                stage.tell(outcome);
                let below = RetriedBelow::new(stage.random.below(4));
                stage.tell(below.map(|below| below.outcome(outcome)));
            }
        }
        stage.count(!deadline.has_passed(now));
        stage.tell((deadline, deadline.remaining(now)));
        stage.tell(deadline.limit(now, limit));
        stage.tell_words(deadline);
    });
}
