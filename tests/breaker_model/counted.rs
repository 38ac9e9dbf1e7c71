//! What the breaker looks back on: every call of its phase, counted anew each time.

use steadfast::breaker::Cause;
use steadfast::window::Totals;

use super::Rule;
use super::model::{Model, believed};

/// A call that was counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Counted {
    /// In which slice of time.
    slice: i128,
    failed: bool,
    slow: bool,
}

impl Model {
    /// Adds a call to the list; why it opens, if it does.
    pub(super) fn count(&mut self, now: i128, failed: bool, slow: bool) -> Option<Cause> {
        if let Rule::Time(slices, slice, _) = self.config.rule {
            let slice = i128::from(slice);
            let (began, number) = self.latest;
            let began = believed(began, now);
            let turned = (now - began).max(0) / slice;
            let empty = self.counted.is_empty() || turned >= slices as i128;
            self.latest = if empty {
                (now, number + turned + slices as i128)
            } else {
                (began + turned * slice, number + turned)
            };
        }
        self.counted.push(Counted {
            slice: self.latest.1,
            failed,
            slow,
        });
        let totals = self.totals(now);
        match self.config.rule {
            Rule::Row(failures) => {
                (totals.failures as usize >= failures).then_some(Cause::Failures)
            }
            Rule::Calls(_, rate) | Rule::Time(_, _, rate) => {
                let share = |part: u32| part as usize * 100;
                let calls = totals.calls as usize;
                if calls < rate.min {
                    None
                } else if share(totals.failures) >= rate.failures * calls {
                    Some(Cause::FailureRate)
                } else if rate
                    .slow
                    .is_some_and(|(percent, _)| share(totals.slow) >= percent * calls)
                {
                    Some(Cause::SlowRate)
                } else {
                    None
                }
            }
        }
    }

    /// What is looked back on, counted anew.
    pub(super) fn totals(&self, now: i128) -> Totals {
        let all = &self.counted;
        let seen: Vec<_> = match self.config.rule {
            Rule::Row(_) => {
                let row = all.iter().rev().take_while(|call| call.failed);
                row.collect()
            }
            Rule::Calls(last, _) => all.iter().rev().take(last).collect(),
            Rule::Time(slices, slice, _) => {
                let (began, number) = self.latest;
                let turned = (now - began).max(0) / i128::from(slice);
                let oldest = number + turned - slices as i128 + 1;
                all.iter().filter(|call| call.slice >= oldest).collect()
            }
        };
        Totals {
            calls: seen.len() as u32,
            failures: seen.iter().filter(|call| call.failed).count() as u32,
            slow: seen.iter().filter(|call| call.slow).count() as u32,
        }
    }
}
